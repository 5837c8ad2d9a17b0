"""Ways of calling tools: how arguments are spelled, in what pieces they come, what stands beside.

The law: who reads the arguments as JSON reads the same.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from conformance.reference import text
from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import asked, dropping, is_usage, setting

from .axes import way
from .ways_of_sequence import Object, choice_of, number, objects, said, stream, with_choice

# How arguments are spelled.


def _respelled(reply: Reply, **style: Any) -> Reply:
    """The reply with the JSON of its arguments in another style; what was cut is left as it is."""

    def respell(arguments: str) -> str:
        try:
            return json.dumps(json.loads(arguments), **style)
        except ValueError:
            return arguments

    def change(told: Object) -> None:
        for one in told.get("tool_calls") or ():
            if "function" in one:
                one["function"]["arguments"] = respell(one["function"]["arguments"])

    def tell(events: list[Item]) -> list[Item]:
        told: list[Item] = []
        for item in _gathered_calls(events, lambda one: False):
            for fragment in filter(_is_function, _fragments(item)):
                pieces = text.tokens(respell(fragment["function"]["arguments"]))
                fragment["function"]["arguments"] = ""
                told.append(item)
                for piece in pieces:
                    more = {"index": fragment["index"], "function": {"arguments": piece}}
                    told.append(with_choice(item, delta={"tool_calls": [more]}))
            if not any(map(_is_function, _fragments(item))):
                told.append(item)
        return told

    return said(reply, change) if reply.events is None else stream(reply, tell)


@way("arguments")
def escapes_its_arguments(reply: Reply, call: Call) -> Reply:
    """Spells arguments in ASCII."""
    return _respelled(reply)


@way("arguments")
def indents_its_arguments(reply: Reply, call: Call) -> Reply:
    """Spells arguments over several lines, as a model may."""
    return _respelled(reply, ensure_ascii=False, indent=2)


# In what pieces they come.


def _fragments(item: Item) -> list[Object]:
    found: list[Object] = (choice_of(item).get("delta") or {}).get("tool_calls") or []
    return found


def _is_function(fragment: Object) -> bool:
    return "function" in fragment


def _gathered_calls(events: list[Item], until: Callable[[Object], bool]) -> list[Item]:
    """The stream with the fragments of a call joined to one as long as `until` does not hold."""
    told: list[Item] = []
    for item in events:
        last = _fragments(told[-1])[-1:] if told and number(told[-1]) == number(item) else []
        new = _fragments(item)
        both = [*last, *new[:1]]
        one = len(both) == 2 and both[0]["index"] == both[1]["index"]
        if one and all(map(_is_function, both)) and not until(last[0]):
            last[0]["function"]["arguments"] += new[0]["function"]["arguments"]
        else:
            told.append(copy.deepcopy(item))
    return told


@way("calls")
def calls_in_one_piece(reply: Reply, call: Call) -> Reply:
    """Streams each call in one fragment, arguments and all."""
    return stream(reply, lambda events: _gathered_calls(events, lambda one: False))


@way("calls")
def begins_arguments_with_the_name(reply: Reply, call: Call) -> Reply:
    """Sends the first piece of the arguments with the name."""

    def begun(fragment: Object) -> bool:
        return "id" not in fragment or bool(fragment["function"]["arguments"])

    return stream(reply, lambda events: _gathered_calls(events, begun))


@way("calls")
def calls_all_at_once(reply: Reply, call: Call) -> Reply:
    """Streams all calls of a choice in one delta, as Groq and Mistral do."""

    def tell(events: list[Item]) -> list[Item]:
        told: list[Item] = []
        for item in _gathered_calls(events, lambda one: False):
            if told and _fragments(told[-1]) and _fragments(item):
                _fragments(told[-1]).extend(_fragments(item))
            else:
                told.append(item)
        return told

    return stream(reply, tell)


# What stands beside calls.


def _beside_calls(reply: Reply, call: Call, edit: Any) -> Reply:
    """The reply with `edit` done to messages with calls, and to the opening of their streams."""

    def change(told: Object) -> None:
        if told.get("tool_calls") or (reply.events is not None and _opens_with_null(told)):
            edit(told)

    return said(reply, change) if asked(call, "tools") else reply


def _opens_with_null(told: Object) -> bool:
    return "role" in told and told.get("content", "") is None


@way("content of calls")
def has_empty_content_beside_calls(reply: Reply, call: Call) -> Reply:
    """Sends content "" in a message with calls, as Mistral does."""
    return _beside_calls(reply, call, setting(content=""))


@way("content of calls", warns=("CC-MSG-004", "CC-SDK-014"))
def has_no_content_beside_calls(reply: Reply, call: Call) -> Reply:
    """Leaves `content` out of a message with calls, as Ollama and Gemini do."""
    return _beside_calls(reply, call, dropping("content"))


ROOM = 128
"""Output tokens below which there is no room for talk."""


@way("content of calls")
def talks_beside_calls(reply: Reply, call: Call) -> Reply:
    """Says what it is going to do before it calls, as many models do."""
    words = "Let me look that up."

    def talk(events: list[Item]) -> list[Item]:
        told: list[Item] = []
        spoken: set[int] = set()
        for item in events:
            if _fragments(item) and number(item) not in spoken:
                spoken.add(number(item))
                told += [with_choice(item, delta={"content": one}) for one in text.tokens(words)]
            told.append(item)
        return told

    def count(item: Object) -> None:
        used = item.get("usage") or {}
        for name in ("completion_tokens", "total_tokens"):
            used[name] = used.get(name, 0) + len(text.tokens(words)) * _calling(reply)

    bound = asked(call, "max_tokens") or asked(call, "max_completion_tokens")
    if not _calling(reply) or (bound or ROOM) < ROOM:
        return reply
    spoken = _beside_calls(reply, call, setting(content=words if reply.events is None else ""))
    return objects(stream(spoken, talk), count, is_usage)


def _calling(reply: Reply) -> int:
    """How many choices of a reply hold calls."""
    if reply.events is not None:
        return len({number(item) for item in reply.events if _fragments(item)})
    listed = reply.body.get("choices", ()) if isinstance(reply.body, dict) else ()
    return sum(bool(one["message"].get("tool_calls")) for one in listed)
