"""One request and all that came back, as plain data.

The laws:

1. An `Exchange` never changes once it is made, and never holds the key: the `Authorization` of a
   `Request` is a template (`Bearer $KEY`) that only the socket fills in.
2. Times are seconds since the request was handed to the socket, on `clock`: what this process was
   held up is not in them.
3. Offsets are bytes into `Exchange.body`, the octets as they arrived (content codings not undone).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

KEY = "$KEY"
"""Stands for the target's key in `Request.authorization`."""

BEARER = f"Bearer {KEY}"


def bearer_of(variable: str) -> str:
    """The template that stands for another key, held by the environment variable of that name."""
    return f"Bearer ${{{variable}}}"


JSON = ("Content-Type", "application/json")
IDENTITY = ("Accept-Encoding", "identity")


class FailureKind(StrEnum):
    """Why there is no complete reply; each name says at which step the exchange broke."""

    DNS = "name not resolved"
    REFUSED = "connection refused"
    UNREACHABLE = "host unreachable"
    TLS = "TLS handshake failed"
    CONNECT_TIMEOUT = "connection timed out"
    TIMEOUT = "no complete reply in time"
    RESET = "connection closed by the target"
    TRUNCATED = "reply ended before its declared length"
    PROTOCOL = "reply is not HTTP/1.1"
    TOO_LARGE = "reply exceeds the size limit"
    HELD_OPEN = "body held open after its last event"
    LOCAL = "request could not be sent"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, and the transport's own words."""

    kind: FailureKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})" if self.detail else str(self.kind)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One read from the socket: `at` seconds, up to byte `end` of the body (exclusive)."""

    at: float
    end: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to be sent, shared and shown; equal requests are the same question."""

    method: str
    path: str
    """Appended to the base URL as it stands: `/chat/completions`."""
    body: bytes | None = field(default=None, repr=False)
    """Not shown by `repr`, which pytest makes of what a check held: it may be of 50 MB."""
    headers: tuple[tuple[str, str], ...] = (JSON, IDENTITY)
    """An empty value means: send no such header, not even the client's own."""
    authorization: str | None = BEARER
    """The header's value, `$KEY` standing for the key; None sends no such header."""

    def with_headers(self, *extra: tuple[str, str]) -> "Request":
        """The same request with `extra` added, each replacing a header of its name."""
        if not extra:
            return self
        names = {name.lower() for name, _ in extra}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return replace(self, headers=kept + extra)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, the reply as far as it came, and when each part of it arrived."""

    request: Request
    url: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    arrivals: tuple[Arrival, ...] = ()
    headers_at: float | None = None
    ended_at: float = 0.0
    failure: Failure | None = None
    repeats: int = 1
    """How often the request was sent until this reply was taken (429 and 5xx are repeated)."""
    canary_ok: bool | None = None
    """After repeats: whether the plainest valid call succeeded meanwhile; None when not asked."""
    witness_ok: bool | None = None
    """Where the plainest call was lost each time: whether another call was answered whole
    meanwhile; None when not asked."""
    http_version: str = ""
    echoed: str | None = None
    """Where the reply held the whole key that was sent, before it was masked; None: nowhere, or the
    key cannot be told from ordinary text (`Endpoint.tellable`)."""
    notes: tuple[str, ...] = field(default=())

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, case-insensitively; None without one."""
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), None)

    def header_values(self, name: str) -> list[str]:
        """Every value of that header, in order."""
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, lower-cased; "" without one (RFC 9110 §8.3)."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    @property
    def is_json_type(self) -> bool:
        """Whether the media type is `application/json` or ends in `+json` (RFC 6839)."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def complete(self) -> bool:
        """Whether a whole reply arrived."""
        return self.status is not None and self.failure is None

    def arrived_at(self, offset: int) -> float | None:
        """When byte `offset` of the body had arrived, in seconds; None if it never did."""
        return next((a.at for a in self.arrivals if a.end > offset), None)


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Raw header pairs as text; latin-1 keeps every octet (RFC 9110 §5.5)."""
    return tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in pairs)
