"""Where requests go, and the bytes of a request: pure.

Laws: a base URL carries no credentials, query or fragment; one line says what to write instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.wire.arguments import bare

__all__ = ["Place", "get", "place", "post"]


@dataclass(frozen=True, slots=True)
class Place:
    """A base URL, taken apart. ``path`` has no slash at its end, ``/v1``."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def place(url: str) -> Place:
    """The place of a base URL. Raises ValueError with one line."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"--host {bare(url)}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"--host {bare(url)!r} is no base URL: write http(s)://HOST/v1")
    if parts.username or parts.password:
        raise ValueError("--host carries credentials: give the key by --api-key-env")
    if parts.query or parts.fragment:
        raise ValueError("--host: leave out what follows the path")
    path = parts.path.rstrip("/")
    if path.endswith("/chat/completions"):
        base = url.strip().rstrip("/").removesuffix("/chat/completions")
        raise ValueError(f"--host is the base URL: write {base}")
    if not url.isascii() or any(c.isspace() for c in path):
        raise ValueError(f"--host {url!r}: write characters that are no ASCII, and blanks, escaped")
    secure = parts.scheme == "https"
    return Place(secure, parts.hostname, port or (443 if secure else 80), path)


def _head(method: str, to: Place, path: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"{method} {to.path}{path} HTTP/1.1", f"Host: {to.authority}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _common(key: str | None, more: Mapping[str, str]) -> list[tuple[str, str]]:
    headers = [("User-Agent", "chat-conformance-load"), ("Accept-Encoding", "identity")]
    if key:
        headers.append(("Authorization", f"Bearer {key}"))
    return [*headers, *more.items()]


def post(to: Place, body: Mapping[str, Any], key: str | None, more: Mapping[str, str]) -> bytes:
    """A streamed chat completion, head and body, in one piece."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [
        ("Accept", "text/event-stream"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(content))),
        *_common(key, more),
    ]
    return _head("POST", to, "/chat/completions", headers) + content


def get(to: Place, path: str, key: str | None, more: Mapping[str, str]) -> bytes:
    """A GET below the base URL."""
    return _head("GET", to, path, [("Accept", "application/json"), *_common(key, more)])
