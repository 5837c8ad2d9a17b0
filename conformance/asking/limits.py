"""Refusals for want of rate or credit: those met during the run, and those that other keys bring.

The law: nothing here provokes them by load. They are met by chance, or the profile names a key that
is known to be at its limit, without credit, or without permission.
"""

from conformance.chat import Chat
from conformance.guards import status_line
from conformance.outcomes import Inconclusive, Unsupported
from conformance.wire.exchange import Exchange, bearer_of

from .probes import is_out_of_credit

MOST_CALLS = 5
"""Calls with the key that is known to be at its rate limit, until it is refused."""


def by_key(chat: Chat, purpose: str, sample: int = 0) -> Exchange | None:
    """The first reply to a plain call with another key; None where the profile names none."""
    name = chat.profile.keys.get(purpose)
    if name is None:
        return None
    return chat.post(chat.body(), authorization=bearer_of(name), sample=sample, settled=True)


def rate_limited(chat: Chat) -> list[Exchange]:
    """The 429s that say that calls come too fast.

    Raises `Unsupported` without any, `Inconclusive` where the profile's key brings none.
    """
    for number in range(MOST_CALLS):
        exchange = by_key(chat, "limited", number)
        if exchange is None or exchange.status == 429:
            break
    found = [e for e in chat.patience.met if e.status == 429 and not is_out_of_credit(e)]
    if found:
        return [chat.note(e) for e in found]
    if exchange is not None:
        raise Inconclusive(f"the limited key is not limited: {status_line(exchange)}", exchange)
    raise Unsupported("no 429 was met, and the profile names no key at its limit")


def out_of_credit(chat: Chat) -> list[Exchange]:
    """The replies that refuse for want of credit: those met, and that to the exhausted key."""
    exchange = by_key(chat, "exhausted")
    met = [e for e in chat.patience.met if is_out_of_credit(e) and e is not exchange]
    return [chat.note(e) for e in (*met, *([] if exchange is None else [exchange]))]
