"""Secrets are masked once, where an exchange is recorded.

Laws
----
1. By value: a secret in every spelling of the table below; a run of ``PIECE`` or more of its
   characters, since who echoes also cuts; and a secret that is shared out over the texts of a
   document or the events of a stream, so that no reader puts it together again.
2. By name: headers that carry credentials are masked whatever they hold.
3. A mask is as long as what it covers, so that offsets and lengths stay true.
4. What a target sends costs time in proportion to its length, however it is made.
5. Of a secret that is an ordinary word (`ordinary`) the credentials are masked, ``Bearer none``,
   and no text that holds the word by itself.

Theory
------
Any character may be spelled in a way of its own:

| spelling | a slash, for example |
|---|---|
| as it is | ``/`` |
| octets of a URL, in either case, coded up to three times | ``%2F`` ``%2f`` ``%252F`` |
| JSON and Python, also inside texts inside texts | ``\\/`` ``\\u002f`` ``\\\\u002F`` ``\\x2f`` |
| HTML, coded up to three times | ``&amp;`` ``&#47;`` ``&#x2F;`` ``&amp;#47;`` |
| a form | ``+`` for a blank |

or all octets together:

| spelling | ``sk-`` |
|---|---|
| Base64, of either alphabet, at each of three positions | ``c2st`` ``nNrL`` ``zay0`` |
| hexadecimal, joined or apart | ``736b2d`` ``73:6B:2D`` |
| a list of numbers | ``115,107,45`` |
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import AnyStr

from conformance.protocol.coding import inflate

from .ordinary import SHORTEST, is_word

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
    }
)

PIECE = 16
"""Characters of a secret in a row that are masked though the rest is missing. Many keys begin with
up to a dozen that all of their kind share."""

_BLOCK = PIECE // 2
"""Any ``PIECE`` characters in a row hold one block of this size that begins at a multiple of it."""

_WORD = "[redacted]"

MASKED = _WORD[:SHORTEST]
"""How every mask begins."""


def mask(length: int) -> str:
    """A mask of exactly `length` characters."""
    return _WORD[:length].ljust(length, "*")


# -- spellings --------------------------------------------------------------------------------


def _character(c: str) -> str:
    """A pattern for `c` as itself, or as an escape of URLs, JSON, Python or HTML spells it."""
    code = f"{ord(c):x}"
    octets = "".join(f"%(?:25){{0,2}}{octet:02x}" for octet in c.encode("utf-8", "surrogatepass"))
    number = rf"&(?:amp;){{0,2}}#(?:x0*{code}|0*{ord(c)});"
    spelled = [f"(?i:{octets}|{number})"]
    spelled += [rf"\\{{1,8}}(?i:u{code:0>4})"] if len(code) <= 4 else []
    spelled += [rf"\\{{1,8}}(?i:x{code:0>2})"] if len(code) <= 2 else []
    quoted = json.dumps(c)[1:-1]
    if quoted != c and not quoted.startswith("\\u"):  # \" \\ \n and the like
        spelled.append(rf"\\{{1,8}}{re.escape(quoted[1:])}")
    elif quoted != c:  # beyond ASCII: one or two \u
        spelled.append(re.escape(quoted))
    if (entity := html.escape(c)) != c:
        spelled.append(f"&(?:amp;){{0,2}}{re.escape(entity[1:])}")
    spelled += {" ": [r"\+"], "/": [r"\\{1,8}/"], "'": [r"\\{1,8}'", "&apos;"]}.get(c, [])
    spelled.append(re.escape(c))  # last: an escaped backslash begins with a backslash
    return f"(?:{'|'.join(spelled)})"


def _base64(secret: str) -> set[str]:
    """What Base64 of a longer text that holds `secret` is certain to hold."""
    raw = secret.encode()
    found = set()
    for lead in range(3):
        # It depends on the position modulo 3: the characters that hold bits of the neighbours are
        # left out.
        coded = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        start = {0: 0, 1: 2, 2: 3}[lead]
        inner = coded[start : len(coded) - (1 if (lead + len(raw)) % 3 else 0)]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {s for s in found if len(s) >= SHORTEST}


def _coded(secret: str) -> Iterator[str]:
    """Patterns for the spellings of all octets together."""
    octets = secret.encode()
    for text in sorted(_base64(secret), key=len, reverse=True):
        yield "".join(c if c.isalnum() else _character(c) for c in text)
    if len(octets) > SHORTEST:  # the numbers of a short one may be anybody's
        yield f"(?i:{'[ :-]?'.join(f'{octet:02x}' for octet in octets)})"
        yield rf"(?<!\d){', ?'.join(map(str, octets))}(?!\d)"


@lru_cache(maxsize=8)
def _compiled(known: tuple[str, ...]) -> tuple[re.Pattern[str] | None, re.Pattern[bytes] | None]:
    """Patterns for every spelling of every secret, the longest first; None without any.

    Kept, since every client of a run has a redactor of the same secrets.
    """
    pattern = _pattern(known)
    return (re.compile(pattern), re.compile(pattern.encode())) if pattern else (None, None)


def _pattern(known: Sequence[str]) -> str:
    """The source of those patterns; "" without any secret."""
    spelled = ["".join(map(_character, secret)) + _end(secret) for secret in known]
    return "|".join([*spelled, *(pattern for secret in known for pattern in _coded(secret))])


BEARER = "Bearer "


def _is_credential(secret: str) -> bool:
    """Whether it is a word as a credential."""
    return secret.startswith(BEARER) and is_word(secret.removeprefix(BEARER))


def _end(secret: str) -> str:
    """What must not follow `secret`: a word as a credential is no part of a longer one, and no
    parameter of a challenge (``Bearer realm="…"``)."""
    return r"(?![\w=])" if _is_credential(secret) else ""


def _maskable(part: str) -> str:
    """What is masked of a secret; "": nothing."""
    return f"{BEARER}{part}" if part and is_word(part) else part


def _parts(value: str) -> Iterator[str]:
    """A value, and what in it is secret without the rest: a token, a user's password."""
    yield value
    scheme, _, token = value.strip().partition(" ")
    if not scheme.isalpha() or not token:
        return
    yield token.strip()
    if scheme.lower() == "basic":
        try:
            known = base64.b64decode(token, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield known
        yield known.partition(":")[2]


# -- pieces -----------------------------------------------------------------------------------


def _pieces(value: AnyStr, secret: AnyStr) -> Iterator[tuple[int, int]]:
    """Where `value` holds `PIECE` or more characters of `secret` in a row; a place may recur."""
    for at in range(0, len(secret) - _BLOCK + 1, _BLOCK):
        block = secret[at : at + _BLOCK]
        found = value.find(block)
        while found >= 0:
            start, end = found, found + _BLOCK
            left, right = at, at + _BLOCK
            while left and start and value[start - 1 : start] == secret[left - 1 : left]:
                start, left = start - 1, left - 1
            while right < len(secret) and value[end : end + 1] == secret[right : right + 1]:
                end, right = end + 1, right + 1
            if end - start >= PIECE:
                yield start, end
            found = value.find(block, end)


_EVENT = re.compile(rb"^data:[^\r\n]*", re.MULTILINE)
_INDEX = re.compile(rb'"index"\s{0,9}:\s{0,9}(\d{1,9})')
_MEMBER = re.compile(rb'"(\w{1,64})"\s{0,9}:\s{0,9}"((?:[^"\\\r\n]|\\.)*)"')

Spans = list[tuple[int, int]]


def _texts(value: bytes) -> Iterable[Spans]:
    """Where the texts of a document, or of a stream's events, stand that belong together.

    They belong together by the name of their member, and those of a stream by what is numbered by
    ``index``.
    """
    found: dict[tuple[bytes, ...], Spans] = {}
    regions = [event.span() for event in _EVENT.finditer(value)] or [(0, len(value))]
    for start, end in regions:
        numbers = _INDEX.findall(value, start, end) if len(regions) > 1 else ()
        for member in _MEMBER.finditer(value, start, end):
            found.setdefault((member[1], *numbers), []).append(member.span(2))
    return (spans for spans in found.values() if len(spans) > 1)


def _within(spans: Spans, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the octets from `start` to `end` of the joined `spans` stand."""
    at = 0
    for first, last in spans:
        low, high = max(start - at, 0), min(end - at, last - first)
        if low < high:
            yield first + low, first + high
        at += last - first
        if at >= end:
            return


OFTEN = 256
"""Characters of a text that may come again, as header fields do with every reply."""


class Redactor:
    """Masks the given secrets in bytes, text and headers.

    >>> Redactor(["sk-abc"]).text("key sk-abc!")
    'key [redac!'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {_maskable(part) for secret in secrets for part in _parts(secret)}
        known = sorted(filter(None, parts), key=lambda part: (-len(part), part))
        self._text, self._bytes = _compiled(tuple(known))
        self._long = [s for s in known if len(s) > PIECE and not _is_credential(s)]
        self._short = lru_cache(maxsize=1024)(self._masked)

    def text(self, value: str) -> str:
        """`value` with every secret masked."""
        if self._text is None:
            return value
        return self._short(value) if len(value) <= OFTEN else self._masked(value)

    def _masked(self, value: str) -> str:
        if self._text is None:
            return value
        value = self._text.sub(lambda m: mask(len(m[0])), value)
        for secret in self._long:
            kept, at = [], 0
            for start, end in sorted(set(_pieces(value, secret))):
                if start >= at:
                    kept += [value[at:start], mask(end - start)]
                    at = end
            value = "".join([*kept, value[at:]])
        return value

    def octets(self, value: bytes) -> bytes:
        """`value` with every secret masked; the length stays."""
        if self._bytes is None:
            return value
        masked = bytearray(self._bytes.sub(lambda m: mask(len(m[0])).encode(), value))
        for spans in list(_texts(bytes(masked))):
            joined = b"".join(masked[first:last] for first, last in spans)
            for start, end in self._found(joined):
                _cover(masked, spans, start, end)
        for start, end in self._cut(bytes(masked)):
            _cover(masked, [(0, len(masked))], start, end)
        return bytes(masked)

    def unpackable(self, body: bytes) -> bytes:
        """`body` as it may be shown byte by byte: masked whole where a secret is packed in it."""
        inside = inflate(body) if self._bytes is not None else None
        return mask(len(body)).encode() if inside and self.octets(inside) != inside else body

    def _found(self, value: bytes) -> Iterator[tuple[int, int]]:
        if self._bytes is not None:
            yield from (match.span() for match in self._bytes.finditer(value))
        yield from self._cut(value)

    def _cut(self, value: bytes) -> Iterator[tuple[int, int]]:
        for secret in self._long:
            yield from sorted(set(_pieces(value, secret.encode())))

    def holds(self, value: str) -> bool:
        """Whether a secret stands in `value`."""
        return self.text(value) != value

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header pairs with secrets masked by name and by value."""
        return tuple(
            (
                self.text(name),
                mask(len(value)) if name.lower() in SECRET_HEADERS else self.text(value),
            )
            for name, value in pairs
        )

    def tree(self, value: object, *, names: bool = False) -> object:
        """A JSON value with every string in it masked.

        `names`: those of its fields too, where a target chose them and not we.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(k) if names and isinstance(k, str) else k: self.tree(v, names=names)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.tree(v, names=names) for v in value]
        return value


def _cover(masked: bytearray, spans: Spans, start: int, end: int) -> None:
    """Put one mask over what lies from `start` to `end` of the joined `spans`."""
    cover = mask(end - start).encode()
    for first, last in _within(spans, start, end):
        masked[first:last], cover = cover[: last - first], cover[last - first :]
