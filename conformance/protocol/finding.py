"""What a rule says when it is broken: one plain record, and the one-line spelling of what was seen.

Laws
----
* A finding is data. It judges nothing: the level of its clause does, where the verdicts are made.
* Whatever a target sent may be quoted here, so a quotation is one printable line of bounded
  length: no control character, no terminal escape, no bidirectional override gets through.
* Quoting never raises and never costs more than the limit, however large or deep the value is.

Example
-------
>>> print(shorten({"role": "user\\x1b[31m", "n": [1, None]}))
{"role": "user\\u001b[31m", "n": [1, null]}
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["ABSENT", "Absent", "Finding", "Findings", "Quote", "Tell"]
__all__ += ["escaped", "excerpt", "shorten"]

Span = tuple[int, int]


class Absent(enum.Enum):
    """The value of a key that is not there: unlike ``None``, which is JSON's ``null``."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one clause of the catalogue.

    Attributes:
        id: the clause, ``"CC-SSE-003"``.
        required: what holds where the clause is kept; one line.
        seen: what was there instead, shortened; one line.
        at: where, for people: ``"$.choices[0].index"``, ``"chunk 3 $.choices[0].delta"``,
            ``"line 7"``. Chunks, events and lines are counted from 1, list items from 0 (JSONPath).
        span: byte offsets ``[start, end)`` into the body, of the offending line or event.
        mild: only a warning, whatever the level of the clause (the catalogue says "warning").
    """

    id: str
    required: str
    seen: str
    at: str = ""
    span: Span | None = None
    mild: bool = False


class Findings:
    """Collects findings; the same breach at the same place is kept once and counted.

    "The same place" is ``path``: ``at`` without the number of the chunk or line, so that a fault in
    each of 300 chunks is one finding that says so, not 300.

    >>> log = Findings()
    >>> for number in (1, 2, 3):
    ...     log.add("CC-STREAM-005", "an array", None, f"chunk {number}", path="$.choices")
    >>> [(f.at, f.seen) for f in log]
    [('chunk 1 $.choices', 'null (and 2 more like it)')]
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str, bool], Finding] = {}
        self._count: dict[tuple[str, str, str, bool], int] = {}

    def add(
        self,
        id: str,  # noqa: A002  the field of Finding has this name
        required: str,
        seen: object,
        where: str = "",
        *,
        path: str = "",
        span: Span | None = None,
        mild: bool = False,
    ) -> None:
        """Record a breach. ``seen`` is any value, shortened here; a ``Quote`` is kept as it is."""
        key = (id, required, path, mild)
        self._count[key] = self._count.get(key, 0) + 1
        if key not in self._first:
            text = str(seen) if isinstance(seen, Quote) else shorten(seen)
            at = " ".join(part for part in (where, path) if part)
            self._first[key] = Finding(id, required, text, at, span, mild)

    def __iter__(self) -> Iterator[Finding]:
        for key, finding in self._first.items():
            more = self._count[key] - 1
            yield (
                replace(finding, seen=f"{finding.seen} (and {more} more like it)")
                if more
                else (finding)
            )


@dataclass(frozen=True, slots=True)
class Tell:
    """Records breaches in one object; of a chunk ``where`` and ``span`` tell its place."""

    log: Findings
    where: str = ""
    span: Span | None = None

    def __call__(
        self,
        id: str,  # noqa: A002  the field of Finding has this name
        required: str,
        seen: object,
        path: str,
        *,
        mild: bool = False,
    ) -> None:
        """Record a breach at ``path`` within the object."""
        self.log.add(id, required, seen, self.where, path=path, span=self.span, mild=mild)


class Quote(str):
    """A sentence of our own about what was seen, as opposed to a value of the target's."""

    __slots__ = ()


def shorten(value: object, limit: int = 120) -> str:
    """One printable line, at most ``limit`` characters, for any JSON value, text or bytes.

    Text and JSON values are spelled as JSON, bytes as a Python literal; what is not printable is
    escaped; what is too long ends in an ellipsis. Never raises.
    """
    text, size = [], 0
    for piece in _pieces(value, limit, _DEPTH):
        text.append(piece)
        size += len(piece)
        if size > limit:
            return "".join(text)[: limit - 1] + "…"
    return "".join(text)


def excerpt(text: str, limit: int = 120) -> Quote:
    """The beginning of a text as it was sent, unquoted; printable, at most ``limit`` characters.

    For texts that are JSON already, and would be hard to read as a JSON string.
    """
    line = "".join(c if c.isprintable() else _escape(c) for c in text[: limit + 1])
    return Quote(line if len(line) <= limit else line[: limit - 1] + "…")


_DEPTH = 8  # levels of nesting that a one-line quotation shows
_BITS = 256  # a longer integer is described, not spelled: Python refuses to spell the longest


def _pieces(value: object, limit: int, depth: int) -> Iterator[str]:
    """The spelling of ``value`` in pieces, so that the reader may stop at any length."""
    match value:
        case None | True | False:
            yield {None: "null", True: "true", False: "false"}[value]
        case int():
            big = value.bit_length() > _BITS
            yield f"<an integer of {value.bit_length()} bits>" if big else str(value)
        case str():
            yield from ('"', escaped(value[: limit + 1], quote='"'), '"')
        case bytes() | bytearray() | memoryview():
            yield repr(bytes(value[: limit + 1]))
        case dict() | list() | tuple() if depth == 0:
            yield "{…}" if isinstance(value, dict) else "[…]"
        case dict():
            yield "{"
            for position, (key, item) in enumerate(value.items()):
                yield ", " if position else ""
                yield from _pieces(key, limit, depth - 1)
                yield ": "
                yield from _pieces(item, limit, depth - 1)
            yield "}"
        case list() | tuple():
            yield "["
            for position, item in enumerate(value):
                yield ", " if position else ""
                yield from _pieces(item, limit, depth - 1)
            yield "]"
        case _:
            yield escaped(repr(value)[: limit + 1])


def escaped(text: str, quote: str = "") -> str:
    """``text`` with everything unprintable spelled as a JSON escape, and ``quote`` escaped."""
    return "".join(
        character
        if character.isprintable() and character not in ("\\", quote)
        else _escape(character)
        for character in text
    )


_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


def _escape(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
