"""Validation: what is accepted, what is refused, and that the culprit is named."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference import parameters

VALID: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f"}}


def history(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(messages)}


ACCEPTED: list[dict[str, Any]] = [
    {},
    dict.fromkeys(parameters.OPTIONAL),
    *({"temperature": value} for value in (0, 0.0, 0.7, 1, 2)),
    *({"top_p": value} for value in (0, 1)),
    *({"stop": value} for value in ("a", ["a"], ["a"] * 4, [])),
    *({"presence_penalty": value} for value in (-2, 0, 2)),
    *({"seed": value} for value in (0, 2**53 - 1, -1)),
    {"logprobs": True, "top_logprobs": 20},
    {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": None}},
    {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
    {"metadata": {"a": "b"}, "user": "x", "store": False, "service_tier": "auto"},
    history({"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}),
    history({"role": "developer", "content": [{"type": "text", "text": "a"}]}),
    *(
        history(
            {"role": "assistant", "tool_calls": [CALL], **content},
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        )
        for content in ({}, {"content": None}, {"content": ""})
    ),
    history({"role": "assistant", "content": "a", "refusal": None, "annotations": []}),
    history({"role": "assistant", "content": "a", "tool_calls": [], "reasoning_content": "b"}),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_a_valid_request_has_no_problem(changes: dict[str, Any]) -> None:
    assert parameters.check({**VALID, **changes}) is None


REFUSED: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"messages": []}, "messages", "empty_array"),
    ({"messages": "a"}, "messages", "invalid_type"),
    ({"messages": None}, "messages", "invalid_type"),
    ({"messages": [1]}, "messages[0]", "invalid_type"),
    ({"model": 1}, "model", "invalid_type"),
    (history({"content": "a"}), "messages[0].role", "missing_required_parameter"),
    (history({"role": "banana", "content": "a"}), "messages[0].role", "invalid_value"),
    (history({"role": "user", "content": None}), "messages[0].content", "invalid_type"),
    (history({"role": "user", "content": []}), "messages[0].content", "empty_array"),
    (history({"role": "assistant", "content": None}), "messages[0].content", "invalid_value"),
    (
        history({"role": "user", "content": [{"type": "foo"}]}),
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        history({"role": "user", "content": [{"type": "text"}]}),
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (
        history({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
        "messages[0].content[0].image_url.url",
        "missing_required_parameter",
    ),
    (
        history({"role": "system", "content": [{"type": "image_url", "image_url": {}}]}),
        "messages[0].content[0].type",
        "unsupported_value",
    ),
    (
        history({"role": "user", "content": [{"type": "file", "file": {}}]}),
        "messages[0].content[0].type",
        "unsupported_value",
    ),
    (
        history({"role": "tool", "tool_call_id": "c", "content": "1"}),
        "messages.[0].role",
        None,
    ),
    (
        history(
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "user", "content": "a"},
        ),
        "messages.[0].role",
        None,
    ),
    ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": 10**400}, "temperature", "decimal_above_max_value"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
    ({"max_tokens": True}, "max_tokens", "invalid_type"),
    ({"n": 129}, "n", "integer_above_max_value"),
    ({"stop": ["a"] * 5}, "stop", "array_above_max_length"),
    ({"stop": [1]}, "stop[0]", "invalid_type"),
    ({"logit_bias": []}, "logit_bias", "invalid_type"),
    ({"logit_bias": {"1": 200}}, "logit_bias.1", "integer_above_max_value"),
    ({"logprobs": 1}, "logprobs", "invalid_type"),
    ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
    ({"seed": "1"}, "seed", "invalid_type"),
    ({"stream": 1}, "stream", "invalid_type"),
    ({"stream_options": {}}, "stream_options", "invalid_value"),
    ({"response_format": {}}, "response_format.type", "missing_required_parameter"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
        "response_format.json_schema.name",
        "invalid_value",
    ),
    ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice",
        "invalid_value",
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "x" * 65}}]},
        "tools[0].function.name",
        "invalid_value",
    ),
    ({"metadata": {str(i): "" for i in range(17)}}, "metadata", "object_above_max_properties"),
    ({"reasoning_effort": "extreme"}, "reasoning_effort", "invalid_value"),
    ({"audio": {}}, "audio", "unsupported_parameter"),
    ({"x_unknown": 1}, None, None),
]


@pytest.mark.parametrize(("changes", "param", "code"), REFUSED, ids=str)
def test_an_invalid_request_is_refused_by_name(
    changes: dict[str, Any], param: str | None, code: str | None
) -> None:
    problem = parameters.check({**VALID, **changes})
    assert problem is not None
    assert (problem.param, problem.code) == (param, code)
    assert (param or "x_unknown").partition("[")[0].rstrip(".") in problem.message


@pytest.mark.parametrize("name", parameters.REQUIRED)
def test_a_required_parameter_is_missed_by_name(name: str) -> None:
    problem = parameters.check({key: value for key, value in VALID.items() if key != name})
    assert problem is not None
    assert (problem.param, problem.code) == (name, "missing_required_parameter")
