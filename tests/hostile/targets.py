"""Everything that a target can send, as a table: each row one tiny function that writes octets.

Laws
----
* A function speaks octets on an accepted connection, after one request was read from it (`Wire`);
  nothing repairs what it is to get wrong.
* Its docstring is the row's line in `docs/hostile.md`; its decorator says how the suite and the
  load generator are to end.
* A gigabyte is a gigabyte. What is large is sent piece by piece, so that the server of the tests
  stays small.

Theory
------
A target is hostile in one of three scopes: to every request; to chat requests alone, so that it can
list its models; to streams alone, so that its plain answers are in order. The wider the scope, the
sooner a run ends; the narrower, the further into the suite the octets get. What the target does
with a connection rather than with a reply can only be tried in the widest.

An end (`End`) is an exit status of the suite and words that its output must hold. Of the load
generator the row names the kind of failure as which every request is counted.
"""

from __future__ import annotations

import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Final

CERTIFICATES: Final = Path(__file__).parent / "certificates"
GIGABYTE: Final = 1 << 30
PIECE: Final = 1 << 16


class Scope(StrEnum):
    """Which requests meet the hostile answer."""

    ALL = "everything"
    CHAT = "chat"
    STREAMS = "streams"


@dataclass(frozen=True, slots=True)
class End:
    """How a run of the suite ends: one of these exit statuses, and words that are told."""

    statuses: tuple[int, ...]
    says: str = ""


@dataclass(slots=True)
class Wire:
    """An accepted connection, and what was read from it."""

    sock: socket.socket
    request: bytes
    elsewhere: str
    """The base URL of a second listener, which no key may reach."""
    over: Event

    @property
    def streaming(self) -> bool:
        """Whether the request asks for a stream."""
        return b'"stream": true' in self.request or b'"stream":true' in self.request

    @property
    def kind(self) -> str:
        """The media type of a right answer."""
        return "text/event-stream" if self.streaming else "application/json"

    @property
    def body(self) -> bytes:
        """The body of a right answer."""
        if self.request.startswith(b"GET"):
            return LIST
        return STREAM if self.streaming else COMPLETION

    def send(self, *octets: bytes) -> None:
        """Send all of it."""
        for piece in octets:
            self.sock.sendall(piece)

    def many(self, piece: bytes, total: int) -> None:
        """Send so many bytes, made of ``piece``."""
        block = piece * max(1, PIECE // len(piece))
        for _ in range(total // len(block)):
            self.sock.sendall(block)
        self.sock.sendall(block[: total % len(block)])

    def forever(self, piece: bytes) -> None:
        """Send ``piece`` until the other side has had enough."""
        block = piece * max(1, PIECE // len(piece))
        while not self.over.is_set():
            self.sock.sendall(block)

    def hold(self) -> None:
        """Keep the connection open and say nothing, until the other side leaves."""
        self.sock.settimeout(0.2)
        while not self.over.is_set():
            try:
                if not self.sock.recv(PIECE):
                    return
            except TimeoutError:
                continue

    def reset(self) -> None:
        """Close so that the other side is told of an error."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Behave = Callable[[Wire], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One row.

    Attributes:
        name: what it is called, with hyphens.
        behave: what it does.
        ends: of the suite, for each scope that it is tried in.
        load: the kind of failure of each request of the load generator; "" where it refuses to
            begin, and says why in one line.
        speaks_first: it does not wait for a request.
        certificate: speaks TLS with this file of ``certificates``.
        slow: a run against it takes longer than a test of every commit may.
    """

    name: str
    behave: Behave
    ends: dict[Scope, End]
    load: tuple[str, ...]
    speaks_first: bool = False
    certificate: str = ""
    slow: bool = False

    @property
    def says(self) -> str:
        """What it does, in a line."""
        return (self.behave.__doc__ or "").strip().splitlines()[0]


TARGETS: dict[str, Target] = {}


def target(
    everywhere: End,
    chat: End | None = None,
    streams: End | None = None,
    *,
    load: str | tuple[str, ...],
    speaks_first: bool = False,
    certificate: str = "",
    slow: bool = False,
) -> Callable[[Behave], Behave]:
    """Add a row."""

    def add(behave: Behave) -> Behave:
        ends = {Scope.ALL: everywhere, Scope.CHAT: chat, Scope.STREAMS: streams}
        name = behave.__name__.replace("_", "-")
        TARGETS[name] = Target(
            name,
            behave,
            {scope: end for scope, end in ends.items() if end is not None},
            (load,) if isinstance(load, str) else load,
            speaks_first=speaks_first,
            certificate=certificate,
            slow=slow,
        )
        return behave

    return add


# --- right answers -------------------------------------------------------------------------------

LIST: Final = b'{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}'
COMPLETION: Final = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"Hello.",'
    b'"refusal":null}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


def chunk(delta: str, finish: str = "null") -> bytes:
    """One event of a right stream."""
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        b'[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n' % (delta.encode(), finish.encode())
    )


TOKEN: Final = chunk('{"content":"Hello"}')
STREAM: Final = b"".join(
    (chunk('{"role":"assistant","content":""}'), TOKEN, chunk("{}", '"stop"'), b"data: [DONE]\n\n")
)


def head(status: str, *fields: str) -> bytes:
    """A status line and header section."""
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def whole(wire: Wire, body: bytes | None = None, *fields: str, status: str = "200 OK") -> bytes:
    """An answer with its true length."""
    body = wire.body if body is None else body
    length = f"Content-Length: {len(body)}"
    return head(status, f"Content-Type: {wire.kind}", length, *fields) + body


def closing(wire: Wire, *fields: str) -> bytes:
    """The head of an answer that ends with its connection."""
    return head("200 OK", f"Content-Type: {wire.kind}", "Connection: close", *fields)


def chunked(wire: Wire) -> bytes:
    """The head of an answer in chunks."""
    return head("200 OK", f"Content-Type: {wire.kind}", "Transfer-Encoding: chunked")


# --- how runs end --------------------------------------------------------------------------------

HUGE_LIST: Final = End((4,), "lists no model to choose (reply exceeds the size limit")
NO_MODELS: Final = End((4,), "lists no model to choose (status ")
CUT_LIST: Final = End((4,), "lists no model to choose (")
NO_HTTP: Final = End((4,), "what answers there is not HTTP/1.1")
GREETED: Final = End((4,), "speaks before it is asked, as no HTTP server does")
BAD_CERTIFICATE: Final = End((4,), "TLS handshake failed")
LATE: Final = End((6,), "no complete reply in time")
LATE_LIST: Final = End((4,), "lists no model to choose (no complete reply in time")
HUGE: Final = End((6,), "reply exceeds the size limit")
CLOSED: Final = End((6,), "connection closed by the target")
UNENDED: Final = End((6,))
OKAY: Final = End((0,))
BROKEN: Final = End((1,))
UNDECIDED: Final = End((6,))
CANNED: Final = End((1,))
"""The same answer to every request, right in form: the suite finds that it does not heed them."""


# --- without end ---------------------------------------------------------------------------------


@target(HUGE_LIST, HUGE, UNENDED, load=("too_large", "stall"))
def endless_events(wire: Wire) -> None:
    """A stream of good events that never ends, as fast as it is read."""
    wire.send(closing(wire))
    wire.forever(TOKEN)


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def endless_comments(wire: Wire) -> None:
    """A stream of comments that never ends."""
    wire.send(closing(wire))
    wire.forever(b": ping\n\n")


@target(LATE_LIST, LATE, UNENDED, load=("timeout", "stall"), slow=True)
def one_byte_per_second(wire: Wire) -> None:
    """A right answer, one byte per second."""
    octets = whole(wire)
    cut = octets.index(b"\r\n\r\n") + 4
    wire.send(octets[:cut])
    for at in range(cut, len(octets)):
        wire.send(octets[at : at + 1])
        if wire.over.wait(1.0):
            return


@target(LATE, LATE, UNENDED, load="timeout", slow=True)
def head_one_byte_per_second(wire: Wire) -> None:
    """The same, from the first byte of the status line."""
    for byte in whole(wire):
        wire.send(bytes([byte]))
        if wire.over.wait(1.0):
            return


@target(LATE, LATE, UNENDED, load="timeout", slow=True)
def never_answers(wire: Wire) -> None:
    """Accepts, reads the request and says nothing."""
    wire.hold()


@target(LATE, LATE, UNENDED, load=("timeout", "bad_http"), slow=True)
def status_100_for_ever(wire: Wire) -> None:
    """`100 Continue`, again and again."""
    wire.forever(head("100 Continue"))


@target(LATE, LATE, UNENDED, load=("timeout", "bad_http"), slow=True)
def status_103_for_ever(wire: Wire) -> None:
    """`103 Early Hints` with a link, again and again."""
    wire.forever(head("103 Early Hints", "Link: </style.css>; rel=preload"))


# --- too much ------------------------------------------------------------------------------------


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def body_of_a_gigabyte(wire: Wire) -> None:
    """A body of 1 GB, with its true Content-Length."""
    length = f"Content-Length: {GIGABYTE}"
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", length), b'"')
    wire.many(b"x", GIGABYTE - 1)


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def chunk_of_a_gigabyte(wire: Wire) -> None:
    """One chunk of 1 GB."""
    wire.send(chunked(wire), b"40000000\r\n")
    wire.many(b"x", GIGABYTE)


@target(HUGE, HUGE, UNENDED, load="bad_http")
def a_gigabyte_without_a_head(wire: Wire) -> None:
    """1 GB of one line that is no status line."""
    wire.many(b"x", GIGABYTE)


@target(HUGE_LIST, HUGE, UNENDED, load=("too_large", "empty"))
def a_million_events(wire: Wire) -> None:
    """A million events, sent at once."""
    wire.send(whole(wire, b"data: {}\n\n" * 1_000_000))


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def a_line_of_100_mb(wire: Wire) -> None:
    """One `data` line of 100 MB that no newline ends."""
    wire.send(closing(wire), b'data: "')
    wire.many(b"x", 100_000_000)


@target(HUGE, HUGE, UNENDED, load="bad_http")
def headers_100_000(wire: Wire) -> None:
    """100,000 header fields."""
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.send(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(100_000)))
    wire.send(whole(wire).partition(b"\r\n")[2])


@target(HUGE, HUGE, UNENDED, load="bad_http")
def header_of_1_mb(wire: Wire) -> None:
    """One header field of 1 MB."""
    wire.send(whole(wire, None, "X-Long: " + "x" * 1_000_000))


@target(HUGE, HUGE, UNENDED, load="bad_http")
def header_without_end(wire: Wire) -> None:
    """A header field that never ends."""
    wire.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    wire.forever(b"x")


@target(NO_MODELS, UNDECIDED, UNDECIDED, load="compressed")
def gzip_bomb(wire: Wire) -> None:
    """1 MB of gzip that unpacks to 1 GB, although identity was asked for."""
    wire.send(whole(wire, _bomb(31), "Content-Encoding: gzip"))


@target(NO_MODELS, UNDECIDED, UNDECIDED, load="compressed")
def deflate_bomb(wire: Wire) -> None:
    """The same as deflate."""
    wire.send(whole(wire, _bomb(15), "Content-Encoding: deflate"))


def _bomb(wbits: int) -> bytes:
    """Zeros of 1 GB: the same block again and again, each as long as its window is full of them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + again * ((GIGABYTE >> 20) - 1) + packer.flush()


# --- JSON and text -------------------------------------------------------------------------------


def data(wire: Wire, value: bytes) -> bytes:
    """``value`` as the body of an answer: as it is, or in the event of a stream that ends well."""
    return b"data: " + value + b"\n\n" + STREAM if wire.streaming else value


@target(NO_MODELS, BROKEN, BROKEN, load="broken_chunk")
def nesting_of_100_000(wire: Wire) -> None:
    """JSON nested 100,000 deep."""
    wire.send(whole(wire, data(wire, b"[" * 100_000 + b"]" * 100_000)))


@target(NO_MODELS, BROKEN, BROKEN, load="broken_chunk")
def nested_objects(wire: Wire) -> None:
    """Objects nested 100,000 deep, in the place of an error and of a choice."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    wire.send(whole(wire, data(wire, b'{"error":%s,"choices":[%s]}' % (deep, deep))))


@target(CANNED, OKAY, OKAY, load=())
def numbers_of_10_000_digits(wire: Wire) -> None:
    """Numbers with 10,000 digits wherever a number stands."""
    digits = b"9" * 10_000
    body = wire.body.replace(b'"created":1', b'"created":' + digits)
    body = body.replace(b'"index":0', b'"index":1e' + digits).replace(b":1,", b":-%s," % digits)
    wire.send(whole(wire, body))


@target(NO_MODELS, BROKEN, BROKEN, load=())
def invalid_utf8(wire: Wire) -> None:
    """Bytes that are no UTF-8 in every string."""
    wire.send(whole(wire, wire.body.replace(b'":"', b'":"\xff\xc0\x80\xed\xa0\x80')))


@target(NO_MODELS, BROKEN, BROKEN, load=())
def nul(wire: Wire) -> None:
    """NUL bytes in the body, bare and escaped."""
    wire.send(whole(wire, b"\0" + wire.body.replace(b'":"', b'":"\\u0000\0')))


ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\u202e"
"""A terminal would set its title, clear itself and go red."""


@target(NO_MODELS, BROKEN, OKAY, load=())
def ansi_escapes(wire: Wire) -> None:
    """Terminal escapes in header, body and error message."""
    escaped = json.dumps(ESCAPES)[1:-1].encode()
    body = wire.body.replace(b'":"', b'":"' + escaped)
    wire.send(whole(wire, body, f"X-Title: {ESCAPES[:-1]}"))


@target(NO_MODELS, BROKEN, BROKEN, load=("status_4xx",))
def ansi_escapes_in_an_error(wire: Wire) -> None:
    """The same raw, in the reason phrase and the message of a status 418."""
    message = b'{"error":{"message":"%s","type":"t"}}' % ESCAPES.encode()
    wire.send(whole(wire, message, status=f"418 {ESCAPES[:-1]}"))


@target(NO_MODELS, UNDECIDED, UNDECIDED, load=())
def keys_by_the_million(wire: Wire) -> None:
    """An object with a million times the same key."""
    wire.send(whole(wire, data(wire, b'{"a":0' + b',"a":0' * 1_000_000 + b"}")))


@target(NO_MODELS, BROKEN, BROKEN, load="empty")
def empty_body(wire: Wire) -> None:
    """Status 200 and no body."""
    wire.send(whole(wire, b""))


@target(CANNED, OKAY, OKAY, load=())
def byte_order_mark(wire: Wire) -> None:
    """A byte-order mark before the body."""
    wire.send(whole(wire, b"\xef\xbb\xbf" + wire.body))


# --- HTTP ----------------------------------------------------------------------------------------


@target(NO_MODELS, BROKEN, BROKEN, load="status_other")
def status_204_with_a_body(wire: Wire) -> None:
    """204 No Content, and a body all the same."""
    wire.send(whole(wire, status="204 No Content"))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def status_304(wire: Wire) -> None:
    """304 Not Modified, though nothing was asked for by condition."""
    wire.send(head("304 Not Modified", "Content-Length: 1000", 'ETag: "x"'))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def redirect_to_another_host(wire: Wire) -> None:
    """A redirect to another host; the key must not follow."""
    location = f"Location: {wire.elsewhere}/chat/completions"
    wire.send(whole(wire, b"", location, status="307 Temporary Redirect"))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def redirect_to_itself(wire: Wire) -> None:
    """A redirect to the address that was asked."""
    path = wire.request.split(b" ", 2)[1].decode("latin-1")
    wire.send(whole(wire, b"", f"Location: {path}", status="308 Permanent Redirect"))


@target(BROKEN, BROKEN, BROKEN, load="truncated")
def length_too_large(wire: Wire) -> None:
    """Content-Length says 100 more than come, and the connection is closed."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) + 100}"))
    wire.send(body)


@target(LATE, LATE, UNENDED, load=("timeout", "stall"), slow=True)
def length_too_large_and_held(wire: Wire) -> None:
    """Content-Length says 100 more than come, and the connection is held open."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) + 100}"))
    wire.send(body)
    wire.hold()


@target(NO_MODELS, BROKEN, BROKEN, load=("no_done", "empty", "bad_http", "broken_chunk"))
def length_too_small(wire: Wire) -> None:
    """Content-Length says 20 fewer than come."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) - 20}"))
    wire.send(body)


def _sized(size: bytes) -> Behave:
    def behave(wire: Wire) -> None:
        wire.send(chunked(wire), size + b"\r\n" + wire.body + b"\r\n0\r\n\r\n")

    return behave


@target(BROKEN, BROKEN, BROKEN, load="bad_http")
def chunk_size_overflows(wire: Wire) -> None:
    """A chunk of ffffffffffffffffff bytes."""
    _sized(b"ffffffffffffffffff")(wire)


@target(CUT_LIST, BROKEN, BROKEN, load="bad_http")
def chunk_size_negative(wire: Wire) -> None:
    """A chunk of -1 bytes."""
    _sized(b"-1")(wire)


@target(CUT_LIST, BROKEN, BROKEN, load="bad_http")
def chunk_size_junk(wire: Wire) -> None:
    """A chunk of zz bytes."""
    _sized(b"zz")(wire)


@target(HUGE_LIST, HUGE, UNENDED, load="bad_http")
def chunk_size_of_a_megabyte(wire: Wire) -> None:
    """A chunk size spelled with a million digits."""
    _sized(b"0" * 1_000_000 + b"%x" % len(wire.body))(wire)


@target(CLOSED, CLOSED, BROKEN, load="bad_http")
def http_0_9(wire: Wire) -> None:
    """A body without a status line, as HTTP/0.9 has it."""
    wire.send(wire.body)


@target(NO_HTTP, NO_HTTP, BROKEN, load="bad_http")
def http_2(wire: Wire) -> None:
    """The frames with which an HTTP/2 server begins."""
    wire.send(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff")
    wire.send(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01")


@target(CANNED, OKAY, OKAY, load=())
def keep_alive_lies(wire: Wire) -> None:
    """Promises to keep the connection, and closes it after each answer."""
    wire.send(whole(wire, None, "Connection: keep-alive", "Keep-Alive: timeout=600, max=1000"))


@target(CANNED, OKAY, OKAY, load=())
def close_lies(wire: Wire) -> None:
    """Says that it closes the connection, and holds it open."""
    wire.send(whole(wire, None, "Connection: close"))
    wire.hold()


# --- connections ---------------------------------------------------------------------------------


@target(CLOSED, CLOSED, BROKEN, load=("reset", "no_reply"))
def reset_before_the_answer(wire: Wire) -> None:
    """Reads the request and resets the connection."""
    wire.reset()


@target(CLOSED, CLOSED, BROKEN, load=("reset", "no_reply"))
def reset_in_the_head(wire: Wire) -> None:
    """Resets the connection within the head."""
    wire.send(whole(wire)[:30])
    time.sleep(0.05)
    wire.reset()


@target(CUT_LIST, UNDECIDED, BROKEN, load=("reset", "truncated"))
def reset_in_the_body(wire: Wire) -> None:
    """Resets the connection in the middle of the body."""
    octets = whole(wire)
    wire.send(octets[: len(octets) - len(wire.body) // 2])
    time.sleep(0.05)
    wire.reset()


@target(CUT_LIST, BROKEN, BROKEN, load="truncated")
def half_close_in_the_body(wire: Wire) -> None:
    """Ends its half of the connection in the middle of the body, and reads on."""
    octets = whole(wire)
    wire.send(octets[: len(octets) - len(wire.body) // 2])
    wire.sock.shutdown(socket.SHUT_WR)
    wire.hold()


@target(CLOSED, load=("no_reply", "reset"), speaks_first=True)
def reset_on_accept(wire: Wire) -> None:
    """Accepts the connection and resets it."""
    wire.reset()


@target(CLOSED, load="no_reply", speaks_first=True)
def half_close_on_accept(wire: Wire) -> None:
    """Ends its half of the connection before anything was asked, and reads on."""
    wire.sock.shutdown(socket.SHUT_WR)
    wire.hold()


@target(GREETED, load="bad_http", speaks_first=True)
def speaks_ssh(wire: Wire) -> None:
    """Says what an SSH server says first."""
    wire.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    wire.hold()


@target(GREETED, load="bad_http", speaks_first=True)
def speaks_smtp(wire: Wire) -> None:
    """Says what a mail server says first."""
    wire.send(b"220 mail.example ESMTP ready\r\n")
    wire.hold()


@target(GREETED, load=("not_a_stream", "no_reply", "reset"), speaks_first=True)
def answers_before_the_request(wire: Wire) -> None:
    """Sends a right answer to a list of models before the request is there."""
    body = LIST
    wire.send(head("200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}"))
    wire.send(body)
    wire.hold()


@target(BAD_CERTIFICATE, load="tls", certificate="wrong-host.pem")
def tls_for_another_host(wire: Wire) -> None:
    """A certificate, rightly signed, of another host."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="tls", certificate="expired.pem")
def tls_expired(wire: Wire) -> None:
    """A certificate that has expired."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="tls", certificate="self-signed.pem")
def tls_self_signed(wire: Wire) -> None:
    """A certificate that nobody signed."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="connect_timeout", speaks_first=True, slow=True)
def tls_that_never_shakes_hands(wire: Wire) -> None:
    """A port for https that accepts and says nothing."""
    wire.hold()
