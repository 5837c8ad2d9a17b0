"""What is sent of the generated requests, and who is blamed; the target is a function."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.chat import Chat
from conformance.corpus import MOST_LOST, Case, corpus_of, look_at, refused_though_valid
from conformance.expect import judge
from conformance.generation import Amount
from conformance.guards import refused
from conformance.outcomes import Broken, Inconclusive, Sighting, Unjudged
from conformance.target.reading import load
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

Answer = Callable[[dict[str, Any]], Any]
"""From the body of a call to the status of its reply; None: no reply comes."""

MANY = Amount(examples=60, seed=1)


class Target(Client):
    """A client whose target is a function of the body; it counts what is sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(Endpoint("http://target.invalid/v1"))
        self.answer = answer

    def send(self, request: Request, timeout: float | None = None) -> Exchange:
        body = json.loads(request.body or b"{}")
        plainest = set(body) == {"model", "messages"}
        said = 200 if plainest else self.answer(body)
        status, message = said if isinstance(said, tuple) else (said, "")
        self.log.append((request, status))
        if status is None:
            return Exchange(request, "", failure=Failure(FailureKind.TIMEOUT))
        error = {"error": {"message": message, "type": "x", "param": None, "code": None}}
        return Exchange(request, "", status, body=json.dumps(error).encode())

    def renew(self) -> None:
        pass


def chat_with(answer: Answer, amount: Amount = MANY) -> Chat:
    return Chat(Target(answer), load("openai"), "m", generated=amount)


def look_for(chat: Chat, clause: str) -> None:
    """The check of accepted requests."""

    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        blamed = refused_though_valid(chat, case, exchange)
        return [sighting for by, sighting in blamed if by == clause]

    look_at(chat, corpus_of(chat).cases("valid", clause), look, by_row=False)


def blamed(chat: Chat, clause: str) -> dict[str, Any]:
    """The body of the one request that is blamed for breaking `clause`."""
    with pytest.raises(Broken) as caught:
        look_for(chat, clause)
    (sighting,) = caught.value.sightings
    assert sighting.exchange is not None
    body: dict[str, Any] = json.loads(sighting.exchange.request.body or b"")
    return body


def test_a_target_that_takes_everything_is_blamed_for_nothing() -> None:
    chat = chat_with(lambda body: 200)
    for clause in ("CC-REQ-020", "CC-REQ-027", "CC-REQ-037", "CC-SSE-001"):
        look_for(chat, clause)
    sent = len(chat.client.log)
    look_for(chat, "CC-REQ-020")
    assert len(chat.client.log) == sent  # what was sent is shared


def test_a_refused_value_is_shown_alone() -> None:
    def answer(body: dict[str, Any]) -> Any:
        hot = (body.get("temperature") or 0) > 1.2 and body["temperature"] != 2
        return (400, "temperature is too high") if hot else 200

    chat = chat_with(answer)

    body = blamed(chat, "CC-REQ-050")
    assert set(body) - {"model", "messages", "max_tokens"} == {"temperature"}
    assert body["messages"] == [{"role": "user", "content": "Say hello."}]
    look_for(chat, "CC-REQ-020")
    look_for(chat, "CC-REQ-027")


def test_a_feature_that_is_not_offered_is_not_asked_for() -> None:
    def answer(body: dict[str, Any]) -> Any:
        roles = [message["role"] for message in body["messages"]]
        if "seed" in body or "developer" in roles:
            return 400, "seed and the role developer are not supported"
        return 200

    chat = chat_with(answer)

    with pytest.raises(Unjudged, match="plainest form"):
        look_for(chat, "CC-REQ-005")  # asked for once, then known
    held = [
        json.loads(corpus_of(chat).body(c.row, c.value)) for c in corpus_of(chat).cases("valid")
    ]
    assert not any(body.get("seed") is not None for body in held)  # the standing requests told


@pytest.mark.parametrize("status", [400, 500])
def test_a_combination_is_blamed_only_where_no_name_is_given(status: int) -> None:
    def answer(body: dict[str, Any]) -> Any:
        pair = body.get("tools") is not None and body.get("stream") is True
        named = "stream cannot stand beside tools" if status == 400 else "oops"
        return (status, named) if pair else 200

    chat = chat_with(answer)
    clauses = ("CC-SSE-001", "CC-REQ-037", "CC-REQ-040")

    found: list[Sighting] = []
    for clause in clauses:
        try:
            look_for(chat, clause)
        except Broken as broken:
            found += broken.sightings
    assert bool(found) == (status == 500)
    for sighting in found:
        assert "together" in sighting.finding.required
        assert sighting.exchange is not None
        assert {"tools", "stream"} <= set(json.loads(sighting.exchange.request.body or b""))


def test_what_a_search_may_cost_is_bounded() -> None:
    def answer(body: dict[str, Any]) -> Any:
        return 500 if body.get("stop") and body["stop"] != "\u2603" else 200

    amount = Amount(examples=30, seed=1)
    chat = chat_with(answer, amount)
    for case in corpus_of(chat).cases("valid"):
        corpus_of(chat).exchange(case)
    before = len(chat.client.log)

    blamed(chat, "CC-REQ-027")

    dearest = 4  # a 5xx is repeated twice, with the plainest call between
    assert len(chat.client.log) - before <= amount.shrinking + dearest


def test_a_wrong_value_that_is_accepted_is_blamed_once_for_its_rule() -> None:
    def answer(body: dict[str, Any]) -> Any:
        given = body.get("temperature")
        return (400, "no") if type(given) in (int, float) else 200

    chat = chat_with(answer, Amount(200, 1))

    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        refused(exchange, what=case.row.name)
        return []

    with pytest.raises(Broken) as caught:
        look_at(chat, corpus_of(chat).cases("invalid", "CC-REQ-021"), look)
    (sighting,) = caught.value.sightings
    assert "temperature no number" in sighting.finding.required
    assert caught.value.repeated is not None
    assert caught.value.repeated.steady


def test_a_target_that_does_not_answer_gets_no_more() -> None:
    plainest = {"model", "messages", "max_tokens", "stream"}
    chat = chat_with(lambda body: 200 if body.keys() <= plainest else None)
    corpus = corpus_of(chat)
    outcomes: list[int | str | None] = []
    for case in corpus.cases("valid"):
        try:
            outcomes.append(corpus.exchange(case).status)
        except Inconclusive as reason:
            outcomes.append(reason.reason)
    assert outcomes.count(None) == MOST_LOST
    assert "no more sent" in str(outcomes[-1])


def test_a_malformed_body_is_followed_by_the_plainest_call() -> None:
    sent: list[bytes] = []

    class Raw(Target):
        def send(self, request: Request, timeout: float | None = None) -> Exchange:
            sent.append(request.body or b"")
            return Exchange(request, "", 400, body=b"{}")

    chat = Chat(Raw(lambda body: 200), load("openai"), "m", generated=Amount(10, 1))
    chat.memory["corpus"] = corpus_of(chat)
    sent.clear()
    cases = corpus_of(chat).cases("malformed")
    for case in cases:
        assert corpus_of(chat).after(case).request.body == sent[-1]
    assert len(sent) == 2 * len(cases) == 2 * Amount(10, 1).malformed
    assert len(set(sent[1::2])) == 1


def test_nothing_to_look_at_is_no_pass() -> None:
    with pytest.raises(Unjudged, match="nothing was generated"):
        look_at(chat_with(lambda body: 200), [], lambda case, exchange: [])
    judge([])  # a check of standing requests has its replies to look at
