"""Dialects of streams, their bytes, pace and chunks: right servers, blamed for nothing.

Those of whole replies and of errors are in ``test_reply_dialects.py``.
"""

import copy
import json
import zlib
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from conformance.reference.call import Call, Cut, Item, Piece, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    each_choice,
    each_delta,
    each_item,
    has_text,
    inserted,
    is_chunk,
    is_finish,
    is_usage,
    place,
    prompted,
    setting,
    text_of,
)
from conformance.reference.wire import ZERO_CHUNK, spelled

from .dialect import (
    REPLIES,
    STREAMS,
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow


# Bytes.


@dialect(seam="events", warns=("CC-SSE-008",), only=STREAMS)
def ends_lines_with_crlf(events: list[Item], call: Call) -> list[Item]:
    """Ends lines with CRLF, as Azure does."""
    return [spelled(item).replace(b"\n", b"\r\n") for item in events]


@dialect(seam="events", only=STREAMS)
def comments_between_events(events: list[Item], call: Call) -> list[Item]:
    """Keeps the connection alive by comments, before the first event and after [DONE] too."""
    told = [piece for item in events for piece in (": keep-alive\n\n", item)]
    return [": hello\n", *told, ": bye\n\n"]


@dialect(seam="bytes", only=STREAMS)
def ends_streams_by_closing(pieces: list[Piece], call: Call) -> list[Piece]:
    """Delimits a stream by the close of the connection."""
    if not call.asks_stream or ZERO_CHUNK not in pieces:
        return pieces
    head = pieces[0]
    assert isinstance(head, bytes)
    head = head.replace(b"Transfer-Encoding: chunked\r\n", b"").replace(b"keep-alive", b"close")
    told = [p.partition(b"\r\n")[2][:-2] for p in pieces[1:] if isinstance(p, bytes)]
    return [head, *told[:-1], Cut.CLOSE]


@dialect(seam="bytes", only=("CC-SSE-020", "CC-STREAM-015", "CC-EQUIV-008", "CC-SSE-003"))
def writes_a_byte_at_a_time(pieces: list[Piece], call: Call) -> list[Piece]:
    """Splits everything that is not ASCII between writes."""
    return [
        part
        for piece in pieces
        for part in (
            [piece]
            if isinstance(piece, Cut) or piece.isascii()
            else [piece[i : i + 1] for i in range(len(piece))]
        )
    ]


@dialect(seam="reply", only=("CC-SSE",))
def flushes_its_compressor(reply: Reply, call: Call) -> Reply:
    """Compresses a stream where gzip is offered, and flushes after each event."""
    if reply.events is None or "gzip" not in "".join(call.values("accept-encoding")):
        return reply
    squeeze = zlib.compressobj(wbits=31)
    told = [squeeze.compress(spelled(e)) + squeeze.flush(zlib.Z_SYNC_FLUSH) for e in reply.events]
    return replace(reply.having(("Content-Encoding", "gzip")), events=(*told, squeeze.flush()))


@dialect(seam="events", only=STREAMS)
def escapes_what_is_not_ascii(events: list[Item], call: Call) -> list[Item]:
    """Spells JSON in ASCII: an emoji is a pair of escapes, in one delta."""
    return [f"data: {json.dumps(i)}\n\n" if isinstance(i, dict) else i for i in events]


@dialect(seam="request", only=("CC-SSE-001",))
def streams_text_alone(call: Call) -> Call | Reply:
    """Refuses a stream that offers tools or asks for a form by name, as llama.cpp did."""
    if call.asks_stream and (asked(call, "tools") or asked(call, "response_format")):
        return bad_parameter("stream", "cannot stand beside tools or response_format")
    return call


# Pace.


@dialect(seam="clock", only=("CC-SSE",))
def queues_and_then_is_quick(pauses: list[float], call: Call) -> list[float]:
    """Lets every call wait in a queue for far longer than its answer takes."""
    if len(pauses) > 60:
        return [0.0, 0.9, *(0.002 for _ in pauses[2:])]
    return [0.9, *pauses[1:]] if prompted(call, "Count") else pauses


def _gathered(events: list[Item], size: int) -> list[Item]:
    """The stream of one choice with deltas of at least `size` characters."""
    told: list[Item] = []
    for item in events:
        last = told[-1] if told else None
        if has_text(item) and last is not None and 0 < len(text_of(last)) < size:
            told[-1] = each_delta([last], setting(content=text_of(last) + text_of(item)))[0]
        else:
            told.append(item)
    return told


@dialect(seam="events", undecided=("CC-SSE-021",), only=STREAMS)
def tells_a_hundred_characters_at_a_time(events: list[Item], call: Call) -> list[Item]:
    """Gathers a hundred characters for a delta, and sends an empty one before them."""
    if asked(call, "n"):
        return events
    gathered = _gathered(events, 100)
    spoken = [item for item in gathered if has_text(item)][:1]
    filler = each_delta(spoken, setting(content=""))
    return inserted(gathered, place(gathered, has_text), *filler)


@dialect(seam="events", only=STREAMS)
def tells_a_character_at_a_time(events: list[Item], call: Call) -> list[Item]:
    """Sends each character in a delta of its own."""
    return [
        piece
        for item in events
        for piece in (
            [each_delta([item], setting(content=letter))[0] for letter in text_of(item)]
            if has_text(item)
            else [item]
        )
    ]


_arrived = count(1)


@dialect(seam="request", warns=("CC-HDR-005",))
def limits_the_rate(call: Call) -> Call | Reply:
    """Refuses every fourth call for a moment."""
    if not call.chat or next(_arrived) % 4:
        return call
    again = (("Retry-After", "0"),)
    why, code = "Rate limit reached.", "rate_limit_exceeded"
    return refusal(429, why, kind="requests", code=code, headers=again)


# Chunks.


@dialect(seam="events", only=STREAMS)
def begins_and_ends_with_text(events: list[Item], call: Call) -> list[Item]:
    """Sends the role with the first piece of text, and the last piece with the finish reason."""
    spoken = [i for i, item in enumerate(events) if has_text(item)]
    if asked(call, "n") or len(spoken) < 2:
        return events
    opening = each_delta([events[spoken[0]]], lambda delta: delta.update(role="assistant"))
    closing = each_delta(
        [item for item in events if is_finish(item)][:1],
        setting(content=text_of(events[spoken[-1]])),
    )
    end = place(events, is_finish)
    rest = events[end + 1 :] if closing else []
    return [*opening, *events[spoken[0] + 1 : spoken[-1]], *(closing or events[-1:]), *rest]


@dialect(seam="events", only=STREAMS)
def adds_members_of_its_own(events: list[Item], call: Call) -> list[Item]:
    """Adds a vendor's members to chunk, choice and delta."""

    def add(item: dict[str, Any]) -> None:
        item.update(provider="x", timings={"ms": 1.5}, prompt_token_ids=None)
        for one in item["choices"]:
            one.update(stop_reason=None, native_finish_reason=None)
            one["delta"].update(reasoning_details=[{"index": 0, "text": ""}])

    return each_item(events, add)


@dialect(seam="events", warns=("CC-STREAM-017",), only=STREAMS)
def filters_the_prompt_first(events: list[Item], call: Call) -> list[Item]:
    """Begins with the filter's results in a chunk without choices, as Azure does."""
    blank = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    return inserted(events, 0, {**blank, "prompt_filter_results": []})


@dialect(seam="events", warns=("CC-STREAM-013", "CC-STREAM-030"), only=STREAMS)
def counts_beside_an_empty_delta(events: list[Item], call: Call) -> list[Item]:
    """Sends the usage in a chunk with an empty delta, as LiteLLM does."""
    idle = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
    return each_item(events, setting(choices=[idle]), is_usage)


@dialect(seam="events", warns=("CC-STREAM-019",), only=STREAMS)
def keeps_null_usage_to_itself(events: list[Item], call: Call) -> list[Item]:
    """Leaves `usage: null` out of ordinary chunks, as most servers do."""
    return each_item(events, lambda item: item.pop("usage", None))


@dialect(seam="events", only=(*STREAMS, "CC-RESP-011"))
def calls_in_one_piece(events: list[Item], call: Call) -> list[Item]:
    """Streams a call in one fragment, arguments and all."""
    said: dict[int, str] = {}
    for item in events:
        for call_ in _fragments(item):
            arguments = said.get(call_["index"], "") + call_["function"]["arguments"]
            said[call_["index"]] = arguments
    told: list[Item] = []
    for item in events:
        begun = [one for one in _fragments(item) if "id" in one]
        if begun or not _fragments(item):
            told.append(copy.deepcopy(item))
        for one in _fragments(told[-1]) if begun else ():
            one["function"]["arguments"] = said[one["index"]]
    return told


def _fragments(item: Item) -> list[dict[str, Any]]:
    if not isinstance(item, dict) or not is_chunk(item):
        return []
    found: list[dict[str, Any]] = item["choices"][0]["delta"].get("tool_calls") or []
    return found


@dialect(seam="reply", only=("CC-FIN", "CC-EQUIV-005"))
def ends_forced_calls_with_stop(reply: Reply, call: Call) -> Reply:
    """Gives the reason `stop` for a call that was forced (CC-FIN-006)."""
    if asked(call, "tool_choice") in (None, "auto", "none"):
        return reply
    if reply.events is not None:
        end = setting(finish_reason="stop")
        return replace(reply, events=tuple(each_choice(reply.events, end, is_finish)))
    return choice(reply, setting(finish_reason="stop"))


@dialect(seam="events", model=THINKER, only=(*REPLIES, *STREAMS))
def empties_its_reasoning(events: list[Item], call: Call) -> list[Item]:
    """Sends an empty `reasoning` with everything that is no thought."""
    return each_delta(events, lambda delta: delta.setdefault("reasoning", ""))


@dialect(seam="request", only=(*REPLIES, *STREAMS), profile="")
def streams_nothing_at_all(call: Call) -> Call | Reply:
    """Refuses `stream` by name."""
    return bad_parameter("stream") if asked(call, "stream") else call
