"""Sends a request over httpx and records what came back, byte by byte, with a stamp per arrival.

The laws:

1. No retries, no redirects, no proxies from the environment, no decoding: what the target sent is
   what is recorded.
2. A deadline bounds the whole exchange, not each read: one byte a second does not outlive it.
3. A body of more bytes, lines or pieces than the limits is cut off and said to be so; of it, only
   the beginning is kept. So is a reply that passes what a client takes in all.
4. A stream whose last event has come (`[DONE]`, or an error) is waited for `linger` seconds more
   and then cut: a target that holds it open costs seconds, not the whole deadline.
"""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from . import clock
from .exchange import (
    KEY,
    Arrival,
    Exchange,
    Failure,
    FailureKind,
    Request,
    bearer_of,
    headers_of,
)
from .gate import Gate
from .names import Network
from .ordinary import is_word
from .redact import Redactor
from .room import KEPT, Room
from .watchdog import Watchdog

MIB = 1024 * 1024

TELLABLE = 8
"""Characters of a key at least that no reply holds by chance."""

KEPT_IN_ALL = 20 * MIB
"""Bytes of bodies that a client takes, and `KEPT` more for each request."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go and with what: base URL, keys, extra headers.

    `extra_headers` holds values ready to be sent; `shown_headers` the same as they may be shown,
    secrets replaced by the name of their environment variable.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    shown_headers: Mapping[str, str] = field(default_factory=dict)
    spare_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Other keys by the names of their environment variables (`exchange.bearer_of`)."""
    timeout: float = 60.0
    """Seconds for a whole exchange."""
    linger: float = 6.0
    """Seconds to wait for the end of a stream after its last event."""
    body_limit: int = 8 * MIB
    verify: bool = True

    @property
    def secrets(self) -> list[str]:
        """All values that must never be shown."""
        hidden = [
            value for name, value in self.extra_headers.items() if self.shown_headers[name] != value
        ]
        return ([self.key] if self.key else []) + hidden + list(self.spare_keys.values())

    @property
    def tellable(self) -> bool:
        """Whether the key stands in no reply by chance, so that a reply with it echoes it."""
        return self.key is not None and len(self.key) >= TELLABLE and not is_word(self.key)

    def echo_in(
        self, request: Request, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> str | None:
        """Where a reply to `request` holds the whole key (`Exchange.echoed`)."""
        if not self.tellable or self.key is None or KEY not in (request.authorization or ""):
            return None
        if self.key.encode() in body:
            return "the body"
        shown = " ".join(value for _, value in headers)
        return "the headers" if self.key in shown else None

    def url(self, path: str) -> str:
        """The URL of `path` under the base."""
        return self.base_url.rstrip("/") + path

    def headers_for(self, request: Request) -> list[tuple[str, str]]:
        """The header lines to send: the endpoint's, the request's, and the credentials."""
        own = {name.lower() for name, _ in request.headers}
        lines = [(k, v) for k, v in self.extra_headers.items() if k.lower() not in own]
        lines += [(name, value) for name, value in request.headers if value]
        if request.authorization is not None and (self.key or KEY not in request.authorization):
            lines.append(("Authorization", self._filled_in(request.authorization)))
        return lines

    def _filled_in(self, template: str) -> str:
        for name, value in self.spare_keys.items():
            if template == bearer_of(name):
                return f"Bearer {value}"
        return template.replace(KEY, self.key or "")


def classify(error: Exception) -> Failure:
    """The failure that an httpx exception stands for."""
    detail = str(error) or type(error).__name__
    connecting = isinstance(error, httpx.ConnectError | ssl.SSLError)
    cause: BaseException | None = error if connecting else None
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Failure(FailureKind.TLS, detail)
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectTimeout() if "handshake" in detail:
            kind = FailureKind.TLS
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            kind = FailureKind.CONNECT_TIMEOUT
        case httpx.TimeoutException():
            kind = FailureKind.TIMEOUT
        case httpx.ConnectError():
            kind = _connect_failure(detail)
        case httpx.RemoteProtocolError() if "without sending complete message body" in detail or (
            "incomplete chunked read" in detail
        ):
            kind = FailureKind.TRUNCATED
        case httpx.RemoteProtocolError() if "without sending a response" in detail:
            kind = FailureKind.RESET
        case httpx.RemoteProtocolError() if "buffer too long" in detail:
            kind, detail = FailureKind.TOO_LARGE, "a head, or the size of a chunk, of over 100 KiB"
        case httpx.RemoteProtocolError():
            kind = FailureKind.PROTOCOL
        case httpx.NetworkError():
            kind = FailureKind.RESET
        case _:
            kind = FailureKind.LOCAL
    return Failure(kind, detail)


def _connect_failure(detail: str) -> FailureKind:
    text = detail.lower()
    if "refused" in text:
        return FailureKind.REFUSED
    if "reset by peer" in text:
        return FailureKind.RESET
    if any(word in text for word in ("name or service", "resolution", "nodename", "no address")):
        return FailureKind.DNS
    return FailureKind.UNREACHABLE


def _content(body: bytes | None) -> bytes | Iterator[bytes] | None:
    """`body` as httpx takes it; a large one in pieces, since httpx copies what is left of it."""
    if body is None or len(body) <= MIB:
        return body
    return (body[at : at + KEPT] for at in range(0, len(body), KEPT))


class _Cookies(httpx.Cookies):
    """A jar that looks at replies which set cookies; httpx makes a mail of every reply to look."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


class Client(AbstractContextManager["Client"]):
    """A keep-alive HTTP/1.1 client that records instead of interpreting.

    It has one connection at a time: use it from one thread.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        user_agent: str = "chat-conformance",
        *,
        verify: ssl.SSLContext | bool | None = None,
        gate: Gate | None = None,
    ) -> None:
        """`gate`: what every request passes; without one, none is held back."""
        self.endpoint = endpoint
        self.gate = gate or Gate()
        self.redactor = Redactor(endpoint.secrets)
        self.log: list[tuple[Request, int | None]] = []
        """Every request sent, with the status that answered it."""
        self.repeated = 0
        """How many of them were sent once more, since 429, 5xx or nothing had come."""
        self._kept = 0
        self._urls: dict[str, httpx.URL] = {}
        self._stream: httpcore.NetworkStream | None = None
        self._user_agent = user_agent
        # Made once: reading the certificate store costs more than an exchange.
        secure = endpoint.base_url.startswith("https:") and endpoint.verify
        self._verify = (
            verify if verify is not None else ssl.create_default_context() if secure else False
        )
        self._http = self._open()

    def _open(self) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=self._verify, trust_env=False)
        # httpx offers no other way to a connection whose look-up of the name is bounded.
        transport._pool._network_backend = Network()
        client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            transport=transport,
            headers={"User-Agent": self._user_agent, "Accept": "*/*"},
        )
        client._cookies = _Cookies()  # the argument is copied into a plain one
        return client

    def twin(self) -> "Client":
        """Another client of the same endpoint, for another thread, with a log of its own."""
        return Client(self.endpoint, self._user_agent, verify=self._verify, gate=self.gate)

    def renew(self) -> None:
        """Drop every kept-alive connection: the next request opens a new one."""
        self._http.close()
        self._http = self._open()

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.log)

    def send(self, request: Request, timeout: float | None = None) -> Exchange:
        """Send `request` once; never raises for what the target does.

        `timeout` is in seconds and bounds the whole exchange; default: the endpoint's. Raises what
        the gate does when the request may not be sent.
        """
        ticket = self.gate.admit([request])
        exchange = self.exchange(request, timeout)
        self.gate.settle(ticket, [exchange])
        return exchange

    def exchange(self, request: Request, timeout: float | None = None) -> Exchange:
        """As `send`, for a request that the gate has let out already."""
        limit = timeout or self.endpoint.timeout
        url = self.endpoint.url(request.path)
        status: int | None = None
        headers: tuple[tuple[str, str], ...] = ()
        version = ""
        headers_at: float | None = None
        body = bytearray()
        arrivals: list[Arrival] = []
        failure: Failure | None = None
        room = self._room()
        watchdog = Watchdog(limit, self.endpoint.linger)

        secure = url.startswith("https:")
        ready = f"connection.{'start_tls' if secure else 'connect_tcp'}.complete"

        def opened(event: str, info: Mapping[str, Any]) -> None:
            # A handshake has a bound of its own, and a failure of its own.
            if event == ready:
                self._stream = info["return_value"]
                watchdog.watch(self._stream)

        start = clock.now()
        try:
            prepared = self._http.build_request(
                request.method,
                self._parsed(url),
                content=_content(request.body),
                headers=self._lines(request),
                timeout=httpx.Timeout(limit, connect=min(limit, 10.0)),
                extensions={"trace": opened},
            )
            for name, value in request.headers:
                if not value:
                    prepared.headers.pop(name, None)
            if self._stream is not None:
                watchdog.watch(self._stream)
            response = self._http.send(prepared, stream=True)
            try:
                headers_at = clock.now() - start
                status = response.status_code
                version = response.http_version
                headers = headers_of(response.headers.raw)
                for piece in response.iter_raw():
                    now = clock.now() - start
                    body += piece
                    arrivals.append(Arrival(now, len(body)))
                    failure = room.passed_by(piece)
                    if failure is not None:
                        del body[KEPT:]
                        arrivals = [arrival for arrival in arrivals if arrival.end <= KEPT]
                        break
                    watchdog.saw(bytes(body[-4096:]))
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError, OSError) as error:
            failure = classify(error)
        finally:
            # A body that ends with its connection looks complete when we are who ended it.
            failure = watchdog.stop() or failure
            self.log.append((request, status))
            self._kept += len(body)
        return Exchange(
            request=request,
            url=url,
            status=status,
            headers=self.redactor.headers(headers),
            body=self.redactor.octets(bytes(body)),
            arrivals=tuple(arrivals),
            headers_at=headers_at,
            ended_at=clock.now() - start,
            failure=failure and Failure(failure.kind, self.redactor.text(failure.detail)),
            http_version=version,
            echoed=self.endpoint.echo_in(request, bytes(body), headers),
        )

    def _parsed(self, url: str) -> httpx.URL:
        """`url` as httpx has it; the few of a run are read once."""
        if url not in self._urls:
            self._urls[url] = httpx.URL(url)
        return self._urls[url]

    def _room(self) -> "Room":
        """What the next body may take."""
        left = max(KEPT_IN_ALL + KEPT * self.sent - self._kept, KEPT)
        most = min(self.endpoint.body_limit, left)
        return Room(most, most)

    def _lines(self, request: Request) -> list[tuple[str, str]]:
        """The header lines; a body that is sent in pieces has its length all the same."""
        lines = self.endpoint.headers_for(request)
        if len(request.body or b"") > MIB:
            lines.append(("Content-Length", str(len(request.body or b""))))
        return lines

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def __exit__(self, *ended: object) -> None:
        self.close()
