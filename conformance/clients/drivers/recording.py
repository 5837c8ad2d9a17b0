"""What goes over the wire while a step runs: each reply, as far as a library reads it."""

import base64
import importlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .telling import LONGEST

MOST_BYTES = 16 * 1024 * 1024
"""Of one reply's body; a library that is sent more is stopped."""

EXCHANGES: list["Recorder"] = []
"""What went over the wire in the step that runs."""


class TooLargeError(Exception):
    """The target sends more than any answer holds."""


class Recorder:
    """The body of one reply, as it comes."""

    def __init__(self, response: Any) -> None:
        request = response.request
        self.body = bytearray()
        self.entry: dict[str, Any] = {
            "method": request.method,
            "url": str(request.url),
            "user_agent": request.headers.get("user-agent", ""),
            "sent": base64.b64encode(request.content).decode(),
            "status": response.status_code,
            "headers": [list(pair) for pair in response.headers.multi_items()],
        }
        self.failure = "left before its end"
        EXCHANGES.append(self)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """The body is read; what is no Exception is a reader that left before its end."""
        if error is None:
            self.failure = ""
        elif isinstance(error, Exception):
            self.failure = f"{type(error).__name__}: {error}"[:LONGEST]

    def add(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > MOST_BYTES:
            raise TooLargeError(f"the body exceeds {MOST_BYTES} bytes")

    def told(self) -> dict[str, Any]:
        """The exchange, its body as far as the library has read."""
        body = base64.b64encode(bytes(self.body)).decode()
        return {**self.entry, "body": body, "failure": self.failure}


def seen(response: Any) -> bool:
    """Whether a reply was read before, and recorded; or came over no wire: LiteLLM makes some."""
    return hasattr(response, "_content") or "network_stream" not in response.extensions


def record(library: str) -> None:
    """Keep every reply that `library` (httpx, or httpx2) reads, content codings undone."""
    try:
        module = importlib.import_module(library)
    except ImportError:
        return
    iterate, aiterate = module.Response.iter_bytes, module.Response.aiter_bytes

    def iter_bytes(self: Any, chunk_size: int | None = None) -> Iterator[bytes]:
        if seen(self):
            yield from iterate(self, chunk_size)
            return
        with Recorder(self) as recorder:
            for piece in iterate(self, chunk_size):
                recorder.add(piece)
                yield piece

    async def aiter_bytes(self: Any, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        if seen(self):
            async for piece in aiterate(self, chunk_size):
                yield piece
            return
        with Recorder(self) as recorder:
            async for piece in aiterate(self, chunk_size):
                recorder.add(piece)
                yield piece

    module.Response.iter_bytes, module.Response.aiter_bytes = iter_bytes, aiter_bytes
