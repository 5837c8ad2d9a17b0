"""Faults of reasoning models (CC-REAS, CC-REQ-041)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    choice,
    each_choice,
    each_delta,
    has_text,
    inserted,
    is_chunk,
    message,
    messages,
    place,
)
from conformance.reference.faults.registry import fault
from conformance.reference.models import served
from conformance.reference.text import thought, tokens

FIELD = "reasoning_content"


def _reasons(call: Call) -> bool:
    """Whether the call is for a model that thinks before it answers."""
    model = served().get(str(asked(call, "model")))
    return model is not None and model.reasoning


def _thinks(item: Item) -> bool:
    """Whether an item is a chunk with a piece of thought."""
    if not isinstance(item, dict) or not is_chunk(item):
        return False
    return bool((item["choices"][0].get("delta") or {}).get(FIELD))


SHAPES = ("tools", "functions", "response_format", "logprobs")
"""Parameters that give the answer a form, which faults of its text leave alone."""


def _retold(reply: Reply, call: Call, before: str, after: str) -> Reply:
    """The completion of a chat with its thoughts in content too, between two tags."""

    def within(one: dict[str, Any]) -> None:
        if FIELD in one:
            one["content"] = f"{before}{one[FIELD]}{after}\n\n{one['content'] or ''}"

    return message(reply, within) if _chats(call) else reply


def _chats(call: Call) -> bool:
    """Whether an answer in words is asked for."""
    return not any(asked(call, name) for name in SHAPES)


@fault(breaks={"CC-REAS-001"}, seam="reply")
def writes_reasoning_as_an_object(reply: Reply, call: Call) -> Reply:
    """Puts the thoughts into an object."""

    def wrap(one: dict[str, Any]) -> None:
        if FIELD in one:
            one[FIELD] = {"type": "thinking", "text": one[FIELD]}

    return message(reply, wrap)


@fault(breaks={"CC-REAS-001"}, seam="reply")
def calls_reasoning_thinking(reply: Reply, call: Call) -> Reply:
    """Tells thoughts in a field that no client reads, in both modes."""

    def rename(one: dict[str, Any]) -> None:
        if FIELD in one:
            one["thinking"] = one.pop(FIELD)

    if reply.events is None:
        return message(reply, rename)
    return replace(reply, events=tuple(each_delta(reply.events, rename, _thinks)))


@fault(breaks={"CC-EQUIV-006", "CC-REAS-001"}, seam="events")
def thinks_in_the_content_of_streams(events: list[Item], call: Call) -> list[Item]:
    """Streams thoughts as `<think>` within content, and tells them apart elsewhere."""
    if not _chats(call):
        return events
    thoughts: dict[int, list[dict[str, Any]]] = {}

    def within(one: dict[str, Any]) -> None:
        one["delta"]["content"] = one["delta"].pop(FIELD)
        thoughts.setdefault(one["index"], []).append(one["delta"])

    told = each_choice(events, within, _thinks)
    for deltas in thoughts.values():
        deltas[0]["content"] = f"<think>{deltas[0]['content']}"
        deltas[-1]["content"] += "</think>\n\n"
    return told


@fault(breaks={"CC-REAS-002"}, seam="reply")
def shortens_its_second_field(reply: Reply, call: Call) -> Reply:
    """Tells a part of it in `reasoning`, and the whole in `reasoning_content`, in both modes."""

    def shorten(one: dict[str, Any]) -> None:
        if FIELD in one:
            one["reasoning"] = one[FIELD][: len(one[FIELD]) // 2 + 1]

    if reply.events is None:
        return message(reply, shorten)
    return replace(reply, events=tuple(each_delta(reply.events, shorten, _thinks)))


@fault(breaks={"CC-REAS-003"}, seam="events")
def goes_back_to_thinking(events: list[Item], call: Call) -> list[Item]:
    """Sends the last of its thoughts after the first of its answer."""
    at = place(events, has_text)
    thoughts = [item for item in events if _thinks(item)]
    if not thoughts or at == len(events):
        return events
    rest = [item for item in events if item is not thoughts[-1]]
    return inserted(rest, at, thoughts[-1])


@fault(breaks={"CC-REAS-004"}, seam="events")
def streams_reasoning_as_objects(events: list[Item], call: Call) -> list[Item]:
    """Streams an object as `reasoning` beside the text of `reasoning_content`."""
    return each_delta(events, lambda one: one.update(reasoning={"text": one[FIELD]}), _thinks)


@fault(breaks={"CC-MSG-011", "CC-REAS-005"}, seam="reply")
def loses_the_opening_tag(reply: Reply, call: Call) -> Reply:
    """Leaves its thoughts in content, and the opening tag in the prompt, as DeepSeek R1 has it."""
    return _retold(reply, call, "", "</think>")


@fault(breaks={"CC-REAS-005"}, seam="reply")
def loses_the_closing_tag(reply: Reply, call: Call) -> Reply:
    """Opens a block of thought in content and never closes it."""
    return _retold(reply, call, "<think>", "")


@fault(breaks={"CC-REAS-005"}, seam="reply")
def leaves_the_end_of_a_tag(reply: Reply, call: Call) -> Reply:
    """Cuts the closing tag apart where its tokens are, and keeps the rest of it."""
    tagged = _reasons(call) and _chats(call)
    return message(reply, lambda one: one.update(content=f"nk>{_said(one)}")) if tagged else reply


def _said(one: dict[str, Any]) -> str:
    return one["content"] or ""


@fault(breaks={"CC-EQUIV-008", "CC-REAS-006"}, seam="events")
def loses_the_first_word_of_its_answer(events: list[Item], call: Call) -> list[Item]:
    """Drops the chunk in which the thoughts end, as vLLM's parser has."""
    at = place(events, has_text)
    boundary = any(map(_thinks, events)) and _chats(call)
    return [*events[:at], *events[at + 1 :]] if boundary else events


@fault(breaks={"CC-MSG-010", "CC-REAS-007"}, seam="reply")
def answers_in_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Takes an answer without tags for a thought, where no bound is given."""

    def hide(one: dict[str, Any]) -> None:
        if FIELD in one:
            one.update({FIELD: f"{one[FIELD]}{_said(one)}", "content": ""})

    unbounded = asked(call, "max_tokens") is None and asked(call, "max_completion_tokens") is None
    return message(reply, hide) if unbounded else reply


@fault(breaks={"CC-REAS-007"}, seam="reply")
def ends_with_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Tells its thoughts in content, and nothing else, where no bound is given."""

    def end(one: dict[str, Any]) -> None:
        if FIELD in one:
            one["content"] = f"<think>{one[FIELD]}</think>"

    unbounded = asked(call, "max_tokens") is None and asked(call, "max_completion_tokens") is None
    return message(reply, end) if unbounded else reply


@fault(breaks={"CC-FIN-003", "CC-REAS-009"}, seam="reply")
def says_stop_where_thinking_was_cut(reply: Reply, call: Call) -> Reply:
    """Calls it a natural end where the bound was spent on thought."""

    def end(one: dict[str, Any]) -> None:
        if one["finish_reason"] == "length" and not one["message"]["content"]:
            one["finish_reason"] = "stop"

    return choice(reply, end) if _chats(call) else reply


BOUNDS = ("max_tokens", "max_completion_tokens")


@fault(breaks={"CC-REAS-009", "CC-REQ-024", "CC-USAGE-005"}, seam="request")
def bounds_the_answer_alone(call: Call) -> Call | Reply:
    """Lets no thought count for the output bound."""
    if not _reasons(call):
        return call
    spent = len(tokens(thought(messages(call))))
    body = dict(call.json or {})
    for name in BOUNDS:
        if isinstance(body.get(name), int) and 8 <= body[name] < 2048:
            body[name] += spent
    return call.understood_as(body)


@fault(breaks={"CC-REAS-010"}, seam="request")
def refuses_a_temperature_by_no_code(call: Call) -> Call | Reply:
    """Refuses any `temperature` but 1 in words alone, with neither param nor code."""
    value = asked(call, "temperature")
    other = isinstance(value, int | float) and 0 <= value <= 2 and value != 1
    if not _reasons(call) or not other:
        return call
    return refusal(400, "temperature is fixed for this model: 1 is the only value.")


@fault(breaks={"CC-REAS-011"}, seam="request")
def refuses_its_thoughts_as_history(call: Call) -> Call | Reply:
    """Refuses `reasoning_content` in a message, as DeepSeek's API has."""
    if not any(FIELD in one for one in messages(call)):
        return call
    return refusal(400, f"{FIELD} is not allowed in messages.", param="messages")


@fault(breaks={"CC-REQ-041"}, seam="request")
def refuses_low_effort_without_a_word(call: Call) -> Call | Reply:
    """Refuses the least effort without saying what is wrong."""
    low = _reasons(call) and asked(call, "reasoning_effort") == "low"
    return refusal(400, "Invalid request.") if low else call
