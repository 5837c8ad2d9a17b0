"""Completions and streams: one generation, two spellings, exact counts."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference import chat
from conformance.reference.models import DOCUMENTED, Model
from conformance.reference.text import tokens

PLAIN = DOCUMENTED[0]
THINKER = next(model for model in DOCUMENTED if model.reasoning)
COUNT = "Count from 1 to 300, separated by spaces."
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def asked(prompt: str, model: Model = PLAIN, **parameters: Any) -> chat.Answer:
    body = {"model": model.id, "messages": [{"role": "user", "content": prompt}], **parameters}
    return chat.answer(body, model, "ab", 1_800_000_000)


def told(prompt: str, model: Model = PLAIN, **parameters: Any) -> dict[str, Any]:
    """The first choice of the completion."""
    choice: dict[str, Any] = chat.completion(asked(prompt, model, **parameters))["choices"][0]
    return choice


@pytest.mark.parametrize("bound", [1, 2, 16, 299])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("model", [PLAIN, THINKER], ids=["plain", "thinker"])
def test_a_bound_is_met_exactly(bound: int, name: str, model: Model) -> None:
    completion = chat.completion(asked(COUNT, model, **{name: bound}))
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["usage"]["completion_tokens"] == bound


def test_an_answer_that_fits_its_bound_ends_naturally() -> None:
    assert told(COUNT, max_tokens=300)["finish_reason"] == "stop"


@pytest.mark.parametrize("stop", [" 7", ["zzz", " 9", " 7"], "7 8"])
def test_a_stop_sequence_ends_the_text_before_it(stop: str | list[str]) -> None:
    choice = told(COUNT, stop=stop)
    assert choice["message"]["content"].strip() == "1 2 3 4 5 6"
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("prompt", "parameters"),
    [
        ("Say hello.", {}),
        (COUNT, {"max_tokens": 7}),
        (COUNT, {"n": 3, "max_tokens": 5}),
        ("Tell me something.", {"n": 2}),
        ("What is the weather in Paris and in London?", {"tools": [WEATHER]}),
        ("What is the weather in Paris?", {"tools": [WEATHER], "max_tokens": 3}),
    ],
    ids=str,
)
@pytest.mark.parametrize("model", [PLAIN, THINKER], ids=["plain", "thinker"])
def test_a_stream_folds_to_the_completion(
    prompt: str, parameters: dict[str, Any], model: Model
) -> None:
    given = asked(prompt, model, **parameters)
    completion = chat.completion(given)
    folded: dict[int, dict[str, Any]] = {}
    for chunk in chat.chunks(given):
        for choice in chunk["choices"]:
            fold(folded.setdefault(choice["index"], {}), choice)
    for choice in completion["choices"]:
        message = choice["message"]
        one = folded[choice["index"]]
        assert one["role"] == "assistant"
        assert one.get("content") == message["content"]
        assert one.get("reasoning_content") == message.get("reasoning_content")
        assert one["finish_reason"] == choice["finish_reason"]
        calls = [call["function"] for call in message.get("tool_calls", [])]
        assert [call["function"] for call in one.get("tool_calls", [])] == calls


def fold(into: dict[str, Any], choice: dict[str, Any]) -> None:
    """Adds one chunk choice to what was folded of it."""
    for name, value in choice["delta"].items():
        if name == "tool_calls":
            calls = into.setdefault("tool_calls", [])
            for fragment in value:
                if "id" in fragment:
                    calls.append({"function": dict(fragment["function"])})
                else:
                    function = calls[fragment["index"]]["function"]
                    function["arguments"] += fragment["function"]["arguments"]
        elif value is None or into.get(name) is None:
            into[name] = value
        else:
            into[name] += value
    if choice["finish_reason"] is not None:
        assert "finish_reason" not in into
        into["finish_reason"] = choice["finish_reason"]


def test_a_call_cut_by_the_bound_has_the_reason_length() -> None:
    choice = told("What is the weather in Paris?", tools=[WEATHER], max_tokens=3)
    assert choice["finish_reason"] == "length"
    assert not choice["message"]["tool_calls"][0]["function"]["arguments"].endswith("}")


def test_usage_adds_up_over_all_choices() -> None:
    usage = asked(COUNT, n=2, max_tokens=8).usage()
    assert usage["completion_tokens"] == 16
    assert usage["total_tokens"] == usage["prompt_tokens"] + 16


def test_usage_is_in_a_last_chunk_of_its_own_where_asked_for() -> None:
    options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    *others, last = chat.chunks(asked("Say hello.", **options))
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in others)


def test_no_usage_is_streamed_unasked() -> None:
    assert all("usage" not in chunk for chunk in chat.chunks(asked("Say hello.", stream=True)))


def test_logprobs_join_to_the_text_in_both_modes() -> None:
    given = asked("Say hello.", logprobs=True, top_logprobs=3)
    choice = chat.completion(given)["choices"][0]
    entries = choice["logprobs"]["content"]
    text = choice["message"]["content"]
    assert b"".join(bytes(entry["bytes"]) for entry in entries).decode() == text
    assert all(len(entry["top_logprobs"]) == 3 for entry in entries)
    streamed = [
        entry
        for chunk in chat.chunks(given)
        for entry in (chunk["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert streamed == entries


def test_thought_is_counted_and_kept_out_of_the_text() -> None:
    completion = chat.completion(asked("Say hello.", THINKER))
    message = completion["choices"][0]["message"]
    thought = len(tokens(message["reasoning_content"]))
    details = completion["usage"]["completion_tokens_details"]
    assert details["reasoning_tokens"] == thought
    assert completion["usage"]["completion_tokens"] == thought + len(tokens(message["content"]))


def test_a_breakdown_ends_a_stream_in_an_error() -> None:
    events = chat.events(asked("Fail in the middle of the stream.", stream=True))
    assert events[-1] == {"error": chat.BREAKDOWN_ERROR}
    assert len(events) > 3
