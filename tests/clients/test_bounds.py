"""A client library keeps to budgets and rate: what it may cost is booked before it runs."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.chat import Chat
from conformance.driving import TRIES, calls_of, driven, requests_of
from conformance.encounter import step_of
from conformance.libraries import LIBRARIES, ROUND, command, programme
from conformance.outcomes import Inconclusive, Unsupported
from conformance.running.budget import RECKONING, most
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange
from conformance.wire.gate import Gate
from conformance.wire.pace import Limits, Rate
from tests.clients.scripted import ABLE, KEY, NOWHERE, coded, line, reply_of, scripted
from tests.wire.tiny import Tiny, answer, serve

ASKED = coded('{"model": "m", "max_tokens": 512}')
USED = reply_of(sent=ASKED, body=coded('{"usage": {"prompt_tokens": 3, "completion_tokens": 2}}'))
BUSY = reply_of(sent=ASKED, status=429)


@pytest.fixture
def bounded() -> Iterator[Callable[..., Chat]]:
    """Makes a model of a target that can do everything, and may be asked as the limits allow."""
    clients: list[Client] = []

    def make(url: str = NOWHERE, **limits: Any) -> Chat:
        gate = Gate(Limits(**limits), refuse=Inconclusive, **RECKONING)
        clients.append(Client(Endpoint(url, KEY, timeout=5), "test", gate=gate))
        profile = Profile(name="able", capabilities=ABLE)
        return Chat(clients[-1], profile, "vendor/model", clients=frozenset())

    yield make
    for client in clients:
        client.close()


def costs(chat: Chat, name: str = "litellm") -> tuple[int, int]:
    """The calls and the tokens that a programme may cost at most, each call made once."""
    requests = [request for step in programme(chat, name) for request in requests_of(step)]
    return len(requests), sum(most(request) for request in requests)


@pytest.mark.parametrize("limit", ["requests", "tokens"])
def test_a_programme_that_no_budget_covers_is_not_begun(
    bounded: Callable[..., Chat],
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    calls, tokens = costs(bounded())
    short = {"requests": TRIES * calls - 1, "tokens": tokens - 1}[limit]
    chat = bounded(**{limit: short})
    scripted(empty, monkeypatch, f"touch {empty}/begun")

    with pytest.raises(Inconclusive, match=f"the budget of {short:,} {limit} is spent"):
        driven(chat, "litellm")
    assert not (empty / "begun").exists()
    account = chat.client.gate.account
    assert (account.requests, account.tokens) == (0, 0)


def test_what_a_programme_did_not_need_is_given_back(
    bounded: Callable[..., Chat], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, tokens = costs(bounded())
    chat = bounded(requests=TRIES * calls, tokens=tokens)
    told = [
        line(name="start"),
        *(
            line(name=step["name"], returned={}, exchanges=[USED] * len(requests_of(step)))
            for step in programme(chat, "litellm")
        ),
    ]
    scripted(empty, monkeypatch, "\n".join(told))

    driven(chat, "litellm")

    account = chat.client.gate.account
    assert (account.requests, account.tokens) == (calls, 5 * calls)
    assert len(chat.client.log) == calls


def test_a_programme_that_dies_may_have_made_all_its_calls(
    bounded: Callable[..., Chat], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, _ = costs(bounded())
    chat = bounded(requests=TRIES * calls)
    scripted(empty, monkeypatch, f"{line(name='start')}; exit 1")

    with pytest.raises(Inconclusive, match="does not start"):
        driven(chat, "litellm")
    assert chat.client.gate.account.requests == TRIES * calls
    chat.memory.clear()
    with pytest.raises(Inconclusive, match=r"the budget of \d+ requests is spent"):
        driven(chat, "litellm")


@pytest.mark.parametrize(
    ("statuses", "planned", "tries", "made"),
    [
        (None, 1, 3, 3),
        (None, 2, 3, 6),
        ([200], 1, 3, 1),
        ([404], 1, 3, 1),
        ([429], 1, 3, 3),
        ([None], 1, 3, 3),
        ([200, 200], 2, 3, 2),
        ([200, 503], 2, 3, 4),
        ([429, 429, 429], 1, 3, 3),
        ([429], 1, 1, 1),
        (None, 2, 1, 2),
    ],
)
def test_what_a_library_repeats_unseen_counts(
    statuses: list[int | None] | None, planned: int, tries: int, made: int
) -> None:
    [request] = requests_of({"name": "x", "kind": "create", "body": {}})
    met = None if statuses is None else [Exchange(request, "", status) for status in statuses]

    assert calls_of(met, planned, tries) == made


def test_a_round_trip_is_two_calls_and_the_second_tells_more(bounded: Callable[..., Chat]) -> None:
    [step] = [one for one in programme(bounded(), "litellm") if one["name"] == ROUND]
    first, second = requests_of(step)

    assert most(second) > most(first) > 512


def test_at_a_rate_a_library_repeats_nothing_and_keeps_its_distance(
    bounded: Callable[..., Chat], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = bounded(requests=100, rate=Rate(1000, 1.0))
    calls, _ = costs(chat)
    busy = line(name="openai", raised={"class": "E", "message": "busy"}, exchanges=[BUSY])
    scripted(empty, monkeypatch, f"cat > {empty}/job\n{line(name='start')}\n{busy}")

    with pytest.raises(Inconclusive, match="status 429"):
        step_of(chat, "litellm", "openai")

    job = json.loads((empty / "job").read_text("utf-8"))
    assert (job["retries"], job["gap"]) == (0, 0.001)
    assert chat.client.gate.account.requests == calls  # each may have been made, and once


def test_without_a_rate_a_library_keeps_its_own_way(
    bounded: Callable[..., Chat], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(empty, monkeypatch, f"cat > {empty}/job\n{line(name='start')}\n{line(name='openai')}")

    driven(bounded(), "litellm")

    assert "retries" not in json.loads((empty / "job").read_text("utf-8"))


def busy(tiny: Tiny, sock: socket.socket) -> None:
    """Answers 429 to everything, to be tried again at once."""
    error = {"message": "Slow down.", "type": "t", "param": None, "code": None}
    while tiny.read_request(sock):
        headers = ("Content-Type: application/json", "Retry-After: 0")
        sock.sendall(answer("429 No", headers, json.dumps({"error": error}).encode()))


@pytest.mark.parametrize("name", [name for name in LIBRARIES if LIBRARIES[name].imported])
def test_a_real_library_repeats_nothing_at_a_rate(
    bounded: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where it is installed."""
    try:
        command(LIBRARIES[name])
    except Unsupported as absent:
        pytest.skip(absent.reason)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    steps = [{"name": name, "kind": "create", "body": body} for name in ("one", "another")]
    monkeypatch.setattr("conformance.driving.programme", lambda chat, name: steps)
    with serve(busy) as tiny:
        met = driven(bounded(tiny.url, rate=Rate(100, 1.0)), name)
    assert [step.exchange.status for step in met.values() if step.exchange] == [429, 429]
    assert len(tiny.received) == 2
