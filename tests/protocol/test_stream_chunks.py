"""The form of one chunk, its choices and its delta: which clauses a wrong member breaks."""

from __future__ import annotations

import pytest

from .talk import DONE, USAGE, choice, chunk, finish, hear, heard, hello, role, text


@pytest.mark.parametrize(
    ("name", "value", "breaks"),
    [
        ("id", 7, ["CC-STREAM-001"]),
        ("id", None, ["CC-STREAM-001"]),
        ("id", "", ["CC-STREAM-002"]),
        ("id", "other", ["CC-STREAM-002"]),
        ("object", "chat.completion", ["CC-STREAM-001"]),
        ("created", "1700000000", ["CC-STREAM-001"]),
        ("created", 1700000000.5, ["CC-STREAM-001"]),
        ("created", True, ["CC-STREAM-001"]),
        ("created", 1_700_000_001, ["CC-STREAM-003"]),
        ("model", None, ["CC-STREAM-001"]),
        ("model", "m2", ["CC-STREAM-004"]),
        ("choices", None, ["CC-SSE-016", "CC-STREAM-001", "CC-STREAM-005"]),
        ("choices", {}, ["CC-SSE-016", "CC-STREAM-001", "CC-STREAM-005"]),
        ("choices", [], ["CC-STREAM-017"]),
        ("choices", ["x"], ["CC-STREAM-007"]),
        ("error", None, ["CC-STREAM-024"]),
        ("obfuscation", 5, ["CC-STREAM-026"]),
        ("obfuscation", "abc", []),
        ("usage", USAGE, ["CC-STREAM-020"]),
        ("usage", {}, ["CC-STREAM-020", "CC-STREAM-022"]),
        ("usage", None, []),
        ("vendor", {"a": 1}, []),
    ],
)
def test_a_member_of_a_chunk(name: str, value: object, breaks: list[str]) -> None:
    extra = {**text("!"), name: value}

    assert heard(role(), text("Hel"), extra, finish(), DONE) == breaks


@pytest.mark.parametrize(
    ("index", "breaks"),
    [(1, ["CC-STREAM-006"]), ("0", ["CC-STREAM-006"]), (None, ["CC-STREAM-006"]), (0, [])],
)
def test_an_index(index: object, breaks: list[str]) -> None:
    assert heard(role(), chunk(choice({"content": "x"}, index=index)), finish(), DONE) == breaks


def test_indices_that_count_tokens_break_one_clause() -> None:
    deltas: list[dict[str, object]] = [{"role": "assistant"}, {"content": "Hello"}, {}]
    tokens = [chunk(choice(delta, index=number)) for number, delta in enumerate(deltas)]

    assert heard(*tokens[:2], text("!"), finish(), DONE) == ["CC-STREAM-006"]


@pytest.mark.parametrize("delta", [None, "x", []])
def test_a_delta_that_is_no_object(delta: object) -> None:
    last = chunk(choice(delta, "stop"))

    assert heard(role(), text("Hello"), last, DONE) == ["CC-STREAM-007"]


def test_a_choice_without_a_delta_at_the_start_is_no_missing_role() -> None:
    nothing = chunk({"index": 0, "finish_reason": None})

    assert heard(nothing, *hello()) == ["CC-STREAM-007"]


@pytest.mark.parametrize(
    ("delta", "breaks"),
    [
        ({"content": ["x"]}, ["CC-STREAM-015"]),
        ({"content": 5}, ["CC-STREAM-015"]),
        ({"content": None, "reasoning": "hm"}, ["CC-REAS-003"]),
        ({"refusal": 1}, ["CC-STREAM-027"]),
        ({"refusal": "no"}, []),
        ({"role": None, "content": "x"}, ["CC-STREAM-010~"]),
        ({"role": "", "content": "x"}, ["CC-STREAM-009", "CC-STREAM-010"]),
        ({"role": "user", "content": "x"}, ["CC-STREAM-009", "CC-STREAM-010"]),
        ({"role": "assistant", "content": "x"}, ["CC-STREAM-009"]),
        ({"details": [{"a": 1}]}, ["CC-STREAM-025"]),
        ({"position": 3}, ["CC-STREAM-025"]),
        ({"final": False}, ["CC-STREAM-025"]),
        ({"note": None}, []),
        ({"details": [{"index": 0}], "more": ["x"], "some": {"a": 1}}, []),
    ],
)
def test_a_delta(delta: dict[str, object], breaks: list[str]) -> None:
    assert heard(role(), text("Hel"), chunk(choice(delta)), finish(), DONE) == breaks


def test_a_chunk_choice_with_a_message() -> None:
    both = chunk({**choice({"content": "x"}), "message": {"role": "assistant"}})

    assert heard(role(), both, finish(), DONE) == ["CC-RESP-011"]


def test_many_breaches_of_a_kind_are_one_finding() -> None:
    chunks = [{**value, "created": "x"} for value in hello() if isinstance(value, dict)]
    (finding,) = hear(*chunks, DONE).findings

    assert finding.id == "CC-STREAM-001"
    assert finding.at == "chunk 1 $.created"
    assert finding.seen == '"x" (and 3 more like it)'
    assert finding.span is not None
