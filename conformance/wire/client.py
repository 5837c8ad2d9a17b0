"""Sends a request over httpx and records what came back, byte by byte, with a stamp per arrival.

The laws:

1. No retries, no redirects, no proxies from the environment, no decoding: what the target sent is
   what is recorded.
2. A deadline bounds the whole exchange, not each read: one byte a second does not outlive it.
3. A body larger than the limit is cut off and said to be so.
4. A stream whose last event has come (`[DONE]`, or an error) is waited for `linger` seconds more
   and then cut: a target that holds it open costs seconds, not the whole deadline.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from .exchange import (
    KEY,
    Arrival,
    Exchange,
    Failure,
    FailureKind,
    Request,
    headers_of,
)
from .redact import Redactor

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go and with what: base URL, key, extra headers.

    `extra_headers` holds values ready to be sent; `shown_headers` the same as they may be shown,
    secrets replaced by the name of their environment variable.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    shown_headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    """Seconds for a whole exchange."""
    linger: float = 6.0
    """Seconds to wait for the end of a stream after its last event."""
    body_limit: int = 32 * MIB
    verify: bool = True

    @property
    def secrets(self) -> list[str]:
        """All values that must never be shown."""
        hidden = [
            value for name, value in self.extra_headers.items() if self.shown_headers[name] != value
        ]
        return ([self.key] if self.key else []) + hidden

    def url(self, path: str) -> str:
        """The URL of `path` under the base."""
        return self.base_url.rstrip("/") + path

    def headers_for(self, request: Request) -> list[tuple[str, str]]:
        """The header lines to send: the endpoint's, the request's, and the credentials."""
        own = {name.lower() for name, _ in request.headers}
        lines = [(k, v) for k, v in self.extra_headers.items() if k.lower() not in own]
        lines += list(request.headers)
        if request.authorization is not None and (self.key or KEY not in request.authorization):
            lines.append(("Authorization", request.authorization.replace(KEY, self.key or "")))
        return lines


def classify(error: Exception) -> Failure:
    """The failure that an httpx exception stands for."""
    detail = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Failure(FailureKind.TLS, detail)
        cause = cause.__cause__ or cause.__context__
    match error:
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
    if any(word in text for word in ("name or service", "resolution", "nodename", "no address")):
        return FailureKind.DNS
    return FailureKind.UNREACHABLE


_LAST_EVENT = re.compile(rb'data: ?(\[DONE\]|\{"error"[^\r\n]*)\s*\Z')


class _Cutter:
    """Shuts a connection down when a stream lingers after its last event."""

    def __init__(self, response: httpx.Response, linger: float) -> None:
        self.cut = False
        self._stream = response.extensions.get("network_stream")
        self._linger = linger
        self._timer: threading.Timer | None = None

    def saw(self, tail: bytes) -> None:
        """Arm the timer if `tail` ends with a last event, disarm it otherwise."""
        self.stop()
        if self._stream is not None and _LAST_EVENT.search(tail):
            self._timer = threading.Timer(self._linger, self._shut)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """Disarm the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _shut(self) -> None:
        sock = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(sock, socket.socket):
            self.cut = True
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Client:
    """A keep-alive HTTP/1.1 client that records instead of interpreting."""

    def __init__(self, endpoint: Endpoint, user_agent: str = "chat-conformance") -> None:
        self.endpoint = endpoint
        self.redactor = Redactor(endpoint.secrets)
        self.sent = 0
        self._http = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            verify=endpoint.verify,
            headers={"User-Agent": user_agent, "Accept": "*/*"},
        )

    def send(self, request: Request, timeout: float | None = None) -> Exchange:
        """Send `request` once; never raises for what the target does.

        `timeout` is in seconds and bounds the whole exchange; default: the endpoint's.
        """
        self.sent += 1
        limit = timeout or self.endpoint.timeout
        url = self.endpoint.url(request.path)
        status: int | None = None
        headers: tuple[tuple[str, str], ...] = ()
        version = ""
        headers_at: float | None = None
        body = bytearray()
        arrivals: list[Arrival] = []
        failure: Failure | None = None
        cutter: _Cutter | None = None
        start = time.monotonic()
        try:
            prepared = self._http.build_request(
                request.method,
                url,
                content=request.body,
                headers=self.endpoint.headers_for(request),
                timeout=httpx.Timeout(limit, connect=min(limit, 10.0)),
            )
            for name in ("accept", "content-type"):
                if (name, "") in [(k.lower(), v) for k, v in request.headers]:
                    del prepared.headers[name]  # an empty value means: send no such header
            response = self._http.send(prepared, stream=True)
            try:
                headers_at = time.monotonic() - start
                status = response.status_code
                version = response.http_version
                headers = headers_of(response.headers.raw)
                cutter = _Cutter(response, self.endpoint.linger)
                for piece in response.iter_raw():
                    now = time.monotonic() - start
                    body += piece
                    arrivals.append(Arrival(now, len(body)))
                    cutter.saw(bytes(body[-4096:]))
                    if len(body) > self.endpoint.body_limit:
                        failure = Failure(FailureKind.TOO_LARGE, f"over {len(body)} bytes")
                        break
                    if now > limit:
                        failure = Failure(FailureKind.TIMEOUT, f"still sending after {limit:g} s")
                        break
            finally:
                if cutter is not None:
                    cutter.stop()
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError, OSError) as error:
            if cutter is not None and cutter.cut:
                failure = Failure(FailureKind.HELD_OPEN, f"{self.endpoint.linger:g} s")
            else:
                failure = classify(error)
        return Exchange(
            request=request,
            url=url,
            status=status,
            headers=self.redactor.headers(headers),
            body=self.redactor.octets(bytes(body)),
            arrivals=tuple(arrivals),
            headers_at=headers_at,
            ended_at=time.monotonic() - start,
            failure=failure and Failure(failure.kind, self.redactor.text(failure.detail)),
            http_version=version,
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
