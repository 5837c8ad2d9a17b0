"""The results inside a page, and out of it again; what kind of results a file holds.

Laws
----
* What a page embeds is complete: it reads back as the very results that it was made from.
* No ``<`` occurs in it, so no string of a target ends the element.
* Reading trusts nothing: a page that was cut, edited or blown up is refused in one line.

Theory
------
One ``script`` element that no browser runs holds the data, and its type says in which form: as
JSON, which anybody can read in the source of the page, while that is small; else as that JSON,
gzipped, in base64, named as a ``data:`` URL would name it. Repetition compresses well: ten models
that fail alike cost little more than one.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .words import tidy

__all__ = ["READABLE", "element", "kind", "misplaced", "results_in", "saved"]

READABLE: Final = 400_000
"""Octets of JSON up to which it is embedded as it stands."""

LARGEST: Final = 400_000_000
"""Octets of a file, or that compressed data may unfold to: far above any run, far below memory."""

PLAIN: Final = "application/json"
PACKED: Final = "application/gzip;base64"

_HARMFUL: Final = str.maketrans(
    {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
)
_ELEMENT: Final = re.compile(r'<script type="([^"]*)" id="results">([^<]*)</script>')


def element(results: Mapping[str, Any]) -> str:
    """Return the element that holds ``results``; the same results give the same text."""
    # The escape of a lone surrogate is the same in Python and in JSON.
    made = tidy(json.dumps(results, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    octets = made.encode()
    if len(octets) <= READABLE:
        kind, text = PLAIN, made.translate(_HARMFUL)
    else:
        kind, text = PACKED, base64.b64encode(gzip.compress(octets, mtime=0)).decode("ascii")
    return f'<script type="{kind}" id="results">{text}</script>'


def results_in(html: str) -> Any:
    """Return the JSON value that a page embeds; whether it is a run's results is not asked.

    Raises:
        ValueError: the page embeds none, or it is damaged; the message is one line.
    """
    found = _ELEMENT.search(html)
    if found is None:
        raise ValueError("no results are embedded in this page: is it whole, and one of a run?")
    kind, text = found.groups()
    try:
        if kind == PLAIN:
            return json.loads(text)
        if kind == PACKED:
            return json.loads(_unpacked(base64.b64decode(text, validate=True)))
    except (ValueError, RecursionError, zlib.error) as fault:
        raise ValueError(f"the results in this page are damaged: {fault}") from fault
    raise ValueError(f"the results in this page are of a type that is not known: {kind[:80]!r}")


def _unpacked(octets: bytes) -> bytes:
    """The content of one gzip member.

    Raises:
        ValueError: it is cut off, or larger than anything that ``element`` packs.
        zlib.error: it is no gzip, or its checksum is wrong.
    """
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    content = inflater.decompress(octets, LARGEST)
    if not inflater.eof:
        raise ValueError("too large" if inflater.unconsumed_tail else "cut off")
    return content


# --- files ----------------------------------------------------------------------------------------


def saved(path: Path) -> Any:
    """Return the JSON value that a file holds as it stands, or that a page embeds.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds none; the message is one line, and does not name the file.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"larger than {LARGEST // 1_000_000} MB")
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise ValueError("the file is empty")
    if text.lstrip()[:1] == "<":  # no JSON begins so
        return results_in(text)
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
