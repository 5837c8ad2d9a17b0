"""Replies that never come whole: whose breach that is, and what is asked of such a model after."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance import patience as waiting
from conformance.asking.sent import CHAT_PATH, LIST, canary_request
from conformance.lost import TRIES, broken_by, loss, told
from conformance.outcomes import Blocked, Inconclusive
from conformance.patience import Patience
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

MODEL = "m"
PLAINEST = canary_request(MODEL)
RESET, TRUNCATED, PROTOCOL, REFUSED = (
    Failure(kind)
    for kind in (
        FailureKind.RESET,
        FailureKind.TRUNCATED,
        FailureKind.PROTOCOL,
        FailureKind.REFUSED,
    )
)
WHOLE = Exchange(LIST, "", 200, body=b"{}")


def plainest(failure: Failure, status: int | None = None, body: bytes = b"") -> Exchange:
    return Exchange(PLAINEST, "", status, body=body, failure=failure)


@pytest.mark.parametrize(
    ("lost", "witness", "clause"),
    [
        (plainest(RESET, 200), WHOLE, "CC-HTTP-009"),
        (plainest(RESET, 200), replace(WHOLE, failure=RESET), "CC-HTTP-009"),
        (plainest(TRUNCATED, 200), WHOLE, "CC-HTTP-009"),
        (plainest(PROTOCOL), WHOLE, "CC-HTTP-009"),
        (plainest(PROTOCOL), replace(WHOLE, status=None, failure=PROTOCOL), None),
        (plainest(RESET), WHOLE, "CC-HTTP-001"),
        (plainest(RESET), replace(WHOLE, status=404), "CC-HTTP-001"),
        (plainest(RESET), replace(WHOLE, status=503), None),
        (plainest(RESET), replace(WHOLE, status=429), None),
        (plainest(RESET), replace(WHOLE, failure=TRUNCATED), None),
    ],
)
def test_the_witness_decides(lost: Exchange, witness: Exchange, clause: str | None) -> None:
    assert broken_by(loss([lost] * TRIES, witness)) == clause


def test_what_was_not_asked_for_again_and_again_breaks_nothing() -> None:
    assert broken_by(plainest(RESET, 200)) is None


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((7, 7), "2 of 2 times, each after 7 bytes of the body"), ((9, 7), "after 7 to 9 bytes")],
)
def test_it_is_told_where_the_replies_were_cut(sizes: tuple[int, int], words: str) -> None:
    said = told(loss([plainest(RESET, 200, b"x" * size) for size in sizes], WHOLE))
    assert words in said
    assert "GET /models is answered by 200 and a whole body" in said
    assert said.endswith("the reply, or the path to it, is broken")


class Scripted(Client):
    """A client whose plainest call ends as `plain` does, and the list of models as `listed`."""

    def __init__(self, plain: Callable[[], Exchange], listed: Exchange = WHOLE) -> None:
        super().__init__(Endpoint("http://target.invalid/v1"))
        self._plain, self._listed = plain, listed
        self.asked: list[Request] = []

    def send(self, request: Request, timeout: float | None = None) -> Exchange:
        """No other call is made by itself."""
        assert request in (PLAINEST, LIST)
        self.asked.append(request)
        return self._listed if request == LIST else self._plain()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE", 0.0)


Shared = dict[tuple[Request, int], Exchange]


def patient(client: Client, shared: Shared) -> tuple[Patience, list[str]]:
    gone: list[str] = []
    return Patience(client, MODEL, shared, gone.append, {}), gone


def test_a_model_that_is_lost_each_time_is_asked_for_nothing_more() -> None:
    shared: Shared = {}
    client = Scripted(lambda: plainest(RESET, 200))
    with client:
        patience, gone = patient(client, shared)
        found = patience.settled(lambda: client.send(PLAINEST))
        asked = len(client.asked)
        with pytest.raises(Blocked) as blocked:
            patience.may_send(Request("POST", CHAT_PATH, b"{}"))
        patience.may_send(LIST)
        assert not patience.alive()
    assert (broken_by(found), found.repeats) == ("CC-HTTP-009", TRIES)
    assert blocked.value.by == "CC-HTTP-009"
    assert len(client.asked) == asked
    assert gone == []


def test_another_call_to_such_a_model_is_blocked() -> None:
    other = Request("POST", CHAT_PATH, b"{}")
    with Scripted(lambda: plainest(RESET)) as client:
        patience, _ = patient(client, {})
        with pytest.raises(Blocked) as blocked:
            patience.settled(lambda: Exchange(other, "", failure=RESET))
    assert blocked.value.by == "CC-HTTP-001"


def test_one_that_was_answered_before_has_stopped_answering() -> None:
    shared: Shared = {(PLAINEST, 0): Exchange(PLAINEST, "", 200)}
    with Scripted(lambda: plainest(RESET)) as client:
        patience, gone = patient(client, shared)
        with pytest.raises(Inconclusive, match="the model stopped answering"):
            patience.alive()
        with pytest.raises(Inconclusive, match="the model stopped answering"):
            patience.may_send(Request("POST", CHAT_PATH, b"{}"))
    assert shared[PLAINEST, 0].status == 200
    assert gone == []


@pytest.mark.parametrize(
    ("plain", "listed"),
    [(plainest(RESET), Exchange(LIST, "", failure=RESET)), (plainest(REFUSED), WHOLE)],
)
def test_where_nothing_is_answered_the_target_is_gone(plain: Exchange, listed: Exchange) -> None:
    with Scripted(lambda: plain, listed) as client:
        patience, gone = patient(client, {})
        with pytest.raises(Inconclusive, match="the target stopped answering"):
            patience.alive()
    assert len(gone) == 1


def test_a_connection_that_is_lost_at_times_is_not_lost() -> None:
    ends = iter([plainest(RESET)] * (TRIES - 1) + [Exchange(PLAINEST, "", 200)])
    shared: Shared = {}
    with Scripted(lambda: next(ends)) as client:
        patience, gone = patient(client, shared)
        assert patience.alive()
    assert shared == {}
    assert gone == []
