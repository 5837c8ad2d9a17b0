"""Ways of writing: how JSON, events and messages are spelled, and where their bytes are split.

The law: whoever reads the bytes by RFC 8259, WHATWG HTML §9.2 and RFC 9112 reads the same thing.

Theory. First the JSON becomes bytes, an event an item; then lines are added and changed; last the
message as a whole. `Message` is how that is taken apart and put together again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.call import DONE, Call, Item, Reply
from conformance.reference.faults.edits import is_error
from conformance.reference.wire import document, spelled

from .axes import together, way
from .ways_of_sequence import stream

# Failures.


@way("failure")
def announces_its_failure(reply: Reply, call: Call) -> Reply:
    """Names the event of an error, and ends the stream with [DONE] all the same."""

    def tell(events: list[Item]) -> list[Item]:
        if not is_error(events[-1]):
            return events
        return [*events[:-1], b"event: error\n" + spelled(events[-1]), DONE]

    return stream(reply, tell)


# JSON.


def _dumped(reply: Reply, **style: Any) -> Reply:
    """The reply with its JSON written in another style."""
    if reply.events is not None:
        events = [
            f"data: {json.dumps(e, **style)}\n\n" if isinstance(e, dict) else e
            for e in reply.events
        ]
        return replace(reply, events=tuple(events))
    return _written(reply, json.dumps(reply.body, **style).encode())


def _written(reply: Reply, content: bytes) -> Reply:
    """The document with other bytes; what is none (204) stays as it is."""
    if reply.content is not None and reply.body is None:
        return reply
    return replace(reply.having(("Content-Type", "application/json")), content=content)


@way("json")
def spaces_its_json(reply: Reply, call: Call) -> Reply:
    """Writes a space after each comma and colon."""
    return _dumped(reply, ensure_ascii=False)


@way("json")
def escapes_its_json(reply: Reply, call: Call) -> Reply:
    """Writes JSON in ASCII: an emoji is a pair of escapes."""
    return _dumped(reply)


@way("json")
def indents_its_documents(reply: Reply, call: Call) -> Reply:
    """Writes documents over many lines, keys in order."""
    indented = {"indent": 4, "sort_keys": True} if reply.events is None else {"sort_keys": True}
    return _dumped(reply, ensure_ascii=False, **indented)


@way("padding")
def pads_its_documents(reply: Reply, call: Call) -> Reply:
    """Writes blanks before a document, to keep the connection warm, and a newline after it."""
    if reply.events is not None:
        return reply
    return _written(reply, b" \n" * 20 + document(reply) + b"\r\n")


# Events.


def _lines(reply: Reply, edit: Callable[[bytes], bytes]) -> Reply:
    """The stream with the bytes of every item changed by `edit`."""
    return stream(reply, lambda events: [edit(spelled(item)) for item in events])


@way("data", warns=("CC-SSE-009",))
def writes_data_without_a_space(reply: Reply, call: Call) -> Reply:
    """Writes `data:` without the space."""
    return _lines(reply, lambda item: item.replace(b"data: ", b"data:", 1))


@way("fields")
def names_its_events_message(reply: Reply, call: Call) -> Reply:
    """Writes `event: message` above each data line."""
    return _lines(reply, lambda item: b"event: message\n" + item)


@way("fields")
def says_when_to_retry(reply: Reply, call: Call) -> Reply:
    """Writes `retry:` and a field of its own with each event."""
    return _lines(reply, lambda item: b"retry: 3000\nx-worker: 7\n" + item)


@way("fields")
def numbers_its_events(reply: Reply, call: Call) -> Reply:
    """Writes an `id:` below each data line."""

    def tell(events: list[Item]) -> list[Item]:
        return [spelled(e)[:-1] + b"id: %d\n\n" % i for i, e in enumerate(events, 1)]

    return stream(reply, tell)


@way("comments")
def comments_between_its_events(reply: Reply, call: Call) -> Reply:
    """Keeps the connection alive by a comment before each event and after the last."""

    def tell(events: list[Item]) -> list[Item]:
        told = [piece for item in events for piece in (": keep-alive\n\n", item)]
        return [*told, ":\n\n"]

    return stream(reply, tell)


@way("comments")
def comments_within_its_events(reply: Reply, call: Call) -> Reply:
    """Writes comments above and below each data line, without a blank between."""
    return _lines(reply, lambda item: b": OPENROUTER PROCESSING\n" + item[:-1] + b":data: {}\n\n")


@way("comments")
def waits_by_comments(reply: Reply, call: Call) -> Reply:
    """Floods the stream with comments and blank lines before its first event."""
    return stream(reply, lambda events: ["\n: waiting\n\n: waiting\n:\n\n\n" * 8, *events])


together("numbers_its_events", "comments_between_its_events", "CC-SSE-014")


@way("done")
def adds_blank_lines(reply: Reply, call: Call) -> Reply:
    """Writes blank lines after every event, and more after [DONE]."""
    return _lines(reply, lambda item: item + (b"\n\n\n" if b"[DONE]" in item else b"\n"))


@way("done", warns=("CC-SSE-026",))
def ends_without_a_blank_line(reply: Reply, call: Call) -> Reply:
    """Ends the body right after [DONE]."""

    def tell(events: list[Item]) -> list[Item]:
        at = next((i for i, e in enumerate(events) if b"[DONE]" in spelled(e)), None)
        if at is None:
            return events
        return [*events[:at], spelled(events[at]).partition(b"[DONE]")[0] + b"[DONE]"]

    return stream(reply, tell)


@way("line ends", warns=("CC-SSE-008",))
def ends_lines_with_crlf_too(reply: Reply, call: Call) -> Reply:
    """Ends lines with CRLF, as Azure does."""
    return _lines(reply, lambda item: item.replace(b"\n", b"\r\n"))


@way("line ends", warns=("CC-SSE-008",))
def ends_lines_with_cr(reply: Reply, call: Call) -> Reply:
    """Ends lines with CR alone."""
    return _lines(reply, lambda item: item.replace(b"\n", b"\r"))


# Content coding.


@way("coding")
def compresses_where_it_may(reply: Reply, call: Call) -> Reply:
    """Compresses documents and streams where gzip is offered, and flushes after each event."""
    if "gzip" not in ",".join(call.values("accept-encoding")) or call.method == "HEAD":
        return reply
    squeeze = zlib.compressobj(wbits=31)

    def squeezed(item: Item) -> bytes:
        return squeeze.compress(spelled(item)) + squeeze.flush(zlib.Z_SYNC_FLUSH)

    coded = reply.having(("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    if reply.events is not None:
        return stream(coded, lambda events: [*map(squeezed, events), squeeze.flush()])
    return _written(coded, squeeze.compress(document(reply)) + squeeze.flush())
