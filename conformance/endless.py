"""Replies without end: given up for their time or their size, and what that says of the next ones.

The laws:

1. A reply without end is not repeated: it would cost all its time again. The plainest call of its
   kind, plain or a stream, decides: if that does not end either, no such call is made any more.
2. The plainest call is not given all the time of an exchange, where it is known how long it takes.
   So a run against a target that hangs costs little more than one exchange.
3. Nobody is blamed: what did not end in time may have been slow.
"""

from typing import Final

from .wire.exchange import Exchange, FailureKind

SHORTEST: Final = 3.0
"""Seconds that the plainest call is given at least."""

TIMES: Final = 10
"""How many times as long as before it may take."""

WITHOUT_END: Final = frozenset({FailureKind.TIMEOUT, FailureKind.TOO_LARGE})


def endless(exchange: Exchange) -> bool:
    """Whether a reply was given up because it did not end, in time or in size."""
    return exchange.failure is not None and exchange.failure.kind in WITHOUT_END


def time_given(pace: float | None, timeout: float) -> float:
    """Seconds that the plainest call is given.

    `pace`: what it took before, None where that is unknown; `timeout`: what any exchange may take.
    """
    return timeout if pace is None else min(timeout, max(SHORTEST, TIMES * pace))
