"""Rules about the members of a JSON object, written as rows of a table.

A row is ``(clause, member, predicate, sentence)``. The predicate sees the member's value, or
``ABSENT``; the sentence says what holds where the clause is kept. A table is a tuple of rows;
``breaches`` reads one table against one object. What does not fit a row (a rule about two members,
or about all choices together) is a function beside its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .facts import Facts
from .finding import ABSENT

__all__ = [
    "FINISH_REASONS",
    "Rule",
    "breaches",
    "equals",
    "is_count",
    "is_filled_text",
    "is_integer",
    "is_list",
    "is_object",
    "is_text",
    "nullable",
    "one_of",
    "optional",
    "present",
    "truthy",
    "unused",
]

Predicate = Callable[[object], bool]

FINISH_REASONS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
"""SPEC, finish_reason: the whole enumeration."""


def _always(facts: Facts) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the clause ``id``, the member's ``name``, what must hold of its value, in words.

    ``mild`` as in Finding; ``when`` says for which requests the row applies.
    """

    id: str
    name: str
    holds: Predicate
    required: str
    mild: bool = False
    when: Callable[[Facts], bool] = _always


def breaches(
    table: tuple[Rule, ...], holder: Mapping[str, object], facts: Facts
) -> Iterator[tuple[Rule, object]]:
    """The rows that ``holder`` breaks, each with the value (or ABSENT) that breaks it."""
    for rule in table:
        value = holder.get(rule.name, ABSENT)
        if not rule.holds(value) and rule.when(facts):  # in this order: most rows hold
            yield rule, value


def present(value: object) -> bool:
    """The key is there, whatever its value."""
    return value is not ABSENT


def unused(value: object) -> bool:
    """The key is absent, or its value is null."""
    return value is ABSENT or value is None


def truthy(value: object) -> bool:
    """The key is there and its value is not null, false, zero or empty."""
    return value is not ABSENT and bool(value)


def is_text(value: object) -> bool:
    """A string."""
    return isinstance(value, str)


def is_filled_text(value: object) -> bool:
    """A string of at least one character."""
    return isinstance(value, str) and value != ""


def is_integer(value: object) -> bool:
    """A JSON integer: no fraction, no exponent, no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_count(value: object) -> bool:
    """An integer, zero or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_object(value: object) -> bool:
    """A JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> bool:
    """A JSON array."""
    return isinstance(value, list)


def equals(expected: str) -> Predicate:
    """Exactly this string."""
    return lambda value: value == expected


def one_of(*allowed: str) -> Predicate:
    """One of these strings."""
    return lambda value: isinstance(value, str) and value in allowed


def nullable(predicate: Predicate) -> Predicate:
    """Null, or as ``predicate`` says; absent is judged by the predicate."""
    return lambda value: value is None or predicate(value)


def optional(predicate: Predicate) -> Predicate:
    """Absent, null, or as ``predicate`` says."""
    return lambda value: value is ABSENT or value is None or predicate(value)
