"""Whom we judge: what its documentation declares (`profile`), what it can do (`capabilities`)."""
