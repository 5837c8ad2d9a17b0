"""How messages break exactly one rule (``wrong`` has the laws)."""

from typing import Any

from .mistakes import LEFT_OUT, Fields, Wrong, row
from .valid import USER


def _said(*contents: Any, role: str = "user") -> list[Fields]:
    return [{"messages": [{"role": role, "content": content}]} for content in contents]


def _roles(*roles: Any) -> list[Fields]:
    return [{"messages": [{"role": role, "content": "hi"}]} for role in roles]


def _messages(*lists: Any) -> list[Fields]:
    return [{"messages": given} for given in lists]


MESSAGES: tuple[Wrong, ...] = (
    row("messages left out", "CC-REQ-001", "messages", {"messages": LEFT_OUT}),
    row("messages empty", "CC-REQ-002", "messages", {"messages": []}),
    row(
        "messages no array",
        "CC-REQ-003",
        "messages",
        *_messages("hi", None, {}, 1, True, {"role": "user", "content": "hi"}, "", 1.5),
    ),
    row(
        "an item of messages no object",
        "CC-REQ-003",
        "messages",
        *_messages(["hi"], [None], [1], [[]], [USER, "hi"], [[USER]], [True]),
    ),
    row(
        "role left out",
        "CC-REQ-006",
        "messages role",
        *_messages([{"content": "hi"}], [USER, {"content": "hi"}], [{}]),
    ),
    row(
        "role unknown",
        "CC-REQ-006",
        "messages role",
        *_roles("banana", "", "bot", "narrator"),
    ),
    row(
        "role no string",
        "CC-REQ-006",
        "messages role",
        *_roles(None, 1, [], ["user"], {}),
    ),
    row(
        "content null",
        "CC-REQ-012",
        "messages content",
        *_said(None),
        *_said(None, role="system"),
        *_messages([USER, {"role": "assistant", "content": None}, USER]),
    ),
    row(
        "content of another type",
        "CC-REQ-007",
        "messages content",
        *_said(1, True, {}, 1.5, {"type": "text", "text": "hi"}),
        demanded=False,
    ),
    row(
        "content left out",
        "CC-REQ-012",
        "messages content",
        *_messages([{"role": "user"}], [USER, {"role": "user"}]),
        demanded=False,
    ),
    row(
        "part of unknown type",
        "CC-REQ-010",
        "messages content type",
        *_said([{"type": "foo"}], [{"type": "banana", "banana": "x"}], [{"type": "texts"}]),
        *_said([{"type": "text", "text": "Say hello."}, {"type": "foo"}]),
    ),
    row(
        "part without its payload",
        "CC-REQ-010",
        "messages content text",
        *_said([{"type": "text"}], [{"type": "text", "text": "Say hello."}, {"type": "text"}]),
    ),
    row(
        "part without a type",
        "CC-REQ-010",
        "messages content type",
        *_said([{}], [{"text": "hi"}], ["hi"], [None], [1]),
        demanded=False,
    ),
)
