"""Errors in a stream: what ends it, what an error has to say, what may follow."""

from __future__ import annotations

import pytest

from .talk import DONE, ERROR, finish, hear, heard, hello, role, text


def test_an_error_ends_the_stream() -> None:
    reading = hear(role(), text("Hel"), {"error": ERROR})

    assert reading.findings == ()
    assert len(reading.error_events) == 1
    assert not reading.done
    assert heard({"error": ERROR}, DONE) == []


@pytest.mark.parametrize("name", ["type", "param", "code"])
def test_an_error_lacks_a_member(name: str) -> None:
    error = {key: value for key, value in ERROR.items() if key != name}

    assert heard(role(), {"error": error}) == ["CC-SERR-002"]


def test_an_error_without_a_message() -> None:
    expected = ["CC-SERR-002", "CC-SERR-003"]

    assert heard(role(), {"error": {**ERROR, "message": None}}) == expected
    assert heard(role(), {"error": {}}) == expected


def test_an_error_that_is_a_string() -> None:
    expected = ["CC-SERR-002", "CC-SERR-003", "CC-SSE-016"]

    assert heard(role(), {"error": "boom"}) == expected


def test_an_error_in_plain_text() -> None:
    expected = ["CC-SERR-003", "CC-SSE-003", "CC-SSE-012"]

    assert heard(role(), text("Hel"), "upstream died") == expected
    assert heard(*hello()[:-1], "ping") == ["CC-SSE-003", "CC-SSE-005", "CC-SSE-012"]


def test_an_error_inside_a_chunk() -> None:
    assert heard(role(), {**finish("error"), "error": ERROR}) == ["CC-SERR-007"]


def test_a_finish_after_an_error() -> None:
    assert heard(role(), {"error": ERROR}, finish(), DONE) == ["CC-SERR-004"]
