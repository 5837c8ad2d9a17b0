"""Faults of streams that tell something else than the plain reply (CC-EQUIV)."""

from __future__ import annotations

from typing import Any

from conformance.reference.call import Call, Item
from conformance.reference.faults.edits import (
    each_delta,
    each_item,
    has_text,
    inserted,
    is_object,
    is_usage,
    place,
    setting,
    text_of,
)
from conformance.reference.faults.registry import fault


@fault(breaks={"CC-EQUIV-001"}, seam="events")
def streams_milliseconds(events: list[Item], call: Call) -> list[Item]:
    """Writes `created` of the chunks in milliseconds."""
    return each_item(events, setting(created=int(call.moment * 1000)), is_object)


@fault(breaks={"CC-EQUIV-001"}, seam="events")
def dates_its_streams_as_the_documentation_does(events: list[Item], call: Call) -> list[Item]:
    """Writes the `created` of the documentation's example into every chunk."""
    return each_item(events, setting(created=1_694_268_190), is_object)


@fault(breaks={"CC-RESP-007", "CC-SDK-002", "CC-SDK-007"}, seam="events")
def streams_a_number_for_its_fingerprint(events: list[Item], call: Call) -> list[Item]:
    """Writes `system_fingerprint` as a number into every chunk."""
    return each_item(events, setting(system_fingerprint=7), is_object)


@fault(breaks={"CC-RESP-008", "CC-SDK-002"}, seam="events")
def streams_a_tier_of_its_own(events: list[Item], call: Call) -> list[Item]:
    """Names a service tier in every chunk that the specification does not know."""
    return each_item(events, setting(service_tier="gold"), is_object)


@fault(breaks={"CC-EQUIV-005", "CC-TOOL-027"}, seam="events")
def renames_functions_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Prefixes the name of a called function, in streams only."""

    def rename(delta: dict[str, Any]) -> None:
        for fragment in delta.get("tool_calls") or ():
            if "name" in fragment["function"]:
                fragment["function"]["name"] = f"functions_{fragment['function']['name']}"

    return each_delta(events, rename)


@fault(breaks={"CC-EQUIV-006"}, seam="events")
def streams_reasoning_by_another_name(events: list[Item], call: Call) -> list[Item]:
    """Names the thought `reasoning` in streams, and `reasoning_content` elsewhere."""

    def rename(delta: dict[str, Any]) -> None:
        if "reasoning_content" in delta:
            delta["reasoning"] = delta.pop("reasoning_content")

    return each_delta(events, rename)


@fault(breaks={"CC-EQUIV-008"}, seam="events")
def loses_newlines(events: list[Item], call: Call) -> list[Item]:
    """Drops pieces of text that are nothing but a newline."""
    return [item for item in events if text_of(item) != "\n"]


@fault(breaks={"CC-EQUIV-002"}, seam="events")
def counts_the_prompt_differently_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Counts a few tokens more for the prompt of a streamed call."""

    def more(item: dict[str, Any]) -> None:
        item["usage"]["prompt_tokens"] += 7
        item["usage"]["total_tokens"] += 7

    return each_item(events, more, is_usage)


@fault(breaks={"CC-EQUIV-008", "CC-STRUCT-008"}, seam="events")
def loses_its_first_token(events: list[Item], call: Call) -> list[Item]:
    """Drops the first piece of text."""
    at = place(events, has_text)
    return events[:at] + events[at + 1 :]


@fault(breaks={"CC-EQUIV-008", "CC-STRUCT-008"}, seam="events")
def loses_its_last_token(events: list[Item], call: Call) -> list[Item]:
    """Drops the last piece of text."""
    told = events[::-1]
    at = place(told, has_text)
    return (told[:at] + told[at + 1 :])[::-1]


@fault(breaks={"CC-EQUIV-008"}, seam="events")
def loses_what_it_cannot_decode(events: list[Item], call: Call) -> list[Item]:
    """Drops pieces of text beyond the BMP, as a decoder does that ignores errors."""
    return [item for item in events if not any(ord(c) > 0xFFFF for c in text_of(item))]


@fault(breaks={"CC-EQUIV-008", "CC-STRUCT-008"}, seam="events")
def sends_a_piece_twice(events: list[Item], call: Call) -> list[Item]:
    """Sends the first piece of text again, as after a retry that was not noticed."""
    at = place(events, has_text)
    return inserted(events, at, *events[at : at + 1])


@fault(breaks={"CC-EQUIV-008", "CC-STRUCT-008"}, seam="events")
def sends_a_blank_after_each_piece(events: list[Item], call: Call) -> list[Item]:
    """Puts a blank after each piece of text, as a decoder does that joins words."""

    def pad(delta: dict[str, Any]) -> None:
        delta["content"] += " "

    return each_delta(events, pad, has_text)


@fault(breaks={"CC-EQUIV-008", "CC-STRUCT-008"}, seam="events")
def sends_two_pieces_in_the_wrong_order(events: list[Item], call: Call) -> list[Item]:
    """Sends two pieces of text the other way round, as workers do that race."""
    at = place(events, has_text) + 1
    pair = events[at : at + 2]
    return (
        [*events[:at], *reversed(pair), *events[at + 2 :]] if all(map(has_text, pair)) else events
    )


@fault(breaks={"CC-EQUIV-005", "CC-TOOL-014"}, seam="events")
def streams_arguments_twice(events: list[Item], call: Call) -> list[Item]:
    """Sends the first piece of the arguments twice, in streams only."""

    def repeat(delta: dict[str, Any]) -> None:
        for fragment in delta.get("tool_calls") or ():
            if fragment["function"].get("arguments") == "{":
                fragment["function"]["arguments"] = "{{"

    return each_delta(events, repeat)
