"""What calls cost in tokens, before and after."""

import json
from typing import Any

import pytest

from conformance.running.budget import TAIL, UNBOUNDED, Usage, most, reported, spent, told
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

MESSAGES = [{"role": "user", "content": "Hi"}]
READ = len(json.dumps({"messages": MESSAGES}))
"""Bytes of what a model reads of it."""


def request(method: str = "POST", **fields: Any) -> Request:
    return Request(
        method, "/chat/completions", json.dumps({"messages": MESSAGES, **fields}).encode()
    )


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        (request(max_tokens=7), READ + 7),
        (request(max_tokens=7, n=3), READ + 21),
        (request(max_tokens=9, max_completion_tokens=7), READ + 7),
        (request(), READ + UNBOUNDED),
        (request(max_tokens=10_000_000), READ + UNBOUNDED),
        (request(max_tokens="many"), READ + UNBOUNDED),
        (Request("POST", "/chat/completions", b"{no json"), 8 + UNBOUNDED),
        (Request("GET", "/models"), 0),
    ],
)
def test_the_most_that_a_request_may_cost(asked: Request, tokens: int) -> None:
    assert most(asked) == tokens


ABOUT = -(-READ // 4)


@pytest.mark.parametrize(
    ("status", "body", "tokens"),
    [
        (200, b'{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}', 7),
        (200, b'{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":0}}', 7),
        (200, b'{"usage":null}', ABOUT + 9),
        (200, b'data: {"choices":[]}\n\ndata: [DONE]\n\n', ABOUT + 9),
        (200, b'data: {"usage":null}\n\ndata: {"usage":{"total_tokens":5}}\n\ndata: [DONE]\n', 5),
        (400, b'{"usage":{"total_tokens":7}}', 0),
        (429, b"", 0),
    ],
)
def test_what_an_exchange_has_cost(status: int, body: bytes, tokens: int) -> None:
    assert spent(Exchange(request(max_tokens=9), "", status, body=body)) == tokens


def test_a_reply_that_never_came_may_have_cost_all() -> None:
    lost = Failure(FailureKind.TIMEOUT)
    assert spent(Exchange(request(max_tokens=9), "", failure=lost)) == ABOUT + 9
    assert spent(Exchange(Request("GET", "/models"), "", 200, body=b"{}")) == 0


@pytest.mark.parametrize(
    "said", [b'{"usage":{"total_tokens":-5}}', b'{"usage":{"total_tokens":true}}']
)
def test_a_usage_that_is_no_number_counts_nothing(said: bytes) -> None:
    assert reported(said) == 0


SAID = b'{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9}}'


@pytest.mark.parametrize(
    ("method", "status", "body", "usage"),
    [
        ("POST", 200, SAID, Usage(3, 4, 9)),
        ("POST", 200, b"data: " + SAID + b"\n\ndata: [DONE]\n\n", Usage(3, 4, 9)),
        ("POST", 200, b"data: {}\n\n" * TAIL + b"data: " + SAID, Usage(3, 4, 9)),
        ("POST", 200, b'{"usage":null}', None),
        ("POST", 200, b'{"usage":', None),
        ("POST", 200, b"", None),
        ("POST", 400, SAID, None),
        ("GET", 200, SAID, None),
    ],
)
def test_what_usage_tells(method: str, status: int, body: bytes, usage: Usage | None) -> None:
    assert told(Exchange(request(method), "", status, body=body)) == usage
