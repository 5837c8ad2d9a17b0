"""The ways in which a request can end, as one table.

Laws: a request that did not succeed has exactly one kind, the first that holds in the order of the
table; a cut by the end of the run is no failure of the target and is counted apart; what is shown
of a reply is one redacted line.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["SAYS", "Failure", "Kind"]


class Kind(enum.StrEnum):
    """How a request failed; the value is the name in results."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    NOT_SENT = "not_sent"
    RESET = "reset"
    NO_REPLY = "no_reply"
    BAD_HTTP = "bad_http"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    STALL = "stall"
    TRUNCATED = "truncated"
    REDIRECT = "redirect"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "status_4xx"
    SERVER_ERROR = "status_5xx"
    STATUS = "status_other"
    COMPRESSED = "compressed"
    NOT_A_STREAM = "not_a_stream"
    ERROR_EVENT = "error_event"
    BROKEN_CHUNK = "broken_chunk"
    EMPTY = "empty"
    NO_FINISH_REASON = "no_finish_reason"
    NO_DONE = "no_done"
    CROSSED = "crossed"
    INTERNAL = "internal"
    CANCELLED = "cancelled"


SAYS: Final[Mapping[Kind, str]] = {
    Kind.DNS: "the host's name has no address",
    Kind.REFUSED: "the connection was refused",
    Kind.UNREACHABLE: "the host could not be reached",
    Kind.CONNECT_TIMEOUT: "no connection within --connect-timeout",
    Kind.TLS: "the TLS handshake or a record failed",
    Kind.NOT_SENT: "due, but more requests were in flight than --max-in-flight",
    Kind.RESET: "the connection broke",
    Kind.NO_REPLY: "the connection ended before any byte of a reply",
    Kind.BAD_HTTP: "the reply is no HTTP/1.1",
    Kind.TOO_LARGE: "the body is larger than is kept",
    Kind.TIMEOUT: "not finished within --total-timeout",
    Kind.STALL: "no token for --stall-timeout after the first",
    Kind.TRUNCATED: "the body ended before its announced end",
    Kind.REDIRECT: "a redirect, which is never followed: it would carry the key along",
    Kind.RATE_LIMITED: "status 429",
    Kind.CLIENT_ERROR: "status 4xx other than 429",
    Kind.SERVER_ERROR: "status 5xx",
    Kind.STATUS: "a status that is no 200",
    Kind.COMPRESSED: "a compressed body, although identity was asked for",
    Kind.NOT_A_STREAM: "status 200, but no text/event-stream",
    Kind.ERROR_EVENT: "an error event in the stream",
    Kind.BROKEN_CHUNK: "a chunk that is no JSON",
    Kind.EMPTY: "the stream ended without a token",
    Kind.NO_FINISH_REASON: "the stream ended without a finish_reason",
    Kind.NO_DONE: "the stream ended without [DONE]",
    Kind.CROSSED: "the answer holds the nonce of another request",
    Kind.INTERNAL: "a fault of this program, not of the target",
    Kind.CANCELLED: "cut off by the end of the run; not counted as a failure",
}
"""One line for each kind, for people."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed. ``detail`` is one redacted line, ``status`` 0 where none was read."""

    kind: Kind
    detail: str = ""
    status: int = 0

    def __str__(self) -> str:
        shown = f"{self.kind}: {self.detail}" if self.detail else f"{self.kind}: {SAYS[self.kind]}"
        return f"{shown} (status {self.status})" if self.status not in (0, 200) else shown


def of_status(status: int) -> Kind | None:
    """The kind of a status line; None for 200."""
    if status == 200:
        return None
    if status == 429:
        return Kind.RATE_LIMITED
    return {3: Kind.REDIRECT, 4: Kind.CLIENT_ERROR, 5: Kind.SERVER_ERROR}.get(
        status // 100, Kind.STATUS
    )
