"""The usage of a stream: asked for, unasked, its place, its form."""

from __future__ import annotations

import pytest

from conformance.protocol.stream import Facts

from .talk import DONE, USAGE, finish, hear, heard, hello, role, text, usage

COUNTED = Facts(include_usage=True)


def counted(*values: dict[str, object] | str) -> list[dict[str, object] | str]:
    """The same chunks as with include_usage: ``usage`` is null where it is not given."""
    return [value if isinstance(value, str) else {"usage": None, **value} for value in values]


def test_usage_as_it_was_asked_for() -> None:
    reading = hear(*counted(*hello()[:-1], usage(), DONE), facts=COUNTED)

    assert reading.findings == ()
    assert reading.usage == USAGE
    assert reading.fold()["usage"] == USAGE


def test_usage_that_was_not_asked_for() -> None:
    assert heard(*hello()[:-1], usage(), DONE) == ["CC-STREAM-017", "CC-STREAM-020"]


def test_no_usage() -> None:
    assert heard(*counted(*hello()), facts=COUNTED) == ["CC-STREAM-018", "CC-STREAM-030"]


def test_a_stream_that_broke_off_owes_no_usage() -> None:
    broken_off = counted(*hello()[:2], DONE)

    assert heard(*broken_off, facts=COUNTED) == ["CC-SSE-024", "CC-STREAM-012"]


def test_no_null_before_usage_is_mild() -> None:
    assert heard(*hello()[:-1], usage(), DONE, facts=COUNTED) == ["CC-STREAM-019~"]


def test_usage_on_the_finishing_chunk() -> None:
    last = {**finish(), "usage": USAGE}

    assert heard(*counted(*hello()[:3], last, DONE), facts=COUNTED) == ["CC-STREAM-030"]


def test_usage_before_the_finish() -> None:
    early = counted(role(), usage(), text("Hello"), finish(), DONE)

    assert heard(*early, facts=COUNTED) == ["CC-STREAM-018", "CC-STREAM-030"]


def test_running_totals() -> None:
    totals = [{**value, "usage": USAGE} for value in hello() if isinstance(value, dict)]

    expected = ["CC-STREAM-018", "CC-STREAM-019", "CC-STREAM-021"]
    assert heard(*totals, usage(), DONE, facts=COUNTED) == expected


def test_two_usage_chunks() -> None:
    twice = counted(*hello()[:-1], usage(), usage(), DONE)

    expected = ["CC-STREAM-018", "CC-STREAM-019", "CC-STREAM-021", "CC-STREAM-030"]
    assert heard(*twice, facts=COUNTED) == expected


@pytest.mark.parametrize("value", [{}, {**USAGE, "total_tokens": "11"}, {"prompt_tokens": 1}])
def test_a_usage_chunk_without_its_counts(value: dict[str, object]) -> None:
    assert heard(*counted(*hello()[:-1], usage(value), DONE), facts=COUNTED) == ["CC-STREAM-022"]
