"""Files of results: what kind a file holds, be it data or a page, and how one is written.

Laws
----
* A reader never sees half a file, and a file that cannot be written is left as it was.
* Only a file is ever replaced: a device, a pipe or what a link leads to stays what it is.
* What a file is not, one line says, and what it seems to be instead.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from . import embedding

__all__ = ["STANDARD", "kind", "misplaced", "named", "saved", "write"]

STANDARD: Final = Path("-")
"""Stands for the standard input, or for the standard output."""


def named(path: Path) -> str:
    """What a message calls the place that results are read from."""
    return "the standard input" if path == STANDARD else str(path)


def write(text: str, path: Path) -> None:
    """Write ``text`` to ``path``, whole or not at all; folders are made.

    Raises:
        OSError: the place cannot be written; its ``filename`` is ``path``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text)
    except OSError as fault:
        raise OSError(fault.errno, fault.strerror, str(path)) from fault


def _replace(path: Path, text: str) -> None:
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
    text = _text(path)
    if not text.strip():
        raise ValueError("the file is empty")
    if text.lstrip()[:1] == "<":  # no JSON begins so
        if text.lstrip().startswith("<?xml"):
            raise ValueError("it is XML; the results are the JSON file beside it, or the page")
        return embedding.results_in(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise ValueError(_no_json(text, fault)) from fault
    except RecursionError as fault:
        raise ValueError(str(fault)) from fault


def _text(path: Path) -> str:
    """What a place holds, as far as anything is of use there.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, or no text.
    """
    most, large = embedding.LARGEST, False
    if path == STANDARD:
        octets = sys.stdin.buffer.read(most + 1)
    else:
        with path.open("rb") as file:
            large = os.fstat(file.fileno()).st_size > most
            octets = b"" if large else file.read(most + 1)
    if large or len(octets) > most:
        raise ValueError(f"it is larger than {most // 1_000_000} MB, which no run is")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ValueError(f"it is no text in UTF-8, from byte {fault.start:,} on") from fault


_END: Final = 8
"""Characters before the end in which a reader notices that a document was cut off."""


def _no_json(text: str, fault: json.JSONDecodeError) -> str:
    if text.startswith('{"journal":'):
        return "it is the journal of a run that came to no end: `pytest --resume` goes on from it"
    late = fault.pos >= len(text.rstrip()) - _END and fault.msg != "Extra data"
    if late or fault.msg.startswith("Unterminated string"):
        return f"it is cut off in line {text.count(chr(10)) + 1:,}: was it copied whole?"
    return f"it is no JSON: {fault.msg} in line {fault.lineno:,}"


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
