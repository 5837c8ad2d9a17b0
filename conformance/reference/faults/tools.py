"""Faults of the form of tool calls, in plain replies (CC-TOOL).

Most are what other servers shipped: the threads are in the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.reference.call import Call, Reply
from conformance.reference.faults.edits import (
    Edit,
    Object,
    asked,
    choice,
    dropping,
    setting,
)
from conformance.reference.faults.registry import fault


def _message(reply: Reply, edit: Edit) -> Reply:
    """A completion with every message that holds calls changed by `edit`."""
    return choice(
        reply, lambda one: edit(one["message"]) if one["message"].get("tool_calls") else None
    )


def _call(reply: Reply, edit: Edit) -> Reply:
    """A completion with every call changed by `edit`."""
    return _message(reply, lambda said: [edit(one) for one in said["tool_calls"]])


def _arguments(change: Callable[[str], Any]) -> Edit:
    """An edit of the arguments of a call or fragment, where there are any."""

    def edit(one: Object) -> None:
        function = one["function"]
        if "arguments" in function:
            function["arguments"] = change(function["arguments"])

    return edit


def parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return {}


def left_free(call: Call) -> bool:
    """Whether tools are offered and the choice is left to the model."""
    return bool(asked(call, "tools")) and asked(call, "tool_choice") in (None, "auto")


@fault(breaks={"CC-TOOL-001"}, seam="reply")
def leaves_the_type_of_a_call_out(reply: Reply, call: Call) -> Reply:
    """Sends calls without `type`."""
    return _call(reply, dropping("type"))


@fault(breaks={"CC-TOOL-001"}, seam="reply")
def nulls_the_id_of_a_call(reply: Reply, call: Call) -> Reply:
    """Sends calls whose id is null."""
    return _call(reply, setting(id=None))


@fault(breaks={"CC-TOOL-001", "CC-EQUIV-005"}, seam="reply")
def flattens_calls(reply: Reply, call: Call) -> Reply:
    """Writes name and arguments beside the id instead of into `function`."""
    return _call(reply, lambda one: one.update(one.pop("function")))


@fault(breaks={"CC-TOOL-002", "CC-EQUIV-005"}, seam="reply")
def sends_arguments_as_an_object(reply: Reply, call: Call) -> Reply:
    """Sends arguments as an object instead of a string."""
    return _call(reply, _arguments(parsed))


@fault(breaks={"CC-TOOL-002"}, seam="reply")
def nulls_arguments_that_are_none(reply: Reply, call: Call) -> Reply:
    """Sends null for the arguments of a call that has none."""
    return _call(reply, _arguments(lambda said: None if said == "{}" else said))


@fault(breaks={"CC-TOOL-003"}, seam="reply")
def sends_an_empty_string_for_no_arguments(reply: Reply, call: Call) -> Reply:
    """Sends an empty string for the arguments of a call that has none."""
    return _call(reply, _arguments(lambda said: "" if said == "{}" else said))


@fault(breaks={"CC-TOOL-003", "CC-TOOL-028"}, seam="reply")
def forgets_the_last_brace(reply: Reply, call: Call) -> Reply:
    """Cuts the last character off the arguments where the model called a tool of its own choice."""
    return _call(reply, _arguments(lambda said: said[:-1])) if left_free(call) else reply


@fault(breaks={"CC-TOOL-005"}, seam="reply")
def gives_every_call_the_same_id(reply: Reply, call: Call) -> Reply:
    """Names all calls of a reply after the reply."""
    return _call(reply, setting(id=f"call_{call.nonce}"))


@fault(breaks={"CC-TOOL-005"}, seam="reply")
def numbers_calls_anew_each_turn(reply: Reply, call: Call) -> Reply:
    """Makes ids of the name and the position within the turn."""

    def number(said: Object) -> None:
        for position, one in enumerate(said["tool_calls"]):
            one["id"] = f"{one['function']['name']}:{position}"

    return _message(reply, number)


def _raw(said: Object) -> None:
    made = [one["function"] for one in said["tool_calls"]]
    said["content"] = "".join(f"<tool_call>{json.dumps(one)}</tool_call>" for one in made)


@fault(breaks={"CC-TOOL-006", "CC-MSG-011"}, seam="reply")
def leaves_raw_calls_in_the_content(reply: Reply, call: Call) -> Reply:
    """Leaves the markup of the calls in the content beside them."""
    return _message(reply, _raw)


@fault(breaks={"CC-TOOL-006", "CC-MSG-003"}, seam="reply")
def lists_nothing_beside_calls(reply: Reply, call: Call) -> Reply:
    """Sends an empty list as content beside calls."""
    return _message(reply, setting(content=[]))


@fault(breaks={"CC-TOOL-007"}, seam="reply")
def numbers_the_calls_of_a_reply(reply: Reply, call: Call) -> Reply:
    """Gives the calls of a plain reply the index of streams."""

    def number(said: Object) -> None:
        for position, one in enumerate(said["tool_calls"]):
            one["index"] = position

    return _message(reply, number)
