"""What a client made of a reply, held against the reply itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.protocol.finding import Finding
from conformance.protocol.interop import (
    class_of,
    differences,
    explained,
    invalid,
    told,
    unfilled,
    untyped,
)

MESSAGE: dict[str, Any] = {"role": "assistant", "content": "Hello.", "refusal": None}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def reply(message: object = MESSAGE, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {"id": "x", "choices": [choice | more], "usage": USAGE}


def test_a_client_may_leave_out_what_is_null() -> None:
    message = {"role": "assistant", "content": "Hello."}
    bare = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE}

    assert differences(reply(), bare) == []


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        (reply({**MESSAGE, "role": "assistantassistant"}), "role"),
        (reply({**MESSAGE, "content": None}), "content"),
        (reply({**MESSAGE, "tool_calls": [CALL]}), "tool_calls"),
        (reply(finish_reason=None), "finish_reason"),
        ({**reply(), "usage": None}, "usage"),
    ],
)
def test_what_a_client_returned_otherwise_is_named(returned: object, named: str) -> None:
    assert [name for name, _ in differences(reply(), returned)] == [named]


@pytest.mark.parametrize("returned", [None, "text", {"not_a_reply": "str"}, {"choices": None}])
def test_what_is_no_reply_differs_in_all_that_was_told(returned: object) -> None:
    named = [name for name, _ in differences(reply(), returned)]

    assert named == ["role", "content", "finish_reason", "usage"]


def test_a_call_is_its_id_its_name_and_its_arguments() -> None:
    called = told(reply({**MESSAGE, "tool_calls": [CALL, None]}))["tool_calls"]

    assert called == [
        {"id": "c1", "name": "f", "arguments": "{}"},
        {"id": None, "name": None, "arguments": None},
    ]


@pytest.mark.parametrize(
    ("loc", "chunk", "mild"),
    [
        (["choices", 0, "message", "role"], False, False),
        (["created"], False, False),
        (["service_tier"], False, True),
        (["choices", 0, "message", "content"], False, True),
        (["usage", "prompt_tokens"], False, True),
        (["choices", 0, "finish_reason"], False, False),
        (["choices", 0, "finish_reason"], True, True),
        (["choices", 0, "delta"], True, False),
        (["choices", 3, "delta", "role"], True, True),
    ],
)
def test_only_what_types_demand_all_the_way_is_demanded(
    loc: list[str | int], chunk: bool, mild: bool
) -> None:
    [found] = invalid([{"loc": loc, "msg": "Field required"}] * 2, chunk=chunk)

    assert (found.seen, found.mild) == ("Field required", mild)


ENVELOPE = {"message": "No such model.", "type": "invalid_request_error", "param": "model"}


def raising(**more: object) -> dict[str, object]:
    error = {"message": "Error code: 404 - No such model.", "type": "invalid_request_error"}
    return {**error, "param": "model", "code": None, **more}


@pytest.mark.parametrize(
    ("error", "raised", "seen"),
    [
        ({"error": ENVELOPE}, raising(), []),
        ({"error": {**ENVELOPE, "code": 404}}, raising(code="404"), []),
        ({"error": ENVELOPE}, raising(type=None), ["type null"]),
        ({"error": ENVELOPE}, raising(param=None), ["param null"]),
        ({"error": ENVELOPE}, raising(message="Error code: 404"), ['it says "Error code: 404"']),
        ({"detail": "No."}, raising(message="404"), ['it says "404"']),
        ({"error": {**ENVELOPE, "message": ""}}, raising(message="404"), ['it says "404"']),
    ],
)
def test_an_exception_tells_the_error(error: object, raised: Any, seen: list[str]) -> None:
    assert [what for _, what in unfilled(json.dumps(error).encode(), raised)] == seen


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "BadRequestError"), (422, "UnprocessableEntityError"), (405, None), (503, "Internal")],
)
def test_a_status_has_its_class(status: int, name: str | None) -> None:
    assert (class_of(status) or "").startswith(name or "")
    assert (class_of(status) is None) == (name is None)


MUSTS = {"CC-STREAM-007", "CC-SSE-003"}


@pytest.mark.parametrize(
    ("ids", "clauses", "mild"),
    [
        ([], (), False),
        (["CC-STREAM-024"], ("CC-STREAM-024",), True),
        (["CC-STREAM-024", "CC-STREAM-007"], ("CC-STREAM-007",), False),
        (["CC-SSE-003", "CC-STREAM-007"], ("CC-SSE-003", "CC-STREAM-007"), False),
        (["CC-STREAM-019"], (), False),
    ],
)
def test_a_failure_goes_back_to_what_is_demanded_else_to_what_is_tolerated(
    ids: list[str], clauses: tuple[str, ...], mild: bool
) -> None:
    why = explained([Finding(one, "", "") for one in ids], MUSTS.__contains__)

    assert (why.clauses, why.mild) == (clauses, mild)
    assert ("no other clause" in str(why)) == (not clauses)


def test_a_mild_breach_of_what_is_demanded_explains_no_failure() -> None:
    assert not explained([Finding("CC-SSE-003", "", "", mild=True)], MUSTS.__contains__).clauses


def test_a_whole_reply_lacks_nothing_that_typed_clients_demand() -> None:
    assert untyped(reply()) == []


def test_members_that_typed_clients_demand_are_missed_once_each() -> None:
    token = {"token": "a", "logprob": 0.0, "top_logprobs": []}
    choice = reply({"role": "assistant"}, logprobs={"content": [token, token]})["choices"][0]
    bare = {name: value for name, value in choice.items() if name != "logprobs"}

    found = [one.at for one in untyped({"choices": [choice, bare, None]})]

    assert found == [
        "$.choices[0].message.content",
        "$.choices[0].message.refusal",
        "$.choices[0].logprobs.refusal",
        "$.choices[0].logprobs.content[0].bytes",
        "$.choices[1].logprobs",
    ]


@pytest.mark.parametrize("value", [None, [], {"choices": {}}, {"choices": [{"message": 1}]}])
def test_what_is_no_completion_is_judged_elsewhere(value: object) -> None:
    assert [one.at for one in untyped(value)] in ([], ["$.choices[0].logprobs"])
