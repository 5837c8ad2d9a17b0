"""Whom we judge: what its documentation declares (`profile`), what it turns out to do (`capabilities`)."""
