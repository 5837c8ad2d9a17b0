"""Several faults or dialects at once: each acts at its own seam, in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Piece, Reply, refusal
from conformance.reference.faults.registry import Fault, Seam, on_bytes, on_reply, on_request

CALL = Call(1, "POST", "/v1/chat/completions", "/chat/completions")


def part(name: str, seam: Seam, act: Any) -> Fault:
    return Fault(name, frozenset(), seam, f"{name}.", act)


def whole(*parts: Fault) -> Fault:
    return Fault("whole", frozenset(), "reply", "All of them.", lambda *_: 1 / 0, parts)


def test_parts_act_in_order_each_at_its_own_seam() -> None:
    def teapot(reply: Reply, call: Call) -> Reply:
        return replace(reply, status=reply.status + 1)

    def double(reply: Reply, call: Call) -> Reply:
        return replace(reply, status=reply.status * 2)

    def shout(pieces: list[Piece], call: Call) -> list[Piece]:
        return [*pieces, b"!"]

    several = whole(
        part("teapot", "reply", teapot), part("shout", "bytes", shout), part("x", "reply", double)
    )

    assert on_reply(several, Reply(100), CALL).status == 202
    assert on_bytes(several, [b"a"], CALL) == [b"a", b"!"]
    assert on_request(several, CALL) is CALL


def test_a_part_that_refuses_a_call_is_the_last_to_see_it() -> None:
    seen: list[str] = []

    def refuse(call: Call) -> Call | Reply:
        return refusal(400, "No.")

    def look(call: Call) -> Call:
        seen.append(call.path)
        return call

    several = whole(
        part("look", "request", look),
        part("refuse", "request", refuse),
        part("again", "request", look),
    )

    assert isinstance(on_request(several, CALL), Reply)
    assert seen == ["/chat/completions"]
