"""Faults of streaming framing (CC-SSE)."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

from conformance.reference.call import DONE, Call, Item, Reply
from conformance.reference.faults import timing
from conformance.reference.faults.edits import (
    asked,
    each_delta,
    each_item,
    has_text,
    inserted,
    is_chunk,
    is_finish,
    middle,
    place,
    prompted,
    setting,
    text_of,
)
from conformance.reference.faults.registry import fault
from conformance.reference.wire import spelled

BOM = b"\xef\xbb\xbf"


def _json(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))


@fault(breaks={"CC-SSE-001"}, seam="reply")
def calls_a_stream_json(reply: Reply, call: Call) -> Reply:
    """Labels a stream application/json."""
    return reply.having(("Content-Type", "application/json")) if reply.events is not None else reply


@fault(breaks={"CC-SSE-001"}, seam="reply")
def streams_with_status_201(reply: Reply, call: Call) -> Reply:
    """Answers a streamed call with status 201."""
    return replace(reply, status=201) if reply.events is not None else reply


@fault(breaks={"CC-SSE-002"}, seam="events")
def sends_bytes_that_are_no_utf8(events: list[Item], call: Call) -> list[Item]:
    """Sends a byte in a comment that UTF-8 does not know."""
    return inserted(events, middle(events), b": \xff\n\n")


@fault(breaks={"CC-SSE-003"}, seam="events")
def leaks_a_bare_document(events: list[Item], call: Call) -> list[Item]:
    """Writes a JSON document on a line of its own, outside of any field."""
    return inserted(events, middle(events), '{"status":"ok"}\n\n')


@fault(breaks={"CC-SSE-003", "CC-SSE-012"}, seam="events")
def streams_nan(events: list[Item], call: Call) -> list[Item]:
    """Writes a member whose value is NaN into a chunk."""
    return each_item(events, lambda item: item.update(score=float("nan")), is_finish)


@fault(
    breaks={"CC-SSE-003", *(f"CC-SDK-{number:03}" for number in (2, 3, 4, 5, 6, 7, 13))},
    seam="events",
)
def streams_an_array(events: list[Item], call: Call) -> list[Item]:
    """Wraps a chunk in an array."""
    at = place(events, has_text)
    return [
        f"data: [{_json(item)}]\n\n" if i == at and isinstance(item, dict) else item
        for i, item in enumerate(events)
    ]


@fault(breaks={"CC-SSE-003", "CC-SSE-004", "CC-SSE-010", "CC-SSE-012"}, seam="events")
def forgets_a_blank_line(events: list[Item], call: Call) -> list[Item]:
    """Ends a chunk in the middle with one newline only."""
    at = place(events, has_text)
    return [
        f"data: {_json(item)}\n" if i == at and isinstance(item, dict) else item
        for i, item in enumerate(events)
    ]


@fault(breaks={"CC-SSE-005"}, seam="events")
def never_says_done(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream without [DONE]."""
    return [item for item in events if item != DONE]


@fault(breaks={"CC-SSE-003", "CC-SSE-005", "CC-SSE-012"}, seam="events")
def says_done_in_lower_case(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with [done]."""
    return [DONE.lower() if item == DONE else item for item in events]


@fault(breaks={"CC-SSE-003", "CC-SSE-005", "CC-SSE-012"}, seam="events")
def says_done_behind_two_blanks(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with a blank too many before [DONE]."""
    return ["data:  [DONE]\n\n" if item == DONE else item for item in events]


@fault(breaks={"CC-SSE-005", "CC-SSE-006"}, seam="events")
def talks_after_done(events: list[Item], call: Call) -> list[Item]:
    """Sends one more object after [DONE]."""
    first = events[0]
    if DONE not in events or not isinstance(first, dict):
        return events
    return [*events, {**first, "choices": []}]


@fault(breaks={"CC-SSE-007"}, seam="clock")
def holds_the_stream_open(pauses: list[float], call: Call) -> list[float]:
    """Keeps the body of a short stream open long after [DONE]."""
    plainest = set(call.json or ()) <= {"model", "messages", "stream", "max_tokens"}
    short = timing.streams(pauses, call) and prompted(call, "Say h")
    return [*pauses[:-1], timing.PATIENCE] if plainest and short else pauses


@fault(breaks={"CC-SSE-008"}, seam="events")
def ends_lines_with_crlf(events: list[Item], call: Call) -> list[Item]:
    """Ends lines with CRLF."""
    return [spelled(item).replace(b"\n", b"\r\n") for item in events]


@fault(breaks={"CC-SSE-009"}, seam="events")
def leaves_no_blank_after_the_colon(events: list[Item], call: Call) -> list[Item]:
    """Writes `data:{…}` without the space."""
    return [b"data:" + spelled(item).removeprefix(b"data: ") for item in events]


@fault(breaks={"CC-SSE-010"}, seam="events")
def prints_json_prettily(events: list[Item], call: Call) -> list[Item]:
    """Spreads a chunk over several data lines."""
    return [
        "".join(f"data: {line}\n" for line in json.dumps(item, indent=1).splitlines()) + "\n"
        if isinstance(item, dict)
        else item
        for item in events
    ]


@fault(breaks={"CC-SSE-003", "CC-SSE-012"}, seam="events")
def keeps_alive_with_a_word(events: list[Item], call: Call) -> list[Item]:
    """Sends `data: ping` to keep the connection alive."""
    return inserted(events, middle(events), "data: ping\n\n")


@fault(breaks={"CC-SSE-003", "CC-SSE-012"}, seam="events")
def keeps_alive_with_empty_data(events: list[Item], call: Call) -> list[Item]:
    """Sends an empty `data:` to keep the connection alive."""
    return inserted(events, middle(events), "data: \n\n")


@fault(breaks={"CC-SSE-013"}, seam="events")
def begins_with_retry_alone(events: list[Item], call: Call) -> list[Item]:
    """Sends a block that holds nothing but `retry:`."""
    return inserted(events, 0, "retry: 3000\n\n")


@fault(breaks={"CC-SSE-013", "CC-SSE-015"}, seam="events")
def names_an_event_without_data(events: list[Item], call: Call) -> list[Item]:
    """Sends a block that holds nothing but `event: keepalive`."""
    return inserted(events, middle(events), "event: keepalive\n\n")


@fault(breaks={"CC-SSE-014"}, seam="events")
def numbers_its_events(events: list[Item], call: Call) -> list[Item]:
    """Sends `id:` with every event, and a comment block between two of them."""
    numbered: list[Item] = [b"id: %d\n" % i + spelled(item) for i, item in enumerate(events)]
    return inserted(numbered, middle(numbered), ": keep-alive\n\n")


@fault(breaks={"CC-SSE-015"}, seam="events")
def names_its_events(events: list[Item], call: Call) -> list[Item]:
    """Names every event `chunk`."""
    return [b"event: chunk\n" + spelled(item) for item in events]


@fault(breaks={"CC-SSE-016"}, seam="events")
def pings_in_json(events: list[Item], call: Call) -> list[Item]:
    """Sends an object that is neither a chunk nor an error."""
    return inserted(events, middle(events), 'data: {"type":"ping"}\n\n')


@fault(breaks={"CC-SSE-017"}, seam="events")
def begins_a_stream_with_a_byte_order_mark(events: list[Item], call: Call) -> list[Item]:
    """Begins a stream with a UTF-8 byte-order mark."""
    return inserted(events, 0, BOM)


@fault(breaks={"CC-SSE-005", "CC-SSE-006", "CC-SSE-018"}, seam="events")
def leaves_an_event_unterminated(events: list[Item], call: Call) -> list[Item]:
    """Ends the body with a chunk that no blank line ends."""
    first = events[0]
    if DONE not in events or not isinstance(first, dict):
        return events
    return [*events, f"data: {_json({**first, 'choices': []})}\n"]


@fault(breaks={"CC-SSE-005", "CC-SSE-018"}, seam="events")
def forgets_the_last_blank_line(events: list[Item], call: Call) -> list[Item]:
    """Ends the body right behind the last chunk: no blank line, no [DONE]."""
    last = events[-2] if DONE in events else events[-1]
    return [*events[:-2], f"data: {_json(last)}\n"] if isinstance(last, dict) else events


def _beyond_ascii(text: str) -> bool:
    return any(ord(letter) > 0xFFFF for letter in text)


def _split(events: list[Item], *halves: str) -> list[Item]:
    """The stream with every emoji told in two deltas; `halves` are JSON strings' insides."""
    told: list[Item] = []
    for item in events:
        text = text_of(item)
        if not _beyond_ascii(text):
            told.append(item)
            continue
        escaped = json.dumps(text)[1:-1]
        for half in halves or (escaped[:6], escaped[6:]):
            spelling = json.dumps(item, separators=(",", ":")).replace(escaped, half)
            told.append(f"data: {spelling}\n\n")
    return told


@fault(breaks={"CC-EQUIV-008", "CC-SSE-020"}, seam="events")
def splits_surrogate_pairs(events: list[Item], call: Call) -> list[Item]:
    """Sends the halves of a surrogate pair in two deltas."""
    return _split(events)


@fault(breaks={"CC-EQUIV-008", "CC-SSE-020"}, seam="events")
def replaces_half_characters(events: list[Item], call: Call) -> list[Item]:
    """Decodes the bytes of each token alone, so that an emoji becomes U+FFFD twice."""
    return _split(events, "\\ufffd", "\\ufffd")


@fault(breaks={"CC-SSE-021"}, seam="clock")
def buffers_a_stream_behind_its_headers(pauses: list[float], call: Call) -> list[float]:
    """Sends the headers of a long stream at once, and its body when it is complete."""
    if not timing.is_long(pauses):
        return pauses
    return [0.0, 1.5 * timing.PATIENCE, *(0.0 for _ in pauses[2:])]


@fault(breaks={"CC-SSE-022"}, seam="reply")
def compresses_a_stream_whole(reply: Reply, call: Call) -> Reply:
    """Compresses a stream without flushing, so that it arrives at its end."""
    accepted = "gzip" in "".join(call.values("accept-encoding"))
    if reply.events is None or not accepted:
        return reply
    whole: Item = gzip.compress(b"".join(map(spelled, reply.events)))
    return replace(reply.having(("Content-Encoding", "gzip")), events=(whole,))


@fault(breaks={"CC-SSE-023"}, seam="reply")
def lets_streams_be_cached(reply: Reply, call: Call) -> Reply:
    """Sends a stream without Cache-Control."""
    return reply.lacking("Cache-Control") if reply.events is not None else reply


@fault(breaks={"CC-SSE-024", "CC-STREAM-012", "CC-EQUIV-001"}, seam="events")
def ends_without_a_reason(events: list[Item], call: Call) -> list[Item]:
    """Leaves the finishing chunk out and says [DONE] all the same."""
    return events if asked(call, "tools") else [e for e in events if not is_finish(e)]


@fault(breaks={"CC-EQUIV-001", "CC-SSE-005", "CC-SSE-024", "CC-STREAM-012"}, seam="events")
def breaks_off_cleanly(events: list[Item], call: Call) -> list[Item]:
    """Ends the body in the middle of the answer as if that were all."""
    return events if asked(call, "tools") else events[: place(events, is_finish)]


@fault(breaks={"CC-SSE-025"}, seam="clock")
def stays_silent(pauses: list[float], call: Call) -> list[float]:
    """Says nothing for a long time before the first token, where usage was asked for."""
    late = [pauses[0], 3 * timing.PATIENCE, *pauses[2:]]
    return late if call.asks_usage and timing.streams(pauses, call) else pauses


@fault(breaks={"CC-SSE-026"}, seam="events")
def says_done_twice(events: list[Item], call: Call) -> list[Item]:
    """Sends [DONE] twice."""
    return [*events, DONE] if DONE in events else events


@fault(breaks={"CC-SSE-026"}, seam="events")
def leaves_done_unterminated(events: list[Item], call: Call) -> list[Item]:
    """Ends the body right behind [DONE], without a blank line."""
    return ["data: [DONE]\n" if item == DONE else item for item in events]


@fault(breaks={"CC-STREAM-029"}, seam="events")
def stutters(events: list[Item], call: Call) -> list[Item]:
    """Sends an empty delta after every piece of text."""
    told: list[Item] = []
    for item in events:
        told.append(item)
        if has_text(item) and isinstance(item, dict):
            idle = {**item["choices"][0], "delta": {}, "logprobs": None}
            told.append({**item, "choices": [idle]})
    return told


@fault(breaks={"CC-EQUIV-001", "CC-SERR-001", "CC-SSE-024", "CC-STREAM-016"}, seam="events")
def streams_nothing(events: list[Item], call: Call) -> list[Item]:
    """Sends [DONE] and nothing else."""
    return [item for item in events if not is_chunk(item)]


@fault(breaks={"CC-SSE-021"}, seam="events")
def tells_all_at_once(events: list[Item], call: Call) -> list[Item]:
    """Sends comments while the answer is made, and then all of it in one delta."""
    spoken = [item for item in events if has_text(item)]
    if len(spoken) < 100:
        return events
    whole = each_delta(spoken[-1:], setting(content="".join(map(text_of, spoken))))
    comments: list[Item] = [": working\n\n"] * 1000
    at = place(events, has_text)
    rest = [item for item in events[at:] if not has_text(item)]
    return [*events[:at], *comments, *whole, *rest]


@fault(breaks={"CC-SSE-002", "CC-SSE-020"}, seam="events")
def splits_bytes_between_deltas(events: list[Item], call: Call) -> list[Item]:
    """Sends the bytes of an emoji in two deltas, as its tokens have them."""
    told: list[Item] = []
    for item in events:
        text = text_of(item)
        if not _beyond_ascii(text):
            told.append(item)
            continue
        octets = text.encode()
        told += [spelled(item).replace(octets, half) for half in (octets[:2], octets[2:])]
    return told
