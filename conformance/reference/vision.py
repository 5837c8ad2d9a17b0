"""What a model sees: a picture in a data URL, as the name of its colour.

Laws: pure, standard library only; what cannot be seen raises `UnseenError` with the reason; nothing
is ever fetched.

Theory. A picture is a PNG of 8 bits per channel without interlace (grey, RGB, with or without
alpha). Its rows are unfiltered (PNG specification §9.2), its colour is the mean of its pixels, and
its name is that of the nearest colour in the table.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

TOKENS = 85
"""Tokens of the prompt that one picture costs, whatever its size."""

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.+-]+)*?)(;base64)?,(.*)", re.DOTALL)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Samples of a pixel by colour type; palettes are left out."""

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


class UnseenError(ValueError):
    """A picture that cannot be seen; the message says why."""


@lru_cache(maxsize=16)
def colour(url: str) -> str:
    """The name of the colour of the picture that a data URL holds.

    Raises:
        UnseenError: another URL, another media type, broken Base64, or no PNG that can be read.
    """
    found = _DATA_URL.fullmatch(url)
    if found is None:
        raise UnseenError("the image could not be downloaded; send a data URL")
    media, _, coded, content = found.groups()
    if media != "image/png" or not coded:
        raise UnseenError("unsupported image; send a Base64 image/png")
    try:
        raw = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise UnseenError("the Base64 of the image is broken") from None
    try:
        return _nearest(_mean(raw))
    except (struct.error, zlib.error, IndexError, KeyError):
        raise UnseenError("the image could not be decoded") from None


def pictures(messages: Iterable[dict[str, Any]]) -> list[str]:
    """The URLs of all pictures in some messages, in order."""
    return [
        part["image_url"]["url"]
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part.get("type") == "image_url"
    ]


def _mean(raw: bytes) -> tuple[float, float, float]:
    """The mean colour of a PNG, as red, green and blue from 0 to 255."""
    if not raw.startswith(_SIGNATURE):
        raise UnseenError("the image is no PNG")
    at, packed, head = len(_SIGNATURE), b"", b""
    while at < len(raw):
        size, kind = struct.unpack_from(">I4s", raw, at)
        body = raw[at + 8 : at + 8 + size]
        head = body if kind == b"IHDR" else head
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", head)
    if depth != 8 or interlace or not width * height:
        raise UnseenError("the image has a form that is not supported")
    channels = _CHANNELS[kind]
    samples = _unfiltered(zlib.decompress(packed), width * channels, height, channels)
    means = [sum(samples[one::channels]) / (width * height) for one in range(channels)]
    return (means[0], means[1], means[2]) if channels > 2 else (means[0],) * 3


def _unfiltered(packed: bytes, width: int, height: int, step: int) -> bytes:
    """The samples of all rows, `width` bytes each, their filters undone."""
    rows, above = bytearray(), bytes(width)
    for number in range(height):
        start = number * (width + 1)
        row, kind = bytearray(packed[start + 1 : start + 1 + width]), packed[start]
        for at in range(width):
            left = row[at - step] if at >= step else 0
            corner = above[at - step] if at >= step else 0
            row[at] = (row[at] + _predicted(kind, left, above[at], corner)) % 256
        rows += row
        above = bytes(row)
    return bytes(rows)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    """What a filter type predicts for a sample from its neighbours."""
    guess = left + up - corner
    nearest = min((left, up, corner), key=lambda one: abs(guess - one))
    return (0, left, up, (left + up) // 2, nearest)[kind]


def _nearest(seen: tuple[float, float, float]) -> str:
    def distance(name: str) -> float:
        return sum((a - b) ** 2 for a, b in zip(COLOURS[name], seen, strict=True))

    return min(COLOURS, key=distance)
