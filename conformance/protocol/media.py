"""Media types: what a ``Content-Type`` says, without its parameters (RFC 9110 §8.3.1).

>>> media_type("Application/JSON; charset=utf-8")
'application/json'
"""

from __future__ import annotations

from .finding import Finding, shorten

__all__ = ["findings", "is_event_stream", "is_json", "media_type"]


def media_type(content_type: str | None) -> str:
    """The type and subtype in lower case; ``""`` where there is no header."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(content_type: str | None) -> bool:
    """``application/json``, or any type with the suffix ``+json`` (RFC 6839 §3.1)."""
    kind = media_type(content_type)
    return kind == "application/json" or ("/" in kind and kind.endswith("+json"))


def is_event_stream(content_type: str | None) -> bool:
    """``text/event-stream`` (WHATWG HTML §9.2.3)."""
    return media_type(content_type) == "text/event-stream"


def findings(content_type: str | None) -> list[Finding]:
    """CC-HTTP-003: a successful non-streamed reply says that it is JSON."""
    if is_json(content_type):
        return []
    seen = "no header" if content_type is None else shorten(content_type)
    return [Finding("CC-HTTP-003", "Content-Type is application/json", seen, "Content-Type")]
