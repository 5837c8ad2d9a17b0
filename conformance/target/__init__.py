"""Whom we judge: what its documentation declares (`profile`; `reading` takes it from TOML), what it
can do (`capabilities`)."""
