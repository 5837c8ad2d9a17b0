"""Secrets are masked once, where an exchange is recorded.

The laws:

1. By value: the secret itself, and as URL-encoding, JSON escape or Base64 would spell it. A target
   that echoes the key does not get it into any artefact.
2. By name: headers that carry credentials are masked whatever they hold.
3. A mask is as long as what it covers, so that offsets and lengths stay true.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

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

SHORTEST = 4
"""Shorter values are not masked by value: they would blot out ordinary text."""

_WORD = "[redacted]"


def mask(length: int) -> str:
    """A mask of exactly `length` characters."""
    return _WORD[:length].ljust(length, "*")


def _spellings(secret: str) -> set[str]:
    """The ways in which an echo may spell `secret`."""
    raw = secret.encode()
    found = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret).replace("/", "\\/")[1:-1],
        "".join(f"\\u{ord(c):04x}" for c in secret if ord(c) < 0x10000),
    }
    for lead in range(3):
        # Base64 of the secret inside a longer text depends on its position modulo 3: the
        # characters that hold bits of the neighbours are left out.
        coded = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        start = {0: 0, 1: 2, 2: 3}[lead]
        inner = coded[start : len(coded) - (1 if (lead + len(raw)) % 3 else 0)]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {s for s in found if len(s) >= SHORTEST}


class Redactor:
    """Masks the given secrets in bytes, text and headers.

    >>> Redactor(["sk-abc"]).text("key sk-abc!")
    'key [redac!'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST:
                spellings |= _spellings(secret)
        ordered = sorted(spellings, key=len, reverse=True)
        self._text = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._bytes = (
            re.compile(b"|".join(re.escape(s.encode()) for s in ordered)) if ordered else None
        )

    def text(self, value: str) -> str:
        """`value` with every secret masked."""
        return self._text.sub(lambda m: mask(len(m[0])), value) if self._text else value

    def octets(self, value: bytes) -> bytes:
        """`value` with every secret masked; the length stays."""
        if self._bytes is None:
            return value
        return self._bytes.sub(lambda m: mask(len(m[0])).encode(), value)

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header pairs with secrets masked by name and by value."""
        return tuple(
            (name, mask(len(value)) if name.lower() in SECRET_HEADERS else self.text(value))
            for name, value in pairs
        )

    def tree(self, value: object) -> object:
        """A JSON value with every string in it (keys too) masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.tree(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(v) for v in value]
        return value
