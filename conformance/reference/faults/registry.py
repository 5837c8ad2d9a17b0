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
    """

    name: str
    breaks: frozenset[str]
    seam: Seam
    says: str
    act: Callable[..., Any]


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
    if fault is None or fault.seam != "request":
        return call
    seen: Call | Reply = fault.act(call)
    return seen


def on_reply(fault: Fault | None, reply: Reply, call: Call) -> Reply:
    """The reply as the fault leaves it."""
    if fault is None or fault.seam != "reply":
        return reply
    seen: Reply = fault.act(reply, call)
    return seen


def on_events(fault: Fault | None, events: list[Item], call: Call) -> list[Item]:
    """The items of a stream as the fault leaves them."""
    if fault is None or fault.seam != "events":
        return events
    seen: list[Item] = fault.act(events, call)
    return seen


def on_bytes(fault: Fault | None, pieces: list[Piece], call: Call) -> list[Piece]:
    """The pieces of a reply as the fault leaves them."""
    if fault is None or fault.seam != "bytes":
        return pieces
    seen: list[Piece] = fault.act(pieces, call)
    return seen


def on_clock(fault: Fault | None, pauses: list[float], call: Call) -> list[float]:
    """The pauses as the fault leaves them."""
    if fault is None or fault.seam != "clock":
        return pauses
    seen: list[float] = fault.act(pauses, call)
    return seen
