"""Faults by which replies never come whole: the connection ends within them, or before them."""

from __future__ import annotations

from conformance.reference.call import Call, Cut, Piece
from conformance.reference.faults.registry import fault


def _begun(pieces: list[Piece]) -> list[Piece]:
    """The head of a reply and the half of what follows: of its body, or of its chunks."""
    first, *rest = (piece for piece in pieces if isinstance(piece, bytes))
    if rest:
        return [first, *rest[: len(rest) // 2]]
    end = first.index(b"\r\n\r\n") + 4
    return [first[: end + (len(first) - end) // 2]]


def _streams(pieces: list[Piece], call: Call) -> bool:
    """Whether this is a stream, rather than the refusal of one."""
    first = pieces[0]
    return call.asks_stream and isinstance(first, bytes) and first.startswith(b"HTTP/1.1 200")


def _offers_tools(pieces: list[Piece], call: Call) -> bool:
    return _streams(pieces, call) and bool((call.json or {}).get("tools"))


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def resets_within_every_answer(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection in the middle of every reply to a chat call."""
    return [*_begun(pieces), Cut.RESET] if call.chat else pieces


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def closes_within_every_answer(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes the connection in the middle of every reply to a chat call."""
    return [*_begun(pieces), Cut.CLOSE] if call.chat else pieces


@fault(breaks={"CC-HTTP-001"}, seam="bytes")
def resets_instead_of_answering(pieces: list[Piece], call: Call) -> list[Piece]:
    """Reads every chat call and resets the connection, though it lists its models."""
    return [Cut.RESET] if call.chat else pieces


@fault(breaks={"CC-HTTP-001"}, seam="bytes")
def closes_instead_of_answering(pieces: list[Piece], call: Call) -> list[Piece]:
    """Reads every chat call and closes the connection, though it lists its models."""
    return [Cut.CLOSE] if call.chat else pieces


@fault(breaks={"CC-HTTP-001"}, seam="bytes")
def answers_without_a_status_line(pieces: list[Piece], call: Call) -> list[Piece]:
    """Answers every chat call by the body alone, as HTTP/0.9 did."""
    if not call.chat:
        return pieces
    octets = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return [octets.partition(b"\r\n\r\n")[2], Cut.CLOSE]


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def answers_in_another_protocol(pieces: list[Piece], call: Call) -> list[Piece]:
    """Begins every reply to a chat call with `ICY`, as servers of radio streams did."""
    first = pieces[0]
    if not call.chat or not isinstance(first, bytes):
        return pieces
    return [first.replace(b"HTTP/1.1", b"ICY", 1), *pieces[1:]]


@fault(breaks={"CC-HTTP-017", "CC-SSE-001"}, seam="bytes")
def resets_instead_of_streaming(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection in the place of a stream."""
    return [Cut.RESET] if _streams(pieces, call) else pieces


@fault(breaks={"CC-HTTP-009", "CC-HTTP-017", "CC-SSE-001"}, seam="bytes")
def resets_within_every_stream(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection in the middle of every stream."""
    return [*_begun(pieces), Cut.RESET] if _streams(pieces, call) else pieces


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def closes_within_streams_that_offer_tools(pieces: list[Piece], call: Call) -> list[Piece]:
    """Closes the connection in the middle of a stream whose request offers tools."""
    return [*_begun(pieces), Cut.CLOSE] if _offers_tools(pieces, call) else pieces


@fault(breaks={"CC-SSE-001"}, seam="bytes")
def resets_streams_that_offer_tools(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection in the place of a stream whose request offers tools."""
    return [Cut.RESET] if _offers_tools(pieces, call) else pieces
