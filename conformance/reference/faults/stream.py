"""Faults of the chunk sequence (CC-STREAM); those of its usage: ``stream_usage``."""

from __future__ import annotations

import copy
from itertools import count
from typing import Any

from conformance.reference.call import Call, Item
from conformance.reference.faults.edits import (
    asked,
    each_choice,
    each_delta,
    each_item,
    has_text,
    inserted,
    is_chunk,
    is_finish,
    is_object,
    middle,
    place,
    prompted,
    setting,
    text_of,
)
from conformance.reference.faults.registry import fault


def _opens(item: Item) -> bool:
    """Whether an item is a chunk with a role."""
    return isinstance(item, dict) and is_chunk(item) and "role" in item["choices"][0]["delta"]


@fault(breaks={"CC-STREAM-001"}, seam="events")
def streams_no_object(events: list[Item], call: Call) -> list[Item]:
    """Leaves `object` out of the chunks."""
    return each_item(events, lambda item: item.pop("object"), is_object)


@fault(breaks={"CC-STREAM-001"}, seam="events")
def streams_completions(events: list[Item], call: Call) -> list[Item]:
    """Names chunks `chat.completion`."""
    return each_item(events, setting(object="chat.completion"), is_object)


@fault(breaks={"CC-STREAM-001", "CC-EQUIV-001"}, seam="events")
def streams_created_as_text(events: list[Item], call: Call) -> list[Item]:
    """Writes `created` of the chunks as a string."""
    return each_item(events, setting(created=str(int(call.moment))), is_object)


@fault(breaks={"CC-STREAM-002"}, seam="events")
def gives_each_chunk_an_id_of_its_own(events: list[Item], call: Call) -> list[Item]:
    """Gives each chunk a fresh id."""
    numbers = count()
    return each_item(
        events, lambda item: item.update(id=f"{item['id']}-{next(numbers)}"), is_object
    )


@fault(breaks={"CC-STREAM-002", "CC-CONC-001"}, seam="events")
def gives_all_streams_one_id(events: list[Item], call: Call) -> list[Item]:
    """Gives every stream the same id."""
    return each_item(events, setting(id="chatcmpl-1"), is_object)


@fault(breaks={"CC-STREAM-003"}, seam="events")
def ticks_while_it_streams(events: list[Item], call: Call) -> list[Item]:
    """Stamps the last chunks with a later `created`."""
    return each_item(events, setting(created=int(call.moment) + 1), is_finish)


@fault(breaks={"CC-STREAM-004"}, seam="events")
def changes_its_fingerprint(events: list[Item], call: Call) -> list[Item]:
    """Changes `system_fingerprint` on the last chunk."""
    return each_item(events, setting(system_fingerprint="fp_other"), is_finish)


@fault(breaks={"CC-MODEL-012", "CC-STREAM-004"}, seam="events")
def changes_its_model(events: list[Item], call: Call) -> list[Item]:
    """Names another model on the last chunk."""
    return each_item(events, setting(model="default"), is_finish)


@fault(breaks={"CC-STREAM-006"}, seam="events")
def streams_no_index(events: list[Item], call: Call) -> list[Item]:
    """Leaves the index out of a choice in the middle."""
    return each_choice(events, lambda one: one.pop("index"), has_text)


@fault(breaks={"CC-STREAM-006"}, seam="events")
def numbers_tokens_for_choices(events: list[Item], call: Call) -> list[Item]:
    """Writes the number of the token into the index of the choice."""
    numbers = count(1)
    return each_choice(events, lambda one: one.update(index=next(numbers)), has_text)


@fault(breaks={"CC-STREAM-007", "CC-SDK-002", "CC-SDK-003", "CC-SDK-007"}, seam="events")
def streams_null_deltas(events: list[Item], call: Call) -> list[Item]:
    """Writes null for the delta of the finishing chunk."""
    return each_choice(events, setting(delta=None), is_finish)


@fault(breaks={"CC-STREAM-007"}, seam="events")
def streams_no_delta(events: list[Item], call: Call) -> list[Item]:
    """Leaves the delta out of the finishing chunk."""
    return each_choice(events, lambda one: one.pop("delta"), is_finish)


@fault(breaks={"CC-RESP-011"}, seam="events")
def streams_messages(events: list[Item], call: Call) -> list[Item]:
    """Puts a message beside the delta."""
    return each_choice(events, setting(message={"role": "assistant", "content": ""}), is_finish)


@fault(breaks={"CC-STREAM-008", "CC-EQUIV-001"}, seam="events")
def never_says_its_role(events: list[Item], call: Call) -> list[Item]:
    """Leaves the role out of the first delta."""
    return each_delta(events, lambda delta: delta.pop("role"), _opens)


@fault(breaks={"CC-STREAM-009"}, seam="events")
def repeats_its_role(events: list[Item], call: Call) -> list[Item]:
    """Repeats the role in every piece of text."""
    return each_delta(events, setting(role="assistant"), has_text)


@fault(breaks={"CC-STREAM-009", "CC-STREAM-010"}, seam="events")
def empties_its_role(events: list[Item], call: Call) -> list[Item]:
    """Writes an empty role into every piece of text."""
    return each_delta(events, setting(role=""), has_text)


@fault(breaks={"CC-STREAM-008", "CC-STREAM-010", "CC-EQUIV-001"}, seam="events")
def streams_as_the_user(events: list[Item], call: Call) -> list[Item]:
    """Names its role "user"."""
    return each_delta(events, setting(role="user"), _opens)


@fault(breaks={"CC-STREAM-011"}, seam="events")
def streams_no_finish_reason(events: list[Item], call: Call) -> list[Item]:
    """Leaves the key finish_reason out of every chunk but the last."""
    return each_choice(events, lambda one: one.pop("finish_reason"), has_text)


@fault(breaks={"CC-FIN-002", "CC-STREAM-011"}, seam="events")
def streams_an_empty_finish_reason(events: list[Item], call: Call) -> list[Item]:
    """Writes an empty finish_reason into every chunk but the last."""
    return each_choice(events, setting(finish_reason=""), has_text)


@fault(breaks={"CC-FIN-002", "CC-STREAM-011", "CC-EQUIV-001"}, seam="events")
def streams_eos(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with the reason `eos`."""
    if asked(call, "tools"):
        return events
    return each_choice(events, setting(finish_reason="eos"), is_finish)


@fault(breaks={"CC-STREAM-012", "CC-STREAM-013"}, seam="events")
def finishes_twice(events: list[Item], call: Call) -> list[Item]:
    """Sends the finishing chunk twice."""
    at = place(events, is_finish)
    return inserted(events, at, *events[at : at + 1])


@fault(breaks={"CC-STREAM-013"}, seam="events")
def talks_after_the_finish(events: list[Item], call: Call) -> list[Item]:
    """Sends the last piece of text after the finishing chunk."""
    at = place(events, is_finish)
    if at == len(events) or not has_text(events[at - 1]):
        return events
    return [*events[: at - 1], events[at], events[at - 1], *events[at + 1 :]]


@fault(breaks={"CC-LOGP-009", "CC-STREAM-015", "CC-STRUCT-008"}, seam="events")
def streams_cumulatively(events: list[Item], call: Call) -> list[Item]:
    """Sends the whole text so far in every delta."""
    said = ""
    told: list[Item] = []
    for item in events:
        said += text_of(item)
        told += each_delta([item], setting(content=said), has_text)
    return told


@fault(breaks={"CC-LOGP-009", "CC-STREAM-015", "CC-STRUCT-008"}, seam="events")
def repeats_the_text_at_the_end(events: list[Item], call: Call) -> list[Item]:
    """Sends the whole text once more before the finishing chunk."""
    said = "".join(map(text_of, events))
    spoken = [item for item in events if has_text(item)][-1:]
    return inserted(
        events, place(events, is_finish), *each_delta(spoken, setting(content=said), has_text)
    )


@fault(breaks={"CC-STREAM-015"}, seam="events")
def streams_parts(events: list[Item], call: Call) -> list[Item]:
    """Sends pieces of text as arrays of parts."""

    def part(delta: dict[str, Any]) -> None:
        delta["content"] = [{"type": "text", "text": delta["content"]}]

    return each_delta(events, part, has_text)


@fault(breaks={"CC-STREAM-017"}, seam="events")
def begins_with_an_empty_chunk(events: list[Item], call: Call) -> list[Item]:
    """Begins with a chunk that has no choices, as Azure does."""
    blank = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    return inserted(events, 0, blank)


@fault(breaks={"CC-STREAM-023"}, seam="events")
def begins_with_the_last_choice(events: list[Item], call: Call) -> list[Item]:
    """Opens the choices in reverse order."""
    opening = [item for item in events if _opens(item)]
    return [*reversed(opening), *events[len(opening) :]]


@fault(breaks={"CC-STREAM-024", "CC-SDK-005"}, seam="events")
def streams_a_null_error(events: list[Item], call: Call) -> list[Item]:
    """Writes `error: null` into every chunk."""
    return each_item(events, setting(error=None), is_object)


@fault(breaks={"CC-STREAM-025"}, seam="events")
def streams_lists_without_index(events: list[Item], call: Call) -> list[Item]:
    """Sends extra lists of objects that have no index."""
    details = [{"type": "reasoning.text", "text": ""}]
    return each_delta(events, setting(reasoning_details=details), has_text)


@fault(breaks={"CC-STREAM-025"}, seam="events")
def streams_the_number_of_a_token(events: list[Item], call: Call) -> list[Item]:
    """Puts the id of each token into its delta, where clients add numbers up."""
    return each_delta(events, setting(token_id=7), has_text)


@fault(breaks={"CC-STREAM-026"}, seam="events")
def obfuscates_with_a_number(events: list[Item], call: Call) -> list[Item]:
    """Writes `obfuscation` as a number."""
    return each_item(events, setting(obfuscation=42), is_chunk)


@fault(breaks={"CC-STREAM-027"}, seam="events")
def streams_a_refusal_as_a_list(events: list[Item], call: Call) -> list[Item]:
    """Writes `refusal` of the first delta as an array."""
    return each_delta(events, setting(refusal=[]), _opens)


@fault(breaks={"CC-MSG-013", "CC-EQUIV-001"}, seam="events")
def streams_a_call_nobody_asked_for(events: list[Item], call: Call) -> list[Item]:
    """Streams a call of a tool that was never offered."""
    function = {"name": "get_time", "arguments": "{}"}
    made = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    if not prompted(call, "Say h"):
        return events
    chunk = copy.deepcopy(events[0])
    return inserted(events, middle(events), *each_delta([chunk], _only(tool_calls=made), _opens))


def _only(**values: Any) -> Any:
    """An edit after which an object has these members alone."""

    def edit(one: dict[str, Any]) -> None:
        one.clear()
        one.update(values)

    return edit


@fault(
    breaks={"CC-EQUIV-001", "CC-SERR-002", "CC-SSE-005", "CC-SSE-024", "CC-STREAM-012"},
    seam="events",
)
def swallows_an_error(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream that failed as if it were whole."""
    return [item for item in events if not isinstance(item, dict) or "error" not in item]


@fault(breaks={"CC-STREAM-008", "CC-EQUIV-001"}, seam="events")
def names_one_role_for_all_choices(events: list[Item], call: Call) -> list[Item]:
    """Names the role of the first choice only, where there are two."""
    return each_delta(events, lambda delta: delta.pop("role"), _opens_another)


def _opens_another(item: Item) -> bool:
    return isinstance(item, dict) and _opens(item) and item["choices"][0]["index"] > 0


@fault(breaks={"CC-STREAM-008", "CC-EQUIV-001"}, seam="events")
def calls_without_a_role(events: list[Item], call: Call) -> list[Item]:
    """Begins a stream of a call without naming the role."""
    if not asked(call, "tools"):
        return events
    return each_delta(events, lambda delta: delta.pop("role"), _opens)


@fault(breaks={"CC-STREAM-012", "CC-SSE-024", "CC-EQUIV-001"}, seam="events")
def finishes_one_choice_of_two(events: list[Item], call: Call) -> list[Item]:
    """Leaves the finishing chunk of the last choice out, where there are two."""
    last = [item for item in events if is_finish(item)][1:]
    return [item for item in events if item not in last]


@fault(breaks={"CC-EQUIV-001", "CC-STREAM-009", "CC-STREAM-012", "CC-STREAM-013"}, seam="events")
def numbers_all_choices_zero(events: list[Item], call: Call) -> list[Item]:
    """Writes index 0 into the chunks of all choices."""
    return each_choice(events, setting(index=0))


@fault(breaks={"CC-MSG-011"}, seam="events")
def streams_the_template(events: list[Item], call: Call) -> list[Item]:
    """Lets the end token of the chat template into the text of a stream, in two pieces."""
    at = place(events, is_finish)
    spoken = [item for item in events if has_text(item)][-1:]
    if not prompted(call, "Say h"):
        return events
    pieces = [
        one for text in ("<|im_", "end|>") for one in each_delta(spoken, setting(content=text))
    ]
    return inserted(events, at, *pieces)


@fault(breaks={"CC-STREAM-002"}, seam="events")
def gives_each_choice_an_id_of_its_own(events: list[Item], call: Call) -> list[Item]:
    """Gives the chunks of each choice an id of their own."""

    def split(item: dict[str, Any]) -> None:
        item["id"] = f"{item['id']}-{item['choices'][0]['index']}"

    return each_item(events, split) if asked(call, "n") else events


@fault(breaks={"CC-STREAM-010"}, seam="events")
def nulls_its_role(events: list[Item], call: Call) -> list[Item]:
    """Writes null for the role into every piece of text."""
    return each_delta(events, setting(role=None), has_text)
