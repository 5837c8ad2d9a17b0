"""Faults that no standing request shows: an odd value, an odd pair, a body below JSON.

Law: these are tried with generated requests (`--examples`); every other fault is tried without.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    error,
    given,
    is_number,
    messages,
    middle,
    setting,
    usage,
    without,
)
from conformance.reference.faults.registry import fault


def _crash() -> Reply:
    """What a framework answers when a handler of ours raised."""
    return refusal(500, "The server had an error.", kind="server_error")


def _bare(message: dict[str, Any]) -> bool:
    """Whether a message holds a text part without `text`."""
    parts = message.get("content")
    texts = [p for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
    return any(part.get("type") == "text" and "text" not in part for part in texts)


@fault(breaks={"CC-ERR-010", "CC-REQ-010"}, seam="request")
def crashes_on_a_part_without_its_text(call: Call) -> Call | Reply:
    """Raises where a text part has no `text`, streamed or not, as llama.cpp does."""
    return _crash() if any(_bare(m) for m in messages(call)) else call


# Bodies.


@fault(breaks={"CC-ERR-010", "CC-HTTP-023"}, seam="request")
def crashes_on_an_integer_of_many_digits(call: Call) -> Call | Reply:
    """Raises on an integer of more than 4,300 digits, as Python's `int` does."""
    return _crash() if call.chat and re.search(rb"\d{4301}", call.content) else call


@fault(breaks={"CC-ERR-010", "CC-HTTP-012", "CC-HTTP-023"}, seam="request")
def crashes_on_deep_nesting(call: Call) -> Call | Reply:
    """Runs out of stack on 10,000 levels of nesting."""
    deep = max(call.content.count(b"["), call.content.count(b"{")) > 5_000
    return _crash() if call.chat and deep else call


@fault(breaks={"CC-ERR-010", "CC-REQ-044"}, seam="request")
def crashes_on_a_number_beyond_doubles(call: Call) -> Call | Reply:
    """Raises where an integer is too large to be made a float, as this server once did."""
    values = [asked(call, name) for name in ("temperature", "top_p")]
    huge = any(isinstance(value, int) and abs(value) > 10**308 for value in values)
    return _crash() if huge else call


@fault(breaks={"CC-HTTP-012"}, seam="request")
def reads_the_first_document_only(call: Call) -> Call | Reply:
    """Ignores what follows the JSON document, as Go's decoder does."""
    body = call.content.rstrip(b"\0")
    for garbage in (b"x", b"{}", b" null", b",", b'"', b"}", b"]"):
        if call.chat and call.json is None and body.endswith(b"}" + garbage):
            return replace(call, content=body.removesuffix(garbage))
    return replace(call, content=body) if call.chat else call


@fault(breaks={"CC-HTTP-012"}, seam="request")
def mends_bytes_that_are_no_text(call: Call) -> Call | Reply:
    """Puts U+FFFD where a body is no UTF-8, as Go's decoder does."""
    text = call.content.decode("utf-8", "replace")
    return replace(call, content=text.encode()) if call.chat and "{" in text[:1] else call


@fault(breaks={"CC-ERR-001", "CC-ERR-003"}, seam="reply")
def answers_a_body_cut_off_with_detail(reply: Reply, call: Call) -> Reply:
    """Refuses a body that ends in the middle of its messages in the framework's own words."""
    cut = call.chat and call.content.count(b"{") > call.content.count(b"}") > 0
    return replace(reply, body={"detail": "Expecting value"}) if cut else reply


# Values that are wrong.


@fault(breaks={"CC-REQ-023"}, seam="request")
def takes_true_and_fractions_for_max_tokens(call: Call) -> Call | Reply:
    """Reads true as 1 and cuts a fraction where an integer is wanted, as lax coercion does."""
    value = asked(call, "max_tokens")
    lax = value is True or isinstance(value, float)
    return given(call, max_tokens=max(1, int(value))) if lax else call


@fault(breaks={"CC-REQ-028"}, seam="request")
def ignores_a_penalty_of_another_type(call: Call) -> Call | Reply:
    """Treats a `frequency_penalty` that is no number as left out."""
    value = asked(call, "frequency_penalty")
    return without(call, "frequency_penalty") if not is_number(value) else call


@fault(breaks={"CC-REQ-028"}, seam="request")
def bounds_a_penalty_above_only(call: Call) -> Call | Reply:
    """Moves a penalty below -2 into range, and refuses one above 2."""
    value = asked(call, "frequency_penalty")
    low = is_number(value) and value < -2
    return given(call, frequency_penalty=-2) if low else call


@fault(breaks={"CC-ERR-010", "CC-REQ-006"}, seam="request")
def crashes_on_a_role_that_is_no_string(call: Call) -> Call | Reply:
    """Looks a role up in a table before it looks at its type."""
    roles = [one.get("role", "") for one in messages(call)]
    return _crash() if any(isinstance(role, list | dict) for role in roles) else call


@fault(breaks={"CC-REQ-003"}, seam="request")
def takes_any_item_for_the_users_words(call: Call) -> Call | Reply:
    """Makes a message of the user of every item of `messages` that is no object."""
    listed = asked(call, "messages")
    if not isinstance(listed, list) or all(map(_is_object, listed)):
        return call
    said = [one if _is_object(one) else {"role": "user", "content": str(one)} for one in listed]
    return given(call, messages=said)


@fault(breaks={"CC-ERR-018"}, seam="reply")
def shows_its_stack_for_a_bad_tool(reply: Reply, call: Call) -> Reply:
    """Shows where its code stumbled over `tools` that are no array of objects."""
    tools: Any = asked(call, "tools")
    bad = tools is not None and not (isinstance(tools, list) and all(map(_is_object, tools)))
    trace = 'tools: Traceback (most recent call last): File "/srv/app/tools.py", line 12'
    return error(reply, setting(message=trace)) if bad else reply


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


# Values that are right.


@fault(breaks={"CC-REQ-033"}, seam="request")
def puts_the_user_into_a_header(call: Call) -> Call | Reply:
    """Raises on a `user` beyond ASCII, since it travels to the engine in a header."""
    named = [asked(call, name) for name in ("user", "safety_identifier", "prompt_cache_key")]
    odd = any(isinstance(one, str) and not one.isascii() for one in named)
    return _crash() if odd else call


@fault(breaks={"CC-REQ-032"}, seam="request")
def keeps_seeds_in_32_bits(call: Call) -> Call | Reply:
    """Refuses a negative seed below -1."""
    value = asked(call, "seed")
    low = is_number(value) and isinstance(value, int) and -(2**63) <= value < -1
    return bad_parameter("seed", "must be -1 or above") if low else call


@fault(breaks={"CC-REQ-027"}, seam="request")
def refuses_a_blank_in_a_stop_sequence(call: Call) -> Call | Reply:
    """Refuses a stop sequence that begins with white space."""
    stop = asked(call, "stop")
    listed = [stop] if isinstance(stop, str) else stop
    blank = isinstance(listed, list) and any(
        isinstance(one, str) and one != one.lstrip() for one in listed
    )
    return bad_parameter("stop", "must not begin with a blank") if blank else call


@fault(breaks={"CC-ERR-010", "CC-REQ-037"}, seam="request")
def builds_no_grammar_beyond_ascii(call: Call) -> Call | Reply:
    """Fails on tools whose schema or description is not ASCII, as a grammar compiler did."""
    tools = json.dumps(asked(call, "tools"), ensure_ascii=False)
    return call if tools.isascii() else _crash()


@fault(breaks={"CC-USAGE-002"}, seam="reply")
def counts_logprobs_as_tokens(reply: Reply, call: Call) -> Reply:
    """Adds the alternatives that it returns to the total, where two choices were asked for."""
    if asked(call, "n") != 2 or not asked(call, "top_logprobs"):
        return reply
    return usage(reply, lambda told: told.update(total_tokens=told["total_tokens"] + 1))


@fault(breaks={"CC-MSG-001", "CC-SAMP-001"}, seam="request")
def forgets_n_beside_tools(call: Call) -> Call | Reply:
    """Answers with one choice where tools are offered."""
    return without(call, "n") if asked(call, "tools") and asked(call, "n") == 2 else call


@fault(breaks={"CC-SSE-001"}, seam="request")
def answers_streams_with_a_stop_whole(call: Call) -> Call | Reply:
    """Holds an answer back to look for stop sequences, and then sends it as one JSON document."""
    if call.asks_stream and asked(call, "stop"):
        return without(call, "stream", "stream_options")
    return call


@fault(breaks={"CC-SERR-002", "CC-SERR-003"}, seam="events")
def breaks_off_with_a_code_alone(events: list[Item], call: Call) -> list[Item]:
    """Fails half-way in a stream for a `user` beyond ASCII, and tells a code without a message."""
    named = [asked(call, name) for name in ("user", "safety_identifier", "prompt_cache_key")]
    odd = any(isinstance(one, str) and not one.isascii() for one in named)
    if not odd or asked(call, "n") not in (None, 1):
        return events
    return [*events[: middle(events)], {"error": {"code": 500}}]
