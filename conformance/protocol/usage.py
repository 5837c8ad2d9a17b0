"""Rules for a usage object, of a completion or of a chunk: CC-USAGE.

Sums and bounds are judged only where the counts are counts: what is none is CC-USAGE-001's. That
repeated trials agree (004, 005, 009) is for the checks to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .facts import Facts
from .finding import Finding, Findings, Quote
from .rules import Rule, breaches, is_count, is_integer, is_object, optional

__all__ = ["COUNTS", "DETAILS", "shows_cache", "usage_findings"]

COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
DETAILS: Final = ("prompt_tokens_details", "completion_tokens_details")

USAGE_RULES: Final = (
    *(Rule("CC-USAGE-001", name, is_count, f"{name} is an integer >= 0") for name in COUNTS),
    *(
        Rule(
            "CC-USAGE-006", name, lambda value: value is not None, f"{name} is not null", mild=True
        )
        for name in DETAILS
    ),
    *(
        Rule("CC-USAGE-006", name, optional(is_object), f"{name} is absent or an object")
        for name in DETAILS
    ),
)


def shows_cache(completion: Mapping[str, object]) -> str | None:
    """The member of a completion that tells of a prompt cache; None without."""
    usage = completion.get("usage")
    details = usage.get(DETAILS[0]) if isinstance(usage, dict) else None
    told = isinstance(details, dict) and "cached_tokens" in details
    return f"usage.{DETAILS[0]}.cached_tokens" if told else None


def usage_findings(
    usage: object, *, produced: bool = False, reasoned: bool = False, path: str = "$.usage"
) -> list[Finding]:
    """CC-USAGE-001, 002, 003, 006, 007 and 008 of one usage object, streamed or not.

    A usage that is no object is CC-RESP-006's or CC-STREAM-022's, and gives nothing here.

    Args:
        produced: the reply holds some text or call.
        reasoned: the reply holds reasoning text.
    """
    if not isinstance(usage, dict):
        return []
    log = Findings()
    for rule, seen in breaches(USAGE_RULES, usage, Facts()):
        log.add(rule.id, rule.required, seen, path=f"{path}.{rule.name}", mild=rule.mild)
    details: list[dict[str, object]] = []
    for name in DETAILS:
        holder = usage.get(name)
        for member, count in holder.items() if isinstance(holder, dict) else ():
            if not is_integer(count):
                required = "the members of a details object are integers"
                log.add("CC-USAGE-006", required, count, path=f"{path}.{name}.{member}")
        details.append(holder if isinstance(holder, dict) else {})
    prompt, completion, total = (_count(usage.get(name)) for name in COUNTS)
    if prompt is not None and completion is not None and total is not None:
        over = total - prompt - completion
        if over and not _explained(over, details):
            required = "total_tokens is prompt_tokens + completion_tokens"
            seen = Quote(f"{prompt} + {completion} and {total}")
            log.add("CC-USAGE-002", required, seen, path=f"{path}.total_tokens")
    if prompt == 0:
        log.add("CC-USAGE-003", "prompt_tokens > 0", 0, path=f"{path}.prompt_tokens")
    if completion == 0 and produced:
        required = "completion_tokens > 0 where anything was produced"
        log.add("CC-USAGE-003", required, 0, path=f"{path}.completion_tokens")
    cached = _integer(details[0].get("cached_tokens"))
    thought = _integer(details[1].get("reasoning_tokens"))
    for clause, part, whole, at in (
        ("CC-USAGE-007", cached, prompt, f"{DETAILS[0]}.cached_tokens"),
        ("CC-USAGE-008", thought, completion, f"{DETAILS[1]}.reasoning_tokens"),
    ):
        if part is not None and whole is not None and not 0 <= part <= whole:
            log.add(clause, f"0 <= {at} <= {whole}", part, path=f"{path}.{at}")
    if reasoned and thought == 0:
        required = "reasoning_tokens > 0 where reasoning is returned"
        log.add("CC-USAGE-008", required, 0, path=f"{path}.{DETAILS[1]}.reasoning_tokens")
    return list(log)


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and is_integer(value) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and is_count(value) else None


def _explained(over: int, details: list[dict[str, object]]) -> bool:
    """Whether a total that is larger than the sum equals some of the details (CC-USAGE-002)."""
    counts = [[c for c in map(_count, holder.values()) if c] for holder in details]
    return over > 0 and any(over == sum(held) or over in held for held in counts)
