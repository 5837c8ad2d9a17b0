"""Quotations: one printable line of bounded length, whatever was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.protocol.finding import ABSENT, Findings, Quote, excerpt, shorten

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ("é", '"é"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\nb\x1b[31m", '"a\\nb\\u001b[31m"'),
        ("\x9b\u2028\u202e\ud83d", '"\\u009b\\u2028\\u202e\\ud83d"'),
        (b"\x1b\xff", "b'\\x1b\\xff'"),
        (ABSENT, "absent"),
        ({"a": [1, {}], "b": None}, '{"a": [1, {}], "b": null}'),
    ],
)
def test_what_is_quoted(value: object, line: str) -> None:
    assert shorten(value) == line


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(1, 200))
def test_a_quotation_is_one_bounded_printable_line(value: object, limit: int) -> None:
    line = shorten(value, limit)

    assert line.isprintable()
    assert len(line) <= limit


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20) | st.lists(st.text(max_size=3), max_size=5))
def test_a_short_quotation_is_json(value: object) -> None:
    assert json.loads(shorten(value, 10_000)) == value


def test_depth_and_length_cost_nothing() -> None:
    assert shorten(10**5000) == "<an integer of 16610 bits>"
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert shorten(deep) == "[[[[[[[[[…]]]]]]]]]"
    assert len(shorten(["x" * 10**7] * 100)) == 120


def test_an_excerpt_is_not_quoted() -> None:
    assert excerpt('{"a": "\x1b"}') == '{"a": "\\u001b"}'
    assert excerpt("x" * 200, 10) == "x" * 9 + "…"


def test_the_same_breach_is_kept_once_and_counted() -> None:
    log = Findings()
    for number in (1, 2, 3):
        log.add("CC-A-001", "it holds", number, f"chunk {number}", path="$.a", span=(number, 9))
    log.add("CC-A-001", "it holds", Quote("as said"), path="$.b", mild=True)
    first, second = log

    assert (first.seen, first.at, first.span) == ("1 (and 2 more like it)", "chunk 1 $.a", (1, 9))
    assert (second.seen, second.at, second.mild) == ("as said", "$.b", True)
