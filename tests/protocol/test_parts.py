"""The parts of multimodal requests, read back by others than their makers."""

from __future__ import annotations

import base64
import io
import wave

import pytest

from conformance.protocol.parts import COLOURS, audio_part, file_part, image_part, pdf, png, wav
from conformance.reference.vision import colour


@pytest.mark.parametrize("name", COLOURS)
def test_a_picture_shows_its_colour(name: str) -> None:
    part = image_part(name, detail="low")
    assert part["image_url"]["detail"] == "low"
    assert colour(part["image_url"]["url"]) == name
    assert len(png(name)) < 300


def test_a_sound_lasts_as_long_as_it_says() -> None:
    with wave.open(io.BytesIO(wav(0.25, 8000))) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, 8000)
        assert read.getnframes() == 2000
        assert set(read.readframes(2000)) == {0}


def test_the_table_of_a_pdf_points_at_its_objects() -> None:
    raw = pdf("The code word is X.")
    start = int(raw.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    table = raw[start:].split(b"trailer")[0].splitlines()
    assert table[:2] == [b"xref", b"0 6"]
    for number, line in enumerate(table[3:], start=1):
        assert raw[int(line[:10]) :].startswith(b"%d 0 obj" % number)
    assert b"(The code word is X.) Tj" in raw


def test_parts_carry_what_was_made() -> None:
    assert base64.b64decode(audio_part()["input_audio"]["data"]) == wav()
    url = file_part("hi")["file"]["file_data"]
    assert base64.b64decode(url.removeprefix("data:application/pdf;base64,")) == pdf("hi")
