"""A client library is run within bounds, the key where nobody sees it, and what it met is read."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest

from conformance import driving
from conformance.chat import Chat
from conformance.driving import Driven, driven, environment, exchange_of, failure_of
from conformance.encounter import step_of
from conformance.libraries import LIBRARIES, programme
from conformance.outcomes import Inconclusive
from conformance.wire.exchange import FailureKind
from tests.clients.scripted import KEY, coded, line, reply_of, scripted

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


def test_no_library_goes_through_a_proxy(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "localhost")  # which many heed instead of NO_PROXY
    given = environment(chat.client.endpoint)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        if name.lower().endswith("_proxy"):
            monkeypatch.setenv(name, value)

    assert given["http_proxy"] == "http://proxy.invalid:3128"
    assert urllib.request.proxy_bypass("host.example")


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
