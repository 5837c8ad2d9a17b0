"""The results inside a page, and out of it again.

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
from typing import Any, Final

from .words import tidy

__all__ = ["LARGEST", "READABLE", "element", "results_in"]

READABLE: Final = 400_000
"""Octets of JSON up to which it is embedded as it stands."""

LARGEST: Final = 150_000_000
"""Octets of a file, or that compressed data may unfold to: forty models that break every clause."""

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
