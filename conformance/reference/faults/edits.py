"""Small edits that faults are made of.

Laws: an edit changes a copy; what it does not mention stays as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias

from conformance.reference.call import Call, Item, Reply, refusal

Object: TypeAlias = dict[str, Any]
Edit: TypeAlias = Callable[[Object], Any]

STREAM_ERROR: Object = {
    "message": "The request is not valid.",
    "type": "invalid_request_error",
    "param": None,
    "code": None,
}


# Requests.


def without(call: Call, *names: str) -> Call:
    """The call as if these parameters had not been sent."""
    body = call.json or {}
    return call.understood_as({key: value for key, value in body.items() if key not in names})


def given(call: Call, **values: Any) -> Call:
    """The call as if these parameters had these values."""
    return call.understood_as({**(call.json or {}), **values})


def asked(call: Call, name: str) -> Any:
    """The value of one parameter of a chat call; None where it is absent."""
    return (call.json or {}).get(name) if call.chat else None


def messages(call: Call) -> list[Object]:
    """The messages of a chat call that are objects; empty where there are none."""
    listed = asked(call, "messages")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def each_message(call: Call, edit: Edit) -> Call:
    """The call with every message changed by `edit`."""
    listed = copy.deepcopy(messages(call))
    for one in listed:
        edit(one)
    return given(call, messages=listed) if listed else call


def prompted(call: Call, beginning: str) -> bool:
    """Whether the last message is a text that begins like this."""
    said = [one.get("content") for one in messages(call)[-1:]]
    return bool(said) and isinstance(said[0], str) and said[0].startswith(beginning)


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bad_parameter(name: str, message: str = "is not supported") -> Reply:
    """A 400 that names a parameter."""
    return refusal(400, f"'{name}' {message}.", param=name, code="unsupported_parameter")


# Replies.


def completion(reply: Reply, edit: Edit) -> Reply:
    """A completion changed by `edit`; any other reply as it was."""
    if not reply.ok or not isinstance(reply.body, dict) or "choices" not in reply.body:
        return reply
    body = copy.deepcopy(reply.body)
    edit(body)
    return replace(reply, body=body)


def choice(reply: Reply, edit: Edit) -> Reply:
    """A completion with every choice changed by `edit`."""
    return completion(reply, lambda body: [edit(one) for one in body["choices"]])


def message(reply: Reply, edit: Edit) -> Reply:
    """A completion with every message changed by `edit`."""
    return choice(reply, lambda one: edit(one["message"]))


def usage(reply: Reply, edit: Edit) -> Reply:
    """A completion with its usage changed by `edit`."""
    return completion(reply, lambda body: edit(body["usage"]))


def error(reply: Reply, edit: Edit) -> Reply:
    """An error with what is inside the envelope changed by `edit`; any other reply as it was."""
    if reply.status < 400 or not isinstance(reply.body, dict):
        return reply
    body = copy.deepcopy(reply.body)
    edit(body["error"])
    return replace(reply, body=body)


QUIET = ("n", "seed", "stop", "max_tokens")
"""Parameters of whose errors no entry asks more than the status and the naming of the culprit."""


def quiet(reply: Reply) -> bool:
    """Whether this is the 400 for one of the quiet parameters."""
    if reply.status != 400 or not isinstance(reply.body, dict):
        return False
    return str(reply.body["error"]["param"]).partition("[")[0] in QUIET


def dropping(*names: str) -> Edit:
    """An edit that removes these members."""
    return lambda one: [one.pop(name, None) for name in names]


def setting(**values: Any) -> Edit:
    """An edit that sets these members."""
    return lambda one: one.update(copy.deepcopy(values))


# Streams.


def is_chunk(item: Item) -> bool:
    """Whether an item is a chunk that has a choice."""
    return isinstance(item, dict) and bool(item.get("choices"))


def text_of(item: Item) -> str:
    """The visible text that an item adds to its choice."""
    if not isinstance(item, dict) or not is_chunk(item):
        return ""
    content = (_first(item).get("delta") or {}).get("content")
    return content if isinstance(content, str) else ""


def has_text(item: Item) -> bool:
    """Whether an item is a chunk with visible text."""
    return bool(text_of(item))


def is_finish(item: Item) -> bool:
    """Whether an item is a chunk that ends its choice."""
    return isinstance(item, dict) and is_chunk(item) and bool(_first(item).get("finish_reason"))


def is_usage(item: Item) -> bool:
    """Whether an item is a chunk that carries usage."""
    return isinstance(item, dict) and bool(item.get("usage"))


def is_object(item: Item) -> bool:
    """Whether an item is an object in the form of a chunk."""
    return isinstance(item, dict) and "choices" in item


def is_error(item: Item) -> bool:
    """Whether an item is an error event."""
    return isinstance(item, dict) and "error" in item


def _first(item: Object) -> Object:
    one: Object = item["choices"][0]
    return one


def each_item(
    events: Iterable[Item], edit: Edit, where: Callable[[Item], bool] = is_chunk
) -> list[Item]:
    """The stream with every object that `where` picks changed by `edit`."""
    result: list[Item] = []
    for item in events:
        changed = copy.deepcopy(item)
        if isinstance(changed, dict) and where(item):
            edit(changed)
        result.append(changed)
    return result


def each_choice(
    events: Iterable[Item], edit: Edit, where: Callable[[Item], bool] = is_chunk
) -> list[Item]:
    """The stream with the choice of every chunk that `where` picks changed by `edit`."""
    return each_item(events, lambda item: edit(_first(item)), where)


def each_delta(
    events: Iterable[Item], edit: Edit, where: Callable[[Item], bool] = is_chunk
) -> list[Item]:
    """The stream with the delta of every chunk that `where` picks changed by `edit`."""
    return each_choice(events, lambda one: edit(one["delta"]), where)


def place(events: list[Item], where: Callable[[Item], bool]) -> int:
    """The position of the first item that `where` picks, or the length where there is none."""
    return next((i for i, item in enumerate(events) if where(item)), len(events))


def inserted(events: list[Item], at: int, *items: Item) -> list[Item]:
    """The stream with items put in at a position."""
    return [*events[:at], *copy.deepcopy(items), *events[at:]]


def middle(events: list[Item]) -> int:
    """A position between two chunks, about half-way."""
    return max(1, len(events) // 2)
