"""Files of results: what kind a file holds, be it data or a page, and how one is written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from . import embedding

__all__ = ["kind", "misplaced", "saved", "write"]


def write(text: str, path: Path) -> None:
    """Write ``text`` to ``path``, whole or not at all; folders are made.

    Raises:
        OSError: the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def saved(path: Path) -> Any:
    """Return the JSON value that a file holds as it stands, or that a page embeds.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds none; the message is one line, and does not name the file.
    """
    if path.stat().st_size > embedding.LARGEST:
        raise ValueError(f"larger than {embedding.LARGEST // 1_000_000} MB")
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise ValueError("the file is empty")
    if text.lstrip()[:1] == "<":  # no JSON begins so
        return embedding.results_in(text)
    try:
        return json.loads(text)
    except RecursionError as fault:
        raise ValueError(str(fault)) from fault


_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    # schema: what only its data have
    "results": frozenset({"requirements"}),
    "load_results": frozenset({"models", "slo"}),
    "load_sweep": frozenset({"steps"}),
    "comparison": frozenset({"kind", "targets"}),
}
_MISPLACED: Final[Mapping[str | None, str]] = {
    "results": "the results of a conformance run: `python -m reports page` shows them",
    "load_results": "the results of a load run: `python -m reports load` shows them",
    "load_sweep": "the results of a load sweep: `python -m reports load` shows them",
    "comparison": "a comparison; it takes the results that were compared",
}


def kind(found: Any) -> str | None:
    """The schema that data seem to be of; None where they are something else.

    >>> kind({"models": {}, "slo": [], "format": 1}), kind([])
    ('load_results', None)
    """
    if not isinstance(found, dict):
        return None
    return next((name for name, own in _MEMBERS.items() if own <= found.keys()), None)


def misplaced(found: Any) -> str:
    """What to say of data of another kind than is asked for; "" where nobody knows them."""
    return _MISPLACED.get(kind(found), "")
