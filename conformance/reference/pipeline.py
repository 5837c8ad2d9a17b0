"""A call's way through the server, from understanding to bytes, with the seams in their places.

Law: without a fault every seam is the identity, so that what is proven with a fault holds without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from conformance.reference import wire
from conformance.reference.call import Call, Piece, Reply, refusal
from conformance.reference.faults import Fault, named
from conformance.reference.faults import registry as seams
from conformance.reference.routes import Site, respond, stamped

Plan: TypeAlias = "list[tuple[float, Piece]]"
"""What to write, each piece with the seconds to wait before it."""

BASE = "/v1"
FAULTY = "/fault/"


@dataclass(frozen=True, slots=True)
class Service:
    """A site, the pace of its models, and the fault that is on for the plain base URL."""

    site: Site
    speed: wire.Speed = field(default_factory=wire.Speed)
    speeds: Mapping[str, wire.Speed] = field(default_factory=dict)
    fault: Fault | None = None


def located(target: str, fault: Fault | None) -> tuple[str, Fault | None] | None:
    """The path below the base URL, and the fault that its prefix asks for; None: no such place.

    >>> located("/v1/models?limit=1", None)
    ('/models', None)
    """
    path = target.partition("?")[0]
    if path.startswith(FAULTY):
        name, slash, rest = path.removeprefix(FAULTY).partition("/")
        path, fault = slash + rest, named(name)
        if fault is None:
            return None
    if path != BASE and not path.startswith(f"{BASE}/"):
        return None
    return path.removeprefix(BASE), fault


def plan(call: Call, service: Service) -> Plan:
    """Everything that is written in answer to a call, and when."""
    place = located(call.target, service.fault)
    if place is None:
        lost = refusal(404, f"Invalid URL ({call.method} {call.target})", code="unknown_url")
        return [(0.0, piece) for piece in wire.pieces(lost, call)]
    path, fault = place
    call = replace(call, path=path)
    seen = seams.on_request(fault, call)
    reply = stamped(seen, call) if isinstance(seen, Reply) else respond(seen, service.site)
    reply = seams.on_reply(fault, reply, call)
    if reply.events is not None:
        reply = replace(reply, events=tuple(seams.on_events(fault, list(reply.events), call)))
    waits = wire.pauses(reply, service.speeds.get(reply.model, service.speed))
    pieces = seams.on_bytes(fault, wire.pieces(reply, call), call)
    waits += [0.0] * (len(pieces) - len(waits))
    waits = seams.on_clock(fault, waits[: len(pieces)], call)
    return list(zip(waits, pieces, strict=True))


def mishap(call: Call, status: int, message: str, kind: str) -> Plan:
    """The reply to what is no call, or to a failure of our own; the connection ends with it."""
    closing = replace(call, headers=(("connection", "close"),))
    told = stamped(refusal(status, message, kind=kind), closing)
    return [(0.0, piece) for piece in wire.pieces(told, closing)]
