"""Calls that are made at the same time, and whether another call comes in time meanwhile.

The laws:

1. A call that is put off (429) or meets a passing fault (5xx, a lost connection) is made again,
   with all others of its kind, `REPEATS` times in all: a server may serve fewer at once than are
   sent. One that hangs is not: it would cost the whole timeout again.
2. Late is what takes `busy_s` seconds more than twice as long as the same call took before.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.chat import Chat
from conformance.guards import completion, status_line
from conformance.outcomes import Inconclusive, Unjudged
from conformance.patience import REPEATS, unsettled, waits_for
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.together import all_at_once

from . import prompts
from .recall import RECALL
from .sent import CHAT_PATH, encode

CALLS = 10
"""How many calls are made at once (CC-CONC-001); every other one is streamed."""


def at_once(
    chat: Chat, bodies: Sequence[dict[str, Any]], *, settled: bool = False
) -> list[Exchange]:
    """The replies to calls made at the same time, in the order of the bodies.

    `settled`: the first answers count, whatever they are.
    """
    chat.patience.may_ask()
    found: dict[int, Exchange] = {}
    pending = list(range(len(bodies)))
    for attempt in range(1, REPEATS + 1):
        requests = [Request("POST", CHAT_PATH, encode(bodies[number])) for number in pending]
        for number, exchange in zip(pending, all_at_once(chat.client, requests), strict=True):
            found[number] = replace(exchange, repeats=attempt)
            chat.patience.meet(exchange)
        pending = [
            number for number in pending if unsettled(found[number]) and not _hung(found[number])
        ]
        if settled or not pending or attempt == REPEATS:
            break
        waits = [waits_for(found[n], attempt) for n in pending if found[n].status == 429]
        if waits and not chat.patience.waits(max(waits)):
            break
    return [chat.note(found[number]) for number in sorted(found)]


def _hung(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT


def parallel(chat: Chat) -> list[tuple[str, Exchange]]:
    """Ten calls at once, each with a word of its own to return; made once per model."""
    if "parallel" not in chat.memory:
        words = [f"ZQ{secrets.token_hex(8).upper()}" for _ in range(CALLS)]
        streams = chat.has("stream")
        bodies = [
            chat.body(
                f"{prompts.say_word(word)} {prompts.ASK_WORD}",
                max_tokens=RECALL,
                **({"stream": True} if streams and number % 2 else {}),
            )
            for number, word in enumerate(words)
        ]
        chat.memory["parallel"] = list(zip(words, at_once(chat, bodies), strict=True))
    calls: list[tuple[str, Exchange]] = chat.memory["parallel"]
    for _, exchange in calls:
        chat.note(exchange)
    return calls


def whole(chat: Chat, exchange: Exchange) -> dict[str, Any] | None:
    """The completion that a reply is, streamed or not; None where there is none to read."""
    try:
        if exchange.media_type == "text/event-stream":
            return chat.reading(exchange).fold()
        return completion(exchange)
    except Unjudged:
        return None


def bounds(chat: Chat) -> tuple[float, float]:
    """The seconds that a short call usually takes, and those from which on one is late."""
    exchange = chat.ask()
    if exchange.status != 200:
        raise Inconclusive(f"no usual time is known: {status_line(exchange)}", exchange)
    usual = exchange.ended_at
    return usual, 2 * usual + chat.profile.limits.busy_s


def in_time(chat: Chat, late: float) -> tuple[bool | None, Exchange]:
    """Whether a short call, made now, succeeds before `late` seconds; None where it is put off."""
    request = Request("POST", CHAT_PATH, encode(chat.body()))
    for attempt in range(1, REPEATS + 1):
        chat.client.renew()  # a connection of its own: it may be what is blocked
        exchange = chat.note(chat.client.send(request, late))
        chat.patience.meet(exchange)
        if attempt == REPEATS or exchange.status != 429:
            break
        if not chat.patience.waits(waits_for(exchange, attempt)):
            break
    if exchange.status in (429, 503):
        return None, exchange
    return exchange.status == 200 and exchange.failure is None, exchange


def seen(exchange: Exchange) -> str:
    """How a call ended, and when."""
    return f"{status_line(exchange)[:80]} after {exchange.ended_at:.1f} s"
