"""Words and figures that the terminal and the page share.

The laws: a figure never loses its unit, a zero is left out of a list, and whatever is shortened
ends in ``…``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

__all__ = [
    "amount",
    "day",
    "duration",
    "figures",
    "host",
    "instant",
    "listed",
    "middle",
    "noun",
    "number",
    "plain",
    "short",
    "tidy",
    "visible",
]


def number(value: int) -> str:
    """``1214`` -> ``1,214``."""
    return f"{value:,}"


def noun(value: int, singular: str) -> str:
    """``(1, "clause")`` -> ``clause``; ``(0, "clause")`` -> ``clauses``."""
    return singular if value == 1 else f"{singular}s"


def amount(value: int, singular: str, plural: str = "") -> str:
    """``(1, "request")`` -> ``1 request``; ``(1200, "request")`` -> ``1,200 requests``."""
    return f"{number(value)} {plural if plural and value != 1 else noun(value, singular)}"


def listed(items: Iterable[str], last: str = "and") -> str:
    """``a``; ``a and b``; ``a, b and c``."""
    *head, tail = items
    return f"{', '.join(head)} {last} {tail}" if head else tail


def figures(values: Mapping[str, int], separator: str = " · ") -> str:
    """``{"broken": 3, "held": 84, "warned": 0}`` -> ``3 broken · 84 held``."""
    return separator.join(f"{number(n)} {name}" for name, n in values.items() if n)


def duration(seconds: float) -> str:
    """``0.41`` -> ``410 ms``; ``74.2`` -> ``74 s``; ``4000`` -> ``1 h 6 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def instant(value: str) -> str:
    """``2026-11-22T14:02:11.5+00:00`` -> ``22 Nov 2026 14:02 UTC``."""
    at = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def day(value: str) -> str:
    """``2026-11-26T14:02:11.5+00:00`` -> ``2026-11-26 14:02``, in UTC."""
    return f"{dt.datetime.fromisoformat(value).astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def host(url: str) -> str:
    """``api.example.com:8000``, or what stands where a URL should."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:  # no URL at all, "https://[x"
        return url


def short(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, the end cut off at a word where there is one."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 2]
    head, _, rest = cut.rpartition(" ")
    return f"{head if head and len(rest) < 40 else cut} …"


def middle(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, the middle cut out: both ends of a chunk tell."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 3]} … {text[-tail:]}"


_LINK: Final = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_AUTOLINK: Final = re.compile(r"<(https?://[^>\s]+)>")


def plain(markdown: str) -> str:
    """The catalogue's inline Markdown without its links: ``[a/b#1](https://…)`` -> ``a/b#1``."""
    return _AUTOLINK.sub(r"\1", _LINK.sub(r"\1", markdown))


def tidy(text: str) -> str:
    """``text`` as it may be written to UTF-8: lone surrogates become their escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_JOINER: Final = "\u200d"
"""Joins emoji; Python calls it unprintable, and nothing obeys it."""


def visible(text: str) -> str:
    """``text`` with what cannot be seen spelled out: controls, NUL, marks that turn the direction.

    >>> visible("a\\x00b\\u202e")
    'a\\\\x00b\\\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == _JOINER else c.encode("unicode_escape").decode() for c in text
    )
