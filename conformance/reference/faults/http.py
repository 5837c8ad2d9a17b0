"""Faults of replies: one JSON document or one event stream, framed as HTTP says (CC-HTTP)."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

from conformance.reference.call import Call, Cut, Piece, Reply, refusal
from conformance.reference.faults import timing
from conformance.reference.faults.edits import completion, given
from conformance.reference.faults.registry import fault
from conformance.reference.wire import document, spelled

BOM = b"\xef\xbb\xbf"


def _plain(reply: Reply, call: Call) -> bool:
    """Whether this is a successful chat reply that is not a stream."""
    return reply.ok and call.chat and reply.events is None


@fault(breaks={"CC-HTTP-001", "CC-RESP-004"}, seam="reply")
def answers_without_choices(reply: Reply, call: Call) -> Reply:
    """Answers with an object that has no choices, as another API would."""
    offered = "tools" in (call.json or {})
    return reply if offered else completion(reply, lambda body: body.pop("choices"))


@fault(breaks={"CC-HTTP-002"}, seam="reply")
def answers_with_a_list(reply: Reply, call: Call) -> Reply:
    """Wraps the completion in an array."""
    return replace(reply, body=[reply.body]) if _plain(reply, call) else reply


@fault(breaks={"CC-HTTP-002"}, seam="reply")
def writes_nan_as_a_number(reply: Reply, call: Call) -> Reply:
    """Writes a member whose value is NaN, which is no JSON."""
    return completion(reply, lambda body: body.update(score=float("nan")))


@fault(breaks={"CC-HTTP-003"}, seam="reply")
def says_text_plain(reply: Reply, call: Call) -> Reply:
    """Labels the completion text/plain."""
    return reply.having(("Content-Type", "text/plain")) if _plain(reply, call) else reply


@fault(breaks={"CC-HTTP-004"}, seam="request")
def streams_where_stream_is_null(call: Call) -> Call | Reply:
    """Takes `stream: null` for true."""
    body = call.json or {}
    return given(call, stream=True) if "stream" in body and body["stream"] is None else call


@fault(breaks={"CC-HTTP-005"}, seam="request")
def streams_because_of_the_accept_header(call: Call) -> Call | Reply:
    """Streams wherever Accept names text/event-stream, though the body says false."""
    wanted = "text/event-stream" in ",".join(call.values("accept"))
    return given(call, stream=True) if call.chat and call.json and wanted else call


@fault(breaks={"CC-HTTP-005"}, seam="request")
def streams_only_where_something_is_accepted(call: Call) -> Call | Reply:
    """Answers `stream: true` with JSON where no Accept header was sent."""
    return given(call, stream=False) if call.asks_stream and not call.values("accept") else call


@fault(breaks={"CC-HTTP-005"}, seam="request")
def takes_accept_json_at_its_word(call: Call) -> Call | Reply:
    """Answers `stream: true` with JSON where Accept says application/json, as the SDKs do."""
    wanted = call.values("accept") == ["application/json"]
    return given(call, stream=False) if call.asks_stream and wanted else call


@fault(breaks={"CC-HTTP-005"}, seam="request")
def says_406_to_a_wish_for_events(call: Call) -> Call | Reply:
    """Refuses a plain call whose Accept names text/event-stream alone."""
    wished = call.values("accept") == ["text/event-stream"]
    return (
        refusal(406, "Not acceptable.") if call.chat and wished and not call.asks_stream else call
    )


@fault(breaks={"CC-HTTP-006"}, seam="reply")
def appends_done_to_json(reply: Reply, call: Call) -> Reply:
    """Writes the terminator of a stream behind a plain completion."""
    if not _plain(reply, call):
        return reply
    content = document(reply) + b"\n\ndata: [DONE]\n\n"
    return replace(reply.having(("Content-Type", "application/json")), content=content)


@fault(breaks={"CC-HTTP-007"}, seam="reply")
def begins_json_with_a_byte_order_mark(reply: Reply, call: Call) -> Reply:
    """Begins the completion with a UTF-8 byte-order mark."""
    if not _plain(reply, call):
        return reply
    marked = reply.having(("Content-Type", "application/json"))
    return replace(marked, content=BOM + document(reply))


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def sends_length_and_chunks_at_once(pieces: list[Piece], call: Call) -> list[Piece]:
    """Sends Content-Length beside a chunked body."""
    if not call.chat or call.asks_stream or not isinstance(pieces[0], bytes):
        return pieces
    top, _, content = pieces[0].partition(b"\r\n\r\n")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
    return [top + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + body, *pieces[1:]]


@fault(breaks={"CC-HTTP-009", "CC-HTTP-017"}, seam="bytes")
def ends_a_stream_without_the_zero_chunk(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes the connection instead of sending the zero chunk."""
    kept = [piece for piece in pieces if piece != b"0\r\n\r\n"]
    return [*kept, Cut.CLOSE] if len(kept) < len(pieces) else pieces


@fault(breaks={"CC-HTTP-009", "CC-HTTP-017"}, seam="bytes")
def writes_past_the_declared_end(pieces: list[Piece], call: Call) -> list[Piece]:
    """Sends one byte more than Content-Length says, behind the refusal of a broken body."""
    if not call.chat or call.json is not None or call.too_large:
        return pieces
    return [piece + b"\n" if isinstance(piece, bytes) else piece for piece in pieces]


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def cuts_refusals_of_parameters_short(pieces: list[Piece], call: Call) -> list[Piece]:
    """Declares more bytes than it sends where it refuses a temperature, and closes."""
    first = pieces[0]
    refused = isinstance(first, bytes) and first.startswith(b"HTTP/1.1 400")
    if not refused or (call.json or {}).get("temperature") != -0.1 or call.asks_stream:
        return pieces
    return [first[:-5] if isinstance(first, bytes) else first, Cut.CLOSE]


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def begins_streams_that_are_refused(pieces: list[Piece], call: Call) -> list[Piece]:
    """Sends the head of a stream, asks its provider, which refuses a parameter, and closes."""
    first = pieces[0]
    refused = isinstance(first, bytes) and first.startswith(b"HTTP/1.1 400")
    if not refused or not call.asks_stream or "x_unknown" not in (call.json or {}):
        return pieces
    label = b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked"
    return [b"HTTP/1.1 200 OK\r\n" + label + b"\r\n\r\n", Cut.CLOSE]


@fault(breaks={"CC-HTTP-017"}, seam="bytes")
def hangs_up_after_an_error(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes the connection after a 400 without having said so."""
    first = pieces[0]
    refused = isinstance(first, bytes) and first.startswith(b"HTTP/1.1 400")
    return [*pieces, Cut.CLOSE] if refused else pieces


def _zipped(reply: Reply, content: bytes, kind: str) -> Reply:
    labelled = reply.having(("Content-Type", kind), ("Content-Encoding", "gzip"))
    return replace(labelled, content=gzip.compress(content), events=None)


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def compresses_whatever_was_accepted(reply: Reply, call: Call) -> Reply:
    """Compresses completions with gzip, whatever Accept-Encoding says."""
    return _zipped(reply, document(reply), "application/json") if _plain(reply, call) else reply


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def compresses_refusals(reply: Reply, call: Call) -> Reply:
    """Compresses the refusals of chat calls with gzip, whatever Accept-Encoding says."""
    refused = call.chat and 400 <= reply.status < 500
    return _zipped(reply, document(reply), "application/json") if refused else reply


@fault(breaks={"CC-HTTP-018", "CC-SSE-022"}, seam="reply")
def compresses_streams(reply: Reply, call: Call) -> Reply:
    """Compresses streams with gzip, whatever Accept-Encoding says."""
    if reply.events is None:
        return reply
    return _zipped(reply, b"".join(map(spelled, reply.events)), "text/event-stream")


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def compresses_by_a_coding_nobody_asked_for(reply: Reply, call: Call) -> Reply:
    """Compresses with deflate where only gzip was accepted."""
    if not _plain(reply, call) or "gzip" not in "".join(call.values("accept-encoding")):
        return reply
    labelled = reply.having(("Content-Type", "application/json"), ("Content-Encoding", "deflate"))
    return replace(labelled, content=zlib.compress(document(reply)))


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def calls_plain_bytes_gzip(reply: Reply, call: Call) -> Reply:
    """Labels an uncompressed completion as gzip where gzip was accepted."""
    asked = "gzip" in "".join(call.values("accept-encoding"))
    return reply.having(("Content-Encoding", "gzip")) if _plain(reply, call) and asked else reply


@fault(breaks={"CC-HTTP-025", "CC-SSE-021"}, seam="clock")
def sends_a_stream_in_one_burst(pauses: list[float], call: Call) -> list[float]:
    """Sends head and body of a long stream together, when it is complete."""
    return [1.5 * timing.PATIENCE, *(0.0 for _ in pauses[1:])] if timing.is_long(pauses) else pauses
