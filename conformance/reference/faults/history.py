"""Faults in how the conversation is read (CC-REQ, messages)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    each_message,
    error,
    given,
    messages,
    setting,
)
from conformance.reference.faults.registry import fault

_FILLER = [{"role": "user", "content": "Say hello."}]
_ROLES = ("developer", "system", "user", "assistant", "tool", "function")
_PARTS = ("text", "image_url", "input_audio", "file", "refusal")


def _refused(index: int, why: str) -> Reply:
    return refusal(400, f"Invalid 'messages[{index}]': {why}.", param=f"messages[{index}]")


def _first(call: Call, where: Callable[[dict[str, Any]], bool]) -> int | None:
    """The position of the first message that `where` picks."""
    return next((i for i, one in enumerate(messages(call)) if where(one)), None)


@fault(breaks={"CC-REQ-001"}, seam="request")
def answers_without_messages(call: Call) -> Call | Reply:
    """Answers a call without messages."""
    body = call.json
    lacking = call.chat and body is not None and "model" in body and "messages" not in body
    return given(call, messages=_FILLER) if lacking else call


@fault(breaks={"CC-REQ-002"}, seam="request")
def accepts_empty_messages(call: Call) -> Call | Reply:
    """Answers a conversation of no messages."""
    return given(call, messages=_FILLER) if asked(call, "messages") == [] else call


@fault(breaks={"CC-REQ-003"}, seam="request")
def takes_a_string_for_messages(call: Call) -> Call | Reply:
    """Takes a bare string for the one message of the user."""
    said = asked(call, "messages")
    single = [{"role": "user", "content": said}]
    return given(call, messages=single) if isinstance(said, str) else call


@fault(breaks={"CC-REQ-003", "CC-ERR-010"}, seam="request")
def crashes_on_messages_of_text(call: Call) -> Call | Reply:
    """Answers `messages` as a string with 500."""
    if isinstance(asked(call, "messages"), str):
        return refusal(500, "string indices must be integers", kind="server_error")
    return call


@fault(breaks={"CC-REQ-004"}, seam="request")
def refuses_a_conversation(call: Call) -> Call | Reply:
    """Refuses system, user, assistant, user."""
    roles = [one.get("role") for one in messages(call)]
    whole = ["system", "user", "assistant", "user"]
    return refusal(400, "Only one turn is possible.") if roles == whole else call


@fault(breaks={"CC-REQ-005"}, seam="request")
def does_not_know_developers(call: Call) -> Call | Reply:
    """Refuses the role developer where its content is a string."""
    at = _first(call, lambda m: m.get("role") == "developer" and isinstance(m["content"], str))
    return call if at is None else _refused(at, "unknown role developer")


@fault(breaks={"CC-REQ-006"}, seam="request")
def accepts_any_role(call: Call) -> Call | Reply:
    """Takes an unknown or missing role for the user's."""
    if all(one.get("role") in _ROLES for one in messages(call)):
        return call
    return each_message(
        call, lambda m: m.update(role="user") if m.get("role") not in _ROLES else None
    )


@fault(breaks={"CC-REQ-006"}, seam="reply")
def does_not_point_at_the_message(reply: Reply, call: Call) -> Reply:
    """Refuses a role in words, with `param` null."""
    if reply.status != 400 or not isinstance(reply.body, dict):
        return reply
    about = str(reply.body["error"]["param"])
    return error(reply, setting(param=None)) if about.endswith("].role") else reply


@fault(breaks={"CC-REQ-007"}, seam="request")
def drops_a_single_part(call: Call) -> Call | Reply:
    """Accepts user content as an array of one part, and does not read it."""

    def drop(m: dict[str, Any]) -> None:
        content = m.get("content")
        if m.get("role") == "user" and isinstance(content, list) and len(content) == 1:
            m["content"] = "." if content[0].get("type") == "text" else content

    return each_message(call, drop)


@fault(breaks={"CC-REQ-007"}, seam="request")
def refuses_content_of_one_part(call: Call) -> Call | Reply:
    """Refuses user content as an array of one part."""

    def single(m: dict[str, Any]) -> bool:
        content = m.get("content")
        return m.get("role") == "user" and isinstance(content, list) and len(content) == 1

    at = _first(call, single)
    return call if at is None else _refused(at, "content must be a string")


@fault(breaks={"CC-REQ-008", "CC-MM-010"}, seam="request")
def drops_the_parts_of_others(call: Call) -> Call | Reply:
    """Accepts parts in messages that are not the user's, and does not read them."""

    def drop(m: dict[str, Any]) -> None:
        if m.get("role") in ("system", "developer", "assistant", "tool"):
            m["content"] = "." if isinstance(m.get("content"), list) else m.get("content")

    return each_message(call, drop)


@fault(
    breaks={
        *("CC-REQ-009", "CC-MM-001", "CC-MM-002", "CC-MM-005", "CC-MM-008", "CC-MM-009"),
    },
    seam="request",
)
def reads_only_the_first_part(call: Call) -> Call | Reply:
    """Reads only the first of several parts of the user."""

    def first(m: dict[str, Any]) -> None:
        content = m.get("content")
        if m.get("role") == "user" and isinstance(content, list) and len(content) > 1:
            m["content"] = content[:1]

    return each_message(call, first)


@fault(breaks={"CC-REQ-009"}, seam="request")
def reads_parts_backwards(call: Call) -> Call | Reply:
    """Reads several parts of the user in reverse order."""

    def reverse(m: dict[str, Any]) -> None:
        if m.get("role") == "user" and isinstance(m.get("content"), list):
            m["content"].reverse()

    return each_message(call, reverse)


@fault(breaks={"CC-REQ-010"}, seam="request")
def ignores_unknown_parts(call: Call) -> Call | Reply:
    """Skips a part of an unknown type."""

    def skip(m: dict[str, Any]) -> None:
        parts = m.get("content")
        if isinstance(parts, list):
            known = [p for p in parts if not isinstance(p, dict) or p.get("type") in _PARTS]
            m["content"] = known if known or not parts else "."

    return each_message(call, skip)


@fault(breaks={"CC-REQ-011"}, seam="request")
def wants_content_beside_tool_calls(call: Call) -> Call | Reply:
    """Refuses an assistant message with tool calls and no `content` key."""
    at = _first(call, lambda m: bool(m.get("tool_calls")) and "content" not in m)
    return call if at is None else _refused(at, "content is missing")


@fault(breaks={"CC-REQ-011"}, seam="request")
def wants_text_beside_tool_calls(call: Call) -> Call | Reply:
    """Refuses an assistant message with tool calls and an empty text."""
    at = _first(call, lambda m: bool(m.get("tool_calls")) and m.get("content") == "")
    return call if at is None else _refused(at, "text content must be non-empty")


@fault(breaks={"CC-REQ-012"}, seam="request")
def takes_null_for_text(call: Call) -> Call | Reply:
    """Takes null content of a user or system message for an empty text."""

    def fill(m: dict[str, Any]) -> None:
        if m.get("role") in ("user", "system") and "content" in m and m["content"] is None:
            m["content"] = ""

    return each_message(call, fill)


@fault(breaks={"CC-REQ-014"}, seam="request")
def refuses_its_own_messages(call: Call) -> Call | Reply:
    """Refuses an assistant message with `refusal` and `annotations`, which it sends itself."""
    at = _first(call, lambda m: "refusal" in m and "annotations" in m)
    return call if at is None else _refused(at, "extra fields not permitted")


@fault(breaks={"CC-REQ-046"}, seam="request")
def wants_roles_to_alternate(call: Call) -> Call | Reply:
    """Refuses two messages of the same role in a row, as a chat template does."""
    roles = [one.get("role") for one in messages(call)]
    for at, (one, other) in enumerate(pairwise(roles)):
        if one == other and one in ("user", "assistant"):
            return _refused(at + 1, "roles must alternate user/assistant")
    return call


@fault(breaks={"CC-REQ-049"}, seam="request")
def reads_only_the_last_message(call: Call) -> Call | Reply:
    """Reads `messages[-1]` and nothing else."""
    said = messages(call)
    plain = all(isinstance(one.get("content"), str) for one in said)
    alone = plain and len(said) > 1 and said[-1].get("role") == "user"
    return given(call, messages=said[-1:]) if alone else call


@fault(breaks={"CC-REQ-049"}, seam="request")
def forgets_what_it_said(call: Call) -> Call | Reply:
    """Does not read earlier messages of the assistant."""
    said = messages(call)
    kept = [m for m in said if m.get("role") != "assistant" or not m.get("content")]
    plain = all(isinstance(m.get("content"), str) for m in said)
    return given(call, messages=kept) if plain and kept and len(kept) < len(said) else call


@fault(breaks={"CC-REQ-049"}, seam="request")
def forgets_the_system_message(call: Call) -> Call | Reply:
    """Does not read the system message."""
    said = messages(call)
    kept = [m for m in said if m.get("role") != "system" or not isinstance(m.get("content"), str)]
    return given(call, messages=kept) if kept and len(kept) < len(said) else call
