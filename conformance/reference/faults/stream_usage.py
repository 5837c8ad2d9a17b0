"""Faults of the usage in a stream (CC-STREAM): asked for, unasked, its place and its form."""

from __future__ import annotations

from itertools import count
from typing import Any

from conformance.reference.call import Call, Item
from conformance.reference.faults.edits import (
    each_item,
    inserted,
    is_chunk,
    is_finish,
    is_usage,
    middle,
    setting,
)
from conformance.reference.faults.registry import fault


@fault(breaks={"CC-STREAM-001", "CC-STREAM-005", "CC-STREAM-030", "CC-SSE-016"}, seam="events")
def streams_usage_without_choices(events: list[Item], call: Call) -> list[Item]:
    """Leaves `choices` out of the usage chunk."""
    return each_item(events, lambda item: item.pop("choices"), is_usage)


@fault(breaks={"CC-STREAM-001", "CC-STREAM-005", "CC-STREAM-030", "CC-SSE-016"}, seam="events")
def streams_usage_with_null_choices(events: list[Item], call: Call) -> list[Item]:
    """Writes null for the `choices` of the usage chunk."""
    return each_item(events, setting(choices=None), is_usage)


@fault(breaks={"CC-STREAM-018", "CC-STREAM-030"}, seam="events")
def keeps_the_usage_to_itself(events: list[Item], call: Call) -> list[Item]:
    """Leaves the usage chunk out that was asked for."""
    return [item for item in events if not is_usage(item)]


@fault(breaks={"CC-STREAM-019"}, seam="events")
def leaves_null_usage_out(events: list[Item], call: Call) -> list[Item]:
    """Leaves `usage: null` out of the other chunks."""
    return each_item(events, lambda item: item.pop("usage", None), is_chunk)


@fault(breaks={"CC-STREAM-020"}, seam="events")
def counts_unasked(events: list[Item], call: Call) -> list[Item]:
    """Sends usage in the last chunk though nobody asked for it."""
    counts = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    return events if call.asks_usage else each_item(events, setting(usage=counts), is_finish)


@fault(breaks={"CC-STREAM-018", "CC-STREAM-019", "CC-STREAM-021"}, seam="events")
def keeps_a_running_total(events: list[Item], call: Call) -> list[Item]:
    """Sends the usage so far with every chunk."""
    numbers = count(1)

    def total(item: dict[str, Any]) -> None:
        done = next(numbers)
        item["usage"] = {"prompt_tokens": 9, "completion_tokens": done, "total_tokens": 9 + done}

    return each_item(events, total, is_chunk) if call.asks_usage else events


@fault(breaks={"CC-STREAM-022"}, seam="events")
def streams_a_partial_usage(events: list[Item], call: Call) -> list[Item]:
    """Leaves the total out of the usage chunk."""
    return each_item(events, lambda item: item["usage"].pop("total_tokens"), is_usage)


@fault(breaks={"CC-STREAM-030"}, seam="events")
def puts_usage_on_the_finish(events: list[Item], call: Call) -> list[Item]:
    """Sends the usage with the finishing chunk instead of a chunk of its own."""
    counts = [item["usage"] for item in events if isinstance(item, dict) and is_usage(item)]
    if not counts:
        return events
    return each_item(keeps_the_usage_to_itself(events, call), setting(usage=counts[0]), is_finish)


@fault(breaks={"CC-STREAM-018", "CC-STREAM-030", "CC-SDK-003", "CC-SDK-004"}, seam="events")
def counts_before_the_end(events: list[Item], call: Call) -> list[Item]:
    """Sends the usage chunk before the last piece of text."""
    counted = [item for item in events if is_usage(item)]
    rest = [item for item in events if not is_usage(item)]
    return inserted(rest, middle(rest), *counted)


@fault(breaks={"CC-STREAM-022"}, seam="events")
def streams_an_empty_usage(events: list[Item], call: Call) -> list[Item]:
    """Writes an empty object into the usage chunk."""
    return each_item(events, setting(usage={}), _counts)


def _counts(item: Item) -> bool:
    return isinstance(item, dict) and item.get("choices") == []
