"""Dialects of tool calls: right servers whose calls look otherwise, blamed for nothing."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    dropping,
    each_delta,
    given,
    inserted,
    is_chunk,
    is_finish,
    place,
    setting,
    without,
)

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

FORM = (
    *("CC-TOOL-001", "CC-TOOL-002", "CC-TOOL-003", "CC-TOOL-005", "CC-TOOL-006", "CC-TOOL-007"),
    *("CC-TOOL-008", "CC-TOOL-009", "CC-TOOL-010", "CC-TOOL-011", "CC-TOOL-012", "CC-TOOL-013"),
    *("CC-TOOL-014", "CC-TOOL-015", "CC-TOOL-016", "CC-TOOL-017", "CC-TOOL-032"),
)
"""What is judged of the form of calls."""

CALLS = (*FORM, "CC-FIN", "CC-EQUIV-001", "CC-EQUIV-005", "CC-MSG-004", "CC-STREAM")
"""The same, and who else looks at calls."""

Object = dict[str, Any]


def _fragments(item: Item) -> list[Object]:
    """The fragments of calls in an item."""
    if not isinstance(item, dict) or not is_chunk(item):
        return []
    found: list[Object] = item["choices"][0]["delta"].get("tool_calls") or []
    return found


def _begins(item: Item) -> bool:
    return any("id" in one for one in _fragments(item))


def _goes_on(item: Item) -> bool:
    return any("id" not in one for one in _fragments(item))


def _fragment(events: list[Item], edit: Callable[[Object], Any]) -> list[Item]:
    """The stream with every fragment of a call changed by `edit`."""
    return each_delta(
        events,
        lambda delta: [edit(one) for one in delta["tool_calls"]],
        lambda item: bool(_fragments(item)),
    )


def _whole(events: list[Item]) -> list[Object]:
    """The calls of a stream, each in one fragment."""
    made: dict[int, Object] = {}
    for item in events:
        for one in copy.deepcopy(_fragments(item)):
            if "id" in one:
                made[one["index"]] = one
            else:
                made[one["index"]]["function"]["arguments"] += one["function"]["arguments"]
    return list(made.values())


def _message(reply: Reply, edit: Callable[[Object], Any]) -> Reply:
    """A completion with every message that holds calls changed by `edit`."""
    return choice(
        reply, lambda one: edit(one["message"]) if one["message"].get("tool_calls") else None
    )


def _call(reply: Reply, edit: Callable[[Object], Any]) -> Reply:
    return _message(reply, lambda said: [edit(one) for one in said["tool_calls"]])


# Whole calls.


@dialect(seam="events", only=CALLS)
def calls_in_the_last_chunk(events: list[Item], call: Call) -> list[Item]:
    """Sends all calls whole, in the chunk with the finish reason."""
    made = _whole(events)
    if not made:
        return events
    bare = [item for item in events if not _fragments(item)]
    return each_delta(bare, setting(tool_calls=made), is_finish)


@dialect(seam="events", only=CALLS)
def calls_all_at_once(events: list[Item], call: Call) -> list[Item]:
    """Sends all calls whole, in one delta, as Gemini's and Ollama's endpoints do."""
    made = _whole(events)
    if not made:
        return events
    at = place(events, _begins)
    whole = each_delta(events[at : at + 1], setting(tool_calls=made))
    bare = [item for item in events if not _fragments(item)]
    return inserted(bare, at, *whole)


@dialect(seam="events", only=CALLS)
def calls_with_the_role(events: list[Item], call: Call) -> list[Item]:
    """Sends the role with the first fragment of the first call."""
    at = place(events, _begins)
    if at == len(events):
        return events
    opening = each_delta(events[at : at + 1], lambda d: d.update(role="assistant", content=None))
    return [*opening, *events[at + 1 :]]


# Fragments.


@dialect(seam="events", only=CALLS)
def interleaves_its_calls(events: list[Item], call: Call) -> list[Item]:
    """Begins all calls before it goes on with the last one, then the first."""
    first = [item for item in events if _begins(item)]
    later = [item for item in events if _goes_on(item)]
    later.sort(key=lambda item: -_fragments(item)[0]["index"])
    at = place(events, _begins)
    bare = [item for item in events if not _fragments(item)]
    return inserted(bare, at, *first, *later)


@dialect(seam="events", only=CALLS)
def goes_on_with_two_calls_in_one_chunk(events: list[Item], call: Call) -> list[Item]:
    """Sends a fragment of each call in one delta."""
    made = _whole(events)
    if len(made) < 2:
        return events
    at = place(events, _begins)
    heads = each_delta(events[at : at + 1], setting(tool_calls=[_open(one) for one in made]))
    rest = each_delta(events[at : at + 1], setting(tool_calls=[_rest(one) for one in made]))
    bare = [item for item in events if not _fragments(item)]
    return inserted(bare, at, *heads, *rest)


def _open(one: Object) -> Object:
    return {**one, "function": {**one["function"], "arguments": ""}}


def _rest(one: Object) -> Object:
    return {"index": one["index"], "function": {"arguments": one["function"]["arguments"]}}


@dialect(seam="events", only=CALLS)
def sends_idle_fragments(events: list[Item], call: Call) -> list[Item]:
    """Ends a call with fragments that say nothing: empty, null and absent arguments."""
    last = [item for item in events if _goes_on(item)][-1:]
    if not last:
        return events
    idle: list[Object] = [{"arguments": ""}, {"arguments": None}, {}]
    told = [
        item
        for function in idle
        for item in _fragment(last, lambda one, f=function: one.update(function=f))  # type: ignore[misc]  # the loop's own function, bound
    ]
    return inserted(events, place(events, is_finish), *told)


@dialect(seam="events", only=CALLS)
def signs_its_calls(events: list[Item], call: Call) -> list[Item]:
    """Adds a vendor's members to fragments, as Gemini does."""
    return _fragment(events, setting(extra_content={"google": {"thought_signature": "x"}}))


@dialect(seam="events", warns=("CC-TOOL-012",), only=CALLS)
def repeats_id_and_type(events: list[Item], call: Call) -> list[Item]:
    """Repeats id and type of a call in every fragment, and an empty name."""
    heads = {one["index"]: one for item in events for one in _fragments(item) if "id" in one}

    def repeat(one: Object) -> None:
        one.update(id=heads[one["index"]]["id"], type="function")
        one["function"].setdefault("name", "")

    return _fragment(events, repeat)


@dialect(seam="events", warns=("CC-TOOL-032",), only=CALLS)
def begins_with_the_name_alone(events: list[Item], call: Call) -> list[Item]:
    """Leaves arguments out of the first fragment, as vLLM does."""

    def bare(one: Object) -> None:
        if "id" in one:
            one["function"].pop("arguments")

    return _fragment(events, bare)


@dialect(seam="events", warns=("CC-TOOL-017",), only=(*CALLS, "CC-MSG-006"))
def always_mentions_calls(events: list[Item], call: Call) -> list[Item]:
    """Sends `tool_calls: null` and `function_call: null` in every delta without calls."""

    def mention(delta: Object) -> None:
        delta.setdefault("tool_calls", None)
        delta.setdefault("function_call", None)

    return each_delta(events, mention)


@dialect(seam="events", only=CALLS)
def talks_before_it_calls(events: list[Item], call: Call) -> list[Item]:
    """Says a word before it calls a tool."""
    at = place(events, _begins)
    opening = each_delta(events[at : at + 1], dropping("tool_calls"))
    return inserted(events, at, *each_delta(opening, setting(content="Let me look.")))


# Plain replies.


@dialect(seam="reply", only=CALLS)
def says_something_beside_calls(reply: Reply, call: Call) -> Reply:
    """Sends text beside calls: a blank one, as Ollama does, or a sentence with angle brackets."""
    said = "" if asked(call, "tool_choice") else "I call <get_weather> for you."
    return _message(reply, setting(content=said))


@dialect(seam="reply", only=CALLS)
def spells_arguments_at_leisure(reply: Reply, call: Call) -> Reply:
    """Sends arguments over several lines, between blanks, and members of its own."""

    def spell(one: Object) -> None:
        function = one["function"]
        try:
            value = json.loads(function["arguments"])
        except ValueError:
            return  # cut off
        function.update(arguments=f"\n{json.dumps(value, indent=2)} \n", parsed=None)
        one.update(extra_content=None)

    return _call(reply, spell)


@dialect(seam="reply", only=CALLS)
def names_calls_briefly(reply: Reply, call: Call) -> Reply:
    """Gives calls ids of nine letters and digits, as Mistral does."""
    return _call(reply, lambda one: one.update(id=f"{call.number % 10**7:07d}{one['id'][-2:]}"))


# What a model does.


NEVER_CALLED = tuple(name for name in FORM if name != "CC-TOOL-017")


@dialect(seam="request", undecided=NEVER_CALLED, only=FORM)
def never_calls(call: Call) -> Call | Reply:
    """Is a model that calls no tool, not even where it is told to."""
    return given(call, tool_choice="none") if asked(call, "tools") else call


@dialect(seam="request", only=FORM)
def calls_one_at_a_time(call: Call) -> Call | Reply:
    """Is a model that makes one call and waits, whatever it is asked."""
    return given(call, parallel_tool_calls=False) if asked(call, "tools") else call


@dialect(seam="request", undecided=NEVER_CALLED, only=FORM)
def calls_only_when_told(call: Call) -> Call | Reply:
    """Refuses to be told which tool to call, and calls none by itself."""
    if asked(call, "tool_choice") is not None:
        return bad_parameter("tool_choice")
    return given(call, tool_choice="none") if asked(call, "tools") else call


@dialect(seam="request", only=(*FORM, "CC-FIN-006"))
def leaves_the_choice_to_the_model(call: Call) -> Call | Reply:
    """Refuses `tool_choice`, and calls tools as it likes."""
    return bad_parameter("tool_choice") if asked(call, "tool_choice") is not None else call


@dialect(seam="request", only=FORM)
def calls_where_it_is_forced(call: Call) -> Call | Reply:
    """Is a model that calls tools only where it is forced to."""
    free = asked(call, "tools") and asked(call, "tool_choice") is None
    return given(call, tool_choice="none") if free else call


@dialect(seam="request", only=(*CALLS, "CC-FIN-006"))
def has_no_tools(call: Call) -> Call | Reply:
    """Refuses `tools`."""
    return bad_parameter("tools") if asked(call, "tools") else call


@dialect(seam="request", only=(*FORM, "CC-FIN-006"))
def has_neither_streams_nor_choice(call: Call) -> Call | Reply:
    """Refuses `stream`, and ignores `tool_choice`."""
    return bad_parameter("stream") if asked(call, "stream") else without(call, "tool_choice")


@dialect(seam="reply", model=THINKER, only=CALLS)
def thinks_before_it_calls(reply: Reply, call: Call) -> Reply:
    """Is a model that thinks before it calls a tool."""
    return reply


def _misspelled(reply: Reply) -> Reply:
    """The reply of a model that writes arguments that do not parse, streamed or not."""
    if reply.events is None:
        return _call(reply, lambda one: one["function"].update(arguments="{location: Paris}"))
    last = [i for i, item in enumerate(reply.events) if _goes_on(item)][-1:]
    return replace(reply, events=tuple(e for i, e in enumerate(reply.events) if i not in last))


@dialect(seam="reply", warns=("CC-TOOL-003",), undecided=("CC-TOOL-014",), only=FORM)
def writes_no_json(reply: Reply, call: Call) -> Reply:
    """Is a model that cannot write JSON."""
    return _misspelled(reply)
