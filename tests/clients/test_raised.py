"""What a client library raises: the class of its status, and whose fault it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import driving
from conformance.chat import Chat
from conformance.driving import driven
from conformance.encounter import step_of, why
from conformance.libraries import LIBRARIES, command
from conformance.outcomes import Broken, Inconclusive, Unsupported
from conformance.protocol.interop import CLASSES, LITELLM_CLASSES, class_of, unfilled
from conformance.target.capabilities import LABEL
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from tests.clients.scripted import KEY, coded, line, reply_of, scripted
from tests.wire.tiny import Tiny, answer, serve

STATUSES = (*CLASSES, 500, 503)


def refuse(tiny: Tiny, sock: socket.socket) -> None:
    """Answers with the status that the name of the model is."""
    while raw := tiny.read_request(sock):
        status = json.loads(raw.partition(b"\r\n\r\n")[2])["model"]
        error = {"message": f"No {status}.", "type": "t", "param": "p", "code": "c"}
        sock.sendall(answer(f"{status} No", body=json.dumps({"error": error}).encode()))


@pytest.mark.parametrize(
    ("library", "classes"),
    [
        ("openai-python", class_of),
        ("openai-node", class_of),
        ("langchain-openai", class_of),
        ("litellm", LITELLM_CLASSES.get),
    ],
)
def test_each_documented_status_is_raised_as_its_class(
    library: str, classes: Callable[[int], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run of the real library, where it is installed."""
    try:
        command(LIBRARIES[library])
    except Unsupported as absent:
        pytest.skip(absent.reason)
    messages = [{"role": "user", "content": "Hi"}]
    asked = [
        {
            "name": str(status),
            "kind": "create_once",
            "body": {"model": str(status), "messages": messages},
        }
        for status in STATUSES
    ]
    monkeypatch.setattr(driving, "programme", lambda chat, name: asked)
    with serve(refuse) as tiny, Client(Endpoint(tiny.url, KEY, timeout=20), "test") as client:
        chat = Chat(client, Profile(name="t"), "m", clients=frozenset())
        steps = driven(chat, library)
    for status in STATUSES:
        step = steps[str(status)]
        assert step.raised is not None
        assert step.exchange is not None
        assert step.exchange.status == status
        assert (classes(status) or "APIError") in step.raised["bases"]
        if library != "litellm":
            assert unfilled(step.exchange.body, step.raised) == []
            assert step.raised["status"] == status


def failing(chat: Chat, monkeypatch: pytest.MonkeyPatch, empty: Path, **reply: Any) -> None:
    raised = {"class": "APIError", "bases": ["APIError"], "message": "it failed"}
    step = line(name="openai", raised=raised, exchanges=[reply_of(**reply)])
    scripted(empty, monkeypatch, f"{line(name='start')}\n{step}")


@pytest.mark.parametrize("status", [402, 429, 500, 503, None])
def test_no_answer_is_no_verdict(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, empty: Path, status: int | None
) -> None:
    failing(chat, monkeypatch, empty, status=status)

    with pytest.raises(Inconclusive):
        step_of(chat, "litellm", "openai")


def test_a_capability_that_is_refused_by_name_is_absent(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    error = {"error": {"message": "tools are not supported", "type": "t", "param": "tools"}}
    failing(chat, monkeypatch, empty, status=400, body=coded(json.dumps(error)))
    monkeypatch.setattr("conformance.encounter.success", lambda exchange: exchange)
    monkeypatch.setattr(chat, "canary", lambda: None)

    with pytest.raises(Unsupported, match="refused: status 400"):
        step_of(chat, "litellm", "openai")


def test_a_client_that_is_kept_out_is_the_targets_fault(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    error = {"error": {"message": "blocked", "type": "t", "param": None, "code": None}}
    json_type = [["content-type", "application/json"]]
    failing(chat, monkeypatch, empty, status=403, body=coded(json.dumps(error)), headers=json_type)
    monkeypatch.setattr("conformance.encounter.success", lambda exchange: exchange)
    monkeypatch.setattr(chat, "canary", lambda: None)

    with pytest.raises(Broken, match="no other clause explains it") as caught:
        step_of(chat, "litellm", "openai")
    assert not caught.value.sightings[0].finding.mild


def test_a_failure_goes_back_to_the_clause_that_the_bytes_break(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    sent = coded('{"model": "m", "stream": true}')
    stream = [["content-type", "text/event-stream"]]
    failing(chat, monkeypatch, empty, sent=sent, headers=stream, body=coded("data: {oops\n\n"))

    step = step_of(chat, "litellm", "openai")

    assert "CC-SSE-003" in why(step).clauses
    assert os.environ["CONFORMANCE_CLIENTS"] == str(empty)


@pytest.mark.parametrize(
    ("content", "clauses"),
    [("Amber, I am sure.", ("CC-STRUCT-003",)), ('{"code": "zq-amber-41", "sure": true}', ())],
)
def test_an_answer_off_the_schema_explains_what_a_client_cannot_parse(
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    empty: Path,
    content: str,
    clauses: tuple[str, ...],
) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "label", "schema": LABEL}}
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    reply = {"id": "c", "object": "chat.completion", "created": 1_790_000_000, "model": "m"}
    body = coded(json.dumps({**reply, "choices": [choice], "usage": usage}))
    sent = coded(json.dumps({"model": "m", "response_format": form}))
    json_type = [["content-type", "application/json"]]
    failing(chat, monkeypatch, empty, sent=sent, headers=json_type, body=body)

    assert why(step_of(chat, "litellm", "openai")).clauses == clauses
