"""The gate: one account for threads and processes, and nothing goes out that it refuses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Request
from conformance.wire.gate import Gate
from conformance.wire.pace import Limits, Rate
from conformance.wire.raw import converse
from conformance.wire.together import abandon, all_at_once
from tests.wire.tiny import Tiny, answer, replies, serve

ROOT = Path(__file__).parents[2]
REQUEST = Request("POST", "/chat/completions", b"{}")


class NotSentError(Exception):
    """What the gates of these tests raise."""


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    with serve(replies(answer())) as found:
        yield found


def test_every_way_out_passes_the_gate(tiny: Tiny) -> None:
    over: list[Exchange] = []
    gate = Gate(Limits(requests=7), refuse=NotSentError, over=over.extend)
    with Client(Endpoint(tiny.url), gate=gate) as client:
        client.send(REQUEST)
        all_at_once(client, [REQUEST, REQUEST])
        converse(client, [REQUEST, REQUEST])
        abandon(client, REQUEST)
        assert client.gate.account.requests == 6
        assert client.gate.account.flying == 0
        for send in (
            lambda: all_at_once(client, [REQUEST, REQUEST]),
            lambda: converse(client, [REQUEST, REQUEST]),
        ):
            with pytest.raises(NotSentError, match="2 are needed, 1 left"):
                send()
        client.send(REQUEST)
        with pytest.raises(NotSentError, match="the budget of 7 requests is spent"):
            client.send(REQUEST)
        with pytest.raises(NotSentError):
            abandon(client, REQUEST)
        assert len(client.log) == len(tiny.received) == len(over) == 7
        assert client.gate.refusal == "the budget of 7 requests is spent: 2 are needed, 1 left"


def test_a_budget_of_tokens_is_set_right_by_what_comes_back(tiny: Tiny) -> None:
    gate = Gate(Limits(tokens=100), refuse=NotSentError, most=lambda _: 60, spent=lambda _: 10)
    with Client(Endpoint(tiny.url), gate=gate) as client:
        for _ in range(5):
            client.send(REQUEST)
        assert gate.account.tokens == 50
        with pytest.raises(NotSentError):
            client.send(REQUEST)


def test_what_is_reserved_for_others_is_given_back() -> None:
    gate = Gate(Limits(requests=10), refuse=NotSentError, most=lambda _: 50, spent=lambda _: 3)
    assert gate.reserve([REQUEST] * 3, tries=3) == 0.0
    with pytest.raises(NotSentError, match="3 are needed, 1 left"):
        gate.reserve([REQUEST], tries=3)
    gate.restore([REQUEST] * 3, 6, [Exchange(REQUEST, "", 200)] * 3)
    assert (gate.account.requests, gate.account.tokens) == (3, 9)


def test_what_is_reserved_takes_a_slot_for_each_call() -> None:
    gate = Gate(Limits(rate=Rate(1, 60.0)))
    assert gate.reserve([REQUEST] * 3, tries=2) == 0.0
    assert 170 < gate.reserve([REQUEST], tries=2) <= 180


BOOKS = """
import sys
from conformance.wire.exchange import Request
from conformance.wire.gate import Gate
from conformance.wire.pace import Limits
gate, request = Gate(Limits(requests=100), path=sys.argv[1]), Request("POST", "/", b"")
made = 0
while True:
    try:
        gate.settle(gate.admit([request]), [])
    except RuntimeError:
        break
    made += 1
print(made)
"""


def test_processes_share_one_account() -> None:
    gate = Gate(Limits(requests=100))
    gate.admit([REQUEST])
    words = [sys.executable, "-c", BOOKS, gate.share()]
    callers = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    made = [int(caller.communicate(timeout=60)[0]) for caller in callers]
    assert sum(made) == 99
    assert gate.account.requests == 100
    gate.close()
