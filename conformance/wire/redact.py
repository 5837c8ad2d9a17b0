"""Secrets are masked once, where an exchange is recorded.

The laws:

1. By value: the secret itself, with any of its characters spelled as in a URL, a JSON string or an
   HTML page, and as Base64 would spell it. A target that echoes the key does not get it into any
   artefact.
2. By name: headers that carry credentials are masked whatever they hold.
3. A mask is as long as what it covers, so that offsets and lengths stay true.
"""

import base64
import html
import json
import re
from collections.abc import Iterable

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


def _character(c: str) -> str:
    """A pattern for `c` as itself, or as an escape of URLs, JSON or HTML spells it."""
    code = f"{ord(c):x}"
    escaped = "".join(f"%{octet:02x}" for octet in c.encode())
    spelled = [re.escape(s) for s in (json.dumps(c)[1:-1], html.escape(c)) if s != c]
    spelled += [f"(?i:{escaped})", f"(?i:&#x0*{code};)", f"&#0*{ord(c)};"]
    spelled += [rf"(?i:\\u{code:0>4})"] if len(code) <= 4 else []
    spelled += {" ": [r"\+"], "/": [r"\\/"], "'": [r"\\'"]}.get(c, [])  # "\'": as Python quotes
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


def _pattern(secrets: Iterable[str]) -> str:
    """A pattern for every spelling of every secret, the longest first; "" without any."""
    known = sorted({s for s in secrets if len(s) >= SHORTEST}, key=len, reverse=True)
    spelled = ["".join(map(_character, secret)) for secret in known]
    coded = sorted({s for secret in known for s in _base64(secret)}, key=len, reverse=True)
    return "|".join([*spelled, *map(re.escape, coded)])


class Redactor:
    """Masks the given secrets in bytes, text and headers.

    >>> Redactor(["sk-abc"]).text("key sk-abc!")
    'key [redac!'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        pattern = _pattern(secrets)
        self._text = re.compile(pattern) if pattern else None
        self._bytes = re.compile(pattern.encode()) if pattern else None

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
            (
                self.text(name),
                mask(len(value)) if name.lower() in SECRET_HEADERS else self.text(value),
            )
            for name, value in pairs
        )

    def tree(self, value: object) -> object:
        """A JSON value with every string in it masked; the names of its fields are ours."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {k: self.tree(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(v) for v in value]
        return value
