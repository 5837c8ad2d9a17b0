"""What a fault is, and the one list of them.

Laws: a fault is one function at one seam; its name is the function's, its sentence the docstring;
the ids it declares are exactly those that a run of the suite against it must fail or warn on.

The seams, in the order in which a call passes them:

=========  ==========================================  ==========================================
request    (Call) -> Call | Reply                      how the request is understood, or refused
reply      (Reply, Call) -> Reply                      status, headers, body of any reply
events     (list[Item], Call) -> list[Item]            the items of a stream, the [DONE] included
bytes      (list[Piece], Call) -> list[Piece]          what is written, head and framing included
clock      (list[float], Call) -> list[float]          seconds to wait before each piece
=========  ==========================================  ==========================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, overload

from conformance.reference.call import Call, Item, Piece, Reply

Seam: TypeAlias = Literal["request", "reply", "events", "bytes", "clock"]

OnRequest: TypeAlias = Callable[[Call], Call | Reply]
OnReply: TypeAlias = Callable[[Reply, Call], Reply]
OnEvents: TypeAlias = Callable[[list[Item], Call], list[Item]]
OnBytes: TypeAlias = Callable[[list[Piece], Call], list[Piece]]
OnClock: TypeAlias = Callable[[list[float], Call], list[float]]

T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the contract.

    ``breaks`` are the requirement ids that a run against it must fail or warn on, and no others.
    ``parts``: where several ways are on at once (dialects in combination), they act in this order,
    each at its own seam, and ``act`` does not.
    """

    name: str
    breaks: frozenset[str]
    seam: Seam
    says: str
    act: Callable[..., Any]
    parts: tuple[Fault, ...] = ()

    def acts(self, seam: Seam) -> list[Callable[..., Any]]:
        """What acts at `seam`, in order."""
        return [one.act for one in self.parts or (self,) if one.seam == seam]


REGISTERED: dict[str, Fault] = {}


@overload
def fault(*, breaks: set[str], seam: Literal["request"]) -> Callable[[OnRequest], OnRequest]: ...
@overload
def fault(*, breaks: set[str], seam: Literal["reply"]) -> Callable[[OnReply], OnReply]: ...
@overload
def fault(*, breaks: set[str], seam: Literal["events"]) -> Callable[[OnEvents], OnEvents]: ...
@overload
def fault(*, breaks: set[str], seam: Literal["bytes"]) -> Callable[[OnBytes], OnBytes]: ...
@overload
def fault(*, breaks: set[str], seam: Literal["clock"]) -> Callable[[OnClock], OnClock]: ...
def fault(*, breaks: set[str], seam: Seam) -> Callable[[T], T]:
    """Registers a function as a fault at `seam` that breaks exactly these requirement ids.

    Raises:
        ValueError: the function has no docstring, or its name is taken.
    """

    def register(act: T) -> T:
        name, says = act.__name__, inspect.getdoc(act)
        if not says or name in REGISTERED:
            raise ValueError(f"fault {name!r} lacks a docstring or is there already")
        REGISTERED[name] = Fault(name, frozenset(breaks), seam, says, act)
        return act

    return register


# Once per seam, so that its value keeps its type.


def on_request(fault: Fault | None, call: Call) -> Call | Reply:
    """The call as the fault understands it."""
    seen: Call | Reply = call
    for act in fault.acts("request") if fault else ():
        if isinstance(seen, Call):
            seen = act(seen)
    return seen


def on_reply(fault: Fault | None, reply: Reply, call: Call) -> Reply:
    """The reply as the fault leaves it."""
    for act in fault.acts("reply") if fault else ():
        reply = act(reply, call)
    return reply


def on_events(fault: Fault | None, events: list[Item], call: Call) -> list[Item]:
    """The items of a stream as the fault leaves them."""
    for act in fault.acts("events") if fault else ():
        events = act(events, call)
    return events


def on_bytes(fault: Fault | None, pieces: list[Piece], call: Call) -> list[Piece]:
    """The pieces of a reply as the fault leaves them."""
    for act in fault.acts("bytes") if fault else ():
        pieces = act(pieces, call)
    return pieces


def on_clock(fault: Fault | None, pauses: list[float], call: Call) -> list[float]:
    """The pauses as the fault leaves them."""
    for act in fault.acts("clock") if fault else ():
        pauses = act(pauses, call)
    return pauses
