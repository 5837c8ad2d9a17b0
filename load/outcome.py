"""How a request ended: the head of the reply, and what its stream said, against the table of kinds.

Laws: pure; the first reason in the order of `failures.Kind` counts; a reply that the network cut is
judged by the cut, not by what is missing after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from load.decoding import Decoded, error_message
from load.failures import Failure, Kind, of_status
from load.prompts import foreign_nonce

__all__ = ["judge", "retry_after"]


def judge(
    failure: Failure | None,
    status: int,
    fields: Mapping[str, str],
    body: bytes,
    *,
    decoded: Decoded,
    nonce: str = "",
) -> Failure | None:
    """Why the request failed; None where it succeeded.

    Args:
        failure: what the connection noted, None where the body reached its end.
        status, fields: of the head, names in lower case.
        decoded: of ``body``, where it is a stream.
        nonce: of the request, "" where it had none.
    """
    if failure is not None:
        return failure
    kind = of_status(status)
    if kind is not None:
        return Failure(kind, _said(body, fields), status)
    if fields.get("content-type", "").partition(";")[0].strip().lower() != "text/event-stream":
        return Failure(
            Kind.NOT_A_STREAM, fields.get("content-type", "no content-type")[:80], status
        )
    return _of_stream(decoded, nonce)


def _of_stream(decoded: Decoded, nonce: str) -> Failure | None:
    foreign = foreign_nonce(decoded.text, nonce)
    silent = sorted(decoded.choices - decoded.finish.keys())
    rows: tuple[tuple[bool, Kind, str], ...] = (
        (decoded.error is not None, Kind.ERROR_EVENT, decoded.error or ""),
        (decoded.broken is not None, Kind.BROKEN_CHUNK, decoded.broken or ""),
        (not decoded.tokens, Kind.EMPTY, ""),
        (bool(silent) or not decoded.finish, Kind.NO_FINISH_REASON, ""),
        (not decoded.done, Kind.NO_DONE, ""),
        (foreign is not None, Kind.CROSSED, foreign or ""),
    )
    return next((Failure(kind, detail, 200) for held, kind, detail in rows if held), None)


def _said(body: bytes, fields: Mapping[str, str]) -> str:
    """One line of what a refusal said."""
    if location := fields.get("location"):
        return f"to {location[:100]}"
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = body[:200].decode("utf-8", "replace")
    return error_message(value)


def retry_after(fields: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110 §10.2.3), None without a number; at most 300."""
    try:
        seconds = float(fields.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, 300.0) if seconds >= 0 else None
