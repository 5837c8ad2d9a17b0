"""What a chunk must look like, and what all chunks of a stream have in common.

The rules about one chunk are tables (see rules.py); what may follow what is in stream.py.

Decisions
---------
* A data object is a *chunk* if it has ``choices`` or ``usage``, an ``object`` of a completion, or
  an ``id`` together with a ``model``. Any other object is CC-SSE-016's heartbeat, nothing else.
* A chunk without a list of ``choices`` breaks CC-STREAM-001, CC-STREAM-005 and CC-SSE-016: each of
  the three asks for the list by name.
* A choice that is no object is CC-STREAM-007 alone.
* ``""`` and ``"null"`` as finish_reason are not a finish: servers send them in every chunk. They
  break CC-STREAM-011 and CC-FIN-002 and do not end the choice.
* An error event is judged as one, never as a chunk, whatever else it carries (CC-SERR-007).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import calls, logprobs
from .facts import Facts
from .finding import ABSENT, Findings, Quote, Tell, shorten
from .fold import REASONING
from .framing import Item
from .rules import (
    FINISH_REASONS,
    Rule,
    breaches,
    equals,
    is_count,
    is_integer,
    is_list,
    is_object,
    is_text,
    nullable,
    one_of,
    optional,
)
from .usage import COUNTS

__all__ = ["REASONING", "VISIBLE", "Chunk"]

VISIBLE: Final = ("content", "refusal")
"""Members of a delta whose text a user sees."""

_ERROR_FORM: Final = "an in-stream error is an object with a string message"
_OBJECT: Final = "chat.completion.chunk"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One ordinary chunk: its number among the stream's data values, its object, its event's span.

    ``preamble``: Azure's first event, without choices and with an empty ``object``.
    """

    number: int
    value: Mapping[str, Any]
    span: tuple[int, int]
    preamble: bool = False

    @property
    def where(self) -> str:
        """Its place, for people."""
        return f"chunk {self.number}"

    def choices(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Its choices that are objects, each with its place in the list."""
        listed = self.value.get("choices")
        for position, choice in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(choice, dict):
                yield position, choice


def is_chunk(value: Mapping[str, object]) -> bool:
    """Whether a data object is meant as a chunk (see the module's decisions)."""
    return (
        "choices" in value
        or "usage" in value
        or str(value.get("object")).startswith("chat.completion")
        or {"id", "model"} <= set(value)
    )


def is_index(value: object, n: int) -> bool:
    """Whether this is the number of one of ``n`` choices."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < n


def finishes(choice: Mapping[str, object]) -> bool:
    """Whether a chunk's choice carries a finish_reason that ends it."""
    return choice.get("finish_reason") not in (None, "", "null")


def speaks(delta: Mapping[str, object]) -> bool:
    """Whether a delta carries anything besides a role."""
    return any(value for key, value in delta.items() if key != "role")


def _no_call(value: object) -> bool:
    """Not a non-empty list of calls, not a function call object."""
    return not (isinstance(value, list | dict) and len(value) > 0)


def _no_call_finish(value: object) -> bool:
    return value not in ("tool_calls", "function_call")


def _no_calls(facts: Facts) -> bool:
    return not facts.calls_allowed


def _unobfuscated(facts: Facts) -> bool:
    return facts.include_obfuscation is False


CHUNK_RULES: Final = (
    Rule("CC-STREAM-001", "id", is_text, "a chunk has an id, a string"),
    Rule("CC-STREAM-001", "object", equals(_OBJECT), f"a chunk has object {_OBJECT}"),
    Rule("CC-STREAM-001", "created", is_integer, "a chunk has created, an integer"),
    Rule("CC-STREAM-001", "model", is_text, "a chunk has a model, a string"),
    Rule("CC-STREAM-001", "choices", is_list, "a chunk has choices, an array"),
    Rule("CC-STREAM-005", "choices", is_list, "choices is an array in every chunk"),
    Rule("CC-STREAM-024", "error", lambda value: value is ABSENT, "a chunk has no error key"),
    Rule(
        "CC-STREAM-026",
        "obfuscation",
        lambda value: value is ABSENT or is_text(value),
        "obfuscation is a string",
    ),
    Rule(
        "CC-STREAM-026",
        "obfuscation",
        lambda value: not is_text(value),
        "no obfuscation after include_obfuscation false",
        when=_unobfuscated,
    ),
    Rule("CC-STREAM-022", "usage", optional(is_object), "usage is an object or null"),
)

CHOICE_RULES: Final = (
    Rule("CC-STREAM-007", "delta", is_object, "a chunk choice has a delta, an object"),
    Rule(
        "CC-STREAM-011",
        "finish_reason",
        nullable(one_of(*FINISH_REASONS)),
        "finish_reason is there, null or one of the five values",
    ),
    Rule(
        "CC-FIN-002",
        "finish_reason",
        optional(one_of(*FINISH_REASONS)),
        "finish_reason is null or one of " + ", ".join(FINISH_REASONS),
    ),
    Rule(
        "CC-MSG-013",
        "finish_reason",
        _no_call_finish,
        "without tools no choice finishes with a call",
        when=_no_calls,
    ),
    Rule("CC-RESP-011", "message", lambda value: value is ABSENT, "a chunk choice has no message"),
    logprobs.UNASKED,
)

DELTA_RULES: Final = (
    Rule("CC-STREAM-010", "role", optional(equals("assistant")), "role is assistant"),
    Rule("CC-STREAM-010", "role", lambda value: value is not None, "role is not null", mild=True),
    Rule("CC-STREAM-015", "content", optional(is_text), "content is a string, null or absent"),
    Rule("CC-STREAM-027", "refusal", optional(is_text), "refusal is a string, null or absent"),
    Rule("CC-MSG-013", "tool_calls", _no_call, "without tools there are no calls", when=_no_calls),
    Rule(
        "CC-MSG-013",
        "function_call",
        lambda value: not is_object(value),
        "without functions there is no function call",
        when=_no_calls,
    ),
    *calls.DELTA_RULES,
)

_DELTA_NAMES: Final = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "audio", *REASONING}
)

_IN_ALL: Final = (
    ("CC-STREAM-002", "id", is_text, "all chunks of a stream share one id"),
    ("CC-STREAM-003", "created", is_integer, "all chunks share one created"),
    ("CC-STREAM-004", "model", is_text, "model does not change within a stream"),
    ("CC-STREAM-004", "system_fingerprint", is_text, "system_fingerprint does not change"),
)


def judge(log: Findings, chunk: Chunk, facts: Facts) -> None:
    """Everything that can be said about one chunk alone, its preamble form apart."""

    add = Tell(log, chunk.where, chunk.span)

    def tell(rule: Rule, seen: object, path: str) -> None:
        add(rule.id, rule.required, seen, path, mild=rule.mild)

    for rule, seen in breaches(CHUNK_RULES, chunk.value, facts):
        tell(rule, seen, f"$.{rule.name}")
    _usage(log, chunk)
    _empty_choices(log, chunk, facts)
    listed = chunk.value.get("choices")
    for position, choice in enumerate(listed if isinstance(listed, list) else []):
        path = f"$.choices[{position}]"
        if not isinstance(choice, dict):
            tell(CHOICE_RULES[0], choice, path)
            continue
        index = choice.get("index", ABSENT)
        if not is_index(index, facts.n):
            required = f"index is an integer in 0..{facts.n - 1}" if facts.n > 1 else "index is 0"
            add("CC-STREAM-006", required, index, f"{path}.index")
        for rule, seen in breaches(CHOICE_RULES, choice, facts):
            tell(rule, seen, f"{path}.{rule.name}")
        logprobs.judge(add, choice.get("logprobs", ABSENT), facts, f"{path}.logprobs")
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for rule, seen in breaches(DELTA_RULES, delta, facts):
                tell(rule, seen, f"{path}.delta.{rule.name}")
            calls.judge_fragments(add, delta, facts, f"{path}.delta")
            _extras(log, chunk, delta, f"{path}.delta")


def _usage(log: Findings, chunk: Chunk) -> None:
    usage = chunk.value.get("usage")
    if not isinstance(usage, dict):
        return
    for name in COUNTS:
        if not is_count(seen := usage.get(name, ABSENT)):
            required = f"a usage object has {name}, an integer >= 0"
            path = f"$.usage.{name}"
            log.add("CC-STREAM-022", required, seen, chunk.where, path=path, span=chunk.span)


def _empty_choices(log: Findings, chunk: Chunk, facts: Facts) -> None:
    if chunk.value.get("choices") != []:
        return
    counted = facts.include_usage and isinstance(chunk.value.get("usage"), dict)
    moderated = facts.moderation and "moderation" in chunk.value
    if not counted and not moderated:
        required = "choices is empty only where usage was asked for and is there"
        seen = Quote("choices [] with usage " + _usage_in_words(chunk))
        log.add("CC-STREAM-017", required, seen, chunk.where, path="$.choices", span=chunk.span)


def _usage_in_words(chunk: Chunk) -> str:
    usage = chunk.value.get("usage", ABSENT)
    return "that was not asked for" if isinstance(usage, dict) else shorten(usage)


def _extras(log: Findings, chunk: Chunk, delta: Mapping[str, object], path: str) -> None:
    tell = Tell(log, chunk.where, chunk.span)
    for name, value in delta.items():
        if name in _DELTA_NAMES:
            continue
        if isinstance(value, int | float):  # clients that assemble deltas add numbers up
            required = "an extra member of a delta is no number"
            tell("CC-STREAM-025", required, value, f"{path}.{name}")
        listed = value if isinstance(value, list) else []
        if any(isinstance(item, dict) and not is_integer(item.get("index")) for item in listed):
            required = "objects in an extra array of a delta carry an integer index"
            tell("CC-STREAM-025", required, value, f"{path}.{name}")


def judge_preamble(log: Findings, chunk: Chunk) -> None:
    """CC-STREAM-017, a warning: Azure's first event; CC-STREAM-001 leaves it to that entry."""
    required = "no chunk has empty choices before the first choice"
    seen = Quote('choices [], object ""')
    where = chunk.where
    log.add("CC-STREAM-017", required, seen, where, path="$.choices", span=chunk.span, mild=True)


def judge_error(log: Findings, item: Item) -> None:
    """CC-SERR-003 (an object with a message), CC-SERR-002 (all four members), CC-SERR-007 (alone).

    What has no message has not all four members: it breaks both of the first two.
    """
    value = item.value if isinstance(item.value, dict) else {}
    error = value.get("error")
    held = error if isinstance(error, dict) else {}
    if not is_text(held.get("message")):
        log.add("CC-SERR-003", _ERROR_FORM, error, item.where, path="$.error", span=item.span)
    texts = (is_text(held.get(name)) for name in ("message", "type"))
    codes = (nullable(is_text)(held.get(name, ABSENT)) for name in ("param", "code"))
    if not (all(texts) and all(codes)):
        required = "an in-stream error has message, type, param and code"
        log.add("CC-SERR-002", required, error, item.where, path="$.error", span=item.span)
    if "choices" in value:
        required = "an error event has no choices"
        seen = value["choices"]
        log.add("CC-SERR-007", required, seen, item.where, path="$.choices", span=item.span)


def judge_plain_error(log: Findings, item: Item) -> None:
    """CC-SERR-003: an error told in plain text. That it is no JSON is told by framing.py."""
    log.add("CC-SERR-003", _ERROR_FORM, item.text, item.where, span=item.span)


def judge_all(log: Findings, chunks: Sequence[Chunk], facts: Facts) -> None:
    """What all chunks share (CC-STREAM-002..004), and usage that nobody asked for (020)."""
    judged = [chunk for chunk in chunks if not chunk.preamble]
    for clause, name, is_value, required in _IN_ALL:
        first: object = None
        for chunk in judged:
            value = chunk.value.get(name)
            if not is_value(value):
                continue
            first = value if first is None else first
            if value != first or (name == "id" and value == ""):
                seen = Quote("empty") if value == "" else value
                log.add(clause, required, seen, chunk.where, path=f"$.{name}", span=chunk.span)
    for chunk in judged:
        if not facts.include_usage and chunk.value.get("usage") is not None:
            required = "usage is absent or null unless include_usage was sent"
            seen = chunk.value["usage"]
            log.add("CC-STREAM-020", required, seen, chunk.where, path="$.usage", span=chunk.span)


def judge_usage(log: Findings, chunks: Sequence[Chunk], last_finish: int, *, whole: bool) -> None:
    """CC-STREAM-018, 019, 021 and 030, for a stream without error that had include_usage.

    Args:
        last_finish: number of the last chunk with a finish_reason, 0 where there was none.
        whole: every choice has ended; a stream that broke off owes no usage.
    """
    judged = [chunk for chunk in chunks if not chunk.preamble]
    carriers = [chunk for chunk in judged if chunk.value.get("usage") is not None]
    if not carriers and not whole:
        return
    last = carriers[-1] if carriers else None
    where, span = (last.where, last.span) if last else ("", None)
    if len(carriers) != 1:
        seen = Quote(f"{len(carriers)} chunks with usage" if carriers else "none")
        for clause in ("CC-STREAM-018", "CC-STREAM-021")[: 2 if carriers else 1]:
            required = "exactly one chunk carries usage"
            log.add(clause, required, seen, where, path="$.usage", span=span)
    elif carriers[0].number < last_finish:
        required = "usage comes with or after the last finish_reason"
        seen = Quote(f"a finish_reason in chunk {last_finish}")
        log.add("CC-STREAM-018", required, seen, where, path="$.usage", span=span)
    if all(chunk.value.get("choices") != [] for chunk in carriers):
        required = "one chunk of its own, with choices [], carries the usage"
        shown = last.value.get("choices", ABSENT) if last else Quote("none")
        log.add("CC-STREAM-030", required, shown, where, path="$.choices", span=span)
    for chunk in judged:
        usage = chunk.value.get("usage", ABSENT)
        if chunk is not last and usage is not None:
            required = "all chunks but the usage chunk carry usage null"
            at, mild = chunk.where, usage is ABSENT
            log.add(
                "CC-STREAM-019", required, usage, at, path="$.usage", span=chunk.span, mild=mild
            )
