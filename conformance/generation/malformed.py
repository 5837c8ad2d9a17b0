"""Bodies below JSON: cut, spoilt, no object, or JSON that a careless reader chokes on.

The laws:

1. A row turns the bytes of a valid body into another; which of its variants, a number says.
2. `refused` rows are refused (RFC 8259 knows no such text, or the clause says so); the others may
   be answered either way, but for 5xx.
3. `mild`: text that some readers of JSON accept as an extension (RFC 8259 §9 allows them to). Who
   does so is warned, never failed.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

VARIANTS = 64
"""Variants of a row; a row may have fewer, which then recur."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A way to spoil a body; `spoil` takes the bytes of a valid one and a number below VARIANTS."""

    name: str
    clause: str
    spoil: Callable[[bytes, int], bytes]
    refused: bool = True
    mild: bool = False


def _pick(options: tuple[bytes, ...], number: int) -> bytes:
    return options[number % len(options)]


def _cut(body: bytes, number: int) -> bytes:
    return body[: max(1, len(body) * number // VARIANTS) if number else -1]


def _unbalanced(body: bytes, number: int) -> bytes:
    """Without one of its brackets, colons, commas or quotes outside of texts."""
    places = [found.start() for found in _STRUCTURE.finditer(body) if found[0] in b'{}[]:,"']
    at = places[number % len(places)]
    return body[:at] + body[at + 1 :]


_STRUCTURE = re.compile(rb'[{}\[\]:,]|"(?=[a-z_]+":)')


def _splice(*texts: bytes) -> Callable[[bytes, int], bytes]:
    return lambda body, number: body.replace(b"Say hello.", _pick(texts, number) + b" Say", 1)


def _member(*members: bytes) -> Callable[[bytes, int], bytes]:
    """The body with one member more, at its beginning."""
    return lambda body, number: b"{" + _pick(members, number) + b"," + body[1:]


def _followed(*texts: bytes) -> Callable[[bytes, int], bytes]:
    return lambda body, number: body + _pick(texts, number)


def _instead(*bodies: bytes) -> Callable[[bytes, int], bytes]:
    return lambda body, number: _pick(bodies, number)


def _respelled(body: bytes, number: int) -> bytes:
    """The same object in a dialect of JSON: what JavaScript, Python or a config file would take."""
    text = body.decode()
    spelled = (
        f"{text[:-1]},}}",
        f"// a comment\n{text}",
        text.replace('{"model"', "{'model'", 1),
        text.replace('{"model"', "{model", 1),
        f"{text[:-1]}/* a comment */}}",
        text.replace("Say hello.", "Say\nhello.", 1),
        text.replace("Say hello.", "Say\thello.", 1),
        text.replace("Say hello.", "\\x53ay hello.", 1),
    )
    return spelled[number % len(spelled)].encode()


DEEP = 10_000
"""Levels of nesting: far beyond what a recursive reader stands."""


def _deep(body: bytes, number: int) -> bytes:
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"))[number % 2]
    return b'{"x":' + opening * DEEP + b"1" + closing * DEEP + b"," + body[1:]


def _encoded(body: bytes, number: int) -> bytes:
    return body.decode().encode(("utf-16", "utf-16-le", "utf-32", "utf-16-be")[number % 4])


MALFORMED: tuple[Malformed, ...] = (
    Malformed("cut off", "CC-HTTP-012", _cut),
    Malformed("a bracket, comma, colon or quote missing", "CC-HTTP-012", _unbalanced),
    Malformed(
        "no JSON at all",
        "CC-HTTP-012",
        _instead(b"hello", b"model=x&messages=y", b"<a/>", b"{", b"]", b"\0", b"{]", b"-", b"\xff"),
    ),
    Malformed("open brackets without end", "CC-HTTP-012", _instead(b"[" * DEEP, b'{"a":' * DEEP)),
    Malformed(
        "text after the document",
        "CC-HTTP-012",
        _followed(b"x", b"}", b"]", b"{}", b" null", b",", b"\0", b'"'),
        mild=True,
    ),
    Malformed("an extension of JSON", "CC-HTTP-012", _respelled, mild=True),
    Malformed(
        "no UTF-8",
        "CC-HTTP-012",
        _splice(b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe4\xbd", b"\x80", b"\xf8\x88\x80\x80"),
        mild=True,
    ),
    Malformed("another encoding than UTF-8", "CC-HTTP-023", _encoded, refused=False),
    Malformed(
        "no object",
        "CC-HTTP-013",
        _instead(b"null", b"[]", b'"x"', b"1", b"true", b"", b" ", b"[{}]", b"1.5", b'""'),
    ),
    Malformed(
        "a number that JSON lacks",
        "CC-REQ-044",
        _member(*(b'"temperature":' + word for word in (b"NaN", b"Infinity", b"-Infinity"))),
    ),
    Malformed(
        "a number beyond all bounds",
        "CC-REQ-044",
        _member(
            b'"temperature":1e999',
            b'"temperature":-1e999',
            b'"top_p":1e400',
            b'"temperature":1' + b"0" * 400,
            b'"temperature":-1' + b"0" * 310,
            b'"top_p":1' + b"0" * 1000,
            b'"presence_penalty":-1e99999999999',
        ),
    ),
    Malformed(
        "an integer of 5,000 digits",
        "CC-HTTP-023",
        _member(b'"seed":' + b"9" * 5000, b'"x":-' + b"9" * 5000),
        refused=False,
    ),
    Malformed(
        "a lone surrogate",
        "CC-HTTP-023",
        _splice(b"\\ud800", b"\\udc00", b"\\udfff\\ud800", b"\\ud83d x", b"\\uDBFF"),
        refused=False,
    ),
    Malformed(
        "control characters, escaped",
        "CC-HTTP-023",
        _splice(b"\\u0000", b"\\u0001\\u001f", b"\\u007f", b"\\ufffe\\uffff", b"\\u0000" * 50),
        refused=False,
    ),
    Malformed("10,000 levels of nesting", "CC-HTTP-023", _deep, refused=False),
    Malformed(
        "a member twice",
        "CC-HTTP-023",
        _member(b'"model":"x"', b'"messages":[]', b'"messages":1', b'"model":null,"model":2'),
        refused=False,
    ),
)
"""Every way, by its clause."""


def is_json(body: bytes) -> bool:
    """Whether a strict reader takes `body` for one JSON text in UTF-8 (RFC 8259)."""

    def no_number(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(body.decode("utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError):
        return False
    return True
