"""Rules for a non-streamed completion: CC-RESP, CC-MSG and CC-FIN, as tables.

Each table is about one object of the completion (rules.py explains the rows). What one row cannot
say is a function below its table.

Decisions
---------
* A body with a truthy ``error`` is CC-RESP-009 alone: the rest of a failure is no completion.
* ``choices`` that are no filled list are CC-RESP-004 alone. A choice without a ``message`` object
  is CC-MSG-002 alone (and CC-RESP-011, if it has a ``delta``: that entry asks for both).
* Indices are compared with 0..n-1, as CC-MSG-001 says: two choices where one was asked for break it
  beside CC-RESP-004, and one of two beside CC-SAMP-001.
* A missing key that has an entry of its own (content: CC-MSG-004, refusal: CC-MSG-005, logprobs:
  CC-MSG-009) breaks only that one.
* ``finish_reason`` null or missing is CC-FIN-001; a vendor's value, ``""`` included, is CC-FIN-001
  and CC-FIN-002 (the catalogue says so).
* ``tool_calls`` as reason without calls is CC-FIN-007 where calls were possible, else CC-MSG-013.
* The rules about ``usage`` stand in usage.py, those about calls in calls.py, those about markup in
  markup.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import calls as tool_calls
from . import logprobs, reasoning
from .facts import Facts
from .finding import ABSENT, Finding, Findings, Quote
from .fold import REASONING
from .markup import markup
from .rules import (
    FINISH_REASONS,
    Rule,
    breaches,
    equals,
    is_filled_text,
    is_integer,
    is_object,
    is_text,
    one_of,
    optional,
    present,
    truthy,
    unused,
)
from .usage import usage_findings

__all__ = ["findings"]

SERVICE_TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast")
_CLOCK_TOLERANCE: Final = 600  # seconds between created and Date, CC-RESP-003


def _is_unix_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 10**9 <= value < 2**32


def _has_no_call(value: object) -> bool:
    return not (isinstance(value, list | dict) and len(value) > 0)


def _is_citation(value: object) -> bool:
    citation = value.get("url_citation") if isinstance(value, dict) else None
    return (
        isinstance(value, dict)
        and value.get("type") == "url_citation"
        and isinstance(citation, dict)
        and all(is_integer(citation.get(name)) for name in ("start_index", "end_index"))
        and all(is_text(citation.get(name)) for name in ("url", "title"))
    )


def _are_citations(value: object) -> bool:
    return value is ABSENT or (isinstance(value, list) and all(map(_is_citation, value)))


def _is_speech(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(is_filled_text(value.get(name)) for name in ("id", "data"))
        and is_integer(value.get("expires_at"))
        and is_text(value.get("transcript"))
    )


def _without_tools(facts: Facts) -> bool:
    return not facts.calls_allowed


TOP_RULES: Final = (
    Rule("CC-RESP-001", "id", is_filled_text, "id is a string that is not empty"),
    Rule("CC-RESP-002", "object", equals("chat.completion"), "object is chat.completion"),
    Rule("CC-RESP-003", "created", _is_unix_seconds, "created is an integer of Unix seconds"),
    Rule("CC-RESP-005", "model", is_text, "model is a string"),
    Rule("CC-RESP-006", "usage", is_object, "usage is an object"),
    Rule(
        "CC-RESP-007",
        "system_fingerprint",
        optional(is_text),
        "system_fingerprint is absent, null or a string",
    ),
    Rule(
        "CC-RESP-008",
        "service_tier",
        optional(one_of(*SERVICE_TIERS)),
        "service_tier is absent, null or one of " + ", ".join(SERVICE_TIERS),
        mild=True,
    ),
    Rule("CC-RESP-010", "metadata", optional(is_object), "metadata is absent, null or an object"),
    Rule(
        "CC-RESP-010", "moderation", optional(is_object), "moderation is absent, null or an object"
    ),
)

CHOICE_RULES: Final = (
    Rule("CC-RESP-011", "delta", lambda value: value is ABSENT, "a choice has no delta"),
    Rule("CC-MSG-009", "logprobs", present, "the key logprobs is there", mild=True),
    Rule(
        "CC-MSG-009",
        "logprobs",
        unused,
        "logprobs is null when not requested",
        when=lambda facts: not facts.logprobs,
    ),
    logprobs.UNASKED,
    Rule(
        "CC-RESP-010",
        "logprobs",
        optional(is_object),
        "logprobs is null or an object",
        when=lambda facts: facts.logprobs,
    ),
    Rule(
        "CC-FIN-001",
        "finish_reason",
        one_of(*FINISH_REASONS),
        "finish_reason is one of " + ", ".join(FINISH_REASONS),
    ),
    Rule(
        "CC-FIN-002",
        "finish_reason",
        optional(one_of(*FINISH_REASONS)),
        "finish_reason is no vendor's value",
    ),
    Rule(
        "CC-MSG-013",
        "finish_reason",
        lambda value: value not in ("tool_calls", "function_call"),
        "without tools no choice finishes with a call",
        when=_without_tools,
    ),
)

MESSAGE_RULES: Final = (
    Rule("CC-MSG-002", "role", equals("assistant"), "role is assistant"),
    Rule("CC-MSG-003", "content", optional(is_text), "content is a string or null"),
    Rule("CC-MSG-004", "content", present, "the key content is there"),
    Rule("CC-MSG-005", "refusal", present, "the key refusal is there", mild=True),
    Rule("CC-MSG-005", "refusal", optional(is_text), "refusal is a string or null"),
    Rule("CC-MSG-006", "tool_calls", lambda value: value != [], "tool_calls is not []"),
    Rule(
        "CC-MSG-007",
        "function_call",
        unused,
        "function_call is absent or null unless requested",
        when=lambda facts: not facts.functions,
    ),
    Rule(
        "CC-MSG-007",
        "audio",
        unused,
        "audio is absent or null unless requested",
        when=lambda facts: not facts.audio,
    ),
    Rule(
        "CC-MM-012",
        "audio",
        optional(_is_speech),
        "audio has id, expires_at (an integer), data and transcript",
        when=lambda facts: facts.audio,
    ),
    Rule("CC-MSG-008", "annotations", _are_citations, "annotations is an array of url_citation"),
    Rule(
        "CC-MSG-013",
        "tool_calls",
        _has_no_call,
        "without tools there are no calls",
        when=_without_tools,
    ),
    Rule(
        "CC-MSG-013",
        "function_call",
        lambda value: not is_object(value),
        "without functions there is no function call",
        when=_without_tools,
    ),
    Rule(
        "CC-RESP-010",
        "tool_calls",
        optional(lambda value: isinstance(value, list)),
        "tool_calls is absent, null or an array",
    ),
)


def findings(
    value: object, facts: Facts | None = None, *, date: int | None = None
) -> list[Finding]:
    """What is wrong with a parsed completion; never raises.

    Args:
        value: the JSON value of the body.
        facts: what was asked for.
        date: Unix seconds of the reply's ``Date`` header, else of the local clock; None leaves the
            comparison of CC-RESP-003 out.
    """
    log, facts = Findings(), facts or Facts(stream=False)
    if not isinstance(value, dict):
        return []  # CC-HTTP-002
    if truthy(value.get("error")):
        required = "a success has no truthy error"
        log.add("CC-RESP-009", required, value["error"], path="$.error")
        return list(log)
    for rule, seen in breaches(TOP_RULES, value, facts):
        log.add(rule.id, rule.required, seen, path=f"$.{rule.name}", mild=rule.mild)
    _clock(log, value.get("created"), date)
    choices = value.get("choices", ABSENT)
    if not isinstance(choices, list) or not choices:
        log.add("CC-RESP-004", "choices is a non-empty array", choices, path="$.choices")
        choices = []
    elif facts.n == 1 and len(choices) != 1:
        seen = Quote(f"{len(choices)} choices")
        log.add("CC-RESP-004", "one choice where n is 1", seen, path="$.choices")
    _indices(log, choices, facts.n)
    for position, choice in enumerate(choices):
        _choice(log, choice, facts, f"$.choices[{position}]")
    tool_calls.judge_ids(log, choices)
    logprobs.judge_choices(log, choices, facts, value.get("usage"))
    spoke = any(_produced(choice) for choice in choices)
    reasoned = any(_reasoned(choice) for choice in choices)
    found = usage_findings(value.get("usage"), produced=spoke, reasoned=reasoned)
    return [*log, *found]


def _clock(log: Findings, created: object, date: int | None) -> None:
    if date is not None and isinstance(created, int) and _is_unix_seconds(created):
        off = created - date
        if abs(off) > _CLOCK_TOLERANCE:
            required = f"created is within {_CLOCK_TOLERANCE} s of the reply's date"
            log.add("CC-RESP-003", required, Quote(f"{off:+d} s"), path="$.created", mild=True)


def _indices(log: Findings, choices: list[object], n: int) -> None:
    if not choices or not all(isinstance(choice, dict) for choice in choices):
        return  # CC-RESP-004, CC-MSG-002
    indices = [choice.get("index", ABSENT) for choice in choices if isinstance(choice, dict)]
    numbers = [index for index in indices if isinstance(index, int) and is_integer(index)]
    if len(numbers) != len(indices) or sorted(numbers) != list(range(n)):
        required = f"the indices are 0..{n - 1}" if n > 1 else "the only index is 0"
        log.add("CC-MSG-001", required, indices, path="$.choices[*].index")


def _choice(log: Findings, choice: object, facts: Facts, path: str) -> None:
    message = choice.get("message", ABSENT) if isinstance(choice, dict) else choice
    if not isinstance(choice, dict) or not isinstance(message, dict):
        where = f"{path}.message" if isinstance(choice, dict) else path
        log.add("CC-MSG-002", "a choice has a message, an object", message, path=where)
        if isinstance(choice, dict) and "delta" in choice:
            log.add("CC-RESP-011", "a choice has no delta", choice["delta"], path=f"{path}.delta")
        return
    for rule, seen in breaches(CHOICE_RULES, choice, facts):
        log.add(rule.id, rule.required, seen, path=f"{path}.{rule.name}", mild=rule.mild)
    for rule, seen in breaches(MESSAGE_RULES, message, facts):
        log.add(rule.id, rule.required, seen, path=f"{path}.message.{rule.name}", mild=rule.mild)
    calls = message.get("tool_calls", ABSENT)
    ends_in_calls = choice.get("finish_reason") == "tool_calls"
    if facts.calls_allowed and ends_in_calls and not (isinstance(calls, list) and calls):
        required = "finish_reason tool_calls comes with calls"
        log.add("CC-FIN-007", required, calls, path=f"{path}.message.tool_calls")
    tool_calls.judge_message(log, message, facts, f"{path}.message")
    reasoning.judge(log, choice, path)
    content = message.get("content")
    if isinstance(content, str) and (mark := markup(content)) is not None:
        required = "content is free of chat-template and tool markup"
        log.add("CC-MSG-011", required, mark, path=f"{path}.message.content")


def _message(choice: object) -> Mapping[str, object]:
    message = choice.get("message") if isinstance(choice, dict) else None
    return message if isinstance(message, dict) else {}


def _produced(choice: object) -> bool:
    """Whether a choice holds any text or call."""
    message = _message(choice)
    said = ("content", "refusal", "tool_calls", "function_call", "audio", *REASONING)
    return any(message.get(name) for name in said)


def _reasoned(choice: object) -> bool:
    message = _message(choice)
    return any(isinstance(message.get(name), str) and message[name] for name in REASONING)
