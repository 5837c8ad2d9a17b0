"""Tool calls: their form in a message, and in the fragments of a stream (CC-TOOL).

Laws
----
* What one call or fragment must look like is a table. What the fragments of a stream must be to
  each other is `Calls`, one per choice, which takes them in order.
* A fragment goes on with the call of its index. After one whose index cannot be read (CC-TOOL-008)
  nobody knows which call is where, and the choice's fragments are not compared any further.

Decisions
---------
* `arguments` of a message's call is CC-TOOL-002's alone, though CC-TOOL-001 spells it too.
* Content of the wrong type breaks CC-TOOL-006 beside CC-MSG-003, markup in it CC-TOOL-006 beside
  CC-MSG-011: that entry asks for both. A missing key `content` is CC-MSG-004's.
* A fragment that brings another id is another call under a used index: CC-TOOL-010, and no
  repetition (CC-TOOL-012). Two in one delta break CC-TOOL-015 as well.
* A name that goes on in a later fragment was not complete in the first (CC-TOOL-011), and changes
  (CC-TOOL-010). An id, type or name that comes late breaks CC-TOOL-011 once.
* A first fragment with `arguments` absent or null breaks CC-TOOL-032; of another wrong type it is
  CC-TOOL-013's.
* Custom tools (`Facts.custom`) are CC-TOOL-029's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .facts import Facts
from .finding import ABSENT, Findings, Quote, Tell
from .markup import markup
from .rules import (
    Rule,
    breaches,
    equals,
    is_filled_text,
    is_integer,
    is_list,
    is_object,
    is_text,
    optional,
    unused,
)

__all__ = [
    "DELTA_RULES",
    "Calls",
    "ToolCall",
    "judge_fragments",
    "judge_ids",
    "judge_message",
    "well_formed",
]


# Messages.

CALL_RULES: Final = (
    Rule("CC-TOOL-001", "id", is_filled_text, "a call has an id, a string that is not empty"),
    Rule("CC-TOOL-001", "type", equals("function"), "a call has type function"),
    Rule("CC-TOOL-001", "function", is_object, "a call has a function, an object"),
    Rule(
        "CC-TOOL-007",
        "index",
        lambda value: value is ABSENT,
        "a call in a message has no index",
        mild=True,
    ),
)

FUNCTION_RULES: Final = (
    Rule("CC-TOOL-001", "name", is_text, "a call's function has a name, a string"),
    Rule("CC-TOOL-002", "arguments", is_text, "arguments is a string that holds JSON"),
)

MESSAGE_RULES: Final = (
    Rule("CC-TOOL-006", "content", optional(is_text), "content beside calls is null or a string"),
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A well-formed call: `arguments` is the string as it came, whatever it holds."""

    id: str
    name: str
    arguments: str


def well_formed(call: object) -> ToolCall | str:
    """The call, or the clause that it breaks: CC-TOOL-001 or CC-TOOL-002."""
    held = call if isinstance(call, dict) else {}
    function = held.get("function")
    broken = [rule.id for rule, _ in breaches(CALL_RULES, held, Facts())]
    if "CC-TOOL-001" in broken or not isinstance(function, dict):
        return "CC-TOOL-001"
    for rule, _ in breaches(FUNCTION_RULES, function, Facts()):
        return rule.id
    return ToolCall(held["id"], function["name"], function["arguments"])


def judge_message(log: Findings, message: Mapping[str, object], facts: Facts, path: str) -> None:
    """A message that holds calls (CC-TOOL-001, 002, 006, 007); one without is right."""
    listed = message.get("tool_calls")
    if not isinstance(listed, list) or not listed:
        return

    def tell(table: tuple[Rule, ...], holder: Mapping[str, object], at: str) -> None:
        for rule, seen in breaches(table, holder, facts):
            log.add(rule.id, rule.required, seen, path=f"{at}.{rule.name}", mild=rule.mild)

    for position, call in enumerate(listed):
        at = f"{path}.tool_calls[{position}]"
        if not isinstance(call, dict):
            log.add("CC-TOOL-001", "a call is an object", call, path=at)
        elif not _is_custom(call, facts):
            tell(CALL_RULES, call, at)
            function = call.get("function")
            if isinstance(function, dict):
                tell(FUNCTION_RULES, function, f"{at}.function")
    tell(MESSAGE_RULES, message, path)
    content = message.get("content")
    if isinstance(content, str) and (mark := markup(content)) is not None:
        required = "content beside calls is not their raw markup"
        log.add("CC-TOOL-006", required, mark, path=f"{path}.content")


def judge_ids(log: Findings, choices: Sequence[object]) -> None:
    """CC-TOOL-005 within one response: no two calls share an id, across its choices too."""
    seen: set[str] = set()
    for path, call in _listed(choices):
        name = call.get("id")
        if not isinstance(name, str) or not name:
            continue  # CC-TOOL-001
        if name in seen:
            log.add("CC-TOOL-005", "each call of a response has an id of its own", name, path=path)
        seen.add(name)


def _listed(choices: Sequence[object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every call of a completion that is an object, with the path of its id."""
    for number, choice in enumerate(choices):
        message = choice.get("message") if isinstance(choice, dict) else None
        listed = message.get("tool_calls") if isinstance(message, dict) else None
        for position, call in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(call, dict):
                yield f"$.choices[{number}].message.tool_calls[{position}].id", call


def _is_custom(call: Mapping[str, object], facts: Facts) -> bool:
    return facts.custom and (call.get("type") == "custom" or "custom" in call)


# Streams.

DELTA_RULES: Final = (
    Rule("CC-TOOL-013", "tool_calls", optional(is_list), "tool_calls is an array, null or absent"),
    Rule(
        "CC-TOOL-017",
        "tool_calls",
        lambda value: value is not None and value != [],
        "a delta without calls has no tool_calls",
        mild=True,
    ),
)

FRAGMENT_RULES: Final = (
    Rule("CC-TOOL-008", "index", is_integer, "a fragment of a call has an index, an integer"),
    Rule("CC-TOOL-013", "function", is_object, "a fragment of a call has a function, an object"),
)

PIECE_RULES: Final = (
    Rule("CC-TOOL-013", "arguments", optional(is_text), "arguments is a string, null or absent"),
)

FIRST_RULES: Final = (
    Rule("CC-TOOL-011", "id", is_filled_text, "the first fragment of a call has its id"),
    Rule("CC-TOOL-011", "type", equals("function"), "the first fragment has type function"),
)

FIRST_PIECE_RULES: Final = (
    Rule("CC-TOOL-011", "name", is_filled_text, "the first fragment of a call has its name"),
    Rule(
        "CC-TOOL-032",
        "arguments",
        lambda value: not unused(value),
        'the first fragment of a call has arguments, if only ""',
    ),
)

_ONE_EACH: Final = "an index keeps its id and its name"
_ONCE: Final = "later fragments have neither id nor type nor name"


def judge_fragments(tell: Tell, delta: Mapping[str, object], facts: Facts, path: str) -> None:
    """What can be said of one delta's fragments alone (CC-TOOL-008, 013, 015)."""
    indices = []
    for at, fragment in _fragments(delta, path):
        if not isinstance(fragment, dict):
            tell("CC-TOOL-013", "a fragment of a call is an object", fragment, at)
            continue
        if is_integer(index := fragment.get("index")):
            indices.append(index)
        for rule, seen in breaches(FRAGMENT_RULES, fragment, facts):
            if rule.name != "function" or not _is_custom(fragment, facts):
                tell(rule.id, rule.required, seen, f"{at}.{rule.name}")
        function = fragment.get("function")
        if isinstance(function, dict):
            for rule, seen in breaches(PIECE_RULES, function, facts):
                tell(rule.id, rule.required, seen, f"{at}.function.{rule.name}")
    if len(set(indices)) < len(indices):
        required = "a delta has at most one fragment of each call"
        tell("CC-TOOL-015", required, Quote(f"indices {indices}"), f"{path}.tool_calls[*].index")


def _fragments(delta: Mapping[str, object], path: str) -> Iterator[tuple[str, object]]:
    """The fragments of a delta, each with its path."""
    listed = delta.get("tool_calls")
    for position, fragment in enumerate(listed if isinstance(listed, list) else []):
        yield f"{path}.tool_calls[{position}]", fragment


@dataclass(frozen=True, slots=True)
class _Call:
    """What the fragments of one index have said of their call; empty: not yet."""

    id: str = ""
    type: str = ""
    name: str = ""

    def learning(self, fragment: Mapping[str, object]) -> _Call:
        """The same call, with what a fragment adds: the first filled text counts."""
        told = {
            member: value
            for member, _, value in _naming(fragment)
            if isinstance(value, str) and value and not getattr(self, member)
        }
        return replace(self, **told)


@dataclass(slots=True)
class Calls:
    """The calls of one choice of a stream, as their fragments come (CC-TOOL-009 to 012, 032)."""

    facts: Facts
    _known: dict[int, _Call] = field(default_factory=dict)
    _legible: bool = True

    def take(self, tell: Tell, delta: Mapping[str, object], path: str) -> None:
        """Judge the fragments of one delta by those that came before."""
        for at, fragment in _fragments(delta, path):
            if not isinstance(fragment, dict):
                continue  # CC-TOOL-013
            index = fragment.get("index")
            if not self._legible or not isinstance(index, int) or isinstance(index, bool):
                self._legible = False  # CC-TOOL-008
                return
            call = self._known.get(index)
            if call is None:
                self._first(tell, index, fragment, at)
                self._known[index] = _Call().learning(fragment)
            elif is_filled_text(value := fragment.get("id")) and call.id not in ("", value):
                tell("CC-TOOL-010", _ONE_EACH, value, f"{at}.id")
                self._known[index] = _Call().learning(fragment)
            else:
                _continued(tell, call, fragment, at)
                self._known[index] = call.learning(fragment)

    def _first(self, tell: Tell, index: int, fragment: Mapping[str, object], at: str) -> None:
        if index != len(self._known):
            required = "the indices of calls are 0, 1, 2… in order of appearance"
            tell("CC-TOOL-009", required, index, f"{at}.index")
        if _is_custom(fragment, self.facts):
            return
        for rule, seen in breaches(FIRST_RULES, fragment, self.facts):
            tell(rule.id, rule.required, seen, f"{at}.{rule.name}")
        function = fragment.get("function")
        if isinstance(function, dict):
            for rule, seen in breaches(FIRST_PIECE_RULES, function, self.facts):
                tell(rule.id, rule.required, seen, f"{at}.function.{rule.name}")


def _continued(tell: Tell, call: _Call, fragment: Mapping[str, object], at: str) -> None:
    """A fragment of a call that has begun, and brings no other id."""
    for member, where, value in _naming(fragment):
        known = getattr(call, member)
        if member == "name" and known and is_filled_text(value) and value != known:
            tell("CC-TOOL-010", _ONE_EACH, value, f"{at}.{where}")
            tell("CC-TOOL-011", "the first fragment has the whole name", known, f"{at}.{where}")
        elif known or not is_filled_text(value):
            tell("CC-TOOL-012", _ONCE, value, f"{at}.{where}")


def _naming(fragment: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """The members of a fragment that only a first one has, each with its place and value."""
    function = fragment.get("function")
    for member, holder, where in (
        ("id", fragment, "id"),
        ("type", fragment, "type"),
        ("name", function, "function.name"),
    ):
        if isinstance(holder, dict) and member in holder:
            yield member, where, holder[member]
