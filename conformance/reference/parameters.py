"""The parameters of a chat request: one row each, and the rules that tie several together.

Laws: the rows are those of CreateChatCompletionRequest and no others; `check` is the only way in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from conformance.reference.messages import conversation, message
from conformance.reference.rules import (
    Check,
    Problem,
    anything,
    array,
    boolean,
    either,
    integer,
    invalid,
    mapping,
    missing,
    not_offered,
    number,
    one_of,
    record,
    string,
    unsupported,
    wrong_type,
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INT64 = 2**63


def name(value: Any, path: str) -> Problem | None:
    """A name of a function or schema: 1-64 of letters, digits, underscore, hyphen."""
    if not isinstance(value, str):
        return wrong_type(path, "a string", value)
    return None if _NAME.fullmatch(value) else invalid(path, f"a match of '{_NAME.pattern}'")


_object: Check = mapping(anything)
_function: Check = record(
    {"name": name}, {"description": string(), "parameters": _object, "strict": boolean}
)


def tool(value: Any, path: str) -> Problem | None:
    """One tool. Custom tools are of the specification but not offered here."""
    if isinstance(value, dict) and value.get("type") == "custom":
        return unsupported(f"{path}.type", "unsupported_value")
    return record({"type": one_of("function"), "function": _function})(value, path)


_named: Check = record({"name": name})
_CHOICES: dict[str, Check] = {
    "function": record({"function": _named}),
    "allowed_tools": record(
        {"allowed_tools": record({"mode": one_of("auto", "required"), "tools": array(_object)})}
    ),
    "custom": record({"custom": _named}),
}


def tool_choice(value: Any, path: str) -> Problem | None:
    """none, auto, required, or one of the object forms."""
    if not isinstance(value, dict):
        return one_of("none", "auto", "required")(value, path)
    form = _CHOICES.get(str(value.get("type")))
    return form(value, path) if form else invalid(f"{path}.type", f"one of {', '.join(_CHOICES)}")


_json_schema: Check = record({"name": name}, {"schema": _object, "strict": boolean})
_FORMATS: dict[str, Check] = {
    "text": _object,
    "json_object": _object,
    "json_schema": record({"json_schema": _json_schema}),
}


def response_format(value: Any, path: str) -> Problem | None:
    """text, json_object, or json_schema with its schema."""
    if not isinstance(value, dict):
        return wrong_type(path, "an object", value)
    if "type" not in value:
        return missing(f"{path}.type")
    form = _FORMATS.get(str(value["type"]))
    return form(value, path) if form else invalid(f"{path}.type", f"one of {', '.join(_FORMATS)}")


def modalities(value: Any, path: str) -> Problem | None:
    """Text alone: no model here speaks."""
    problem = array(one_of("text", "audio"))(value, path)
    if problem is None and "audio" in value:
        return unsupported(path, "unsupported_value")
    return problem


REQUIRED: dict[str, Check] = {
    "model": string(),
    "messages": array(message, least=1),
}

OPTIONAL: dict[str, Check] = {
    "stream": boolean,
    "stream_options": record({}, {"include_usage": boolean, "include_obfuscation": boolean}),
    "max_completion_tokens": integer(1),
    "max_tokens": integer(1),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "n": integer(1, 128),
    "stop": either(string(), array(string(), most=4)),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "logit_bias": mapping(integer(-100, 100)),
    "logprobs": boolean,
    "top_logprobs": integer(0, 20),
    "seed": integer(-_INT64, _INT64 - 1),
    "response_format": response_format,
    "tools": array(tool),
    "tool_choice": tool_choice,
    "parallel_tool_calls": boolean,
    "functions": not_offered,
    "function_call": not_offered,
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "verbosity": one_of("low", "medium", "high"),
    "modalities": modalities,
    "audio": not_offered,
    "prediction": _object,
    "service_tier": one_of("auto", "default", "flex", "scale", "priority", "fast"),
    "store": boolean,
    "metadata": mapping(string(512), most=16, key=64),
    "user": string(),
    "safety_identifier": string(64),
    "prompt_cache_key": string(),
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "prompt_cache_options": _object,
    "moderation": _object,  # taken and ignored, like prediction and store
    "web_search_options": _object,
}

Rule = Callable[[dict[str, Any]], Problem | None]


def nothing_unknown(body: dict[str, Any]) -> Problem | None:
    """Unknown parameters are refused, with upstream's words: param and code are null."""
    for given in body:
        if given not in REQUIRED and given not in OPTIONAL:
            return Problem(f"Unrecognized request argument supplied: {given}", None, None)
    return None


def top_logprobs_need_logprobs(body: dict[str, Any]) -> Problem | None:
    """`top_logprobs` without `logprobs: true` would have no place to go."""
    if body.get("top_logprobs") is not None and body.get("logprobs") is not True:
        return invalid("top_logprobs", "'logprobs' to be true where 'top_logprobs' is given")
    return None


def stream_options_need_stream(body: dict[str, Any]) -> Problem | None:
    """`stream_options` is only for streams."""
    if body.get("stream_options") is not None and body.get("stream") is not True:
        return invalid("stream_options", "'stream' to be true where 'stream_options' is given")
    return None


def forced_tools_exist(body: dict[str, Any]) -> Problem | None:
    """A choice that forces a call needs tools, and a function it names must be among them."""
    choice = body.get("tool_choice")
    offered = {each["function"]["name"] for each in body.get("tools") or ()}
    if choice is None or choice in ("none", "auto"):
        return None
    if not offered:
        return invalid("tool_choice", "'tools' where 'tool_choice' forces a call")
    if isinstance(choice, dict) and choice["type"] == "function":
        wanted = choice["function"]["name"]
        if wanted not in offered:
            return invalid("tool_choice", f"one of the functions in 'tools', not '{wanted}'")
    if isinstance(choice, dict) and choice["type"] == "custom":
        return unsupported("tool_choice", "unsupported_value")
    return None


RULES: tuple[Rule, ...] = (
    nothing_unknown,
    top_logprobs_need_logprobs,
    stream_options_need_stream,
    forced_tools_exist,
    conversation,
)


def check(body: dict[str, Any]) -> Problem | None:
    """The first problem of a request body, or None: required rows, optional rows, rules."""
    for key, row in REQUIRED.items():
        if key not in body:
            return missing(key)
        if problem := row(body[key], key):
            return problem
    for key, row in OPTIONAL.items():
        if body.get(key) is not None and (problem := row(body[key], key)):
            return problem
    return next((problem for rule in RULES if (problem := rule(body))), None)
