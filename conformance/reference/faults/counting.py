"""Faults of usage and finish_reason in plain replies (CC-USAGE, CC-FIN)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import (
    asked,
    choice,
    dropping,
    each_choice,
    each_item,
    is_chunk,
    is_finish,
    is_usage,
    prompted,
    setting,
    usage,
)
from conformance.reference.faults.registry import fault


def _bound(call: Call) -> int | None:
    value = asked(call, "max_completion_tokens") or asked(call, "max_tokens")
    return value if isinstance(value, int) else None


def _ended(reply: Reply, reason: str, instead: str | None) -> Reply:
    """The completion with one finish reason replaced by another."""

    def end(one: dict[str, Any]) -> None:
        if one["finish_reason"] == reason:
            one["finish_reason"] = instead

    return choice(reply, end)


def _whole(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True


@fault(breaks={"CC-USAGE-001"}, seam="reply")
def writes_usage_as_text(reply: Reply, call: Call) -> Reply:
    """Writes the counts as strings."""

    def text(counts: dict[str, Any]) -> None:
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            counts[name] = str(counts[name])

    return usage(reply, text)


@fault(breaks={"CC-USAGE-001"}, seam="reply")
def nulls_a_count(reply: Reply, call: Call) -> Reply:
    """Writes null for `completion_tokens`."""
    return usage(reply, setting(completion_tokens=None))


@fault(breaks={"CC-USAGE-001"}, seam="reply")
def leaves_the_total_out(reply: Reply, call: Call) -> Reply:
    """Sends usage without `total_tokens`."""
    return usage(reply, dropping("total_tokens"))


@fault(breaks={"CC-USAGE-002"}, seam="reply")
def adds_up_wrongly(reply: Reply, call: Call) -> Reply:
    """Writes a total that is one less than the sum."""
    return usage(reply, lambda one: one.update(total_tokens=one["total_tokens"] - 1))


@fault(breaks={"CC-USAGE-003"}, seam="reply")
def counts_no_output(reply: Reply, call: Call) -> Reply:
    """Counts no output tokens, whatever was said."""
    if asked(call, "n"):
        return reply
    return usage(
        reply, lambda one: one.update(completion_tokens=0, total_tokens=one["prompt_tokens"])
    )


def _same(counts: dict[str, Any]) -> None:
    counts.update(prompt_tokens=10, total_tokens=10 + counts["completion_tokens"])


@fault(breaks={"CC-USAGE-004"}, seam="reply")
def counts_every_prompt_the_same(reply: Reply, call: Call) -> Reply:
    """Counts ten tokens for every prompt, streamed or not."""
    if reply.events is None:
        return usage(reply, _same)
    told = each_item(reply.events, lambda item: _same(item["usage"]), is_usage)
    return replace(reply, events=tuple(told))


@fault(breaks={"CC-REQ-024", "CC-USAGE-005"}, seam="reply")
def goes_two_over_the_bound(reply: Reply, call: Call) -> Reply:
    """Counts two tokens more than the bound allows."""
    bound = _bound(call)

    def pass_over(counts: dict[str, Any]) -> None:
        if bound and 8 <= bound == counts["completion_tokens"]:
            counts["completion_tokens"] += 2
            counts["total_tokens"] += 2

    return usage(reply, pass_over)


@fault(breaks={"CC-USAGE-006"}, seam="reply")
def nulls_the_details(reply: Reply, call: Call) -> Reply:
    """Writes null for the details of the prompt."""
    return usage(reply, setting(prompt_tokens_details=None))


@fault(breaks={"CC-USAGE-007"}, seam="reply")
def caches_more_than_there_is(reply: Reply, call: Call) -> Reply:
    """Counts more cached tokens than the prompt has."""
    return usage(
        reply,
        lambda one: one.update(prompt_tokens_details={"cached_tokens": one["prompt_tokens"] + 1}),
    )


@fault(breaks={"CC-USAGE-008"}, seam="reply")
def thinks_more_than_it_says(reply: Reply, call: Call) -> Reply:
    """Counts more reasoning tokens than output tokens."""

    def count(counts: dict[str, Any]) -> None:
        counts["completion_tokens_details"] = {"reasoning_tokens": counts["completion_tokens"] + 1}

    return usage(reply, count)


@fault(breaks={"CC-USAGE-009"}, seam="reply")
def counts_one_choice_of_many(reply: Reply, call: Call) -> Reply:
    """Counts the output of the first choice only."""
    count = asked(call, "n") or 1

    def divide(counts: dict[str, Any]) -> None:
        counts["completion_tokens"] //= count
        counts["total_tokens"] = counts["prompt_tokens"] + counts["completion_tokens"]

    return usage(reply, divide)


@fault(breaks={"CC-FIN-001"}, seam="reply")
def never_says_why(reply: Reply, call: Call) -> Reply:
    """Leaves finish_reason null in a plain reply without tools."""
    return reply if asked(call, "tools") else choice(reply, setting(finish_reason=None))


@fault(breaks={"CC-FIN-001", "CC-FIN-002"}, seam="reply")
def says_end_turn(reply: Reply, call: Call) -> Reply:
    """Uses another vendor's word for a natural end."""
    return _ended(reply, "stop", "end_turn")


@fault(breaks={"CC-FIN-001", "CC-FIN-002"}, seam="reply")
def says_the_empty_word(reply: Reply, call: Call) -> Reply:
    """Writes an empty string for a natural end."""
    return _ended(reply, "stop", "")


@fault(breaks={"CC-FIN-003", "CC-STRUCT-007"}, seam="reply")
def says_stop_when_cut(reply: Reply, call: Call) -> Reply:
    """Calls an answer that the bound cut a natural end."""
    return reply if asked(call, "tools") else _ended(reply, "length", "stop")


@fault(breaks={"CC-FIN-004"}, seam="reply")
def says_length_at_a_stop_sequence(reply: Reply, call: Call) -> Reply:
    """Calls an answer that a stop sequence ended cut."""
    return _ended(reply, "stop", "length") if asked(call, "stop") else reply


@fault(breaks={"CC-FIN-005"}, seam="reply")
def says_stop_beside_calls(reply: Reply, call: Call) -> Reply:
    """Gives the reason `stop` where the model called a tool of its own choice."""
    free = asked(call, "tool_choice") in (None, "auto")
    return _ended(reply, "tool_calls", "stop") if free else reply


@fault(breaks={"CC-FIN-007", "CC-TOOL-031"}, seam="reply")
def says_tool_calls_without_any(reply: Reply, call: Call) -> Reply:
    """Gives the reason `tool_calls` wherever tools were offered."""
    return _ended(reply, "stop", "tool_calls") if asked(call, "tools") else reply


@fault(breaks={"CC-FIN-008"}, seam="reply")
def says_tool_calls_for_a_cut_call(reply: Reply, call: Call) -> Reply:
    """Gives the reason `tool_calls` for a call that the bound cut off."""

    def claim(one: dict[str, Any]) -> None:
        made = one["message"].get("tool_calls") or []
        if any(not _whole(each["function"]["arguments"]) for each in made):
            one["finish_reason"] = "tool_calls"

    return choice(reply, claim)


def _streamed(events: list[Item], call: Call, reason: str, instead: str) -> list[Item]:
    """The stream of a call without tools, with one finish reason replaced by another."""

    def end(one: dict[str, Any]) -> None:
        if one["finish_reason"] == reason:
            one["finish_reason"] = instead

    return events if asked(call, "tools") else each_choice(events, end, is_finish)


@fault(breaks={"CC-FIN-003"}, seam="events")
def streams_stop_when_cut(events: list[Item], call: Call) -> list[Item]:
    """Calls a stream that the bound cut a natural end."""
    return _streamed(events, call, "length", "stop")


@fault(breaks={"CC-FIN-004"}, seam="events")
def streams_length_when_done(events: list[Item], call: Call) -> list[Item]:
    """Calls a stream that ended by itself cut."""
    return _streamed(events, call, "stop", "length")


@fault(breaks={"CC-FIN-004"}, seam="reply")
def says_length_when_done(reply: Reply, call: Call) -> Reply:
    """Calls a greeting that ended by itself cut."""
    return _ended(reply, "stop", "length") if prompted(call, "Say h") else reply


@fault(breaks={"CC-USAGE-002"}, seam="events")
def adds_up_wrongly_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Writes a total into the usage chunk that is one more than the sum."""

    def add(item: dict[str, Any]) -> None:
        item["usage"]["total_tokens"] += 1

    return each_item(events, add, is_usage)


@fault(breaks={"CC-USAGE-003"}, seam="events")
def counts_no_output_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Counts no output tokens in the usage chunk of a greeting."""

    def forget(item: dict[str, Any]) -> None:
        item["usage"].update(completion_tokens=0, total_tokens=item["usage"]["prompt_tokens"])

    return each_item(events, forget, is_usage) if prompted(call, "Say h") else events


@fault(breaks={"CC-FIN-005"}, seam="events")
def streams_stop_beside_calls(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with `stop` where the model called a tool of its own choice."""
    free = asked(call, "tools") and asked(call, "tool_choice") in (None, "auto")
    return each_choice(events, setting(finish_reason="stop"), is_finish) if free else events


@fault(breaks={"CC-EQUIV-001", "CC-FIN-007"}, seam="events")
def streams_tool_calls_without_any(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with `tool_calls` and loses the calls."""
    free = asked(call, "tools") and asked(call, "tool_choice") in (None, "auto")
    return [item for item in events if not (free and _is_call(item))]


def _is_call(item: Item) -> bool:
    return is_chunk(item) and isinstance(item, dict) and "tool_calls" in item["choices"][0]["delta"]


@fault(breaks={"CC-USAGE-006"}, seam="events")
def streams_its_details_as_text(events: list[Item], call: Call) -> list[Item]:
    """Writes the details of the usage as strings, in streams only."""

    def text(chunk: dict[str, Any]) -> None:
        details = chunk["usage"]["prompt_tokens_details"]
        details.update({name: str(count) for name, count in details.items()})

    return each_item(events, text, is_usage)
