"""A bare socket, where httpx cannot send or show what a check needs.

What that is: the framing of a reply byte by byte (bytes after its end), several requests on one
connection, header values that no client library lets through, chunked and `Expect` requests.

The laws of `client` hold here too: nothing raises for what a target does, the key is masked, a
deadline bounds the whole conversation.
"""

import contextlib
import re
import selectors
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from conformance.protocol.http1 import RawResponse, read_responses

from . import clock
from .client import Client, Endpoint
from .exchange import Arrival, Exchange, Failure, FailureKind, Request
from .names import connected
from .redact import Redactor
from .room import MOST_PIECES

MOST = 2 * 1024 * 1024
"""Bytes that are read of a connection."""

LONGEST_HEAD = 128 * 1024
"""Bytes in which the first head must end."""

MOMENT = 0.02
"""Seconds without a byte, after which what came is looked at, however little."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONTINUE = re.compile(rb"\AHTTP/1\.[01] 100[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n")


@dataclass(frozen=True, slots=True)
class RawReply:
    """An exchange made on a bare socket, and its framing as RFC 9112 has it."""

    exchange: Exchange
    response: RawResponse | None


def head(endpoint: Endpoint, request: Request, *extra: tuple[str, str], close: bool) -> bytes:
    """The request line and header section of `request`, as octets.

    Header values are sent as they are (latin-1), however ill-formed: that is what this is for.
    """
    parts = urlsplit(endpoint.url(request.path))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {host}"]
    if not any(name.lower() == "accept" for name, _ in request.headers):
        lines.append("Accept: */*")
    lines += [f"{name}: {value}" for name, value in endpoint.headers_for(request)]
    lines += [f"{name}: {value}" for name, value in extra]
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Connection(AbstractContextManager["Connection"]):
    """One TCP (or TLS) connection: what was received, and when.

    Raises `OSError` from the constructor when it cannot be opened.
    """

    def __init__(self, endpoint: Endpoint, deadline: float) -> None:
        parts = urlsplit(endpoint.base_url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        left = max(0.1, min(10.0, deadline - clock.now()))
        sock = connected(parts.hostname or "", port, left)
        if secure:
            context = ssl.create_default_context()
            if not endpoint.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            try:
                sock = context.wrap_socket(sock, server_hostname=parts.hostname)
            except OSError:
                sock.close()
                raise
        self._socket = sock
        self._deadline = deadline
        self.start = clock.now()
        self.raw = bytearray()
        self.arrivals: list[Arrival] = []
        self.eof = False
        self.failure: Failure | None = None

    def write(self, octets: bytes) -> None:
        """Send all of `octets`; a lost connection is kept as `failure`."""
        try:
            self._socket.settimeout(max(0.1, self._deadline - clock.now()))
            self._socket.sendall(octets)
        except OSError as error:
            self.failure = Failure(FailureKind.RESET, str(error))

    def wait(self) -> None:
        """Until there is something to read, or the deadline; nothing is read."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.select(max(0.0, self._deadline - clock.now()))

    def read_until(self, enough: Callable[[bytes], bool]) -> None:
        """Receive until `enough` of what came, the end, the deadline or a limit.

        `enough` reads all that came: it is not asked again for a small part more, unless nothing
        follows for a moment.
        """
        asked = -1
        while not self.eof:
            if len(self.raw) > asked and enough(bytes(self.raw)):
                return
            asked = len(self.raw)
            left = self._deadline - clock.now()
            if left <= 0 or self._is_full():
                kind = FailureKind.TIMEOUT if left <= 0 else FailureKind.TOO_LARGE
                self.failure = Failure(kind, f"{len(self.raw)} bytes so far")
                return
            self._receive(left)
            while asked < len(self.raw) < asked + asked // 8 and not (self.eof or self._is_full()):
                if not self._receive(MOMENT):
                    break

    def _is_full(self) -> bool:
        """Whether more came than a reply, or its head, may take."""
        size = len(self.raw)
        headless = size > LONGEST_HEAD and not _HEAD_END.search(self.raw, 0, LONGEST_HEAD)
        return headless or size > MOST or len(self.arrivals) > MOST_PIECES

    def _receive(self, seconds: float) -> bool:
        """One read, waited for so long; whether it brought anything, the end included."""
        try:
            self._socket.settimeout(max(0.001, min(seconds, self._deadline - clock.now())))
            piece = self._socket.recv(65536)
        except TimeoutError:
            return False
        except OSError as error:
            self.failure = Failure(FailureKind.RESET, str(error))
            self.eof = True
            return True
        self.eof = not piece
        if piece:
            self.raw += piece
            self.arrivals.append(Arrival(clock.now() - self.start, len(self.raw)))
        return True

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def __exit__(self, *ended: object) -> None:
        self.close()


def greeting(endpoint: Endpoint, seconds: float) -> bytes:
    """What a server says before anything was asked, within so many seconds; b"" if nothing."""
    try:
        with Connection(endpoint, clock.now() + seconds) as connection:
            connection.read_until(lambda raw: b"\n" in raw)
            return bytes(connection.raw)
    except OSError:
        return b""


def _is_whole(methods: Sequence[str]) -> Callable[[bytes], bool]:
    def whole(raw: bytes) -> bool:
        responses = read_responses(raw, False, methods)
        return len(responses) == len(methods) and responses[-1].complete

    return whole


def _chunked(body: bytes) -> bytes:
    half = len(body) // 2
    pieces = [piece for piece in (body[:half], body[half:]) if piece]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def exchange_raw(
    client: Client, request: Request, *, body: str = "length", linger: float = 0.0
) -> RawReply:
    """Send `request` alone on a new connection (`Connection: close`) and read to the end.

    `body` is how the body is framed: `length`, `chunked`, or `expect` (its header section first,
    the body after `100 Continue`, or after a second without one). `linger` seconds are waited for
    bytes after the end where the target leaves the connection open.
    """
    return converse(client, [request], body=body, linger=linger, close=True)[0]


def converse(
    client: Client,
    requests: Sequence[Request],
    *,
    body: str = "length",
    linger: float = 0.0,
    close: bool = False,
) -> list[RawReply]:
    """Send `requests` one after the other on one connection; one reply for each.

    A request after the connection was lost gets a reply without a status. Raises what the gate does
    when they may not be sent.
    """
    ticket = client.gate.admit(requests)
    replies = _conversation(client, requests, body, linger, close)
    client.gate.settle(ticket, [reply.exchange for reply in replies])
    return replies


def _conversation(
    client: Client, requests: Sequence[Request], body: str, linger: float, close: bool
) -> list[RawReply]:
    endpoint = client.endpoint
    deadline = clock.now() + endpoint.timeout
    methods = [request.method for request in requests]
    try:
        connection = Connection(endpoint, deadline)
    except OSError as error:
        failure = Failure(_unopened(error), str(error))
        client.log += [(request, None) for request in requests]
        return [
            RawReply(Exchange(request, endpoint.url(request.path), failure=failure), None)
            for request in requests
        ]
    replies: list[RawReply] = []
    with connection:
        for number, request in enumerate(requests, start=1):
            began = clock.now() - connection.start
            _send(connection, endpoint, request, body, close=close and number == len(requests))
            connection.read_until(_is_whole(methods[:number]))
            if number == len(requests):
                _wait_for_more(connection, linger)
            # A mask is as long as what it covers: the framing stays true.
            shown = client.redactor.octets(bytes(connection.raw))
            responses = read_responses(shown, connection.eof, methods[:number])
            response = responses[number - 1] if len(responses) >= number else None
            if response is not None:
                response = _masked(response, client.redactor)
            exchange = _exchange(client, request, connection, response, began)
            client.log.append((request, exchange.status))
            replies.append(RawReply(exchange, response))
    return replies


def _masked(response: RawResponse, redactor: Redactor) -> RawResponse:
    """`response` without what a mask of the raw bytes misses: a secret over two chunks, cookies."""
    return replace(
        response,
        headers=redactor.headers(response.headers),
        body=redactor.octets(response.body),
    )


def _unopened(error: OSError) -> FailureKind:
    match error:
        case socket.gaierror():
            return FailureKind.DNS
        case ssl.SSLError():
            return FailureKind.TLS
        case ConnectionRefusedError():
            return FailureKind.REFUSED
        case TimeoutError():
            return FailureKind.CONNECT_TIMEOUT
    return FailureKind.UNREACHABLE


def _send(
    connection: Connection, endpoint: Endpoint, request: Request, body: str, *, close: bool
) -> None:
    octets = request.body or b""
    match body:
        case "chunked":
            extra = ("Transfer-Encoding", "chunked")
            connection.write(head(endpoint, request, extra, close=close) + _chunked(octets))
        case "expect":
            extras = (("Content-Length", str(len(octets))), ("Expect", "100-continue"))
            connection.write(head(endpoint, request, *extras, close=close))
            patience = Connection.read_until
            before, connection._deadline = connection._deadline, clock.now() + 1.0
            patience(connection, lambda raw: _HEAD_END.search(raw) is not None)
            connection._deadline, connection.failure = before, None
            if not connection.raw or _CONTINUE.match(bytes(connection.raw)):
                connection.write(octets)
        case _:
            length = [("Content-Length", str(len(octets)))] if request.body is not None else []
            connection.write(head(endpoint, request, *length, close=close) + octets)


def _wait_for_more(connection: Connection, linger: float) -> None:
    """Give the target a moment to send what it must not, or to close."""
    before = connection._deadline
    connection._deadline = min(before, clock.now() + linger)
    failure = connection.failure
    if linger:
        connection.read_until(lambda raw: False)
    connection._deadline, connection.failure = before, failure


def _exchange(
    client: Client,
    request: Request,
    connection: Connection,
    response: RawResponse | None,
    began: float,
) -> Exchange:
    url = client.endpoint.url(request.path)
    ended = clock.now() - connection.start - began
    if response is None or response.status == 0:
        shown = bytes(connection.raw) if response is not None else b""
        kind = FailureKind.PROTOCOL if shown else FailureKind.RESET
        lost = connection.failure or Failure(kind, "no response")
        shown = client.redactor.octets(shown)
        return Exchange(request, url, body=shown, ended_at=ended, failure=lost)
    cut = None
    if not response.complete:
        cut = connection.failure or Failure(FailureKind.TRUNCATED, response.framing)
    return Exchange(
        request=request,
        url=url,
        status=response.status,
        headers=response.headers,
        body=response.body,
        arrivals=_body_arrivals(connection.arrivals, response, began),
        headers_at=None,
        ended_at=ended,
        failure=cut,
        http_version=f"HTTP/{response.version}",
    )


def _body_arrivals(
    arrivals: Sequence[Arrival], response: RawResponse, began: float
) -> tuple[Arrival, ...]:
    """The reads of the connection in terms of the body's bytes."""
    found: list[Arrival] = []
    pieces = response.pieces
    whole = number = 0  # bytes of the pieces that had come whole, and how many those are
    for arrival in arrivals:
        while number < len(pieces) and pieces[number][1] <= arrival.end:
            whole += pieces[number][1] - pieces[number][0]
            number += 1
        begun = max(0, arrival.end - pieces[number][0]) if number < len(pieces) else 0
        if whole + begun > (found[-1].end if found else 0):
            found.append(Arrival(arrival.at - began, whole + begun))
    return tuple(found)
