"""Replies without end, and none at all."""

from __future__ import annotations

from tests.hostile.targets.row import HUGE, HUGE_LIST, LATE, LATE_LIST, UNENDED, target
from tests.hostile.targets.wire import TOKEN, Wire, closing, head, whole


@target(HUGE_LIST, HUGE, UNENDED, load=("too_large", "stall"))
def endless_events(wire: Wire) -> None:
    """A stream of good events that never ends, as fast as it is read."""
    wire.send(closing(wire))
    wire.forever(TOKEN)


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def endless_comments(wire: Wire) -> None:
    """A stream of comments that never ends."""
    wire.send(closing(wire))
    wire.forever(b": ping\n\n")


@target(LATE_LIST, LATE, UNENDED, load=("timeout", "stall"), slow=True)
def one_byte_per_second(wire: Wire) -> None:
    """A right answer, one byte per second."""
    octets = whole(wire)
    cut = octets.index(b"\r\n\r\n") + 4
    wire.send(octets[:cut])
    for at in range(cut, len(octets)):
        wire.send(octets[at : at + 1])
        if wire.over.wait(1.0):
            return


@target(LATE, LATE, UNENDED, load="timeout", slow=True)
def head_one_byte_per_second(wire: Wire) -> None:
    """The same, from the first byte of the status line."""
    for byte in whole(wire):
        wire.send(bytes([byte]))
        if wire.over.wait(1.0):
            return


@target(LATE, LATE, UNENDED, load="timeout", slow=True)
def never_answers(wire: Wire) -> None:
    """Accepts, reads the request and says nothing."""
    wire.hold()


@target(LATE, LATE, UNENDED, load=("timeout", "bad_http"), slow=True)
def status_100_for_ever(wire: Wire) -> None:
    """`100 Continue`, again and again."""
    wire.forever(head("100 Continue"))


@target(LATE, LATE, UNENDED, load=("timeout", "bad_http"), slow=True)
def status_103_for_ever(wire: Wire) -> None:
    """`103 Early Hints` with a link, again and again."""
    wire.forever(head("103 Early Hints", "Link: </style.css>; rel=preload"))
