"""A reply that never comes whole: whose breach is that, if anybody's?

Laws
----
* Once is nobody's fault, since networks lose connections. What counts came each time: `TRIES` times
  or more, over more than a second, each on a connection of its own.
* A reply that had begun and is never whole is broken for every client, whoever cut it.
* One that never begins is blamed only where another call, the *witness*, is answered whole
  meanwhile: what carries the list of models can carry an answer.
* Nobody out here can tell a server from what stands before it. The words say "the reply, or the
  path to it".

Theory
------
Asked is the plainest call. What becomes of it decides, since nothing else can be judged without:

| each try                                           | the witness | broken is                     |
|----------------------------------------------------|-------------|-------------------------------|
| begins, and is cut: closed, reset, no such chunk   | whatever    | CC-HTTP-009, framing          |
| brings what is no HTTP/1.1                         | whole       | CC-HTTP-009                   |
| is closed or reset before an answer                | whole       | CC-HTTP-001, the endpoint     |
| one of the last two                                | not whole   | nobody: the target is gone    |
| any of these, though it was answered before        | whatever    | nobody: it stopped answering  |
| refused, not resolved, not answered in time        | not asked   | nobody: the target is gone    |
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .wire.exchange import Exchange, FailureKind

ENDPOINT: Final = "CC-HTTP-001"
FRAMING: Final = "CC-HTTP-009"

TRIES: Final = 5
PAUSE: Final = 0.4
"""Seconds between two tries: what passes by itself has a second to pass."""

CUT: Final = frozenset({FailureKind.RESET, FailureKind.TRUNCATED, FailureKind.PROTOCOL})
"""How a connection that was there ends without a whole reply."""


def is_lost(exchange: Exchange) -> bool:
    """Whether the reply, or the connection before it, ended too soon."""
    return exchange.failure is not None and exchange.failure.kind in CUT


def breaks_framing(exchange: Exchange) -> bool:
    """Whether a reply that is lost had begun, or is no HTTP/1.1: what came is framed wrongly."""
    if exchange.failure is None or not is_lost(exchange):
        return False
    return exchange.status is not None or exchange.failure.kind is not FailureKind.RESET


def is_witness(exchange: Exchange) -> bool:
    """Whether a reply shows that whole replies come from there, a refusal too: no 429, no 5xx."""
    return exchange.complete and exchange.status != 429 and (exchange.status or 0) < 500


def loss(tries: Sequence[Exchange], witness: Exchange) -> Exchange:
    """The last of the plainest calls, each of which was lost, and what is known of all of them."""
    sizes = sorted({len(one.body) for one in tries if one.status is not None})
    if not sizes:
        where = ""
    elif len(sizes) == 1:
        where = f"each after {sizes[0]:,} bytes of the body"
    else:
        where = f"after {sizes[0]:,} to {sizes[-1]:,} bytes of the body"
    if is_witness(witness):
        beside = f"GET /models is answered by {witness.status} and a whole body"
    else:
        beside = f"GET /models brings {witness.failure or f'status {witness.status}'}"
    return replace(
        tries[-1],
        repeats=len(tries),
        canary_ok=False,
        witness_ok=is_witness(witness),
        notes=(where, beside),
    )


def broken_by(exchange: Exchange) -> str | None:
    """The clause that a `loss` breaks; None where nobody is to blame, and for what is no loss."""
    if exchange.witness_ok is None:
        return None
    if exchange.status is None and not exchange.witness_ok:
        return None
    return FRAMING if breaks_framing(exchange) else ENDPOINT


def told(exchange: Exchange) -> str:
    """A `loss` in one line."""
    where, beside = exchange.notes
    begun = f"status {exchange.status}, then " if exchange.status is not None else ""
    times = ", ".join(filter(None, (f"{exchange.repeats} of {exchange.repeats} times", where)))
    return (
        f"{begun}{exchange.failure}; {times}, on new connections, while {beside}: "
        "the reply, or the path to it, is broken"
    )
