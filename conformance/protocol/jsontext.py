"""Strict JSON: one document in a body, read as RFC 8259 has it, and what is wrong with the rest.

Laws
----
* Only RFC 8259 is JSON. ``NaN``, ``Infinity``, raw control characters in strings and everything
  else that Python's reader tolerates is an error here, because other readers choke on it.
* Nothing a body holds may raise or exhaust memory: not 100,000 levels of nesting, not a million
  empty lists (§9 lets a reader set limits: ``MAX_DEPTH``, ``MAX_VALUES``), not an integer
  of 10,000 digits (kept in range, see ``_integer``).
* Reading goes on where it can: a byte-order mark, a stray byte or bytes after the document are
  noted, and the value is read all the same, so that one fault does not hide the next.

Example
-------
>>> document = read_document(b'{"id": "a"} data: [DONE]')
>>> document.value, document.end, document.trailing
({'id': 'a'}, 11, b'data: [DONE]')
>>> [finding.id for finding in findings(document)]
['CC-HTTP-006']
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from .finding import Finding, shorten

__all__ = [
    "MAX_DEPTH",
    "Document",
    "JsonError",
    "findings",
    "is_object_text",
    "loads",
    "loads_leniently",
    "read_document",
]

MAX_DEPTH: Final = 256
"""Levels of nesting that are read; a deeper document is an error (RFC 8259 §9)."""

MAX_VALUES: Final = 500_000
"""Opening brackets and commas that are read; each may stand for an object of a hundred bytes."""

BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = " \t\n\r"  # RFC 8259 §2: nothing else is insignificant
_MAX_DIGITS: Final = 640  # sys.int_info.str_digits_check_threshold: int() always takes so many
_HUGE: Final[int] = 10 ** (_MAX_DIGITS - 1)

# A string runs to its closing quote or to the end, so that one scan of any text is linear.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]|-?Infinity|NaN', re.DOTALL)


class JsonError(ValueError):
    """The text is no JSON. ``position`` counts characters from the start of the text."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} at character {position}")
        self.reason = reason
        self.position = position


class _NotANumberError(ValueError):
    """A word that Python's reader takes for a number and RFC 8259 §6 does not know."""


def _refuse(word: str) -> NoReturn:
    raise _NotANumberError(f"{word} is no JSON number")


def _integer(digits: str) -> int:
    """The integer; beyond ``_MAX_DIGITS`` digits the nearest one that Python lets us spell.

    Every bound in the catalogue lies far below, so no verdict can depend on the difference.
    """
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return -_HUGE if digits.startswith("-") else _HUGE


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer, strict=True)


def _scan(text: str, start: int) -> tuple[object, int]:
    """The value that begins at ``start`` and the position after it. Raises JsonError."""
    _check_limits(text, start)
    try:
        return _decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.pos) from None
    except _NotANumberError as error:
        words = (m.start() for m in _TOKEN.finditer(text, start) if m[0][-1] in "yN")
        raise JsonError(str(error), next(words, start)) from None
    except RecursionError:  # a caller deep in its own stack: MAX_DEPTH alone did not help
        raise JsonError("nesting too deep", start) from None


def _check_limits(text: str, start: int) -> None:
    opened = text.count("[") + text.count("{")
    if opened + text.count(",") > MAX_VALUES:
        raise JsonError(f"more than {MAX_VALUES} values", start)
    if opened > MAX_DEPTH:
        _check_depth(text, start)


def _check_depth(text: str, start: int) -> None:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonError(f"nesting deeper than {MAX_DEPTH}", token.start())
        elif token[0] in "]}":
            depth -= 1
            if depth == 0:
                return  # what follows the document is not read


def loads(text: str) -> object:
    """The one JSON value that ``text`` is, white space around it allowed. Raises JsonError."""
    value, end = _scan(text, len(text) - len(text.lstrip(_SPACE)))
    rest = text[end:].lstrip(_SPACE)
    if rest:
        raise JsonError("text after the value", len(text) - len(rest))
    return value


def is_object_text(text: str) -> bool:
    """Whether ``text`` is one JSON object and nothing else, white space around it apart.

    >>> is_object_text('{"place": "Paris"}'), is_object_text('{}{"place": "Paris"}')
    (True, False)
    """
    try:
        return isinstance(loads(text), dict)
    except JsonError:
        return False


def loads_leniently(text: str) -> object:
    """What a tolerant client reads: ``NaN`` and the infinities pass. None where nothing is read.

    For looking at the rest of a document whose breach has been recorded, never for judging it.
    """
    try:
        _check_limits(text, 0)
        return _lenient_decoder.decode(text)
    except (ValueError, RecursionError):
        return None


_lenient_decoder = json.JSONDecoder(parse_int=_integer, strict=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What a body holds. All offsets are bytes from the start of the body.

    Attributes:
        value: the first JSON value, or None where there is none (or it is ``null``).
        error: why there is none, with the byte offset; None where one was read.
        error_at: that offset.
        bom: the body begins with EF BB BF.
        end: offset after the value (0 where there is none).
        trailing: what follows the value, white space around it removed.
        bad_utf8: offset of the first byte that is no UTF-8, else None.
    """

    value: object
    error: str | None
    error_at: int | None
    bom: bool
    end: int
    trailing: bytes
    bad_utf8: int | None

    @property
    def is_object(self) -> bool:
        """Whether a JSON object could be read."""
        return isinstance(self.value, dict)


def read_document(body: bytes) -> Document:
    """Read one JSON document from the start of ``body``; never raises.

    Bytes that are no UTF-8 are carried through as lone surrogates (PEP 383), so the value can be
    looked at, and offsets stay exact; ``bad_utf8`` says that it happened.
    """
    bom = body.startswith(BOM)
    skipped = len(BOM) if bom else 0
    bad_utf8 = _first_bad_byte(body)
    text = body[skipped:].decode("utf-8", "surrogateescape")
    start = len(text) - len(text.lstrip(_SPACE))

    def offset(position: int) -> int:
        return skipped + len(text[:position].encode("utf-8", "surrogateescape"))

    try:
        value, stop = _scan(text, start)
    except JsonError as error:
        at = offset(error.position)
        message = f"{error.reason} at byte {at}" if text[start:] else "nothing but white space"
        return Document(None, message if body else "empty", at, bom, 0, b"", bad_utf8)
    end = offset(stop)
    trailing = body[end:].strip(_SPACE.encode())
    return Document(value, None, None, bom, end, trailing, bad_utf8)


def _first_bad_byte(body: bytes) -> int | None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def findings(document: Document) -> list[Finding]:
    """CC-HTTP-002 (one object), CC-HTTP-006 (nothing after it), CC-HTTP-007 (UTF-8, no BOM).

    A body that is no UTF-8 breaks CC-HTTP-002 and CC-HTTP-007: both entries ask for it. What
    follows a value that could not be read is unknown, so CC-HTTP-006 is silent then.
    """
    found: list[Finding] = []
    bad = document.bad_utf8
    if bad is not None:
        seen = f"no UTF-8 at byte {bad}"
        found.append(Finding("CC-HTTP-002", "the body is strict UTF-8", seen, span=(bad, bad + 1)))
        found.append(Finding("CC-HTTP-007", "the body is strict UTF-8", seen, span=(bad, bad + 1)))
    if document.error is not None:
        at = document.error_at or 0
        required = "the body is one JSON object (RFC 8259)"
        found.append(Finding("CC-HTTP-002", required, document.error, span=(at, at + 1)))
    elif not document.is_object:
        seen = shorten(document.value)
        found.append(Finding("CC-HTTP-002", "the body is one JSON object", seen, at="$"))
    if document.trailing:
        end = document.end
        required = "nothing but white space follows the JSON document"
        seen = shorten(document.trailing)
        span = (end, end + len(document.trailing))
        found.append(Finding("CC-HTTP-006", required, seen, at=f"byte {end}", span=span))
    if document.bom:
        required = "the body begins without a byte-order mark"
        found.append(Finding("CC-HTTP-007", required, "EF BB BF", at="byte 0", span=(0, 3)))
    return found
