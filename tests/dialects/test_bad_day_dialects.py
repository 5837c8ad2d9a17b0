"""Right servers on a bad day: what fails, forgets or closes at times is blamed for nothing.

Each dialect strikes as often in a row as the suite bears, so that one look less would blame it.
What is struck is counted by the octets of the request.
"""

from collections import Counter
from dataclasses import replace

import pytest

from conformance.asking.recall import TRIALS
from conformance.expect import WAITS
from conformance.guards import REPEATS_THAT_COUNT
from conformance.patience import INSISTENCE
from conformance.reference.call import Call, Cut, Item, Piece, Reply, refusal
from conformance.reference.faults.edits import asked, messages, prompted
from conformance.reference.text import BREAKDOWN
from conformance.test_equivalence import THOUGHTS
from conformance.test_isolation import ABANDONED

from .dialect import (
    FAILS,
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.thorough

_met: Counter[tuple[str, bytes]] = Counter()


def nth(call: Call, what: str) -> int:
    """How often `what` has been asked of this call by now, from 1."""
    _met[what, call.content] += 1
    return _met[what, call.content]


def is_plainest(call: Call) -> bool:
    """Whether this is the plainest call: a model and messages."""
    return set(call.json or ()) == {"model", "messages"}


@dialect(seam="request", only=("CC-HTTP-010", "CC-HTTP-019", "CC-HTTP-022", "CC-MSG-001"))
def is_overloaded_at_times(call: Call) -> Call | Reply:
    """Answers 503 to each call but the plainest, as often as that can be chance."""
    if not call.chat or is_plainest(call) or nth(call, "overload") >= INSISTENCE:
        return call
    return refusal(503, "The engine is overloaded, try again.", kind="server_error")


@dialect(seam="bytes", only=("CC-HTTP-009",))
def loses_replies_at_times(pieces: list[Piece], call: Call) -> list[Piece]:
    """Cuts each reply on a bare socket, which names no agent, short twice."""
    if not call.chat or call.values("user-agent") or nth(call, "loss") >= REPEATS_THAT_COUNT:
        return pieces
    head = pieces[0]
    return [head[:-9] if isinstance(head, bytes) else head, Cut.CLOSE]


@dialect(seam="bytes", only=("CC-HTTP-017",))
def closes_idle_connections_at_times(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes, unannounced and all but once, the connection on which it has just refused a body."""
    if not call.chat or call.json is not None or nth(call, "idle") >= REPEATS_THAT_COUNT:
        return pieces
    return [*pieces, Cut.CLOSE]


@dialect(seam="reply", only=("CC-REQ-007", "CC-REQ-008", "CC-REQ-009"))
def forgets_at_times(reply: Reply, call: Call) -> Reply:
    """Forgets code words in all answers but the last of a check's, where they came in parts."""
    parts = any(isinstance(one.get("content"), list) for one in messages(call))
    if not reply.ok or not parts or nth(call, "word") >= TRIALS:
        return reply
    choice = reply.body["choices"][0]
    said = {**choice["message"], "content": "I do not know."}
    return replace(reply, body={**reply.body, "choices": [{**choice, "message": said}]})


@dialect(seam="events", only=("CC-EQUIV-006",), model=THINKER)
def thinks_at_times(events: list[Item], call: Call) -> list[Item]:
    """Answers streamed calls without a thought, but for the last of a check's."""
    if nth(call, "thought") >= THOUGHTS:
        return events
    return [one for one in events if "reasoning_content" not in str(one)]


@dialect(seam="clock", only=("CC-SERR-005",), profile=FAILS)
def lingers_at_times(pauses: list[float], call: Call) -> list[float]:
    """Takes more than a second, twice, to end a stream that has failed."""
    if not prompted(call, BREAKDOWN) or nth(call, "end") >= REPEATS_THAT_COUNT:
        return pauses
    return [*pauses[:-1], 1.2]


@dialect(seam="clock", only=("CC-HTTP-025", "CC-SSE-021"))
def has_a_queue_at_times(pauses: list[float], call: Call) -> list[float]:
    """Lets long streams wait in a queue, and of a check's short answers only the last."""
    if len(pauses) > 60:
        return [0.9, 0.0, *(0.002 for _ in pauses[2:])]
    waits = prompted(call, "Count") and nth(call, "queue") >= WAITS
    return [0.9, *pauses[1:]] if waits else pauses


@dialect(seam="request", only=("CC-CONC-004",))
def fails_after_streams_at_times(call: Call) -> Call | Reply:
    """Answers 500 to two calls that happen to follow streams that were left."""
    left = asked(call, "max_tokens") == ABANDONED
    if left or not call.chat or is_plainest(call) or not _met["left", b""]:
        _met["left", b""] += left
        return call
    _met["left", b""] = 0
    _met["failed", b""] += 1
    return call if _met["failed", b""] > 2 else refusal(500, "Broken pipe", kind="server_error")
