"""Reasoning: where a model's thoughts stand beside its answer (CC-REAS), as pure rules.

Laws
----
* Both fields, ``reasoning_content`` and ``reasoning``, are outside the specification: what is
  absent, null or empty says nothing and breaks nothing.
* A text that was cut by its bound may hold half a tag, so it is not read for tags.

Theory
------
Thoughts reach a client by one of three channels: a field of the message, a balanced
``<think>…</think>`` in ``content``, or none at all. A server that splits the thoughts off
``content`` looks for the tags in a text that comes in pieces; where it misses one, the tag, or the
rest of it, stands in ``content``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from .facts import Facts
from .finding import Findings, Tell
from .fold import REASONING
from .rules import Rule, breaches, is_text, optional
from .usage import DETAILS

__all__ = [
    "FOREIGN",
    "Channel",
    "Order",
    "answer",
    "channel",
    "half_tag",
    "judge",
    "shows_reasoning",
    "spoken",
]

FOREIGN: Final = ("thinking", "thinking_content", "thought", "thoughts", "reasoning_text")
"""Names for the field that no client of this protocol reads."""

DELTA_RULES: Final = tuple(
    Rule("CC-REAS-004", name, optional(is_text), f"{name} is a string, null or absent")
    for name in REASONING
)
MESSAGE_RULES: Final = tuple(
    Rule("CC-REAS-001", name, optional(is_text), f"{name} is a string, null or absent")
    for name in REASONING
)

_NAMED: Final = f"reasoning text is in {' or '.join(REASONING)}"

Channel = Literal["field", "content"]

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
_BLOCK: Final = re.compile(f"{_OPEN}.*?{_CLOSE}", re.DOTALL)
_HEAD: Final = re.compile(r"\A\s*(?:<?/?think|/?(?:hink|ink|nk|k))>")
_TAIL: Final = re.compile(r"(?:<th|</t)(?:h?i?n?k?)\s*\Z")


def channel(message: Mapping[str, object]) -> Channel | None:
    """How a message tells its thoughts; None where it tells none."""
    if any(isinstance(message.get(name), str) and message[name] for name in REASONING):
        return "field"
    content = message.get("content")
    return "content" if isinstance(content, str) and _BLOCK.search(content) else None


def shows_reasoning(completion: Mapping[str, object]) -> str | None:
    """The member of a completion that shows that its model reasons; None where nothing does.

    A count of 0 reasoning tokens shows nothing: models that do not reason tell it too.
    """
    usage = completion.get("usage")
    details = usage.get(DETAILS[1]) if isinstance(usage, dict) else None
    if isinstance(details, dict) and details.get("reasoning_tokens"):
        return f"usage.{DETAILS[1]}.reasoning_tokens"
    choices = completion.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        said = choice.get("message") if isinstance(choice, dict) else None
        message = said if isinstance(said, dict) else {}
        for name in (*REASONING, *FOREIGN):
            if message.get(name):
                return name
        content = message.get("content")
        if isinstance(content, str) and re.search(f"{_OPEN}|{_CLOSE}", content):
            return "a tag of thought in content"
    return None


def answer(content: str) -> str:
    """A content without its balanced blocks of thought.

    >>> answer("<think>Easy.</think>391")
    '391'
    """
    return _BLOCK.sub("", content)


def spoken(content: str) -> str:
    """The same without a thought that was cut before its end, either.

    >>> spoken("<think>Let me count: 1 2 3"), spoken("<think>Easy.</think>391")
    ('', '391')
    """
    return answer(content).partition(_OPEN)[0]


def half_tag(text: str) -> str | None:
    """The tag, or part of one, that stands alone in a whole text (CC-REAS-005); None without.

    >>> half_tag("Easy.</think>391"), half_tag("nk>391"), half_tag("<think>Easy.</think>391")
    ('</think>', 'nk>', None)
    """
    depth = 0
    for tag in re.findall(f"{_OPEN}|{_CLOSE}", text):
        depth += 1 if tag == _OPEN else -1
        if depth < 0:
            return _CLOSE
    if depth:
        return _OPEN
    rest = answer(text)
    found = _HEAD.search(rest) or _TAIL.search(rest)
    return found[0].strip() if found else None


def judge(log: Findings, choice: Mapping[str, object], path: str) -> None:
    """CC-REAS-001, 002 and 005 of one choice of a completion, or of an assembled stream."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return  # CC-MSG-002
    for rule, value in breaches(MESSAGE_RULES, message, Facts()):
        log.add(rule.id, rule.required, value, path=f"{path}.message.{rule.name}")
    for name, seen in _foreign(message):
        log.add("CC-REAS-001", _NAMED, seen, path=f"{path}.message.{name}")
    told = [message[name] for name in REASONING if message.get(name)]
    if len(told) == 2 and all(map(is_text, told)) and told[0] != told[1]:
        required = f"{' and '.join(REASONING)} have the same text"
        log.add("CC-REAS-002", required, told[1], path=f"{path}.message.{REASONING[1]}")
    content = message.get("content")
    cut = choice.get("finish_reason") == "length"
    if isinstance(content, str) and not cut and (tag := half_tag(content)) is not None:
        required = "every <think> in content has its </think>"
        log.add("CC-REAS-005", required, tag, path=f"{path}.message.content")


def _foreign(holder: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The fields of another name that tell thoughts which neither of the two tells."""
    if not any(holder.get(name) for name in REASONING):
        for name in FOREIGN:
            if isinstance(value := holder.get(name), str) and value:
                yield name, value


class Order:
    """CC-REAS-001, 003 and 004 of a stream: which of its choices have begun to answer.

    Blanks begin nothing, and a delta that holds thought and answer is the boundary.
    """

    def __init__(self) -> None:
        self._answering: set[int] = set()

    def take(
        self, tell: Tell, index: int, delta: Mapping[str, object], facts: Facts, path: str
    ) -> None:
        """One delta of the choice ``index``, whose place is ``path``."""
        for rule, value in breaches(DELTA_RULES, delta, facts):
            tell(rule.id, rule.required, value, f"{path}.{rule.name}")
        for name, seen in _foreign(delta):
            tell("CC-REAS-001", _NAMED, seen, f"{path}.{name}")
        thoughts = [name for name in REASONING if _says(delta.get(name))]
        if thoughts and index in self._answering and not facts.calls_allowed:
            required = "no return to reasoning after the answer has begun"
            tell("CC-REAS-003", required, delta[thoughts[0]], f"{path}.{thoughts[0]}")
        if _says(delta.get("content")):
            self._answering.add(index)


def _says(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
