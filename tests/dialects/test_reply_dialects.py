"""Dialects of replies, of errors, and of both modes alike: right servers, blamed for nothing.

Those of streams alone are in ``test_stream_dialects.py``, those of requests, keys, models and HTTP
in ``test_request_dialects.py``.
"""

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from conformance.reference.call import Call, Cut, Item, Piece, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    completion,
    each_delta,
    each_item,
    given,
    has_text,
    is_error,
    is_object,
    message,
    place,
    prompted,
    setting,
    without,
)
from conformance.reference.wire import spelled

from .dialect import (
    FAILS,
    REPLIES,
    STREAMS,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow


# Replies.


@dialect(
    seam="request",
    only=(*REPLIES, *STREAMS),
    undecided=("CC-USAGE-005", "CC-USAGE-009", "CC-FIN-003", "CC-FIN-008"),
)
def cannot_finish_in_a_few_tokens(call: Call) -> Call | Reply:
    """Refuses small bounds, as reasoning models do."""
    bound = asked(call, "max_tokens") or asked(call, "max_completion_tokens")
    if not isinstance(bound, int) or not 0 < bound <= 32:
        return call
    message = "Could not finish the message because max_tokens or model output limit was reached."
    return refusal(400, message)


@dialect(seam="reply", undecided=("CC-MSG-010",), only=REPLIES)
def refuses_to_greet(reply: Reply, call: Call) -> Reply:
    """Answers a greeting with a refusal: content is null."""
    if not prompted(call, "Say h"):
        return reply
    if reply.events is None:
        return message(reply, setting(content=None, refusal="I can't help with that."))

    def refuse(delta: dict[str, Any]) -> None:
        delta["refusal"] = delta.pop("content")

    return replace(reply, events=tuple(each_delta(reply.events, refuse, has_text)))


@dialect(
    seam="reply",
    undecided=("CC-MSG-012", "CC-SSE-020", "CC-EQUIV-008"),
    only=(*REPLIES, "CC-SSE-020"),
)
def writes_replacement_characters_itself(reply: Reply, call: Call) -> Reply:
    """Is a model that repeats nothing, and whose own text holds U+FFFD."""
    if not prompted(call, "Repeat"):
        return reply
    if reply.events is None:
        return message(reply, setting(content="No \ufffd here \ufffd."))
    return replace(reply, events=tuple(each_delta(reply.events, _mumble, has_text)))


def _mumble(delta: dict[str, Any]) -> None:
    delta["content"] = "No \ufffd"


@dialect(seam="events", undecided=("CC-EQUIV-008",), only=("CC-EQUIV",))
def words_it_differently_each_time(events: list[Item], call: Call) -> list[Item]:
    """Is a model that adds a few words to what it was asked to repeat, in streams."""
    if not prompted(call, "Repeat"):
        return events
    at = place(events, has_text)
    return each_delta(events[: at + 1], setting(content="Sure! "), has_text) + events[at + 1 :]


@dialect(seam="reply", only=("CC-RESP", "CC-MSG"))
def has_no_clock(reply: Reply, call: Call) -> Reply:
    """Sends a Date that nobody can read."""
    return reply.having(("Date", "0"))


@dialect(
    seam="request",
    undecided=("CC-EQUIV-005", "CC-FIN-005", "CC-FIN-008"),
    only=(*REPLIES, *STREAMS),
)
def calls_no_tool(call: Call) -> Call | Reply:
    """Is a model that is offered tools and never calls one."""
    return given(call, tool_choice="none") if asked(call, "tools") else call


@dialect(
    seam="request",
    undecided=(
        *("CC-MSG-010", "CC-MSG-012", "CC-FIN-004", "CC-FIN-008"),
        *("CC-SSE-021", "CC-EQUIV-005", "CC-EQUIV-008"),
    ),
    only=(*REPLIES, *STREAMS),
)
def caps_every_answer(call: Call) -> Call | Reply:
    """Writes a few tokens at most, whatever the bound, and says that it was cut."""
    bound = asked(call, "max_tokens") or asked(call, "max_completion_tokens") or CAP
    if not call.chat or not isinstance(bound, int) or bound < CAP:
        return call
    return given(without(call, "max_tokens"), max_completion_tokens=CAP)


CAP = 3
"""Output tokens of the dialect that caps every answer."""


# Errors.


@dialect(seam="reply", warns=("CC-ERR-012",), only=("CC-ERR", "CC-SERR"))
def adds_detail_to_the_envelope(reply: Reply, call: Call) -> Reply:
    """Answers 422 with the envelope, and FastAPI's detail beside it."""
    if reply.status != 400 or not isinstance(reply.body, dict):
        return reply
    return replace(reply, status=422, body={**reply.body, "detail": [{"loc": ["body"]}]})


@dialect(seam="bytes", profile=FAILS, only=(*REPLIES, *STREAMS))
def cuts_a_stream_that_fails(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection where a stream fails, instead of an error event."""
    failing = call.asks_stream and prompted(call, "Fail in")
    return [*pieces[:-2], Cut.RESET] if failing else pieces


@dialect(seam="bytes", profile=FAILS, only=STREAMS)
def leaves_a_stream_that_fails(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes the connection before the zero chunk where a stream fails."""
    failing = call.asks_stream and prompted(call, "Fail in")
    return [*pieces[:-2], Cut.CLOSE] if failing else pieces


@dialect(seam="events", profile=FAILS, only=STREAMS)
def fails_after_a_keep_alive(events: list[Item], call: Call) -> list[Item]:
    """Keeps a call alive by comments until it fails: an event is all that can tell of it then."""
    return [": waiting\n\n", events[-1]] if is_error(events[-1]) else events


@dialect(seam="events", profile=FAILS, only=STREAMS)
def announces_its_errors(events: list[Item], call: Call) -> list[Item]:
    """Names the event of an error, and ends the stream with [DONE] all the same."""
    if not is_error(events[-1]):
        return events
    return [*events[:-1], b"event: error\n" + spelled(events[-1]), "data: [DONE]\n\n"]


# Both modes.


@dialect(seam="reply", warns=("CC-RESP-001",), only=(*REPLIES, *STREAMS))
def replays_calls_in_either_mode(reply: Reply, call: Call) -> Reply:
    """Caches the answers to offers of tools, ids and all, and replays them streamed or whole."""
    body = call.json or {}
    if not reply.ok or not body.get("tools"):
        return reply
    asked_for = {name: value for name, value in body.items() if not name.startswith("stream")}
    own = setting(id=f"chatcmpl-{zlib.crc32(json.dumps(asked_for).encode())}")
    if reply.events is None:
        return completion(reply, own)
    return replace(reply, events=tuple(each_item(reply.events, own, is_object)))


@dialect(seam="reply", only=(*REPLIES, "CC-SAMP"))
def lists_its_last_choice_first(reply: Reply, call: Call) -> Reply:
    """Lists several choices in another order than that of their indices."""
    return completion(reply, lambda body: body["choices"].reverse())
