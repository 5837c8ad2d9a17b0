"""Faults of structured output (CC-STRUCT)."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    each_choice,
    given,
    is_finish,
    message,
    setting,
    without,
)
from conformance.reference.faults.registry import fault


def form(call: Call) -> str:
    """The type of the response format; empty where there is none."""
    wanted = asked(call, "response_format")
    return str(wanted.get("type")) if isinstance(wanted, dict) else ""


def json_schema(call: Call) -> dict[str, Any]:
    """The `json_schema` of a response format; empty where there is none."""
    held = asked(call, "response_format")["json_schema"] if form(call) == "json_schema" else {}
    return held if isinstance(held, dict) else {}


def _is_named(call: Call) -> bool:
    """Whether a schema is asked for under a name in the right form."""
    name = json_schema(call).get("name")
    return isinstance(name, str) and name.isidentifier()


@fault(breaks={"CC-STRUCT-001"}, seam="request")
def ignores_json_mode(call: Call) -> Call | Reply:
    """Accepts JSON mode and answers in prose, as FastChat and LitServe do."""
    return without(call, "response_format") if form(call) == "json_object" else call


@fault(breaks={"CC-STRUCT-001"}, seam="reply")
def fences_its_json(reply: Reply, call: Call) -> Reply:
    """Wraps what JSON mode gives in a Markdown fence."""

    def fence(said: dict[str, Any]) -> None:
        said["content"] = f"```json\n{said['content']}\n```"

    return message(reply, fence) if form(call) == "json_object" else reply


@fault(breaks={"CC-STRUCT-001"}, seam="reply")
def puts_its_object_into_a_list(reply: Reply, call: Call) -> Reply:
    """Answers in JSON mode with an array."""

    def enlist(said: dict[str, Any]) -> None:
        said["content"] = f"[{said['content']}]"

    return message(reply, enlist) if form(call) == "json_object" else reply


@fault(breaks={"CC-STRUCT-003", "CC-STRUCT-004", "CC-STRUCT-008", "CC-SDK-010"}, seam="request")
def ignores_the_schema(call: Call) -> Call | Reply:
    """Accepts a `json_schema` and answers in prose (webai-at-home/webai-at-home#191)."""
    return without(call, "response_format") if _is_named(call) else call


@fault(breaks={"CC-STRUCT-003", "CC-STRUCT-004", "CC-STRUCT-008"}, seam="request")
def takes_a_schema_for_json_mode(call: Call) -> Call | Reply:
    """Gives JSON where a schema was asked for, but any JSON (ggml-org/llama.cpp#11988)."""
    return given(call, response_format={"type": "json_object"}) if _is_named(call) else call


@fault(breaks={"CC-STRUCT-003"}, seam="request")
def follows_no_schema_with_titles(call: Call) -> Call | Reply:
    """Follows a schema, but not one that a generator has annotated."""
    annotated = "title" in (json_schema(call).get("schema") or {})
    return given(call, response_format={"type": "json_object"}) if annotated else call


@fault(breaks={"CC-STRUCT-003", "CC-STRUCT-004"}, seam="reply")
def leaves_a_required_member_out(reply: Reply, call: Call) -> Reply:
    """Leaves the last property of the schema out of a plain answer."""

    def shorten(said: dict[str, Any]) -> None:
        try:
            held = json.loads(said["content"])
        except ValueError:
            return  # the bound has cut it
        said["content"] = json.dumps(dict(list(held.items())[:-1]))

    formed = json_schema(call) and not asked(call, "logprobs")
    return message(reply, shorten) if formed else reply


@fault(breaks={"CC-STRUCT-004"}, seam="request")
def knows_no_such_format(call: Call) -> Call | Reply:
    """Refuses a schema with 404 and without a word on it."""
    return refusal(404, "Not found.") if _is_named(call) else call


@fault(breaks={"CC-STRUCT-005"}, seam="request")
def takes_a_schema_without_name(call: Call) -> Call | Reply:
    """Makes up a name for a schema that has none."""
    held = json_schema(call)
    if not held or "name" in held:
        return call
    return given(
        call, response_format={"type": "json_schema", "json_schema": {"name": "x", **held}}
    )


@fault(breaks={"CC-STRUCT-005"}, seam="request")
def takes_any_name_of_a_schema(call: Call) -> Call | Reply:
    """Takes any string for the name of a schema."""
    held = json_schema(call)
    if not held.get("name") or _is_named(call):
        return call
    return given(
        call, response_format={"type": "json_schema", "json_schema": {**held, "name": "x"}}
    )


@fault(breaks={"CC-STRUCT-007"}, seam="reply")
def ends_cut_json_with_stop(reply: Reply, call: Call) -> Reply:
    """Gives the reason `stop` where the bound has cut an answer in a form."""
    return choice(reply, setting(finish_reason="stop")) if json_schema(call) else reply


@fault(breaks={"CC-STRUCT-008"}, seam="request")
def follows_no_schema_in_streams(call: Call) -> Call | Reply:
    """Follows a schema in plain replies only."""
    streamed = _is_named(call) and call.asks_stream
    return without(call, "response_format") if streamed else call


@fault(breaks={"CC-STRUCT-008"}, seam="events")
def ends_a_stream_before_its_last_brace(events: list[Item], call: Call) -> list[Item]:
    """Loses the last piece of a streamed answer in a form, and says that it is whole."""
    if not json_schema(call):
        return events
    last = next((i for i, item in enumerate(events) if is_finish(item)), 0)
    kept = [*events[: last - 1], *events[last:]]
    return each_choice(kept, setting(finish_reason="stop"), is_finish)


@fault(breaks={"CC-STRUCT-010"}, seam="request")
def refuses_what_sdks_send(call: Call) -> Call | Reply:
    """Refuses a schema with annotations, such as SDKs make."""
    annotated = "title" in (json_schema(call).get("schema") or {})
    return bad_parameter("response_format") if annotated else call


@fault(breaks={"CC-SSE-001"}, seam="request")
def answers_streams_in_a_form_whole(call: Call) -> Call | Reply:
    """Answers a stream that asks for a form with one JSON document."""
    if call.asks_stream and json_schema(call):
        return without(call, "stream", "stream_options")
    return call
