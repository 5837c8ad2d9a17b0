"""How long the faults of the clock keep a client waiting.

Law: the one thing about a fault that can be set (``--patience``), so that trials can be quick.
"""

from __future__ import annotations

from conformance.reference.call import Call

PATIENCE = 6.0
"""Seconds: a little more than the 5 s after which CC-SSE-007 and CC-SERR-005 give up."""


def streams(pauses: list[float], call: Call) -> bool:
    """Whether a streamed call is answered by a stream: a refusal is one piece or two."""
    return call.asks_stream and len(pauses) > 2


def is_long(pauses: list[float]) -> bool:
    """Whether a reply is written in so many pieces that it is a stream of some length."""
    return len(pauses) > 60
