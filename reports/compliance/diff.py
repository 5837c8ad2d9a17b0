"""Required against seen, field by field.

Laws
----
* The same thing at several places is one field that counts them all; two that differ only in an id
  or a time are the same.
* What differs is marked in both lines; where the two cannot be compared, nothing is.
* Plain data: no string here is HTML, and every one may be hostile.

Theory
------
A finding says in words what is required, and quotes what was seen. Where the words hold a literal
(``code is "invalid_api_key", as documented``; ``the last data value is [DONE]``) that can stand
against the quotation, the two are compared character by character, so that the eye falls on the
blank in ``" [DONE]"``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from reports.words import number, short

__all__ = ["Field", "Piece", "compared", "fields"]

PLACES: Final = 3
"""At most so many other places are named."""
QUOTED: Final = 600
"""At most so many characters of one line are shown."""

_NUMBERED: Final = re.compile(r"^(line|event|chunk|byte) \d+")
_MORE: Final = re.compile(r" \(and (\d+) more like it\)$")
"""What a finding says of others of the same reply."""
_NAME: Final = re.compile(
    r"\b(?=[0-9a-f-]*\d)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{6,})\b", re.I
)
"""A UUID, or so many hexadecimal digits that they are an id or a time."""

Piece: TypeAlias = tuple[str, bool]
"""Text, and whether it differs from the other line."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is not what is required."""

    at: str
    """Where it is; "" where the finding names no place."""
    required: tuple[Piece, ...]
    seen: tuple[Piece, ...]
    also: tuple[str, ...]
    """The other places where the same was seen, each as often as it was named."""
    more: int = 0
    """How many there are, those without a name included."""

    @property
    def elsewhere(self) -> str:
        """``and 4 more like it: event 15, event 163``; a number is named once."""
        numbered = [_NUMBERED.match(place) for place in self.also if place != self.at]
        others = list(dict.fromkeys(found[0] for found in numbered if found))
        where = f": {', '.join(others[:PLACES])}" if others else ""
        cut = ", …" if others and (len(others) > PLACES or self.more > len(self.also)) else ""
        return f"and {number(self.more)} more like it{where}{cut}" if self.more else ""


def fields(findings: Iterable[Mapping[str, Any]], reply: str | None = None) -> list[Field]:
    """The findings as fields, those that differ only in their place together.

    Args:
        findings: by the schema, every optional member there.
        reply: the exchange that is shown: its own findings stand for those like them.
    """
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for finding in findings:
        value = _NAME.sub("#", _MORE.sub("", finding["seen"]))
        key = (_path(finding["at"]), finding["required"], value)
        alike.setdefault(key, []).append(finding)
    made = []
    for found in alike.values():
        theirs = (at for at, one in enumerate(found) if reply and one["reply"] == reply)
        more = len(found) - 1 + sum(_unnamed(one["seen"]) for one in found)
        shown = found.pop(next(theirs, 0))
        lines = shown["required"], _MORE.sub("", shown["seen"])
        required, seen = compared(*(short(line, QUOTED) for line in lines))
        made.append(Field(shown["at"], required, seen, tuple(one["at"] for one in found), more))
    return made


def _unnamed(seen: str) -> int:
    """How many others the finding says there are."""
    found = _MORE.search(seen)
    return int(found[1]) if found else 0


def _path(at: str) -> str:
    """The place without the number of the line, event or chunk."""
    return _NUMBERED.sub(r"\1", at)


# --- character by character ---------------------------------------------------------------------


_LITERAL: Final = re.compile(r'"(?:[^"\\]|\\.)+"|\'[^\']+\'|\[DONE\]')
_ALIKE: Final = 0.6
"""From so much likeness on, two texts are shown by what differs, else as a whole."""
_LONGEST: Final = 300
"""Characters; a comparison takes quadratic time."""


def compared(required: str, seen: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both lines in pieces, what differs marked.

    >>> compared("the last data value is [DONE]", '" [DONE]"')[1]
    (('"', False), (' ', True), ('[DONE]"', False))
    """
    plain = ((required, False),), ((seen, False),)
    value = _unquoted(seen)
    if not value or max(len(required), len(seen)) > _LONGEST:
        return plain
    literals = [(_inside(found), _unquoted(found[0])) for found in _LITERAL.finditer(required)]
    if not literals:
        return plain
    matchers = [difflib.SequenceMatcher(None, text, value, autojunk=False) for _, text in literals]
    best = max(range(len(literals)), key=lambda number: matchers[number].ratio())
    (at, end), text = literals[best]
    ratio = matchers[best].ratio()
    quoted = value != seen
    if ratio == 1 or (ratio < _ALIKE and (len(literals) > 1 or not quoted)):
        return plain
    codes = matchers[best].get_opcodes()
    if ratio < _ALIKE:
        codes = [("replace", 0, len(text), 0, len(value))]
    ought = [(text[a:b], code != "equal") for code, a, b, _, _ in codes]
    found = [(value[a:b], code != "equal") for code, _, _, a, b in codes]
    before, after = (seen[:1], seen[-1:]) if quoted else ("", "")
    return (
        _joined([(required[:at], False), *ought, (required[end:], False)]),
        _joined([(before, False), *found, (after, False)]),
    )


def _inside(literal: re.Match[str]) -> tuple[int, int]:
    """Where a literal stands in its line, without its quotes."""
    margin = (len(literal[0]) - len(_unquoted(literal[0]))) // 2
    return literal.start() + margin, literal.end() - margin


def _unquoted(text: str) -> str:
    quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces without empty ones, neighbours of one kind as one."""
    made: list[Piece] = []
    for text, differs in pieces:
        if not text:
            continue
        if made and made[-1][1] == differs:
            made[-1] = (made[-1][0] + text, differs)
        else:
            made.append((text, differs))
    return tuple(made)
