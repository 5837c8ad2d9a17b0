"""The bytes of a stream: every shortcut gives what reading each chunk as JSON gives."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load import decoding
from load.decoding import Decoded, decode, error_message

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "model": "m", "choices": [choice], "usage": None, **more}


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def stream(*chunks: object, done: bool = True) -> bytes:
    return b"".join(map(event, chunks)) + (DONE if done else b"")


def test_tokens_are_counted_where_their_events_end() -> None:
    role, one, two = chunk({"role": "assistant", "content": ""}), chunk({"content": "a"}), None
    two = chunk({"content": " b"})
    body = stream(role, one, two, chunk({}, "stop"))
    read = decode(body)
    ends = [len(stream(role, one, done=False)), len(stream(role, one, two, done=False))]
    assert read.tokens == ends
    assert read.visible == ends[0]
    assert len(read.events) == 4
    assert (read.text, read.finish, read.done, read.model) == ("a b", {0: "stop"}, True, "m")


@pytest.mark.parametrize(
    ("delta", "bears", "visible"),
    [
        ({"content": "x"}, True, True),
        ({"content": ""}, False, False),
        ({"role": "assistant"}, False, False),
        ({"refusal": "no"}, True, True),
        ({"reasoning_content": "hm"}, True, False),
        ({"reasoning": "hm"}, True, False),
        ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}, True, True),
        ({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}, True, True),
        ({"tool_calls": [{"index": 0, "id": "c"}]}, False, False),
        ({"function_call": {"arguments": "{"}}, True, True),
        ({"content": None}, False, False),
        ({"content": 3}, False, False),
        ({}, False, False),
    ],
)
def test_what_bears_a_token(delta: dict[str, Any], bears: bool, visible: bool) -> None:
    read = decode(stream(chunk(delta)))
    assert (bool(read.tokens), read.visible is not None) == (bears, visible)


def test_a_usage_chunk_counts_tokens_and_is_none() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "completion_tokens_details": {"reasoning_tokens": 2},
        "prompt_tokens_details": {"cached_tokens": 3},
    }
    read = decode(stream(chunk({"content": "x"}), {"choices": [], "usage": usage}))
    assert len(read.tokens) == 1
    assert (read.prompt_tokens, read.output_tokens) == (7, 5)
    assert (read.reasoning_tokens, read.cached_tokens) == (2, 3)


@pytest.mark.parametrize("count", [True, -1, 1.5, "5", None, 10**30])
def test_a_count_that_is_none_is_not_taken(count: object) -> None:
    read = decode(stream({"choices": [], "usage": {"completion_tokens": count}}))
    assert read.output_tokens is None


def test_an_error_event_is_read_in_either_form() -> None:
    inside = decode(stream(chunk({"content": "x"}), {"error": {"message": "boom"}}, done=False))
    typed = decode(b'event: error\ndata: {"message": "boom"}\n\n')
    assert inside.error == typed.error == "boom"


def test_what_is_no_json_is_told_and_reading_goes_on() -> None:
    read = decode(b"data: {oops\n\n" + stream(chunk({"content": "x"})))
    assert read.broken == "{oops"
    assert len(read.tokens) == 1


def test_a_done_without_its_blank_line_is_read() -> None:
    assert decode(stream(chunk({"content": "x"}), done=False) + b"data: [DONE]\n").done


def test_comments_and_carriage_returns_make_no_difference() -> None:
    body = b": ping\n\n" + stream(chunk({"content": "a"}), chunk({"content": "b"}))
    other = decode(body.replace(b"\n", b"\r\n"))
    assert decode(body).text == other.text == "ab"
    assert len(other.tokens) == 2


def slowly(body: bytes, monkeypatch: pytest.MonkeyPatch) -> Decoded:
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "_SAID", re.compile(rb"(\x00)(\x00)"))
        return decode(body)


TEXTS = st.text(max_size=4)
DELTAS = st.one_of(
    st.fixed_dictionaries({"content": TEXTS}),
    st.fixed_dictionaries({"reasoning_content": TEXTS}),
    st.fixed_dictionaries({"content": TEXTS, "reasoning": TEXTS}),
    st.fixed_dictionaries({"content": st.sampled_from(["a", "b"]), "tool_calls": st.just([])}),
)


@given(st.lists(DELTAS, max_size=12), st.booleans())
def test_the_shortcut_gives_what_reading_gives(deltas: list[dict[str, Any]], ascii_: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        body = b"".join(
            b"data: "
            + json.dumps(chunk(d), ensure_ascii=ascii_).encode("utf-8", "replace")
            + b"\n\n"
            for d in deltas
        )
        assert decode(body) == slowly(body, patch)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_nothing_that_is_sent_raises(noise: bytes, at: int) -> None:
    body = stream(chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop"))
    read = decode(body[:at] + noise + body[at:])
    assert read.tokens == sorted(read.tokens)
    assert all(end <= len(body) + len(noise) for end in read.events)


def test_the_message_of_an_error_is_one_line() -> None:
    assert error_message({"error": {"message": "a\n b"}}) == "a b"
    assert error_message({"error": "plain"}) == "plain"
    assert error_message({"detail": "x"}) == '{"detail": "x"}'
    assert len(error_message("x" * 1000)) == 200
