"""Faults of the form of tool calls in streams (CC-TOOL).

Most are what other servers shipped: the threads are in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import (
    Edit,
    Object,
    asked,
    dropping,
    each_delta,
    inserted,
    is_chunk,
    is_finish,
    place,
    setting,
    without,
)
from conformance.reference.faults.registry import fault
from conformance.reference.faults.tools import left_free, parsed


def _fragments(item: Item) -> list[Object]:
    """The fragments of calls in an item."""
    if not isinstance(item, dict) or not is_chunk(item):
        return []
    found: list[Object] = item["choices"][0]["delta"].get("tool_calls") or []
    return found


def _begins(one: Object) -> bool:
    return "id" in one


def _continues(one: Object) -> bool:
    return "id" not in one


def _begins_a_call(item: Item) -> bool:
    return any(map(_begins, _fragments(item)))


def _goes_on(item: Item) -> bool:
    return any(map(_continues, _fragments(item)))


def _each(
    events: list[Item], edit: Edit, where: Callable[[Object], bool] = lambda one: True
) -> list[Item]:
    """The stream with every fragment that `where` picks changed by `edit`."""

    def change(delta: Object) -> None:
        for one in filter(where, delta.get("tool_calls") or ()):
            edit(one)

    return each_delta(events, change, lambda item: bool(_fragments(item)))


def _with_heads(events: list[Item], edit: Callable[[Object, Object], Any]) -> list[Item]:
    """The stream with every later fragment changed by `edit`, which sees the first one too."""
    heads = {one["index"]: one for item in events for one in filter(_begins, _fragments(item))}
    return _each(events, lambda one: edit(one, heads[one["index"]]), _continues)


@fault(breaks={"CC-TOOL-003"}, seam="events")
def streams_no_arguments_at_all(events: list[Item], call: Call) -> list[Item]:
    """Streams a call without arguments as a name alone."""
    whole = "".join(one["function"].get("arguments", "") for i in events for one in _fragments(i))
    if whole != "{}":
        return events
    return [item for item in events if not _goes_on(item)]


@fault(breaks={"CC-TOOL-005"}, seam="events")
def streams_every_call_under_one_id(events: list[Item], call: Call) -> list[Item]:
    """Names all calls of a stream after the stream."""
    return _each(events, setting(id=f"call_{call.nonce}"), _begins)


@fault(breaks={"CC-TOOL-006", "CC-MSG-011"}, seam="events")
def streams_raw_calls_as_content(events: list[Item], call: Call) -> list[Item]:
    """Streams the markup of a call as content before the call."""
    at = place(events, _begins_a_call)
    opening = each_delta(events[at : at + 1], lambda delta: delta.pop("tool_calls"))
    return inserted(events, at, *each_delta(opening, setting(content="<tool_call>")))


@fault(breaks={"CC-TOOL-008"}, seam="events")
def streams_calls_without_index(events: list[Item], call: Call) -> list[Item]:
    """Streams the fragments of calls without an index."""
    return _each(events, dropping("index"))


@fault(breaks={"CC-TOOL-008"}, seam="events")
def nulls_the_index_of_a_call(events: list[Item], call: Call) -> list[Item]:
    """Streams the fragments of calls with a null index."""
    return _each(events, setting(index=None))


@fault(breaks={"CC-TOOL-009"}, seam="events")
def counts_calls_from_one(events: list[Item], call: Call) -> list[Item]:
    """Gives the first call of a stream the index 1."""
    return _each(events, lambda one: one.update(index=one["index"] + 1))


@fault(breaks={"CC-TOOL-010"}, seam="events")
def streams_every_call_at_zero(events: list[Item], call: Call) -> list[Item]:
    """Gives all calls of a stream the index 0."""
    return _each(events, setting(index=0))


@fault(breaks={"CC-TOOL-010"}, seam="events")
def renames_a_call_in_every_chunk(events: list[Item], call: Call) -> list[Item]:
    """Gives every fragment of a call an id of its own."""
    return [
        changed
        for number, item in enumerate(events)
        for changed in _each([item], setting(id=f"call_{call.nonce}x{number}"))
    ]


@fault(breaks={"CC-TOOL-011"}, seam="events")
def streams_calls_without_type(events: list[Item], call: Call) -> list[Item]:
    """Streams calls without `type`."""
    return _each(events, dropping("type"))


@fault(breaks={"CC-TOOL-011"}, seam="events")
def streams_calls_without_id(events: list[Item], call: Call) -> list[Item]:
    """Streams calls whose id is empty."""
    return _each(events, setting(id=""), _begins)


@fault(breaks={"CC-TOOL-011"}, seam="events")
def names_the_function_late(events: list[Item], call: Call) -> list[Item]:
    """Sends the name of a called function in the second fragment."""
    named: set[int] = set()

    def late(one: Object, head: Object) -> None:
        if one["index"] not in named:
            named.add(one["index"])
            one["function"]["name"] = head["function"]["name"]

    told = _with_heads(events, late)
    return _each(told, lambda one: one["function"].pop("name"), _begins)


@fault(breaks={"CC-TOOL-010", "CC-TOOL-011"}, seam="events")
def spells_the_name_in_pieces(events: list[Item], call: Call) -> list[Item]:
    """Sends the name of a called function in two fragments."""
    spelled: set[int] = set()

    def rest(one: Object, head: Object) -> None:
        if one["index"] not in spelled:
            spelled.add(one["index"])
            one["function"]["name"] = head["function"]["name"][3:]

    told = _with_heads(events, rest)
    return _each(told, lambda one: _shorten(one["function"]), _begins)


def _shorten(function: Object) -> None:
    function["name"] = function["name"][:3]


@fault(breaks={"CC-TOOL-012"}, seam="events")
def repeats_the_head_of_a_call(events: list[Item], call: Call) -> list[Item]:
    """Repeats id, type and name in every fragment of a call."""

    def repeat(one: Object, head: Object) -> None:
        one.update(id=head["id"], type=head["type"])
        one["function"]["name"] = head["function"]["name"]

    return _with_heads(events, repeat)


@fault(breaks={"CC-TOOL-012"}, seam="events")
def empties_the_head_of_a_call(events: list[Item], call: Call) -> list[Item]:
    """Sends empty ids and names in the later fragments of a call."""

    def empty(one: Object) -> None:
        one.update(id="")
        one["function"].update(name="")

    return _each(events, empty, _continues)


@fault(breaks={"CC-TOOL-012"}, seam="events")
def nulls_the_head_of_a_call(events: list[Item], call: Call) -> list[Item]:
    """Sends null as type of the later fragments of a call."""
    return _each(events, setting(type=None), _continues)


@fault(breaks={"CC-TOOL-013", "CC-EQUIV-001"}, seam="events")
def streams_one_call_for_a_list(events: list[Item], call: Call) -> list[Item]:
    """Streams a fragment where a list of fragments belongs."""

    def unpack(delta: Object) -> None:
        delta["tool_calls"] = delta["tool_calls"][0]

    return each_delta(events, unpack, lambda item: bool(_fragments(item)))


@fault(breaks={"CC-TOOL-013"}, seam="events")
def streams_fragments_without_function(events: list[Item], call: Call) -> list[Item]:
    """Ends every call with a fragment that has an index and nothing else."""
    last = [item for item in events if _goes_on(item)][-1:]
    bare = _each(last, dropping("function"))
    return inserted(events, place(events, is_finish), *bare)


@fault(breaks={"CC-TOOL-013"}, seam="events")
def streams_arguments_as_an_object(events: list[Item], call: Call) -> list[Item]:
    """Streams arguments as an object in one piece."""
    said: dict[int, str] = {}
    for item in events:
        for one in _fragments(item):
            said[one["index"]] = said.get(one["index"], "") + one["function"]["arguments"]

    def whole(one: Object) -> None:
        one["function"]["arguments"] = parsed(said[one["index"]])

    return _each([item for item in events if not _goes_on(item)], whole)


@fault(breaks={"CC-TOOL-014"}, seam="events")
def loses_the_end_of_the_arguments(events: list[Item], call: Call) -> list[Item]:
    """Loses the last fragment of a call that the model chose to make."""
    last = [i for i, item in enumerate(events) if _goes_on(item)][-1:]
    return [item for i, item in enumerate(events) if not (left_free(call) and i in last)]


@fault(breaks={"CC-TOOL-014", "CC-EQUIV-005"}, seam="events")
def loses_the_end_of_forced_arguments(events: list[Item], call: Call) -> list[Item]:
    """Loses the last fragment of a call that was forced by name."""
    last = [i for i, item in enumerate(events) if _goes_on(item)][-1:]
    lost = isinstance(asked(call, "tool_choice"), dict)
    return [item for i, item in enumerate(events) if not (lost and i in last)]


@fault(breaks={"CC-TOOL-015"}, seam="events")
def gathers_fragments_in_one_delta(events: list[Item], call: Call) -> list[Item]:
    """Sends two fragments of one call in one delta."""
    told: list[Item] = []
    for item in events:
        before = _fragments(told[-1]) if told else []
        here = _fragments(item)
        if len(before) == 1 and len(here) == 1 and before[0]["index"] == here[0]["index"]:
            told[-1] = each_delta([told[-1]], setting(tool_calls=[*before, *here]))[0]
        else:
            told.append(item)
    return told


@fault(breaks={"CC-TOOL-016", "CC-STREAM-013"}, seam="events")
def ends_before_the_last_fragment(events: list[Item], call: Call) -> list[Item]:
    """Sends the finish reason before the last fragment of a call."""
    for (i, item), (j, later) in pairwise(enumerate(events)):
        if _fragments(item) and is_finish(later):
            return [*events[:i], later, item, *events[j + 1 :]]
    return events


@fault(breaks={"CC-TOOL-017"}, seam="events")
def lists_no_calls_in_every_delta(events: list[Item], call: Call) -> list[Item]:
    """Sends an empty list of calls in every delta without any."""
    return each_delta(events, lambda delta: delta.setdefault("tool_calls", []))


@fault(breaks={"CC-TOOL-017"}, seam="events")
def nulls_calls_in_every_delta(events: list[Item], call: Call) -> list[Item]:
    """Sends null for the calls in every delta without any."""
    return each_delta(events, lambda delta: delta.setdefault("tool_calls", None))


@fault(breaks={"CC-EQUIV-005", "CC-TOOL-014"}, seam="events")
def begins_arguments_with_an_empty_object(events: list[Item], call: Call) -> list[Item]:
    """Sends `{}` in the first fragment of a call, and the arguments after it."""
    return _each(events, lambda one: one["function"].update(arguments="{}"), _begins)


@fault(breaks={"CC-TOOL-027"}, seam="events")
def loses_emoji_in_arguments(events: list[Item], call: Call) -> list[Item]:
    """Drops fragments of arguments beyond the BMP, as a decoder does that ignores errors."""

    def lose(one: Object) -> None:
        if any(ord(character) > 0xFFFF for character in one["function"]["arguments"]):
            one["function"]["arguments"] = ""

    return _each(events, lose)


@fault(breaks={"CC-TOOL-032"}, seam="events")
def begins_calls_without_arguments(events: list[Item], call: Call) -> list[Item]:
    """Leaves `arguments` out of the first fragment of a call."""
    return _each(events, lambda one: one["function"].pop("arguments"), _begins)


@fault(breaks={"CC-TOOL-032"}, seam="events")
def begins_calls_with_null_arguments(events: list[Item], call: Call) -> list[Item]:
    """Sends null as the arguments of the first fragment of a call."""
    return _each(events, lambda one: one["function"].update(arguments=None), _begins)


@fault(breaks={"CC-SSE-001"}, seam="request")
def answers_streams_with_tools_whole(call: Call) -> Call | Reply:
    """Answers a stream that offers tools with one JSON document: llm-katan does, SGLang did."""
    if call.asks_stream and asked(call, "tools"):
        return without(call, "stream", "stream_options")
    return call
