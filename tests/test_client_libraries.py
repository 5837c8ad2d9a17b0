"""Client libraries: found or told absent, run within bounds, the key where nobody sees it."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import driving, libraries
from conformance.chat import Chat
from conformance.driving import Driven, driven, environment, exchange_of, failure_of
from conformance.encounter import step_of, why
from conformance.libraries import LIBRARIES, Library, absent, command, programme
from conformance.outcomes import Broken, Inconclusive, Unsupported
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import FailureKind

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


def test_all_programmes_together_are_at_most_forty_requests(chat: Chat) -> None:
    counted = {name: len(programme(chat, name)) for name in LIBRARIES}

    assert sum(counted.values()) <= 40
    assert min(counted.values()) > 0


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
