"""Faults of errors, plain and in streams (CC-ERR, CC-SERR).

Law: most of these touch only errors about the parameters in ``edits.QUIET``, of which no other
entry asks for more than a status and the naming of the culprit, so that they break no more than
they declare.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.reference.call import DONE, Call, Item, Reply
from conformance.reference.faults import timing
from conformance.reference.faults.edits import (
    STREAM_ERROR,
    dropping,
    each_item,
    error,
    is_chunk,
    is_error,
    messages,
    place,
    quiet,
    setting,
)
from conformance.reference.faults.http import BOM
from conformance.reference.faults.http_requests import PAGE
from conformance.reference.faults.registry import fault
from conformance.reference.text import BREAKDOWN
from conformance.reference.wire import document


def _said(reply: Reply) -> str:
    text: str = reply.body["error"]["message"]
    return text


@fault(breaks={"CC-ERR-001"}, seam="reply")
def calls_an_error_text(reply: Reply, call: Call) -> Reply:
    """Labels an error text/plain."""
    return reply.having(("Content-Type", "text/plain")) if quiet(reply) else reply


@fault(breaks={"CC-SERR-001"}, seam="events")
def fails_at_once_in_a_stream(events: list[Item], call: Call) -> list[Item]:
    """Sends nothing but the error where a stream fails, under status 200, as llama.cpp did."""
    return [item for item in events if is_error(item)] or events


@fault(breaks={"CC-HTTP-007"}, seam="reply")
def begins_errors_with_a_byte_order_mark(reply: Reply, call: Call) -> Reply:
    """Puts a byte-order mark before every error, and before nothing else."""
    if not 400 <= reply.status < 500:
        return reply
    labelled = reply.having(("Content-Type", "application/json"))
    return replace(labelled, content=BOM + document(reply))


@fault(breaks={"CC-ERR-001"}, seam="reply")
def answers_an_error_in_html(reply: Reply, call: Call) -> Reply:
    """Answers with a web page."""
    if not quiet(reply):
        return reply
    return replace(reply.having(("Content-Type", "text/html")), content=PAGE)


@fault(breaks={"CC-ERR-001", "CC-ERR-002"}, seam="reply")
def puts_a_string_for_the_error(reply: Reply, call: Call) -> Reply:
    """Writes the message where the error object belongs."""
    return replace(reply, body={"error": _said(reply)}) if quiet(reply) else reply


@fault(breaks={"CC-ERR-001", "CC-ERR-003", "CC-SDK-008"}, seam="reply")
def answers_with_detail(reply: Reply, call: Call) -> Reply:
    """Answers as FastAPI does: `{"detail": …}`."""
    return replace(reply, body={"detail": _said(reply)}) if quiet(reply) else reply


@fault(breaks={"CC-ERR-001", "CC-ERR-004"}, seam="reply")
def flattens_the_envelope(reply: Reply, call: Call) -> Reply:
    """Answers as FastChat does: message and code at the top level."""
    flat = {"object": "error", "message": _said(reply), "code": 40302} if quiet(reply) else None
    return replace(reply, body=flat) if flat else reply


@fault(breaks={"CC-ERR-001", "CC-ERR-005"}, seam="reply")
def wraps_the_envelope(reply: Reply, call: Call) -> Reply:
    """Answers as Gemini does: the envelope in an array."""
    return replace(reply, body=[reply.body]) if quiet(reply) else reply


@fault(breaks={"CC-ERR-006"}, seam="reply")
def says_an_object(reply: Reply, call: Call) -> Reply:
    """Writes the message as an object."""
    return error(reply, setting(message={"text": _said(reply)})) if quiet(reply) else reply


@fault(breaks={"CC-ERR-007"}, seam="reply")
def leaves_the_type_null(reply: Reply, call: Call) -> Reply:
    """Writes null for the type, as litellm's proxy does."""
    return error(reply, setting(type=None)) if quiet(reply) else reply


@fault(breaks={"CC-ERR-008"}, seam="reply")
def writes_the_status_as_code(reply: Reply, call: Call) -> Reply:
    """Writes the status, a number, as code, as vLLM does."""
    return error(reply, setting(code=reply.status)) if quiet(reply) else reply


@fault(breaks={"CC-ERR-009"}, seam="reply")
def leaves_the_code_out(reply: Reply, call: Call) -> Reply:
    """Sends an error without code."""
    return error(reply, dropping("code")) if quiet(reply) else reply


@fault(breaks={"CC-ERR-010", "CC-REQ-026"}, seam="reply")
def says_409_to_a_bad_n(reply: Reply, call: Call) -> Reply:
    """Answers a bad `n` with a status that SDKs retry."""
    about = quiet(reply) and reply.body["error"]["param"] == "n"
    return replace(reply, status=409) if about else reply


@fault(breaks={"CC-ERR-010", "CC-REQ-032"}, seam="reply")
def crashes_on_a_bad_seed(reply: Reply, call: Call) -> Reply:
    """Answers a bad `seed` with 500."""
    about = quiet(reply) and reply.body["error"]["param"] == "seed"
    return replace(reply, status=500) if about else reply


@fault(breaks={"CC-ERR-011"}, seam="reply")
def names_errors_after_classes(reply: Reply, call: Call) -> Reply:
    """Writes `BadRequestError` for the type, as vLLM does."""
    return error(reply, setting(type="BadRequestError")) if quiet(reply) else reply


@fault(breaks={"CC-ERR-012"}, seam="reply")
def says_422(reply: Reply, call: Call) -> Reply:
    """Answers an invalid parameter with 422."""
    return replace(reply, status=422) if quiet(reply) else reply


@fault(breaks={"CC-HTTP-011"}, seam="request")
def crashes_in_html(call: Call) -> Call | Reply:
    """Answers another media type with 502 and a web page, as a proxy does."""
    if "json" in "".join(call.values("content-type")) or not call.chat:
        return call
    return Reply(502, content=PAGE, headers=(("Content-Type", "text/html"),))


@fault(breaks={"CC-ERR-017"}, seam="reply")
def never_says_the_same_twice(reply: Reply, call: Call) -> Reply:
    """Gives a call without messages another code each time."""
    lacking = reply.status == 400 and call.json is not None and "messages" not in call.json
    return error(reply, setting(code=f"e_{call.nonce[:8]}")) if lacking else reply


@fault(breaks={"CC-ERR-018"}, seam="reply")
def names_its_engine(reply: Reply, call: Call) -> Reply:
    """Says in an error to which machine behind it the call went."""
    seen = "http://10.12.0.7:8000/v1 answered: "
    return error(reply, setting(message=seen + _said(reply))) if quiet(reply) else reply


@fault(breaks={"CC-ERR-018"}, seam="reply")
def shows_its_traceback(reply: Reply, call: Call) -> Reply:
    """Shows its stack in the message."""
    trace = 'Traceback (most recent call last):\n  File "/usr/lib/python3/server.py", line 1'
    shown = setting(message=f"{_said(reply)} {trace}") if quiet(reply) else None
    return error(reply, shown) if shown else reply


@fault(breaks={"CC-REQ-043", "CC-SERR-001"}, seam="reply")
def streams_an_unknown_model(reply: Reply, call: Call) -> Reply:
    """Answers a streamed call of an unknown model with 200 and an error event."""
    if reply.status != 404 or not call.asks_stream:
        return reply
    return Reply(
        200,
        events=({"error": {**STREAM_ERROR, "code": "model_not_found"}},),
        headers=(("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")),
    )


@fault(breaks={"CC-SERR-002"}, seam="events")
def streams_half_an_error(events: list[Item], call: Call) -> list[Item]:
    """Sends an error event with a message and nothing else."""
    said = {"message": "The server had an error."}
    return each_item(events, setting(error=said), is_error)


@fault(breaks={"CC-SERR-002", "CC-SERR-003", "CC-SSE-016"}, seam="events")
def streams_an_error_as_a_string(events: list[Item], call: Call) -> list[Item]:
    """Sends an error event whose error is a string."""
    return each_item(events, setting(error="The server had an error."), is_error)


@fault(
    breaks={"CC-EQUIV-001", "CC-SERR-002", "CC-SERR-003", "CC-SSE-003", "CC-SSE-012"}, seam="events"
)
def streams_an_error_as_plain_text(events: list[Item], call: Call) -> list[Item]:
    """Sends an error as text in a data line."""
    return ["data: Internal error\n\n" if is_error(item) else item for item in events]


def _finish(events: list[Item], reason: str) -> Item:
    """A finishing chunk like the chunks of this stream."""
    chunk: Any = next(item for item in events if is_chunk(item))
    choice = {**chunk["choices"][0], "delta": {}, "finish_reason": reason}
    return {**chunk, "choices": [choice]}


@fault(breaks={"CC-SERR-004"}, seam="events")
def finishes_after_an_error(events: list[Item], call: Call) -> list[Item]:
    """Ends a failed stream with the reason `stop`."""
    return [*events, _finish(events, "stop"), DONE] if is_error(events[-1]) else events


@fault(breaks={"CC-SERR-005"}, seam="clock")
def lingers_after_an_error(pauses: list[float], call: Call) -> list[float]:
    """Keeps a failed stream open."""
    failed = any(str(one.get("content")).startswith(BREAKDOWN) for one in messages(call))
    return [*pauses[:-1], timing.PATIENCE] if failed and timing.streams(pauses, call) else pauses


@fault(breaks={"CC-SERR-002", "CC-SERR-004", "CC-SERR-006"}, seam="events")
def apologises_in_the_text(events: list[Item], call: Call) -> list[Item]:
    """Tells an error as text of the assistant and ends like a good stream."""
    at = place(events, is_error)
    if at == len(events):
        return events
    chunk: Any = next(item for item in events if is_chunk(item))
    text = {"content": "\n[ERROR] The server had an error while processing your request."}
    told = {**chunk, "choices": [{**chunk["choices"][0], "delta": text}]}
    return [*events[:at], told, _finish(events, "stop"), DONE]


@fault(breaks={"CC-SERR-007"}, seam="events")
def puts_choices_beside_a_stream_error(events: list[Item], call: Call) -> list[Item]:
    """Sends an error event that looks like a chunk."""
    at = place(events, is_error)
    chunk: Any = next((item for item in events if is_chunk(item)), None)
    if at == len(events) or chunk is None:
        return events
    return each_item(events, lambda item: item.update({**chunk, **item, "choices": []}), is_error)


@fault(breaks={"CC-ERR-015"}, seam="reply")
def answers_a_breakdown_in_html(reply: Reply, call: Call) -> Reply:
    """Answers a failure of its own with a web page."""
    if reply.status != 500:
        return reply
    return replace(reply.having(("Content-Type", "text/html")), content=PAGE)


@fault(breaks={"CC-ERR-010", "CC-ERR-015", "CC-REQ-032"}, seam="reply")
def crashes_on_a_bad_seed_in_html(reply: Reply, call: Call) -> Reply:
    """Answers a bad `seed` with 502 and a web page, as a proxy does when its server has died."""
    about = quiet(reply) and reply.body["error"]["param"] == "seed"
    broken = reply.having(("Content-Type", "text/html"))
    return replace(broken, status=502, content=PAGE) if about else reply
