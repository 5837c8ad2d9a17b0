"""What is sent: bodies as bytes, the plainest calls, and what a body asked for.

The law: one spelling. Equal bodies are equal bytes, so that equal requests are sent once.
"""

import json
from typing import Any

from conformance.protocol.facts import Facts
from conformance.wire.exchange import IDENTITY, Exchange, Request

from .prompts import HELLO

CHAT_PATH = "/chat/completions"

LIST = Request("GET", "/models", headers=(IDENTITY,))
"""The call for the list of models."""


def encode(body: Any) -> bytes:
    """`body` as UTF-8 JSON; what UTF-8 does not have (a lone surrogate) is escaped."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def canary_request(model: str) -> Request:
    """The plainest valid call, as documented: `model` and `messages`, nothing else."""
    return Request(
        "POST",
        CHAT_PATH,
        encode({"model": model, "messages": [{"role": "user", "content": HELLO}]}),
    )


def stream_canary(model: str) -> Request:
    """The plainest call for a stream."""
    messages = [{"role": "user", "content": HELLO}]
    return Request(
        "POST", CHAT_PATH, encode({"model": model, "messages": messages, "stream": True})
    )


LARGEST_READ = 8_000_000
"""Bytes of a request that are read back."""


def is_stream(request: Request) -> bool:
    """Whether a request asks for a stream, as `encode` spells it."""
    return b'"stream": true' in (request.body or b"")


def sent_json(exchange: Exchange) -> Any:
    """The request's body as a JSON value; None when it is none, or too large to be held twice."""
    body = exchange.request.body or b""
    try:
        return json.loads(body) if len(body) <= LARGEST_READ else None
    except ValueError:
        return None


def facts_of(body: Any, *, complete: bool = True) -> Facts:
    """What a request asked for, as far as the reply's form depends on it."""
    if not isinstance(body, dict):
        return Facts(complete=complete)
    messages = body.get("messages")
    history = messages if isinstance(messages, list) else []
    given = body.get("stream_options")
    options = given if isinstance(given, dict) else {}
    return Facts(
        n=_count(body.get("n"), 1),
        include_usage=options.get("include_usage") is True,
        calls_allowed=bool(body.get("tools") or body.get("functions"))
        or any(isinstance(m, dict) and m.get("tool_calls") for m in history),
        stream=body.get("stream") is True,
        complete=complete,
        functions=bool(body.get("functions")),
        custom=_offers_custom(body.get("tools")),
        audio=bool(body.get("audio")),
        logprobs=body.get("logprobs") is True,
        top_logprobs=_count(body.get("top_logprobs"), 0),
        moderation=bool(body.get("moderation")),
        include_obfuscation=options.get("include_obfuscation"),
    )


def _count(given: Any, otherwise: int) -> int:
    """A count that a request gave; `otherwise` where it is none, or not above zero."""
    counts = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return given if counts else otherwise


def _offers_custom(tools: Any) -> bool:
    listed = tools if isinstance(tools, list) else []
    return any(isinstance(tool, dict) and tool.get("type") == "custom" for tool in listed)
