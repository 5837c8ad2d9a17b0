"""Validation of the conversation: one row per role, and the order of calls and results.

Laws: members that the specification does not name are let through (clients send reasoning text
back); a conversation may begin and go on with any role, but a result needs its call.
"""

from __future__ import annotations

from typing import Any

from conformance.reference import vision
from conformance.reference.rules import (
    Check,
    Problem,
    anything,
    array,
    invalid,
    mapping,
    missing,
    one_of,
    record,
    string,
    unsupported,
    wrong_type,
)

_ELSEWHERE = ("image_url", "input_audio", "file")


def _parts(**allowed: Check) -> Check:
    """Content as a string, or as an array of parts of these types."""

    def part(value: Any, path: str) -> Problem | None:
        if not isinstance(value, dict):
            return wrong_type(path, "an object", value)
        kind = value.get("type")
        if kind in _ELSEWHERE and kind not in allowed:
            return _not_with_this_model(kind, path)
        if not isinstance(kind, str) or kind not in allowed:
            return invalid(f"{path}.type", f"one of {', '.join(allowed)}")
        return record({kind: allowed[kind]})(value, path)

    parts = array(part, least=1)

    def check(value: Any, path: str) -> Problem | None:
        if isinstance(value, str):
            return None
        if not isinstance(value, list):
            return wrong_type(path, "a string or an array of parts", value)
        return parts(value, path)

    return check


def _not_with_this_model(kind: str, path: str) -> Problem:
    message = f"Invalid content type at '{path}.type': {kind} is not supported with this model."
    return Problem(message, f"{path}.type", "unsupported_value")


def _picture(value: Any, path: str) -> Problem | None:
    """A data URL whose picture can be seen."""
    if not isinstance(value, str):
        return wrong_type(path, "a string", value)
    try:
        vision.colour(value)
    except vision.UnseenError as problem:
        return Problem(f"Invalid value for '{path}': {problem}.", path, "invalid_image_url")
    return None


_image: Check = record({"url": _picture}, {"detail": one_of("auto", "low", "high")})
_text: Check = _parts(text=string())
_seen: Check = _parts(text=string(), image_url=_image)
_spoken: Check = _parts(text=string(), refusal=string())
_object: Check = mapping(anything)
_function: Check = record({"name": string(), "arguments": string()})
_function_call: Check = record({"id": string(least=1), "function": _function})


def _call(value: Any, path: str) -> Problem | None:
    """One call in an assistant message; a custom call is history of a model we do not serve."""
    if isinstance(value, dict) and value.get("type") == "custom":
        return unsupported(f"{path}.type", "unsupported_value")
    return record({"type": one_of("function")})(value, path) or _function_call(value, path)


_name: dict[str, Check] = {"name": string()}

ROLES: dict[str, Check] = {
    "developer": record({"content": _text}, _name),
    "system": record({"content": _text}, _name),
    "user": record({"content": _seen}, _name),
    "assistant": record(
        {},
        {
            "content": _spoken,
            "refusal": string(),
            "name": string(),
            "audio": record({"id": string()}),
            "tool_calls": array(_call),
            "function_call": _function,
        },
    ),
    "tool": record({"content": _text, "tool_call_id": string()}),
    "function": record({"name": string()}, {"content": string()}),
}

_SPEAKS = ("content", "refusal", "audio", "tool_calls", "function_call")


def message(value: Any, path: str) -> Problem | None:  # noqa: PLR0911 - a ladder of cases, one line each
    """One message: an object whose role has a row, and what that row asks."""
    if not isinstance(value, dict):
        return wrong_type(path, "an object", value)
    if "role" not in value:
        return missing(f"{path}.role")
    role = value["role"]
    if not isinstance(role, str):
        return wrong_type(f"{path}.role", "a string", role)
    if role not in ROLES:
        return invalid(f"{path}.role", f"one of {', '.join(ROLES)}")
    if problem := ROLES[role](value, path):
        return problem
    if role == "assistant" and not any(value.get(k) not in (None, []) for k in _SPEAKS):
        return invalid(f"{path}.content", "a string where there are no tool calls")
    return None


def unseen(messages: list[dict[str, Any]]) -> Problem | None:
    """The first picture in a conversation with a model that sees none."""
    for i, each in enumerate(messages):
        parts = each.get("content")
        for k, part in enumerate(parts if isinstance(parts, list) else ()):
            if part["type"] == "image_url":
                return _not_with_this_model("image_url", f"messages[{i}].content[{k}]")
    return None


def conversation(body: dict[str, Any]) -> Problem | None:
    """Every result follows its call, and every call has its result before the talk goes on."""
    open_calls: set[str] = set()
    asked_at = 0
    for i, each in enumerate(body["messages"]):
        if each["role"] == "tool":
            if each["tool_call_id"] not in open_calls:
                text = (
                    f"Invalid parameter: 'messages.[{i}].role': messages with role 'tool' must be "
                    "a response to a preceding message with 'tool_calls'."
                )
                return Problem(text, f"messages.[{i}].role", None)
            open_calls.discard(each["tool_call_id"])
            continue
        if open_calls:
            break
        open_calls = {call["id"] for call in each.get("tool_calls") or ()}
        asked_at = i
    if open_calls:
        text = (
            f"Invalid parameter: 'messages.[{asked_at}].role': an assistant message with "
            "'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
        )
        return Problem(text, f"messages.[{asked_at}].role", None)
    return None
