"""Pictures, sound and files made from nothing: what a multimodal request carries.

Laws
----
* Pure, standard library only; the same call gives the same bytes, so that requests are shared.
* What is made is as plain as its format allows: a PNG of one colour, a WAV of silence, a PDF that
  says one line. A server that cannot read it does not read the format.

Source: PNG specification (third edition) §5 and §11.2; RIFF WAVE, PCM; ISO 32000-1 §7.5.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["COLOURS", "audio_part", "data_url", "file_part", "image_part", "pdf", "png", "wav"]

COLOURS: Final[Mapping[str, tuple[int, int, int]]] = {
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
}
"""Colours that nobody takes for one another, as red, green and blue from 0 to 255."""

SIDE: Final = 64
"""Pixels: some models refuse pictures smaller than a patch or two (28 pixels)."""


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(colour: str, side: int = SIDE) -> bytes:
    """A square PNG of one colour, 8 bits per channel; `side` in pixels."""
    row = b"\0" + bytes(COLOURS[colour]) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packed = zlib.compress(row * side, 9)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def wav(seconds: float = 0.5, rate: int = 8000) -> bytes:
    """A WAV of silence: PCM, one channel, 16 bits per sample, `rate` samples a second."""
    sound = bytes(2 * int(seconds * rate))
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pdf(line: str) -> bytes:
    """A PDF of one page that says `line` (ASCII, no parentheses)."""
    page = f"BT /F1 24 Tf 72 720 Td ({line}) Tj ET".encode("ascii")
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    start = out.rindex(b"xref")
    return out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def data_url(media: str, content: bytes) -> str:
    """`content` as a Base64 data URL (RFC 2397)."""
    return f"data:{media};base64,{base64.b64encode(content).decode()}"


def image_part(colour: str, **more: str) -> dict[str, Any]:
    """A part with a picture of one colour; `more` are further members of `image_url`."""
    url = data_url("image/png", png(colour))
    return {"type": "image_url", "image_url": {"url": url, **more}}


def audio_part() -> dict[str, Any]:
    """A part with half a second of silence."""
    sound = base64.b64encode(wav()).decode()
    return {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}


def file_part(line: str) -> dict[str, Any]:
    """A part with a PDF that says `line`."""
    url = data_url("application/pdf", pdf(line))
    return {"type": "file", "file": {"filename": "note.pdf", "file_data": url}}
