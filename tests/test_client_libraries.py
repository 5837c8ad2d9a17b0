"""Client libraries: found or told absent, run within bounds, the key where nobody sees it."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import driving, libraries
from conformance.chat import Chat
from conformance.driving import Driven, driven, environment, exchange_of, failure_of
from conformance.encounter import round_of, step_of, structured_of, why
from conformance.libraries import (
    LIBRARIES,
    ROUND,
    STRUCTURED,
    Library,
    absent,
    command,
    programme,
)
from conformance.outcomes import Broken, Inconclusive, Unsupported
from conformance.protocol.interop import CLASSES, class_of, unfilled
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import FailureKind
from tests.wire.tiny import Tiny, answer, serve

KEY = "sk-canary-0123456789"
NOWHERE = "http://127.0.0.1:9/v1"
FLAGS = ("auth", "models", "retrieve", "stream", "stream_usage", "tools", "json_schema")
ABLE = dict.fromkeys(FLAGS, True)


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A model of a target that can do everything, and is never asked."""
    client = Client(Endpoint(NOWHERE, KEY, timeout=5), "test")
    yield Chat(client, Profile(name="able", capabilities=ABLE), "vendor/model")
    client.close()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of client libraries that holds none."""
    monkeypatch.setenv("CONFORMANCE_CLIENTS", str(tmp_path))
    return tmp_path


def scripted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "litellm"
) -> Library:
    """The library of that name, its interpreter replaced by a shell script."""
    library = LIBRARIES[name]
    python = folder / library.place / "bin" / "python"
    package = folder / library.place / "lib" / "python3" / "site-packages" / library.package
    python.parent.mkdir(parents=True)
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)
    return library


def line(**more: Any) -> str:
    return f"echo '{json.dumps(more)}'"


def reply_of(**more: Any) -> dict[str, Any]:
    """An exchange as a driver writes it."""
    fields = {"method": "POST", "url": f"{NOWHERE}/chat/completions", "user_agent": "a", "sent": ""}
    return {**fields, "status": 200, "headers": [], "body": "", "failure": "", **more}


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# -- what is not installed --------------------------------------------------------------------


def test_without_libraries_every_clause_of_a_client_is_absent(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)

    assert absent() == {i for library in LIBRARIES.values() for i in library.clauses}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_not_installed_says_how_it_is(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat, name: str
) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)
    monkeypatch.setattr("shutil.which", lambda program: "/usr/bin/node")

    with pytest.raises(Unsupported, match=r"is not installed: (pip|npm) install|: make clients"):
        driven(chat, name)


def test_without_node_its_libraries_are_not_run(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)

    with pytest.raises(Unsupported, match="there is no node"):
        command(LIBRARIES["openai-node"])


def test_no_client_runs_where_none_may(chat: Chat) -> None:
    chat.clients = None

    with pytest.raises(Unsupported, match="--no-clients"):
        driven(chat, "openai-python")
    assert chat.afresh().clients is None


# -- what they are asked ----------------------------------------------------------------------


def test_all_programmes_together_are_at_most_forty_five_requests(chat: Chat) -> None:
    steps = {name: [step["name"] for step in programme(chat, name)] for name in LIBRARIES}
    counted = {name: len(names) + names.count(ROUND) for name, names in steps.items()}

    assert sum(counted.values()) <= 45
    assert min(counted.values()) > 0
    assert sum(names.count(ROUND) for names in steps.values()) == len(LIBRARIES) - 1


def test_other_keys_are_tried_where_the_profile_names_them_and_only_by_name(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"limited": "SLOW", "restricted": "NARROW"}
    known = replace(chat.profile, keys=keys)
    endpoint = replace(chat.client.endpoint, spare_keys={"SLOW": "sk-slow-1", "NARROW": "sk-na-2"})
    monkeypatch.setenv("SLOW", "sk-slow-1")
    monkeypatch.setattr(chat, "profile", known)

    for name in ("openai-python", "openai-node"):
        steps = programme(chat, name)
        given = environment(endpoint, steps)
        asked = {step["name"]: step.get("key_env") for step in steps}
        assert {purpose: given[str(asked[purpose])] for purpose in keys} == {
            "limited": "sk-slow-1",
            "restricted": "sk-na-2",
        }
        assert "exhausted" not in asked
        assert "SLOW" not in given
    assert not {"sk-slow-1", "sk-na-2"} & set(environment(endpoint).values())


def test_a_programme_asks_for_nothing_that_the_target_lacks() -> None:
    client = Client(Endpoint(NOWHERE, KEY), "test")
    unable = Profile(name="unable", capabilities=dict.fromkeys(ABLE, False))
    chat = Chat(client, unable, "vendor/model")

    asked = {step["name"] for name in LIBRARIES for step in programme(chat, name)}

    assert asked == {
        *("create", "async_create", "generate", "invoke", "openai", "hosted_vllm"),
        *("n in words", "unknown model"),
    }
    client.close()


# -- how they run -----------------------------------------------------------------------------


def test_the_key_goes_through_the_environment_alone(chat: Chat, empty: Path) -> None:
    given = environment(chat.client.endpoint)
    asked = json.dumps([programme(chat, name) for name in LIBRARIES])

    assert given["CONFORMANCE_CLIENT_KEY"] == KEY
    assert KEY not in asked


def test_settings_of_the_user_change_no_library(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "LANGSMITH_TRACING", "langchain_tracing_v2"):
        monkeypatch.setenv(name, "elsewhere")

    assert "elsewhere" not in environment(chat.client.endpoint).values()


def test_a_driver_that_dies_is_nobodys_fault(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat
) -> None:
    scripted(empty, monkeypatch, "echo 'ImportError: no pydantic' >&2; exit 1")

    for _ in range(2):
        with pytest.raises(Inconclusive, match=r"does not start: .*no pydantic"):
            driven(chat, "litellm")


def test_a_driver_that_does_not_end_keeps_the_steps_it_came_to(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat
) -> None:
    done = line(name="openai", returned={}, exchanges=[reply_of()])
    scripted(empty, monkeypatch, f"{line(name='start')}\n{done}\nexec sleep 60")
    monkeypatch.setattr(driving, "START_UP", -9.0)  # and twice the five seconds of the endpoint

    assert set(driven(chat, "litellm")) == {"openai"}
    with pytest.raises(Inconclusive, match="did not come to its step 'openai_stream'"):
        step_of(chat, "litellm", "openai_stream")


def test_what_a_library_prints_is_no_step(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat
) -> None:
    step = line(name="openai", returned={}, exchanges=[reply_of()])
    scripted(empty, monkeypatch, f"{line(name='start')}\necho Give feedback\necho 7\n{step}")

    assert set(driven(chat, "litellm")) == {"openai"}
    assert [status for _, status in chat.client.log] == [200]


def test_a_library_is_run_once_for_all_its_checks(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat
) -> None:
    library = scripted(empty, monkeypatch, line(name="start"))
    first = Driven(chat, library)
    chat.memory["clients"] = {"litellm": first}

    with pytest.raises(Inconclusive):
        driven(chat, "litellm")
    assert chat.memory["clients"]["litellm"] is first


# -- what they met ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("", None),
        ("left before its end", None),
        ("RemoteProtocolError: peer closed connection without sending complete message body", 1),
        ("TypeError: terminated", 1),
        ("ReadTimeout: ", 2),
        ("ReadError: ", 3),
    ],
)
def test_the_words_of_http_clients_are_understood(words: str, kind: int | None) -> None:
    kinds = {1: FailureKind.TRUNCATED, 2: FailureKind.TIMEOUT, 3: FailureKind.RESET}
    found = failure_of(words)

    assert (found.kind if found else None) == (None if kind is None else kinds[kind])


def test_an_exchange_of_a_client_is_one_of_the_suite(chat: Chat) -> None:
    told = reply_of(sent=coded('{"model": "m"}'), body="no Base64!", status=None)
    told["headers"] = [["x-echo", KEY]]
    exchange = exchange_of(told, chat.client)

    assert exchange.request.path == "/chat/completions"
    assert exchange.request.body == b'{"model": "m"}'
    assert (exchange.status, exchange.header("x")) == (None, None)
    assert KEY not in repr(exchange)


# -- round trips and forms --------------------------------------------------------------------


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


# -- errors -----------------------------------------------------------------------------------


STATUSES = (*CLASSES, 500, 503)


def refuse(tiny: Tiny, sock: socket.socket) -> None:
    """Answers with the status that the name of the model is."""
    while raw := tiny.read_request(sock):
        status = json.loads(raw.partition(b"\r\n\r\n")[2])["model"]
        error = {"message": f"No {status}.", "type": "t", "param": "p", "code": "c"}
        sock.sendall(answer(f"{status} No", body=json.dumps({"error": error}).encode()))


@pytest.mark.parametrize("library", ["openai-python", "openai-node"])
def test_each_documented_status_is_raised_as_its_class(
    library: str, monkeypatch: pytest.MonkeyPatch
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
        assert class_of(status) in step.raised["bases"]
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
