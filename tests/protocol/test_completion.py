"""Completions: which member breaks which clause, and what is not told twice."""

from __future__ import annotations

import pytest

from conformance.protocol.completion import findings
from conformance.protocol.facts import Facts
from conformance.protocol.markup import markup
from conformance.protocol.usage import usage_findings

from .talk import CALL, USAGE, answer, completion, hear, hello, ids, picked

TOOLS = Facts(calls_allowed=True)
CITATION = {"start_index": 0, "end_index": 1, "url": "u", "title": "t"}


def test_a_good_completion_breaks_nothing() -> None:
    assert findings(completion(), date=1_700_000_000) == []


def test_what_is_no_object_is_for_the_transport_to_tell() -> None:
    assert findings([]) == []


@pytest.mark.parametrize(
    ("name", "value", "breaks"),
    [
        ("id", "", ["CC-RESP-001"]),
        ("id", 7, ["CC-RESP-001"]),
        ("object", "text_completion", ["CC-RESP-002"]),
        ("created", "1700000000", ["CC-RESP-003"]),
        ("created", 1700000000.0, ["CC-RESP-003"]),
        ("created", 1_700_000_000_000, ["CC-RESP-003"]),
        ("created", True, ["CC-RESP-003"]),
        ("created", 1_700_000_900, ["CC-RESP-003~"]),
        ("model", None, ["CC-RESP-005"]),
        ("model", "", []),
        ("usage", None, ["CC-RESP-006"]),
        ("usage", "11", ["CC-RESP-006"]),
        ("system_fingerprint", None, []),
        ("system_fingerprint", 1, ["CC-RESP-007"]),
        ("service_tier", "priority", []),
        ("service_tier", "on_demand", ["CC-RESP-008~"]),
        ("error", None, []),
        ("error", {"message": "x"}, ["CC-RESP-009"]),
        ("metadata", "x", ["CC-RESP-010"]),
        ("moderation", [], ["CC-RESP-010"]),
        ("vendor", [1], []),
        ("choices", None, ["CC-RESP-004"]),
        ("choices", [], ["CC-RESP-004"]),
        ("choices", {}, ["CC-RESP-004"]),
        ("choices", ["x"], ["CC-MSG-002"]),
        ("choices", [None, 1], ["CC-MSG-002", "CC-RESP-004"]),
    ],
)
def test_a_member_of_the_completion(name: str, value: object, breaks: list[str]) -> None:
    assert ids(findings(completion(**{name: value}), date=1_700_000_000)) == breaks


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        ("id", "CC-RESP-001"),
        ("object", "CC-RESP-002"),
        ("created", "CC-RESP-003"),
        ("choices", "CC-RESP-004"),
        ("model", "CC-RESP-005"),
        ("usage", "CC-RESP-006"),
    ],
)
def test_a_missing_member_of_the_completion(name: str, breaks: str) -> None:
    value = completion()
    del value[name]

    assert ids(findings(value)) == [breaks]


def test_an_error_body_with_status_200_is_one_breach() -> None:
    assert ids(findings({"error": {"message": "no"}})) == ["CC-RESP-009"]


@pytest.mark.parametrize(
    ("members", "breaks"),
    [
        ({"index": 1}, ["CC-MSG-001"]),
        ({"index": None}, ["CC-MSG-001"]),
        ({"index": "0"}, ["CC-MSG-001"]),
        ({"message": None}, ["CC-MSG-002"]),
        ({"message": "Hello", "finish_reason": "eos"}, ["CC-MSG-002"]),
        ({"delta": {}}, ["CC-RESP-011"]),
        ({"message": None, "delta": {}}, ["CC-MSG-002", "CC-RESP-011"]),
        ({"logprobs": {"content": []}}, ["CC-LOGP-008", "CC-MSG-009"]),
        ({"finish_reason": None}, ["CC-FIN-001"]),
        ({"finish_reason": ""}, ["CC-FIN-001", "CC-FIN-002"]),
        ({"finish_reason": "eos"}, ["CC-FIN-001", "CC-FIN-002"]),
        ({"finish_reason": ["stop"]}, ["CC-FIN-001", "CC-FIN-002"]),
        ({"finish_reason": "length"}, []),
        ({"finish_reason": "tool_calls"}, ["CC-MSG-013"]),
    ],
)
def test_a_member_of_the_choice(members: dict[str, object], breaks: list[str]) -> None:
    assert ids(findings(picked(**members))) == breaks


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        ("index", "CC-MSG-001"),
        ("message", "CC-MSG-002"),
        ("logprobs", "CC-MSG-009~"),
        ("finish_reason", "CC-FIN-001"),
    ],
)
def test_a_missing_member_of_the_choice(name: str, breaks: str) -> None:
    assert ids(findings(picked(name))) == [breaks]


def test_requested_logprobs() -> None:
    facts = Facts(logprobs=True)

    assert findings(picked(logprobs={"content": [], "refusal": None}), facts) == []
    assert ids(findings(picked(logprobs=[]), facts)) == ["CC-LOGP-002", "CC-RESP-010"]


@pytest.mark.parametrize(
    ("members", "breaks"),
    [
        ({"role": "user"}, ["CC-MSG-002"]),
        ({"role": None}, ["CC-MSG-002"]),
        ({"content": [{"type": "text", "text": "x"}]}, ["CC-MSG-003"]),
        ({"content": None}, []),
        ({"refusal": False}, ["CC-MSG-005"]),
        ({"refusal": "no", "content": None}, []),
        ({"tool_calls": []}, ["CC-MSG-006"]),
        ({"tool_calls": None}, []),
        ({"tool_calls": [CALL]}, ["CC-MSG-013"]),
        ({"tool_calls": "f()"}, ["CC-RESP-010"]),
        ({"function_call": {"name": "f"}}, ["CC-MSG-007", "CC-MSG-013"]),
        ({"function_call": None, "audio": None}, []),
        ({"audio": {"id": "a"}}, ["CC-MSG-007"]),
        ({"annotations": []}, []),
        ({"annotations": [{"type": "url_citation", "url_citation": CITATION}]}, []),
        ({"annotations": None}, ["CC-MSG-008"]),
        ({"annotations": [{"type": "url_citation", "url_citation": {}}]}, ["CC-MSG-008"]),
        ({"content": "Hello<|im_end|>"}, ["CC-MSG-011"]),
        ({"reasoning_content": "hm", "vendor": 1}, []),
    ],
)
def test_a_member_of_the_message(members: dict[str, object], breaks: list[str]) -> None:
    assert ids(findings(answer(**members))) == breaks


@pytest.mark.parametrize(
    ("name", "breaks"),
    [("role", "CC-MSG-002"), ("content", "CC-MSG-004"), ("refusal", "CC-MSG-005~")],
)
def test_a_missing_member_of_the_message(name: str, breaks: str) -> None:
    assert ids(findings(answer(name))) == [breaks]


def test_calls_and_their_reason() -> None:
    with_calls = answer(content=None, tool_calls=[CALL])
    with_calls["choices"][0]["finish_reason"] = "tool_calls"

    assert findings(with_calls, TOOLS) == []
    assert ids(findings(picked(finish_reason="tool_calls"), TOOLS)) == ["CC-FIN-007"]
    assert ids(findings(with_calls)) == ["CC-MSG-013"]


def test_requested_functions_and_audio() -> None:
    audio = {"id": "a", "expires_at": 1, "data": "AAAA", "transcript": "Hi."}
    called = answer(function_call={"name": "f", "arguments": "{}"}, audio=audio)

    assert findings(called, Facts(calls_allowed=True, functions=True, audio=True)) == []


def test_several_choices() -> None:
    one = completion()["choices"][0]
    two = completion(choices=[{**one, "index": 1}, one])

    assert findings(two, Facts(n=2)) == []
    assert ids(findings(two)) == ["CC-MSG-001", "CC-RESP-004"]
    assert ids(findings(completion(), Facts(n=2))) == ["CC-MSG-001"]
    assert ids(findings(completion(choices=[one, one]), Facts(n=2))) == ["CC-MSG-001"]


def test_a_folded_stream_keeps_every_must() -> None:
    folded = hear(*hello()).fold()

    assert ids(findings(folded, Facts())) == ["CC-RESP-006"]


# --- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "breaks"),
    [
        ({}, []),
        ({"prompt_tokens": None}, ["CC-USAGE-001"]),
        ({"completion_tokens": "2"}, ["CC-USAGE-001"]),
        ({"total_tokens": 11.0}, ["CC-USAGE-001"]),
        ({"prompt_tokens": -1}, ["CC-USAGE-001"]),
        ({"total_tokens": 12}, ["CC-USAGE-002"]),
        ({"total_tokens": 10}, ["CC-USAGE-002"]),
        ({"total_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 2, "a": 2}}, []),
        ({"prompt_tokens": 0, "total_tokens": 2}, ["CC-USAGE-003"]),
        ({"completion_tokens": 0, "total_tokens": 9}, ["CC-USAGE-003"]),
        ({"prompt_tokens_details": None}, ["CC-USAGE-006~"]),
        ({"prompt_tokens_details": []}, ["CC-USAGE-006"]),
        ({"completion_tokens_details": {"reasoning_tokens": "0"}}, ["CC-USAGE-006"]),
        ({"prompt_tokens_details": {"cached_tokens": 9}}, []),
        ({"prompt_tokens_details": {"cached_tokens": 10}}, ["CC-USAGE-007"]),
        ({"prompt_tokens_details": {"cached_tokens": -1}}, ["CC-USAGE-007"]),
        ({"completion_tokens_details": {"reasoning_tokens": 3}}, ["CC-USAGE-008"]),
        ({"completion_tokens_details": {"reasoning_tokens": 0}}, ["CC-USAGE-008"]),
        ({"completion_tokens_details": {"reasoning_tokens": 1}}, []),
    ],
)
def test_a_usage(members: dict[str, object], breaks: list[str]) -> None:
    found = usage_findings({**USAGE, **members}, produced=True, reasoned=True)

    assert ids(found) == breaks


def test_an_empty_answer_may_cost_nothing() -> None:
    silent = {**USAGE, "completion_tokens": 0, "total_tokens": 9}

    assert usage_findings(silent) == []
    assert ids(findings(completion(usage=silent))) == ["CC-USAGE-003"]


def test_counts_that_are_missing_are_told_one_by_one() -> None:
    assert [finding.at for finding in usage_findings({})] == [
        "$.usage.prompt_tokens",
        "$.usage.completion_tokens",
        "$.usage.total_tokens",
    ]


# --- markup --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello<|im_end|>", "<|im_end|>"),
        ("<|eot_id|>", "<|eot_id|>"),
        ("<tool_call>{}</tool_call>", "<tool_call>"),
        ("[TOOL_CALLS] []", "[TOOL_CALLS]"),
        ("hm</think>Hello", "</think>"),
        ("<think>hm</think>Hello", None),
        ("<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
        ("if a < b | c > d then [x] <b>bold</b>", None),
        ("a tool_call is a call of a tool", None),
    ],
)
def test_markup(text: str, found: str | None) -> None:
    assert markup(text) == found
