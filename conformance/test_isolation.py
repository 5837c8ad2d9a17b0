"""Concurrency and isolation: no call is touched by another (CC-CONC).

The law: only what cannot be chance is blamed. A word of 16 hex digits that another call was given
decides by one occurrence; a call that is late, or fails, does so three times in a row, against the
time that the same call took alone.
"""

import json
from collections import Counter

from .asking import prompts
from .asking.concurrency import at_once, bounds, in_time, parallel, seen, whole
from .asking.recall import RECALL
from .asking.sent import CHAT_PATH, encode
from .chat import Chat
from .expect import judge, trials
from .guards import error_object, status_line
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange, Request
from .wire.together import abandon, open_stream

UNREAD = 2048
"""Output bound of the stream that nobody reads: more bytes than fit in the sockets' buffers."""

ABANDONED = 512
"""Output bound of a stream that is abandoned: seconds of work for a model."""

ABORTS = 5
BURST = 40
"""Calls at once, where the profile allows a burst."""

AFTER = 50
"""A sample that no other check asks for: its calls are made after those of `parallel`."""


def everything(chat: Chat, exchange: Exchange) -> str:
    """All that a reply says (text, thought, arguments), in capitals; "" for none."""
    said = whole(chat, exchange)
    return "" if said is None else json.dumps(said, ensure_ascii=False).upper()


@requirement("CC-CONC-001")
def test_parallel_calls_do_not_mix(chat: Chat) -> None:
    calls = parallel(chat)
    answered = [(word, e, everything(chat, e)) for word, e in calls if e.status == 200]
    judge(
        Sighting(Finding("", "no word of another call", f"{other}, which another call gave"), e)
        for word, e, said in answered
        for other, _ in calls
        if other != word and other in said
    )
    replies = [(e, whole(chat, e)) for _, e, _ in answered]
    named = [(e, r["id"]) for e, r in replies if r and isinstance(r.get("id"), str) and r["id"]]
    counted = Counter(name for _, name in named)
    judge(
        Sighting(Finding("", "an id of its own", f"{name!r}, {counted[name]} times", "$.id"), e)
        for e, name in named
        if counted[name] > 1
    )
    own = sum(word in said for word, _, said in answered)
    if 2 * own < len(calls):
        last = calls[-1][1]
        raise Inconclusive(f"{own} of {len(calls)} replies return their own word", last)


@requirement("CC-CONC-005")
def test_a_call_knows_nothing_of_an_earlier_one(chat: Chat) -> None:
    given = [word for word, exchange in parallel(chat) if exchange.status == 200]
    if not given:
        raise Inconclusive("no call with a code word was answered", parallel(chat)[0][1])
    asked = [chat.ask(prompts.ASK_WORD, sample=AFTER, max_tokens=RECALL)]
    if chat.has("stream"):
        asked.append(chat.stream(prompts.ASK_WORD, sample=AFTER, max_tokens=RECALL))
    judge(
        Sighting(
            Finding("", "nothing of another call", f"{word}, which an earlier call gave"), exchange
        )
        for exchange in asked
        for word in given
        if word in everything(chat, exchange)
    )
    if not any(everything(chat, exchange) for exchange in asked):
        raise Inconclusive(status_line(asked[0]), asked[0])


@requirement("CC-CONC-003", scope="target")
def test_a_slow_reader_does_not_block_other_calls(chat: Chat) -> None:
    usual, late = bounds(chat)
    hold = chat.profile.limits.slow_reader_s
    body = chat.body(prompts.COUNT_ON, stream=True, **{chat.bound_name: UNREAD})
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        request = Request("POST", CHAT_PATH, encode(body))
        with open_stream(chat.client, request, hold + late + chat.client.endpoint.timeout) as slow:
            slow.leave_unread(hold)
            came, exchange = in_time(chat, late)
            began = slow.began()
        looked.append(exchange)
        if came is not False or not began:
            return came if began else None
        return False if in_time(chat, late)[0] else None  # late without it too: no proof

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required=f"while a stream is left unread for {hold:g} s, a call ends within {late:.1f} s "
        f"(it took {usual:.1f} s before)",
        seen=lambda: seen(looked[-1]),
        on=lambda: looked[-1],
    )


@requirement("CC-CONC-004", scope="target")
def test_streams_that_clients_leave_hurt_nobody(chat: Chat) -> None:
    usual, late = bounds(chat)
    body = chat.body(prompts.COUNT, stream=True, **{chat.bound_name: ABANDONED})
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        request = Request("POST", CHAT_PATH, encode(body))
        began = [abandon(chat.client, request) for _ in range(ABORTS)]
        came, exchange = in_time(chat, late)
        looked.append(exchange)
        return came if any(began) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required=f"after {ABORTS} streams were left, a call succeeds within {late:.1f} s "
        f"(it took {usual:.1f} s before)",
        seen=lambda: seen(looked[-1]),
        on=lambda: looked[-1],
    )


@requirement("CC-CONC-006", scope="target", harms=True)
def test_overload_is_told_as_429_or_503(chat: Chat) -> None:
    allowed = chat.capability("burst")
    if not allowed.present:
        raise Unsupported(f"burst: {allowed.because}")
    bodies = [chat.body(f"Say hello to number {n}.") for n in range(1, BURST + 1)]
    replies = at_once(chat, bodies, settled=True)
    required = "200, or 429 or 503 with the envelope"

    def broken(exchange: Exchange) -> bool:
        if exchange.status not in (429, 503) or exchange.failure is not None:
            return exchange.status != 200 or exchange.failure is not None
        try:
            return not isinstance(error_object(exchange).get("message"), str)
        except Blocked:
            return True

    bad = [exchange for exchange in replies if broken(exchange)]
    judge(
        Sighting(
            Finding("", required, f"{status_line(e)}, as {len(bad)} of {BURST} calls ended"), e
        )
        for e in bad[:1]
    )
    refused = sum(exchange.status != 200 for exchange in replies)
    chat.observe(f"of {BURST} calls at once {refused} were refused")
