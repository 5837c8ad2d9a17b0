"""What is fuzzed, as a table: each row reads any octets and checks what must hold of the reading.

Laws
----
* A row raises for nothing that octets can say; `AssertionError` is a bug that it has found.
* The same rows serve Hypothesis (`test_fuzz`, on every commit) and a coverage-guided fuzzer
  (`guided`, by hand): what one of them finds becomes a file of ``found/``, which every run replays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import httptools

from conformance.protocol import completion, errors, jsontext, models, sse
from conformance.protocol.facts import Facts
from conformance.protocol.finding import Finding
from conformance.protocol.http1 import read_responses
from conformance.protocol.stream import read_stream
from load import outcome
from load.decoding import decode
from load.exchange import Exchange, Reply
from tests.hostile.targets.wire import COMPLETION, LIST, STREAM

ALL: Final = Facts(
    n=2, include_usage=True, calls_allowed=True, functions=True, audio=True, logprobs=True
)
"""A request that allows everything."""


def _printable(findings: Iterable[Finding]) -> None:
    for finding in findings:
        assert finding.id.startswith("CC-")
        assert (finding.seen + finding.required).isprintable()
        assert len(finding.seen) < 300


def _cuts(octets: bytes) -> Sequence[int]:
    """Where to cut, told by the octets themselves, so that a fuzzer can choose."""
    size = len(octets)
    return sorted({byte * size // 256 for byte in octets[-3:]} | {0, size})


def event_stream(octets: bytes) -> None:
    """The decoder gives the same events however its bytes are cut, at offsets within them."""
    whole = sse.decode(octets)
    cut = sse.Decoder()
    places = _cuts(octets)
    for start, stop in pairwise(places):
        cut.feed(octets[start:stop])
    cut.close()
    assert cut.events == whole.events
    assert cut.blocks == whole.blocks
    assert (cut.bom, cut.bad_utf8, cut.first_cr) == (whole.bom, whole.bad_utf8, whole.first_cr)
    at = 0
    for block in whole.blocks:
        assert at <= block.start <= block.end <= len(octets)
        at = block.end


def chunk_machine(octets: bytes) -> None:
    """A whole stream is read, and what it folds to is judged."""
    for facts in (Facts(), ALL):
        reading = read_stream(octets, facts)
        _printable(reading.findings)
        folded = reading.fold()
        json.dumps(folded)
        _printable(completion.findings(folded, facts, date=0))
        assert all(0 <= offset <= len(octets) for offset in reading.output_offsets)


def json_document(octets: bytes) -> None:
    """One document is read from the start of a body; what JSON's own reader takes is taken."""
    document = jsontext.read_document(octets)
    _printable(jsontext.findings(document))
    assert 0 <= document.end <= len(octets)
    if document.error_at is not None:
        assert 0 <= document.error_at <= len(octets)
    _printable(completion.findings(document.value, ALL, date=0))
    _printable(models.findings(document.value))
    _printable(errors.findings(400, "application/json", octets))


def http_responses(octets: bytes) -> None:
    """The responses on a connection lie one behind the other, and their bodies within them."""
    for methods in (("GET",), ("HEAD", "POST", "GET")):
        for eof in (False, True):
            at = 0
            for response in read_responses(octets, eof, methods):
                assert at <= response.start <= response.end <= len(octets)
                assert b"".join(octets[a:b] for a, b in response.pieces) == response.body
                assert len(response.findings) <= 20
                _printable(response.findings)
                at = response.end


def load_decoding(octets: bytes) -> None:
    """The load generator reads a stream; offsets grow, and a request ends in one way."""
    decoded = decode(octets)
    for offsets in (decoded.events, decoded.tokens):
        assert offsets == sorted(offsets)
        assert all(0 <= offset <= len(octets) for offset in offsets)
    fields = {"content-type": "text/event-stream"}
    outcome.judge(None, 200, fields, octets, decoded=decoded)
    outcome.judge(None, 418, {}, octets, decoded=decoded)


def load_framing(octets: bytes) -> None:
    """The load generator takes a reply off its connection, or says that it is none."""
    into = Exchange()
    reply = Reply(into)
    places = _cuts(octets)
    try:
        for start, stop in pairwise(places):
            reply.feed(octets[start:stop])
    except httptools.HttpParserError:
        pass
    assert len(into.body) <= len(octets)
    assert into.status == 0 or 200 <= into.status <= 999
    assert not (into.complete and not into.status)
    outcome.retry_after(into.fields)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    row.__name__.replace("_", "-"): row
    for row in (
        event_stream,
        chunk_machine,
        json_document,
        http_responses,
        load_decoding,
        load_framing,
    )
}

WORDS: Final = {
    "event-stream": [b"data", b":", b" ", b"\n", b"\r", b"event", b"id", b"\xef\xbb\xbf", b"\xff"],
    "chunk-machine": [
        b"data: ", b"\n\n", b"[DONE]", b'{"choices":[', b'{"index":0,', b'"delta":{', b'"content":',
        b'"role":"assistant"', b'"tool_calls":[', b'"function":{"arguments":"', b'"finish_reason":',
        b'"stop"', b'"usage":{', b'"error":{"message":', b'"logprobs":{"content":[', b"null",
        b'"', b"}", b"]", b",", b"\xff", b"\\ud83d", b"<think>", b"NaN", b"-0",
        b"1e999", b"event: error\n",
    ],
    "json-document": [
        b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'"choices"', b'"message"', b'"error"',
        b'"data"', b"NaN", b"1e999", b"-", b"0" * 700, b"\\ud800", b"\xed\xa0\x80", b"\xef\xbb\xbf",
        b'"object"', b'"usage"', b"true", b"null", b" ",
    ],
    "http-responses": [
        b"HTTP/1.1 ", b"200", b" OK", b"\r\n", b"\r\n\r\n", b"\n", b"Content-Length: ", b"5", b"-1",
        b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"ffffffffffffffffff", b"1\r\nx\r\n", b";x=y",
        b"100 Continue", b"204", b"hello", b"HTTP/1.0 ", b",", b"gzip",
    ],
}  # fmt: skip
"""What octets are made of, besides any octets at all."""

HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
REPLY: Final = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(COMPLETION), COMPLETION)
CHUNKED: Final = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
SEEDS: Final = {
    "event-stream": [
        STREAM,
        STREAM.replace(b"\n", b"\r\n"),
        b": hi\n\nid: 1\ndata: a\ndata: b\n\n",
    ],
    "chunk-machine": [STREAM, STREAM.replace(b'"content"', b'"reasoning"')],
    "json-document": [COMPLETION, LIST, b'{"error":{"message":"no","type":"t","code":null}}'],
    "http-responses": [REPLY, REPLY + CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED],
}
"""Right ones, from which a fuzzer starts."""
for _other, _one in (("load-decoding", "chunk-machine"), ("load-framing", "http-responses")):
    WORDS[_other], SEEDS[_other] = WORDS[_one], SEEDS[_one]
