"""What the reference server sees: colours of PNGs, however they are filtered; nothing else."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest

from conformance.reference.call import Call
from conformance.reference.models import served
from conformance.reference.routes import Site, respond
from conformance.reference.vision import COLOURS, UnseenError, colour

SEES = "google/gemma-3-27b-it"
SITE = Site(served())


def png(rows: list[bytes], width: int, kind: int = 2, depth: int = 8, interlace: int = 0) -> str:
    """A data URL of a PNG whose filtered rows are given."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, len(rows), depth, kind, 0, 0, interlace)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    raw += chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(raw).decode()


@pytest.mark.parametrize("name", COLOURS)
def test_a_plain_picture_has_the_colour_of_its_pixels(name: str) -> None:
    assert colour(png([b"\0" + bytes(COLOURS[name]) * 4] * 4, 4)) == name


@pytest.mark.parametrize(
    "rows",
    [
        [b"\0" + b"\xff\0\0" * 2, b"\0" + b"\xff\0\0" * 2],
        [b"\1" + b"\xff\0\0" + bytes(3), b"\1" + b"\xff\0\0" + bytes(3)],
        [b"\2" + b"\xff\0\0" * 2, b"\2" + bytes(6)],
        [b"\0" + b"\xff\0\0" * 2, b"\3" + b"\x80\0\0" + b"\0\0\0"],
        [b"\0" + b"\xff\0\0" * 2, b"\4" + bytes(6)],
    ],
    ids=["none", "sub", "up", "average", "paeth"],
)
def test_every_filter_is_undone(rows: list[bytes]) -> None:
    assert colour(png(rows, 2)) == "red"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.invalid/a.png", "could not be downloaded"),
        ("data:image/png;base64,@@@@", "Base64"),
        ("data:text/plain;base64,aGk=", "unsupported"),
        ("data:image/png,raw", "unsupported"),
        ("data:image/png;base64,aGk=", "no PNG"),
        (png([b"\0" + b"\0" * 6], 2, depth=16), "form"),
        (png([b"\0" + b"\0" * 6], 2, interlace=1), "form"),
        (png([b"\0" + b"\0" * 2], 2, kind=3), "decoded"),
        (png([b"\0" + b"\0" * 3], 2), "decoded"),
    ],
)
def test_what_cannot_be_seen_says_why(url: str, why: str) -> None:
    with pytest.raises(UnseenError, match=why):
        colour(url)


def asked(model: str, *parts: dict[str, Any]) -> Any:
    content = [{"type": "text", "text": "Name the colours."}, *parts]
    body = {"model": model, "messages": [{"role": "user", "content": content}]}
    call = Call(1, "POST", "", "/chat/completions", (("authorization", "Bearer sk-reference"),))
    return respond(call.understood_as(body), SITE)


def part(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


RED = part(png([b"\0" + b"\xff\0\0"], 1))
BLUE = part(png([b"\0" + b"\0\0\xff"], 1), detail="low")


def test_pictures_are_named_in_order_and_counted() -> None:
    none, two = asked(SEES), asked(SEES, BLUE, RED)
    assert two.body["choices"][0]["message"]["content"] == "Blue, red."
    more = two.body["usage"]["prompt_tokens"] - none.body["usage"]["prompt_tokens"]
    assert more == 2 * 85


def test_a_model_that_does_not_see_says_so() -> None:
    refused = asked("meta/llama-3.3-70b-instruct", RED)
    assert refused.status == 400
    assert refused.body["error"]["param"] == "messages[0].content[1].type"


def test_a_bad_picture_is_refused_at_its_place() -> None:
    refused = asked(SEES, RED, part("https://example.invalid/a.png"))
    assert refused.status == 400
    assert refused.body["error"]["param"] == "messages[0].content[2].image_url.url"
    assert asked(SEES, part(RED["image_url"]["url"], detail="extreme")).status == 400
