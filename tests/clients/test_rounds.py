"""A tool call goes its round trip; an answer by a schema is judged where it follows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.chat import Chat
from conformance.encounter import round_of, structured_of
from conformance.libraries import ROUND, STRUCTURED
from conformance.outcomes import Broken
from tests.clients.scripted import coded, line, reply_of, scripted


def completion(**message: Any) -> str:
    """A reply with that message, as a driver writes it."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return coded(json.dumps({"choices": [choice]}))


def call(arguments: str = '{"location": "Paris"}') -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}


SENT = coded('{"model": "m"}')
ANSWER = reply_of(sent=SENT, body=completion(content="It rains."))
CALLED = {"id": "c1", "name": "f", "arguments": '{"location":"Paris"}'}


@pytest.fixture
def says(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has litellm driven by a script that says so of one step."""

    def script(**step: Any) -> None:
        scripted(empty, monkeypatch, f"{line(name='start')}\n{line(**step)}")

    return script


@pytest.mark.parametrize(
    ("calls", "last", "seen"),
    [
        ([CALLED], {"content": "It rains."}, None),
        ([CALLED], {"choices": [{"message": {"content": "It rains."}}]}, None),
        ([{**CALLED, "id": "c2"}], {"content": "It rains."}, "the calls are"),
        (
            [{**CALLED, "arguments": '{"location": "Rome"}'}],
            {"content": "It rains."},
            "the calls are",
        ),
        ([], {}, "the calls are"),
        ([CALLED], {"content": "It pours."}, "the answer is"),
    ],
)
def test_a_round_trip_is_what_its_replies_tell(
    chat: Chat,
    says: Callable[..., None],
    calls: list[Any],
    last: dict[str, Any],
    seen: str | None,
) -> None:
    asked = reply_of(sent=SENT, body=completion(content=None, tool_calls=[call()]))
    returned = {"calls": calls, "last": last}
    says(name=ROUND, returned=returned, exchanges=[asked, ANSWER])

    if seen is None:
        step = round_of(chat, "litellm")
        assert step is not None
        assert len(chat.used) == 2
    else:
        with pytest.raises(Broken) as caught:
            round_of(chat, "litellm")
        assert caught.value.sightings[0].finding.required.startswith(seen)


@pytest.mark.parametrize("message", [{"content": "Rain."}, {"tool_calls": [call("{oops")]}])
def test_a_model_that_calls_no_tool_is_not_judged(
    chat: Chat, says: Callable[..., None], message: dict[str, Any]
) -> None:
    asked = reply_of(sent=SENT, body=completion(**message))
    says(name=ROUND, returned={"calls": []}, exchanges=[asked])

    step = round_of(chat, "litellm")
    assert (step is None) == ("tool_calls" in message)


def test_a_result_that_is_refused_is_the_targets_fault(
    chat: Chat, says: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = reply_of(sent=SENT, body=completion(tool_calls=[call()]))
    error = {"error": {"message": "bad role", "type": "t", "param": "messages", "code": None}}
    kind = [["content-type", "application/json"]]
    refused = reply_of(sent=SENT, status=400, body=coded(json.dumps(error)), headers=kind)
    raised = {"class": "BadRequestError", "bases": [], "message": "bad role"}
    says(name=ROUND, raised=raised, exchanges=[asked, refused])
    monkeypatch.setattr("conformance.encounter.success", lambda exchange: exchange)
    monkeypatch.setattr(chat, "canary", lambda: None)

    with pytest.raises(Broken, match=r"bad role\"; no other clause explains it"):
        round_of(chat, "litellm")


@pytest.mark.parametrize(
    ("content", "parsed", "judged"),
    [
        ('{"code": "zq-amber-41", "sure": true}', {"code": "zq-amber-41", "sure": True}, True),
        ('{"code": "zq-amber-41", "sure": true}', None, True),
        ("Hello.", None, False),
        ('{"code": 1}', None, False),
    ],
)
def test_an_answer_by_a_schema_is_judged_where_it_follows_it(
    chat: Chat,
    says: Callable[..., None],
    content: str,
    parsed: Any,
    judged: bool,
) -> None:
    given = reply_of(sent=SENT, body=completion(content=content))
    returned = {"parsed": parsed}
    says(name=STRUCTURED, returned=returned, exchanges=[given])

    if judged and parsed is None:
        with pytest.raises(Broken, match="litellm: null"):
            structured_of(chat, "litellm")
    else:
        assert (structured_of(chat, "litellm") is not None) == judged
