"""Faults of calls that touch each other (CC-CONC).

Law: what a fault remembers is its own, and moves only with the calls that the suite's checks of
isolation make (a code word of 16 digits, a count that is left or not read): the rest of a run
against it stays as it was.

Theory. A stream's end is not seen from here, nor that nobody reads it. A fault that makes others
wait therefore lets the one call wait that comes next, as a server does that is kept busy until the
careless client has gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from conformance.reference import text
from conformance.reference.call import Call, Cut, Item, Piece, Reply, refusal
from conformance.reference.faults import timing
from conformance.reference.faults.edits import asked, completion, each_item, given, messages
from conformance.reference.faults.registry import fault

_WORD = re.compile(r"The code word is (ZQ[0-9A-F]{16})\.")
_ASKS = "What is the code word?"


def _word(call: Call) -> str | None:
    """The long code word that a call gives; None without one."""
    said = text.last_user_text(messages(call)) if messages(call) else ""
    found = _WORD.search(said)
    return found[1] if found else None


@dataclass(slots=True)
class _Memory:
    """What one fault remembers: words, and whether a call is to wait."""

    words: list[str] = field(default_factory=list)
    busy: bool = False


_shared, _per_key, _streaming, _unread, _left, _hurt = (_Memory() for _ in range(6))


@fault(breaks={"CC-CONC-001"}, seam="request")
def mixes_parallel_calls(call: Call) -> Call | Reply:
    """Keeps prompts in a buffer that all calls share."""
    word = _word(call)
    if word is None:
        return call
    before, _shared.words = _shared.words[-1:], [word]
    said = f"The code word is {before[0]}. {_ASKS}" if before else None
    return given(call, messages=[{"role": "user", "content": said}]) if said else call


@fault(breaks={"CC-CONC-001"}, seam="reply")
def names_parallel_calls_by_the_second(reply: Reply, call: Call) -> Reply:
    """Makes ids from the time in seconds."""
    if _word(call) is None or reply.events is not None:
        return reply
    return completion(reply, lambda body: body.update(id=f"chatcmpl-{int(call.moment)}"))


@fault(breaks={"CC-CONC-001"}, seam="events")
def names_parallel_streams_by_the_second(events: list[Item], call: Call) -> list[Item]:
    """Makes the ids of streams from the time in seconds."""
    if _word(call) is None:
        return events
    name = f"chatcmpl-{int(call.moment)}"
    return each_item(events, lambda item: item.update(id=name), lambda item: isinstance(item, dict))


def _asks_for_nothing(call: Call) -> bool:
    """Whether a call asks for a code word that it does not give."""
    said = messages(call)
    content = said[0].get("content") if len(said) == 1 else None
    return isinstance(content, str) and content.startswith(_ASKS)


def _remembering(call: Call, memory: _Memory) -> Call:
    """The call as one of a conversation in which earlier calls have spoken."""
    if word := _word(call):
        memory.words = [word]
    if not memory.words or not _asks_for_nothing(call):
        return call
    earlier = [{"role": "user", "content": f"The code word is {memory.words[0]}."}]
    return given(call, messages=[*earlier, *messages(call)])


@fault(breaks={"CC-CONC-005"}, seam="request")
def goes_on_with_the_last_conversation(call: Call) -> Call | Reply:
    """Keeps one conversation per key, as a chat does."""
    return _remembering(call, _per_key)


@fault(breaks={"CC-CONC-005"}, seam="request")
def streams_on_from_the_last_conversation(call: Call) -> Call | Reply:
    """Keeps one conversation for all streams."""
    return _remembering(call, _streaming) if _word(call) or call.asks_stream else call


def _counts(call: Call, beginning: str, bound: int) -> bool:
    """Whether a call is one of the long streams, by its prompt and its bound."""
    said = text.last_user_text(messages(call)) if call.asks_stream else ""
    bounds = (asked(call, "max_tokens"), asked(call, "max_completion_tokens"))
    return said.startswith(beginning) and bound in bounds


def _keeps_waiting(pauses: list[float], call: Call, memory: _Memory, careless: bool) -> list[float]:
    """The pauses, longer for the call that comes after a careless one."""
    if careless or not call.chat:
        memory.busy = memory.busy or careless
        return pauses
    waits, memory.busy = memory.busy, False
    return [pauses[0] + 3 * timing.PATIENCE, *pauses[1:]] if waits else pauses


@fault(breaks={"CC-CONC-003"}, seam="clock")
def waits_for_slow_readers(pauses: list[float], call: Call) -> list[float]:
    """Writes to one client after the other, and waits for one that does not read."""
    return _keeps_waiting(pauses, call, _unread, _counts(call, "Count from 1 to 2000", 2048))


@fault(breaks={"CC-CONC-004"}, seam="clock")
def finishes_streams_that_were_left(pauses: list[float], call: Call) -> list[float]:
    """Goes on generating what nobody waits for, and lets the next call wait."""
    return _keeps_waiting(pauses, call, _left, _counts(call, "Count from 1 to 300", 512))


@fault(breaks={"CC-CONC-004"}, seam="request")
def is_hurt_by_those_who_leave(call: Call) -> Call | Reply:
    """Answers the call after a stream that was left with 500."""
    if _counts(call, "Count from 1 to 300", 512):
        _hurt.busy = True
        return call
    hurt, _hurt.busy = _hurt.busy and call.chat, False
    return refusal(500, "Broken pipe", kind="server_error") if hurt else call


_MOST = 8
"""Calls of a burst that are served by the faults that are overloaded."""


def _number(call: Call) -> int:
    """Which call of a burst this is, from 1; 0 for any other call."""
    said = text.last_user_text(messages(call)) if messages(call) else ""
    found = re.fullmatch(r"Say hello to number (\d+)\.", said)
    return int(found[1]) if found else 0


@fault(breaks={"CC-CONC-006"}, seam="request")
def breaks_down_under_load(call: Call) -> Call | Reply:
    """Answers 500 where more calls come than it serves."""
    crowd = _number(call) > _MOST
    return refusal(500, "no worker is free", kind="server_error") if crowd else call


@fault(breaks={"CC-CONC-006"}, seam="bytes")
def hangs_up_under_load(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets connections where more calls come than it serves."""
    return [Cut.RESET] if _number(call) > _MOST else pieces


@fault(breaks={"CC-CONC-006"}, seam="reply")
def sheds_load_as_html(reply: Reply, call: Call) -> Reply:
    """Answers 503 with the page of the proxy in front."""
    if _number(call) <= _MOST:
        return reply
    page = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
    return Reply(503, content=page, headers=(("Content-Type", "text/html"),))
