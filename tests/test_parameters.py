"""What the checks of requests share: who is blamed where a call with tools is refused."""

import json
from typing import Any

import pytest

from conformance.asking.parameters import offered, taken_or_not
from conformance.chat import Chat
from conformance.outcomes import Blocked, Broken, Inconclusive, Unjudged, Unsupported
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Request

REQUEST = Request("POST", "/chat/completions")


def reply(status: int, message: str = "") -> Exchange:
    """A reply to a plain request, an error in its envelope where there is a message."""
    error = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
    body = json.dumps(error if message else {}).encode()
    return Exchange(REQUEST, "http://t/v1", status, body=body)


class Answering(Chat):
    """A model that answers everything alike; nothing is sent."""

    def __init__(self, answer: Exchange) -> None:
        super().__init__(Client(Endpoint("http://127.0.0.1:1/v1")), Profile("t"), "m")
        self.answer = answer

    def send(self, request: Request, **options: Any) -> Exchange:
        return self.answer


GOOD, VAGUE = reply(200), reply(400, "Invalid request.")


@pytest.mark.parametrize(
    ("exchange", "plainly", "expected"),
    [
        (reply(400, "tool_choice is not supported"), GOOD, Unsupported),
        (VAGUE, GOOD, Broken),
        (VAGUE, VAGUE, Inconclusive),
        (reply(400, "max_tokens is too large"), GOOD, Blocked),
        (reply(429, "tool_choice: later"), GOOD, Inconclusive),
    ],
)
def test_a_refusal_blames_the_one_who_is_to_blame(
    exchange: Exchange, plainly: Exchange, expected: type[Broken | Unjudged]
) -> None:
    with pytest.raises(expected):
        offered(Answering(plainly), exchange, "tool_choice", what="tool_choice none")


def test_what_is_answered_is_handed_on() -> None:
    assert offered(Answering(VAGUE), GOOD, "tool_choice", what="tool_choice none") is GOOD


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (GOOD, "accepted"),
        (VAGUE, "refused with status 400, code null"),
        (reply(404), "refused with status 404, no error object"),
    ],
)
def test_an_observation_is_told_in_a_few_words(exchange: Exchange, told: str) -> None:
    assert taken_or_not(exchange) == told
