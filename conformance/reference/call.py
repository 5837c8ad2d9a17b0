"""What one call is made of: plain data that every other module passes on.

Laws: nothing here reads a clock or a socket; a Call and a Reply are never changed, only replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias

Header: TypeAlias = tuple[str, str]
Item: TypeAlias = "dict[str, Any] | str | bytes"
"""One piece of a stream's body: a JSON object (framed as one event), or bytes or text as is."""

DONE = "data: [DONE]\n\n"
NO_CONTENT = b""


class Cut(Enum):
    """An end of the connection, standing among the pieces of a reply."""

    CLOSE = "close"  # orderly: what was written still arrives
    RESET = "reset"  # abortive: the peer sees a reset


Piece: TypeAlias = "bytes | Cut"


@dataclass(frozen=True)
class Call:
    """A request as it arrived.

    ``target`` is the request target as sent; ``path`` the part of it below the base URL, without
    query, still percent-encoded ("/chat/completions"). Header names are lower case, values latin-1.
    ``number`` counts the calls of this process from 1, ``moment`` is the time of arrival in Unix
    seconds and ``nonce`` 24 hex digits of its own: chance and clock enter a reply only here.
    ``trusted`` says that the credentials were accepted without a look (only faults set it).
    """

    number: int
    method: str
    target: str
    path: str
    headers: tuple[Header, ...] = ()
    content: bytes = NO_CONTENT
    too_large: bool = False
    trusted: bool = False
    version: str = "1.1"
    moment: float = 0.0
    nonce: str = "0" * 24

    def values(self, name: str) -> list[str]:
        """All values of one header, in order; `name` in lower case."""
        return [value for key, value in self.headers if key == name]

    @cached_property
    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None where it is not one."""
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def chat(self) -> bool:
        """Whether this is a call of the chat operation."""
        return self.method == "POST" and self.path == "/chat/completions"

    @property
    def asks_stream(self) -> bool:
        """Whether this is a chat call with ``stream: true``."""
        return self.chat and (self.json or {}).get("stream") is True

    @property
    def asks_usage(self) -> bool:
        """Whether a usage chunk was asked for."""
        options = (self.json or {}).get("stream_options")
        return self.asks_stream and isinstance(options, dict) and bool(options.get("include_usage"))

    def understood_as(self, body: Mapping[str, Any]) -> Call:
        """The same call with another body: what a fault makes the server believe it was asked."""
        return replace(self, content=json.dumps(body).encode())


@dataclass(frozen=True)
class Reply:
    """An answer before it becomes bytes.

    Exactly one of ``body`` (a JSON document), ``events`` (an event stream) and ``content`` (raw
    bytes) is used: events where given, else content where given, else body. ``cost`` is the number
    of output tokens, from which the pace of the answer follows; ``model`` names whose pace it is.
    """

    status: int
    body: Any = None
    headers: tuple[Header, ...] = ()
    events: tuple[Item, ...] | None = None
    content: bytes | None = None
    model: str = ""
    cost: int = 0

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def having(self, *headers: Header) -> Reply:
        """The same reply with these headers set, each replacing its namesakes."""
        names = {name.lower() for name, _ in headers}
        kept = tuple(h for h in self.headers if h[0].lower() not in names)
        return replace(self, headers=kept + headers)

    def lacking(self, *names: str) -> Reply:
        """The same reply without the headers of these names."""
        gone = {name.lower() for name in names}
        return replace(self, headers=tuple(h for h in self.headers if h[0].lower() not in gone))


def refusal(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: tuple[Header, ...] = (),
) -> Reply:
    """An error reply in the documented envelope: message, type, param and code, all present."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Reply(status, {"error": error}, headers)
