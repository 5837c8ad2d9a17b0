"""Raw responses: framings, what is cut, what is too much, and h11 as an oracle."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.protocol.http1 import RawResponse, read_responses

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
CLOSED = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"


def only(raw: bytes, *, eof: bool = True, method: str = "POST") -> RawResponse:
    (response,) = read_responses(raw, eof, [method])
    return response


@pytest.mark.parametrize(
    ("raw", "framing"), [(LENGTH, "length"), (CHUNKED, "chunked"), (CLOSED, "close")]
)
def test_a_whole_response(raw: bytes, framing: str) -> None:
    response = only(raw)

    assert (response.status, response.reason, response.body) == (200, "OK", b"hello")
    assert (response.framing, response.complete, response.extra) == (framing, True, b"")
    assert response.findings == ()
    assert b"".join(raw[slice(*piece)] for piece in response.pieces) == b"hello"
    assert response.end == len(raw)


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED])
def test_every_cut_is_a_finding_only_once_the_connection_closed(raw: bytes) -> None:
    for cut in range(1, len(raw)):
        response = only(raw[:cut])
        assert not response.complete
        assert [finding.id for finding in response.findings] == ["CC-HTTP-009"]

        for early in read_responses(raw[:cut], False, ["POST"]):
            assert not early.complete
            assert early.findings == ()


def test_a_close_delimited_body_is_whole_at_the_close() -> None:
    assert only(CLOSED, eof=False).complete is False
    assert only(CLOSED[:-1]).findings == ()


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED])
@pytest.mark.parametrize("extra", [b"\r\n", b"x", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_bytes_after_the_end(raw: bytes, extra: bytes) -> None:
    response = only(raw + extra)

    assert response.extra == extra
    assert [finding.id for finding in response.findings] == ["CC-HTTP-009"]
    assert response.findings[0].span == (len(raw), len(raw) + 1)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 15",
    ],
)
def test_never_both_headers(head: bytes) -> None:
    response = only(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")

    assert (response.framing, response.body) == ("chunked", b"hello")
    assert [finding.id for finding in response.findings] == ["CC-HTTP-009"]


@pytest.mark.parametrize(
    "chunks",
    [
        b"g\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"f" * 10_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"\r\nhello\r\n",
        b"5\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_broken_chunk(chunks: bytes) -> None:
    response = only(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    assert {finding.id for finding in response.findings} == {"CC-HTTP-009"}


def test_chunk_extensions_and_trailers_are_legal() -> None:
    response = only(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;a=b\r\nhel\r\n2 ; c\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )

    assert (response.body, response.complete, response.findings) == (b"hello", True, ())


@pytest.mark.parametrize(
    ("value", "framing", "sound"),
    [
        ("5", "length", True),
        ("5, 5", "length", True),
        ("5, 6", "close", False),
        ("+5", "close", False),
        ("0x5", "close", False),
        ("9" * 100, "close", False),
    ],
)
def test_a_content_length(value: str, framing: str, sound: bool) -> None:
    response = only(f"HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhello".encode())

    assert (response.framing, response.body) == (framing, b"hello")
    assert (response.findings == ()) is sound


@pytest.mark.parametrize(
    ("status", "method"), [(204, "POST"), (304, "GET"), (200, "HEAD"), (200, "head")]
)
def test_responses_without_a_body(status: int, method: str) -> None:
    raw = f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode()
    response = only(raw, method=method)

    assert (response.framing, response.complete, response.findings) == ("none", True, ())


def test_several_responses_and_interim_ones() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    raw = LENGTH + interim + CHUNKED + interim + interim + LENGTH
    responses = read_responses(raw, True, ["POST"] * 3)

    assert [response.framing for response in responses] == ["length", "chunked", "length"]
    assert all(response.complete and not response.findings for response in responses)


def test_garbage_between_responses_belongs_to_the_first() -> None:
    first, second = read_responses(LENGTH + b"oops" + LENGTH, True, ["POST", "POST"])

    assert first.extra.startswith(b"oops")
    assert first.findings[0].id == second.findings[0].id == "CC-HTTP-009"
    assert second.status == 0


@pytest.mark.parametrize("raw", [b"data: {}\n\n", b"\r\n" + LENGTH, b"HTTP/1.1 200", b"HTTP"])
def test_no_head(raw: bytes) -> None:
    response = only(raw)

    assert (response.status, response.complete) == (0, False)
    assert [finding.id for finding in response.findings] == ["CC-HTTP-009"]


def test_nothing_at_all() -> None:
    assert read_responses(b"", True, ["GET"]) == []
    assert read_responses(b"HTT", False, ["GET"]) == []


def test_headers_are_found_whatever_their_case() -> None:
    response = only(b"HTTP/1.1 200 \r\nA: 1\r\na:2\r\nContent-length: 0\r\n\r\n")

    assert response.header("A") == "1, 2"
    assert response.header("b") is None
    assert response.headers[0] == ("A", "1")


PIECES = st.sampled_from(
    b"HTTP/1.1 200 OK\r\n|HTTP/1.1 100 C\r\n|HTTP/1.0 204|Content-Length: 3\r\n|"
    b"Transfer-Encoding: chunked\r\n|\r\n|\n|\r|0|3|abc|:|;|\xff".split(b"|")
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join), st.booleans(), st.sampled_from(["GET", "HEAD"]))
def test_no_bytes_raise(raw: bytes, eof: bool, method: str) -> None:
    for response in read_responses(raw, eof, [method, "GET"]):
        assert 0 <= response.start <= response.end <= len(raw)
        for finding in response.findings:
            assert finding.id == "CC-HTTP-009"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.booleans())
def test_what_h11_writes_is_read(parts: list[bytes], chunked: bool) -> None:
    ours = h11.Connection(h11.SERVER)
    ours.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    while ours.next_event() is not h11.PAUSED and ours.their_state is not h11.DONE:
        pass
    body = b"".join(parts)
    framing = ("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))
    raw = ours.send(h11.Response(status_code=200, headers=[framing])) or b""
    for part in parts:
        raw += ours.send(h11.Data(data=part)) or b""
    raw += ours.send(h11.EndOfMessage()) or b""
    response = only(raw, method="GET")

    assert (response.body, response.complete, response.findings) == (body, True, ())
