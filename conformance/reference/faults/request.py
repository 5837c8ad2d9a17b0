"""Faults in how parameters are validated (CC-REQ): too lax, too strict, or too late."""

from __future__ import annotations

import json
import math
from typing import Any

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    STREAM_ERROR,
    asked,
    bad_parameter,
    completion,
    error,
    given,
    is_number,
    message,
    quiet,
    setting,
    without,
)
from conformance.reference.faults.registry import fault
from conformance.reference.parameters import OPTIONAL, REQUIRED


def _clamped(call: Call, name: str, least: float, most: float) -> Call:
    """The call with a number moved into its range."""
    value = asked(call, name)
    if not is_number(value) or (isinstance(value, float) and not math.isfinite(value)):
        return call
    inside = min(max(value, least), most)
    return call if inside == value else given(call, **{name: inside})


def _wrong(call: Call, name: str, right: type) -> bool:
    """Whether a parameter is there and of another type."""
    value = asked(call, name)
    return value is not None and not isinstance(value, right)


@fault(breaks={"CC-REQ-015"}, seam="request")
def refuses_null_for_max_tokens(call: Call) -> Call | Reply:
    """Refuses `max_tokens: null`."""
    body = call.json or {}
    null = call.chat and "max_tokens" in body and body["max_tokens"] is None
    return bad_parameter("max_tokens", "is not an integer") if null else call


@fault(breaks={"CC-REQ-015"}, seam="request")
def refuses_null_for_top_logprobs(call: Call) -> Call | Reply:
    """Refuses `top_logprobs: null`, though it knows the parameter."""
    body = call.json or {}
    null = call.chat and "top_logprobs" in body and body["top_logprobs"] is None
    return bad_parameter("top_logprobs", "is not an integer") if null else call


@fault(breaks={"CC-REQ-015", "CC-REQ-018"}, seam="request")
def refuses_null_for_stop(call: Call) -> Call | Reply:
    """Refuses `stop: null`."""
    body = call.json or {}
    null = call.chat and "stop" in body and body["stop"] is None
    return bad_parameter("stop", "is neither a string nor an array") if null else call


@fault(breaks={"CC-REQ-017"}, seam="request")
def ignores_unknown_parameters_unless_streaming(call: Call) -> Call | Reply:
    """Ignores an unknown parameter in a plain call and refuses it in a streamed one."""
    if not call.chat or call.asks_stream:
        return call
    return without(call, *[n for n in call.json or {} if n not in REQUIRED and n not in OPTIONAL])


@fault(breaks={"CC-REQ-018"}, seam="request")
def refuses_store_false(call: Call) -> Call | Reply:
    """Refuses `store` even at its neutral value."""
    return bad_parameter("store") if asked(call, "store") is False else call


@fault(breaks={"CC-REQ-018"}, seam="request")
def refuses_the_default_tier(call: Call) -> Call | Reply:
    """Refuses `service_tier: "auto"`, which is its default."""
    neutral = asked(call, "service_tier") == "auto"
    return bad_parameter("service_tier") if neutral else call


@fault(breaks={"CC-REQ-019"}, seam="request")
def takes_a_string_for_stream(call: Call) -> Call | Reply:
    """Treats any `stream` that is not boolean as left out."""
    return without(call, "stream") if _wrong(call, "stream", bool) else call


@fault(breaks={"CC-REQ-020"}, seam="request")
def wants_a_fraction_for_temperature(call: Call) -> Call | Reply:
    """Refuses the integer 1 as `temperature`, as a strictly typed float field does."""
    value = asked(call, "temperature")
    whole = isinstance(value, int) and not isinstance(value, bool) and value == 1
    return bad_parameter("temperature", "must be a float") if whole else call


@fault(breaks={"CC-REQ-021"}, seam="request")
def clamps_temperature(call: Call) -> Call | Reply:
    """Moves a `temperature` out of range into it."""
    return _clamped(call, "temperature", 0, 2)


@fault(breaks={"CC-REQ-021", "CC-REQ-045"}, seam="reply")
def does_not_say_temperature(reply: Reply, call: Call) -> Reply:
    """Refuses a temperature without saying which parameter it means."""
    if not isinstance(reply.body, dict) or reply.body.get("error", {}).get("param") is None:
        return reply
    about = reply.body["error"]["param"] == "temperature"
    return error(reply, setting(param=None, message="Out of range.")) if about else reply


@fault(breaks={"CC-REQ-022"}, seam="request")
def clamps_top_p(call: Call) -> Call | Reply:
    """Moves a `top_p` out of range into it."""
    return _clamped(call, "top_p", 0, 1)


@fault(breaks={"CC-REQ-022"}, seam="request")
def refuses_a_top_p_of_zero(call: Call) -> Call | Reply:
    """Refuses `top_p: 0`."""
    return bad_parameter("top_p", "must be > 0") if asked(call, "top_p") == 0 else call


@fault(breaks={"CC-REQ-023"}, seam="request")
def takes_a_numeric_string_for_max_tokens(call: Call) -> Call | Reply:
    """Reads "5" as 5."""
    value = asked(call, "max_tokens")
    numeric = isinstance(value, str) and value.isdigit()
    return given(call, max_tokens=int(value)) if numeric else call


@fault(breaks={"CC-REQ-023"}, seam="request")
def takes_zero_for_no_bound(call: Call) -> Call | Reply:
    """Treats `max_tokens: 0` as left out."""
    value = asked(call, "max_tokens")
    return without(call, "max_tokens") if is_number(value) and value == 0 else call


@fault(breaks={"CC-REQ-024", "CC-SAMP-005"}, seam="request")
def ignores_max_tokens(call: Call) -> Call | Reply:
    """Accepts `max_tokens` and generates without a bound."""
    value = asked(call, "max_tokens")
    alone = asked(call, "n") is None and asked(call, "tools") is None
    return without(call, "max_tokens") if alone and is_number(value) and value >= 1 else call


@fault(breaks={"CC-REQ-024", "CC-USAGE-005"}, seam="request")
def ignores_max_completion_tokens(call: Call) -> Call | Reply:
    """Accepts `max_completion_tokens` and generates without a bound."""
    value = asked(call, "max_completion_tokens")
    return without(call, "max_completion_tokens") if isinstance(value, int) and value >= 1 else call


@fault(breaks={"CC-REQ-024", "CC-RESP-006"}, seam="reply")
def ignores_a_bound_and_counts_nothing(reply: Reply, call: Call) -> Reply:
    """Sends no usage, and answers at length whatever `max_completion_tokens` says."""
    uncounted = completion(reply, lambda body: body.pop("usage"))
    if asked(call, "max_completion_tokens") is None:
        return uncounted
    long = " ".join(map(str, range(1, 301)))
    return message(uncounted, setting(content=long))


@fault(breaks={"CC-REQ-026"}, seam="request")
def clamps_n(call: Call) -> Call | Reply:
    """Moves an `n` out of range into it."""
    return _clamped(call, "n", 1, 128)


@fault(breaks={"CC-REQ-027"}, seam="request")
def takes_five_stop_sequences(call: Call) -> Call | Reply:
    """Accepts more than four stop sequences and uses the first four."""
    stop = asked(call, "stop")
    return given(call, stop=stop[:4]) if isinstance(stop, list) and len(stop) > 4 else call


@fault(breaks={"CC-REQ-028"}, seam="request")
def clamps_penalties(call: Call) -> Call | Reply:
    """Moves a penalty out of range into it."""
    return _clamped(_clamped(call, "presence_penalty", -2, 2), "frequency_penalty", -2, 2)


@fault(breaks={"CC-REQ-028"}, seam="request")
def refuses_the_end_of_a_range(call: Call) -> Call | Reply:
    """Refuses a `presence_penalty` of exactly -2."""
    ends = asked(call, "presence_penalty") == -2
    return refusal(400, "A penalty must lie within -2 and 2.") if ends else call


@fault(breaks={"CC-REQ-029"}, seam="request")
def takes_an_array_for_logit_bias(call: Call) -> Call | Reply:
    """Treats `logit_bias: []` as left out."""
    return without(call, "logit_bias") if asked(call, "logit_bias") == [] else call


@fault(breaks={"CC-REQ-030"}, seam="request")
def takes_anything_for_logprobs(call: Call) -> Call | Reply:
    """Takes any `logprobs` for its truth value, the integer of the legacy API included."""
    value = asked(call, "logprobs")
    return given(call, logprobs=bool(value)) if _wrong(call, "logprobs", bool) else call


@fault(breaks={"CC-REQ-031"}, seam="request")
def ignores_top_logprobs_without_logprobs(call: Call) -> Call | Reply:
    """Accepts `top_logprobs` without `logprobs` and returns none."""
    alone = asked(call, "top_logprobs") is not None and asked(call, "logprobs") is None
    return without(call, "top_logprobs") if alone else call


@fault(breaks={"CC-REQ-032"}, seam="request")
def takes_a_string_for_seed(call: Call) -> Call | Reply:
    """Treats a `seed` of another type as left out."""
    return without(call, "seed") if _wrong(call, "seed", int) else call


@fault(breaks={"CC-REQ-018", "CC-REQ-033"}, seam="request")
def refuses_user(call: Call) -> Call | Reply:
    """Refuses the parameter `user`."""
    return bad_parameter("user") if asked(call, "user") is not None else call


@fault(breaks={"CC-REQ-034"}, seam="request")
def takes_any_number_of_metadata(call: Call) -> Call | Reply:
    """Accepts more than 16 pairs of metadata."""
    pairs = asked(call, "metadata")
    many = isinstance(pairs, dict) and len(pairs) > 16
    return without(call, "metadata") if many else call


@fault(breaks={"CC-REQ-035"}, seam="request")
def refuses_verbosity_without_a_word(call: Call) -> Call | Reply:
    """Refuses `verbosity` without naming it."""
    return refusal(400, "Invalid request.") if asked(call, "verbosity") else call


@fault(breaks={"CC-REQ-036"}, seam="request")
def takes_any_response_format(call: Call) -> Call | Reply:
    """Ignores a response format of an unknown type."""
    form = asked(call, "response_format")
    unknown = isinstance(form, dict) and form.get("type") not in ("text", "json_object")
    strange = unknown and form.get("type") != "json_schema"
    return without(call, "response_format") if strange else call


@fault(breaks={"CC-REQ-037"}, seam="request")
def takes_any_function_name(call: Call) -> Call | Reply:
    """Accepts functions with names out of form."""
    tools = asked(call, "tools")
    names = [str(t.get("function", {}).get("name")) for t in tools or () if isinstance(t, dict)]
    bad = any(not n.replace("_", "").replace("-", "").isalnum() or len(n) > 64 for n in names)
    return without(call, "tools", "tool_choice") if bad else call


@fault(breaks={"CC-REQ-039"}, seam="request")
def ignores_a_choice_of_an_unknown_function(call: Call) -> Call | Reply:
    """Accepts a tool_choice that names no offered function, and lets the model choose."""
    choice, tools = asked(call, "tool_choice"), asked(call, "tools") or []
    names = {tool.get("function", {}).get("name") for tool in tools if isinstance(tool, dict)}
    named = isinstance(choice, dict) and choice.get("type") == "function"
    lost = named and choice.get("function", {}).get("name") not in names
    return without(call, "tool_choice") if lost else call


@fault(breaks={"CC-REQ-040"}, seam="request")
def takes_any_include_usage(call: Call) -> Call | Reply:
    """Takes any `include_usage` for its truth value."""
    options = asked(call, "stream_options")
    if not isinstance(options, dict) or "include_usage" not in options:
        return call
    return given(call, stream_options={"include_usage": bool(options["include_usage"])})


@fault(breaks={"CC-REQ-041"}, seam="request")
def takes_any_reasoning_effort(call: Call) -> Call | Reply:
    """Ignores a reasoning effort that does not exist."""
    return without(call, "reasoning_effort") if asked(call, "reasoning_effort") else call


@fault(breaks={"CC-REQ-043", "CC-SERR-001"}, seam="reply")
def validates_after_the_first_byte(reply: Reply, call: Call) -> Reply:
    """Answers an invalid streamed call with 200 and an error event."""
    about = reply.body["error"]["param"] if reply.status == 400 else None
    if not call.asks_stream or about in (None, "stream_options.include_usage"):
        return reply
    return Reply(
        200,
        events=({"error": STREAM_ERROR},),
        headers=(("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")),
    )


@fault(breaks={"CC-REQ-044"}, seam="request")
def reads_nan_as_a_number(call: Call) -> Call | Reply:
    """Accepts NaN and numbers beyond double range, and ignores them."""
    value = asked(call, "temperature")
    lost = isinstance(value, float) and not math.isfinite(value)
    return without(call, "temperature") if lost else call


@fault(breaks={"CC-REQ-045"}, seam="reply")
def does_not_name_the_culprit(reply: Reply, call: Call) -> Reply:
    """Says only that something is invalid."""
    vague = setting(message="The request is invalid.", param=None)
    return error(reply, vague) if quiet(reply) else reply


@fault(breaks={"CC-REQ-048"}, seam="reply")
def calls_a_long_prompt_by_no_name(reply: Reply, call: Call) -> Reply:
    """Refuses a prompt beyond the window with words that no client looks for."""
    too_long = "context_length_exceeded" in json.dumps(reply.body)
    vague = setting(message="messages: the input is too big.", code=None)
    return error(reply, vague) if reply.status == 400 and too_long else reply


@fault(breaks={"CC-REQ-048"}, seam="request")
def truncates_a_long_prompt(call: Call) -> Call | Reply:
    """Cuts a prompt beyond the window, and says nothing."""
    listed: Any = asked(call, "messages")
    if len(call.content) < 250_000 or not isinstance(listed, list) or call.too_large:
        return call
    return given(call, messages=[{"role": "user", "content": "Say hello."}])


@fault(breaks={"CC-REQ-050"}, seam="request")
def refuses_a_temperature_above_one_and_a_half(call: Call) -> Call | Reply:
    """Refuses a `temperature` between 1.5 and 2, as Mistral does."""
    value = asked(call, "temperature")
    hot = is_number(value) and 1.5 < value <= 2
    return bad_parameter("temperature", "must be <= 1.5") if hot else call
