"""What calls cost in tokens: the most before they go out, and what came of it.

The laws:

1. Before a call: at most a token for a byte of what a model reads, and its bound on the answer. No
   tokenizer makes more tokens than bytes.
2. Afterwards: what the target's `usage` says, which is what it bills; without it, what `--plan`
   reckons (a token for four bytes) and the whole bound.
3. For a request that sets no bound `UNBOUNDED` stands in: such a call alone can exceed a budget, by
   what it answers beyond that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from conformance.protocol.jsontext import read_document
from conformance.wire.exchange import Exchange, Request

from .planning import BYTES_PER_TOKEN, bound_of, prompt_of

UNBOUNDED = 1024
"""Output tokens that a request without a bound is taken to cost: its answers are short."""

TAIL = 256 * 1024
"""Bytes at the end of a stream in which its last `usage` is looked for."""

MOST_TOLD = 2**53
"""Tokens; a `usage` that tells more tells nothing."""


def most(request: Request) -> int:
    """The tokens that `request` may cost at most."""
    if request.method != "POST" or not request.body:
        return 0
    return prompt_of(request.body) + _output(request.body)


def spent(exchange: Exchange) -> int:
    """The tokens that `exchange` has cost: none where the target refused it."""
    body = exchange.request.body
    if exchange.request.method != "POST" or not body:
        return 0
    if exchange.status != 200 and exchange.failure is None:
        return 0
    told = reported(exchange.body)
    return -(-prompt_of(body) // BYTES_PER_TOKEN) + _output(body) if told is None else told


def _output(body: bytes) -> int:
    bound = bound_of(body)
    return UNBOUNDED if bound is None else bound


def reported(body: bytes) -> int | None:
    """What the `usage` of a reply adds up to, the last one of a stream; None without one."""
    usage = usage_in(body)
    return None if usage is None else usage.total


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a `usage` tells of: read, written, and in all, which is never less than both."""

    read: int
    written: int
    total: int


def told(exchange: Exchange) -> Usage | None:
    """What the `usage` of an answer tells; None where no model answered, or it tells nothing."""
    answered = exchange.request.method == "POST" and exchange.status == 200
    return usage_in(exchange.body) if answered else None


def usage_in(body: bytes) -> Usage | None:
    """The `usage` of a reply, the last one of a stream; None without one."""
    stream = body.startswith(b"data:")
    for line in reversed(body[-TAIL:].splitlines()) if stream else [body]:
        if b'"usage"' in line:
            value = read_document(line.removeprefix(b"data:").strip()).value
            usage = value.get("usage") if isinstance(value, dict) else None
            if isinstance(usage, dict):
                read, written = (
                    _count(usage.get(f"{of}_tokens")) for of in ("prompt", "completion")
                )
                return Usage(read, written, max(_count(usage.get("total_tokens")), read + written))
    return None


def _count(value: Any) -> int:
    counts = type(value) is int and 0 <= value <= MOST_TOLD
    return value if counts else 0


class Reckoning(TypedDict, total=False):
    """What a gate is told of tokens (`wire.gate.Gate`)."""

    most: Callable[[Request], int]
    spent: Callable[[Exchange], int]


RECKONING: Reckoning = {"most": most, "spent": spent}
