"""Rules for error replies: CC-ERR-001 to 009, 011, 012 and 018.

The caller knows whether a reply is in the scope that CC-ERR-001 states; here only its form counts.

Which shape breaks which entries
--------------------------------
Every shape but the envelope breaks CC-ERR-001, which asks for ``{"error": {...}}``. Beside it:

================================================================  ====================
shape of the body                                                 and also
================================================================  ====================
no JSON: HTML, text, empty                                        (nothing)
another media type on a right body                                (nothing)
an array, ``[{"error": {...}}]``                                  CC-ERR-005
``error`` is a string, list, number, null                         CC-ERR-002
``{"detail": ...}``, RFC 7807, ``{"message": ...}`` alone         CC-ERR-003
``{"object": "error", ...}``, ``message`` with type or code       CC-ERR-004
any other object without ``error``, any other JSON value          (nothing)
================================================================  ====================

CC-ERR-002 speaks of an ``error`` that is something else, not of one that is missing; CC-ERR-003 and
CC-ERR-004 name two kinds of missing, and one body is one kind. A ``detail`` or ``message`` beside a
good envelope is allowed. The members of ``error`` are judged only where it is an object: a number
as ``code`` is CC-ERR-008 alone, a missing ``code`` CC-ERR-009 alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .facts import Facts
from .finding import Finding, Findings, Quote, excerpt
from .jsontext import Document, read_document
from .media import is_json
from .rules import Rule, breaches, is_filled_text, is_text, optional, present

__all__ = ["ErrorReply", "findings", "names", "read_error"]

_ENVELOPE: Final = 'an error is JSON of the form {"error": {...}}'

ERROR_RULES: Final = (
    Rule("CC-ERR-006", "message", is_text, "error.message is a string"),
    Rule("CC-ERR-006", "message", lambda v: v != "", "error.message is not empty", mild=True),
    Rule("CC-ERR-007", "type", is_filled_text, "error.type is a string that is not empty"),
    Rule("CC-ERR-008", "code", optional(is_text), "error.code is a string or null"),
    Rule("CC-ERR-009", "param", present, "error.param is there"),
    Rule("CC-ERR-009", "code", present, "error.code is there"),
    Rule("CC-ERR-009", "param", optional(is_text), "error.param is a string or null"),
)

LEAKS: Final = (
    ("stack trace", re.compile(r"Traceback|\bat Object\.|\n\s+at \S+ \(|goroutine \d+ \[")),
    (
        "file path",
        re.compile(r"(?<![\w.])/(?:usr|home|root|opt|var|srv)/[\w.-]|\bFile \"[^\"]+\", line \d"),
    ),
    ("key", re.compile(r"\bsk-[A-Za-z0-9]{20}")),
)
"""CC-ERR-018: what no error may show."""

_INSIDE: Final = re.compile(
    r"https?://((?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}"
    r"|[\w.-]+\.(?:internal|svc|svc\.cluster\.local))(?![\w-]|\.\w)"
)
"""CC-ERR-018: an address of RFC 1918, or a name that only a network of its own resolves."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The four members of an envelope, as sent; ABSENT-or-wrong values are None.

    ``detail`` is the object they were taken from, with whatever else it holds.
    """

    message: str | None
    type: str | None
    param: str | None
    code: str | None
    detail: Mapping[str, object]


def read_error(body: bytes) -> ErrorReply | None:
    """The envelope in a body; None where there is none. Never raises."""
    value = read_document(body).value
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return None

    def text(name: str) -> str | None:
        value = error.get(name)
        return value if isinstance(value, str) else None

    return ErrorReply(text("message"), text("type"), text("param"), text("code"), error)


def names(body: bytes, *parameters: str) -> bool:
    """Whether an error's ``param`` or message names one of the parameters (a *refusal* of it).

    ``param`` names it also as the head of a path (``messages[2].role`` names ``messages``); a
    message names it as a word, in either case: ``logprobs`` is named by "You are not allowed to
    request logprobs", ``tools`` by "Tools are not supported", ``n`` not by "an error".

    >>> names(b'{"error": {"message": "unknown", "param": "stop[0]"}}', "stop")
    True
    """
    error = read_error(body)
    if error is None:
        return False
    for name in parameters:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        head = re.compile(rf"{re.escape(name)}(?![\w-])")
        if error.param is not None and head.match(error.param):
            return True
        if error.message is not None and word.search(error.message):
            return True
    return False


def findings(
    status: int, content_type: str | None, body: bytes, *, host: str | None = None
) -> list[Finding]:
    """What is wrong with an error reply; never raises.

    Args:
        status: the HTTP status; 400 and 422 have an entry of their own.
        content_type: the header as sent, None where there is none.
        body: the content, decoded from any content coding.
        host: the target's own, which an error may name; None: no host is looked for.
    """
    log = Findings()
    document = read_document(body)
    _shape(log, document, body)
    if not is_json(content_type):
        seen = Quote("no header") if content_type is None else content_type
        log.add("CC-ERR-001", "an error has Content-Type application/json", seen, "Content-Type")
    error = document.value.get("error") if isinstance(document.value, dict) else None
    if isinstance(error, dict):
        for rule, value in breaches(ERROR_RULES, error, Facts()):
            log.add(rule.id, rule.required, value, path=f"$.error.{rule.name}", mild=rule.mild)
        kind = error.get("type")
        if status == 400 and is_filled_text(kind) and kind != "invalid_request_error":
            required = "a 400 has type invalid_request_error"
            log.add("CC-ERR-011", required, kind, path="$.error.type")
    if status == 422:
        log.add("CC-ERR-012", "validation errors are 400", 422, "status", mild=True)
    _leaks(log, document, body)
    if host is not None:
        _hosts(log, document, body, host)
    return list(log)


def _hosts(log: Findings, document: Document, body: bytes, own: str) -> None:
    """CC-ERR-018: hosts behind the target; its own is known to whoever called it."""
    for text in _texts(document, body):
        for found in _INSIDE.finditer(text):
            if found[1] != own:
                log.add("CC-ERR-018", "no internal host appears in an error", found[0], "body")


def _texts(document: Document, body: bytes) -> list[str]:
    """The strings of a document (its escapes undone), else the whole text."""
    return list(_strings(document.value)) or [body.decode("utf-8", "replace")]


def _leaks(log: Findings, document: Document, body: bytes) -> None:
    """CC-ERR-018: a stack trace, a path, a key.

    Of a key only the beginning is quoted: a report must not spread what it complains about.
    """
    texts = _texts(document, body)
    for what, pattern in LEAKS:
        leak = next((found for text in texts if (found := pattern.search(text))), None)
        if leak is not None:
            at = body.find(leak[0].encode("utf-8", "replace"))
            span = (at, at + len(leak[0].encode("utf-8", "replace"))) if at >= 0 else None
            seen = (
                Quote(leak[0][:6] + "…") if what == "key" else excerpt(leak.string[leak.start() :])
            )
            log.add("CC-ERR-018", f"no {what} appears in an error", seen, "body", span=span)


def _strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, keys apart; as deep as jsontext.MAX_DEPTH at most."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _shape(log: Findings, document: Document, body: bytes) -> None:
    value = document.value
    if document.error is not None:
        log.add("CC-ERR-001", _ENVELOPE, body or Quote("an empty body"))
        return
    if document.trailing:
        log.add("CC-ERR-001", "an error body is one JSON document", document.trailing)
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        return
    log.add("CC-ERR-001", _ENVELOPE, value, path="$")
    if isinstance(value, list):
        log.add("CC-ERR-005", "the envelope is not wrapped in an array", value, path="$")
    elif isinstance(value, dict):
        clause, required = _kind_of_missing(value)
        if clause:
            path = "$.error" if "error" in value else "$"
            log.add(clause, required, value.get("error", value), path=path)


def _kind_of_missing(value: Mapping[str, object]) -> tuple[str, str]:
    """The row of the module's table that an object without a good ``error`` belongs to."""
    if "error" in value:
        return "CC-ERR-002", "error is an object"
    if value.get("object") == "error" or ("message" in value and {"type", "code"} & set(value)):
        return "CC-ERR-004", "the envelope is not flattened"
    problem = {"type", "title", "status"}  # RFC 7807 §3.1; two of them make one
    if {"detail", "message"} & set(value) or len(problem & set(value)) >= 2:
        return "CC-ERR-003", "no framework shape replaces the envelope"
    return "", ""
