"""Guards and the vocabulary of requests: who is blamed for what, decided on plain data."""

import datetime as dt
import json
from typing import Any

import pytest

from conformance.chat import BOUND, OMIT, Chat
from conformance.guards import (
    answered,
    is_refusal,
    not_5xx,
    refuses,
    streamed,
    success,
    unasked_coding,
    well_formed_calls,
)
from conformance.outcomes import Blocked, Broken, Inconclusive
from conformance.patience import retry_after
from conformance.protocol.calls import ToolCall
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import IDENTITY, Exchange, Failure, FailureKind, Request

NOW = dt.datetime(2026, 1, 1, 12, 0, 0, tzinfo=dt.UTC)


def reply(status: int | None, body: Any = None, **members: Any) -> Exchange:
    """A reply to a plain request; a body that is no bytes is sent as JSON."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = members.pop("headers", ())
    request = members.pop("request", Request("POST", "/chat/completions"))
    return Exchange(request, "http://t/v1", status, headers=headers, body=octets, **members)


def chat(bound_name: str = "max_tokens") -> Chat:
    """A model nobody is asked about."""
    return Chat(Client(Endpoint("http://127.0.0.1:1/v1")), Profile("t"), "m", bound_name=bound_name)


@pytest.mark.parametrize("status", [402, 408, 429])
def test_a_status_that_puts_the_call_off_blames_nobody(status: int) -> None:
    exchange = reply(status, {"error": {"message": "tools", "param": "tools"}})

    with pytest.raises(Inconclusive):
        answered(exchange)
    assert not is_refusal(exchange)
    assert not refuses(exchange, ("tools",))


def test_a_bound_spent_on_thinking_is_no_refusal() -> None:
    exchange = reply(400, {"error": {"message": "Could not finish the message because max_tokens"}})

    assert not refuses(exchange, ("max_tokens",))
    with pytest.raises(Inconclusive, match="room to think"):
        success(exchange)


@pytest.mark.parametrize("code", ["content_filter", "content_policy_violation"])
def test_a_prompt_that_a_filter_refuses_is_no_refusal_of_the_request(code: str) -> None:
    exchange = reply(400, {"error": {"message": "stop", "param": "prompt", "code": code}})

    assert not is_refusal(exchange)
    assert not refuses(exchange, ("stop",))
    with pytest.raises(Inconclusive, match="filter"):
        success(exchange)


def test_a_5xx_is_blamed_only_where_it_persists() -> None:
    with pytest.raises(Inconclusive):
        not_5xx(reply(503, b""), "status 200")
    with pytest.raises(Inconclusive):
        not_5xx(reply(503, b"", repeats=3, canary_ok=False), "status 200")
    with pytest.raises(Broken, match="503"):
        not_5xx(reply(503, b"", repeats=3, canary_ok=True), "status 200")


@pytest.mark.parametrize("kind", [FailureKind.TRUNCATED, FailureKind.PROTOCOL, FailureKind.RESET])
def test_a_reply_that_is_cut_each_time_is_blocked_by_framing(kind: FailureKind) -> None:
    with pytest.raises(Blocked) as blocked:
        answered(reply(200, b"{", failure=Failure(kind), repeats=3, canary_ok=True))
    assert blocked.value.by == "CC-HTTP-009"

    with pytest.raises(Inconclusive):
        answered(reply(200, b"{", failure=Failure(kind)))


def test_a_connection_lost_each_time_is_blamed_where_a_reply_is_demanded() -> None:
    lost = reply(None, b"", failure=Failure(FailureKind.RESET), repeats=3, canary_ok=True)

    with pytest.raises(Broken, match="3 of 3 times"):
        answered(lost, "status 200")
    with pytest.raises(Inconclusive):
        answered(lost)
    with pytest.raises(Blocked) as blocked:
        streamed(lost)
    assert blocked.value.by == "CC-SSE-001"


def test_a_valid_call_refused_for_its_bound_is_blocked_by_the_bound() -> None:
    with pytest.raises(Blocked) as blocked:
        success(reply(400, {"error": {"message": "max_tokens is unknown", "param": None}}))
    assert blocked.value.by == "CC-REQ-024"

    with pytest.raises(Blocked) as blocked:
        success(reply(400, {"error": {"message": "No.", "param": None}}))
    assert blocked.value.by == "CC-HTTP-001"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "unknown", "param": "tools[0]"}},
        {"error": {"message": "Tools are not supported.", "param": None}},
        {"error": "tools are not supported"},
        {"message": "This model has no tools"},
        {"detail": "tools: extra fields not permitted"},
        {"detail": [{"loc": ["body", "tools"], "msg": "extra fields not permitted"}]},
    ],
)
def test_a_refusal_names_the_parameter_in_any_form(body: Any) -> None:
    assert refuses(reply(422, body), ("tools",))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "bad request", "param": None}},
        {"detail": [{"loc": ["body", "n"], "msg": "too large", "input": {"tools": []}}]},
        {"detail": [3, {"loc": "tools"}]},
        ["tools"],
        b"tools",
    ],
)
def test_an_echo_of_the_request_names_nothing(body: Any) -> None:
    assert not refuses(reply(400, body), ("tools",))


def test_only_a_coding_that_the_request_does_not_list_is_unasked() -> None:
    zipped = (("Content-Encoding", "GZIP"),)
    asks = Request("POST", "/", headers=(("Accept-Encoding", "gzip;q=0.5, deflate"),))

    assert unasked_coding(reply(200, {}, headers=zipped)) == "gzip"
    assert unasked_coding(reply(200, {}, headers=zipped, request=asks)) is None
    assert unasked_coding(reply(200, {}, headers=(("Content-Encoding", "identity"),))) is None
    assert Request("POST", "/").headers[1] == IDENTITY


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("soon", None),
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_a_bound_goes_by_the_name_that_the_model_takes() -> None:
    assert chat().body()["max_tokens"] == BOUND
    assert chat("max_completion_tokens").body(max_tokens=9)["max_completion_tokens"] == 9
    assert "max_tokens" not in chat("max_completion_tokens").body(max_tokens=9)


def test_a_bound_that_is_invalid_or_left_out_stays_as_it_is() -> None:
    odd = chat("max_completion_tokens")

    assert odd.body(max_tokens=0)["max_tokens"] == 0
    assert odd.body(max_tokens=None)["max_tokens"] is None
    assert odd.body(max_tokens=True)["max_tokens"] is True
    assert set(odd.body(max_tokens=OMIT)) == {"model", "messages"}


CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def called(calls: object) -> Exchange:
    """A reply whose message holds these calls."""
    return reply(200, {"choices": [{"message": {"tool_calls": calls}}]})


def test_calls_are_read_where_they_are_well_formed() -> None:
    assert well_formed_calls(called([CALL])) == [ToolCall("a", "f", "{}")]
    assert well_formed_calls(called(None)) == []


@pytest.mark.parametrize(
    ("calls", "by"),
    [
        ({}, "CC-RESP-010"),
        ([CALL, None], "CC-TOOL-001"),
        ([{**CALL, "function": {"name": "f", "arguments": {}}}], "CC-TOOL-002"),
    ],
)
def test_a_call_out_of_form_is_blamed_on_its_clause(calls: object, by: str) -> None:
    with pytest.raises(Blocked) as blocked:
        well_formed_calls(called(calls))
    assert blocked.value.by == by
