"""Faults of the completion object: top level, choices, message (CC-RESP, CC-MSG)."""

from __future__ import annotations

import copy
import json
import zlib
from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Reply
from conformance.reference.faults.edits import (
    choice,
    completion,
    dropping,
    each_item,
    is_object,
    message,
    prompted,
    setting,
)
from conformance.reference.faults.registry import fault


@fault(breaks={"CC-RESP-001", "CC-CONC-001"}, seam="reply")
def repeats_its_ids(reply: Reply, call: Call) -> Reply:
    """Gives every completion the same id."""
    return completion(reply, setting(id="chatcmpl-1"))


@fault(breaks={"CC-RESP-001"}, seam="reply")
def numbers_its_replies(reply: Reply, call: Call) -> Reply:
    """Writes the id as an integer."""
    return completion(reply, setting(id=call.number))


@fault(breaks={"CC-RESP-001"}, seam="reply")
def leaves_its_id_empty(reply: Reply, call: Call) -> Reply:
    """Writes an empty id."""
    return completion(reply, setting(id=""))


@fault(breaks={"CC-RESP-001"}, seam="reply")
def numbers_each_mode_for_itself(reply: Reply, call: Call) -> Reply:
    """Numbers plain calls of tools and streamed ones apart: one of each has the same id."""
    body = call.json or {}
    if not call.chat or not reply.ok or not body.get("tools"):
        return reply
    named = isinstance(body.get("tool_choice"), dict)
    asked_for = zlib.crc32(json.dumps(body["messages"]).encode())
    own = setting(id=f"chatcmpl-{asked_for}-{int(named is not call.asks_stream)}")
    if reply.events is None:
        return completion(reply, own)
    return replace(reply, events=tuple(each_item(reply.events, own, is_object)))


def _second(reply: Reply, **values: Any) -> Reply:
    """A completion of several choices with these members of the second."""
    return completion(reply, lambda body: [one.update(values) for one in body["choices"][1:2]])


@fault(breaks={"CC-MSG-001"}, seam="reply")
def numbers_its_second_choice_zero(reply: Reply, call: Call) -> Reply:
    """Gives the second of two choices the index of the first."""
    return _second(reply, index=0)


@fault(breaks={"CC-FIN-001"}, seam="reply")
def never_ends_its_second_choice(reply: Reply, call: Call) -> Reply:
    """Leaves the finish_reason of the second of two choices null."""
    return _second(reply, finish_reason=None)


@fault(breaks={"CC-RESP-002"}, seam="reply")
def calls_itself_text_completion(reply: Reply, call: Call) -> Reply:
    """Names the object of the legacy API."""
    return completion(reply, setting(object="text_completion"))


@fault(breaks={"CC-RESP-003"}, seam="reply")
def counts_milliseconds(reply: Reply, call: Call) -> Reply:
    """Writes `created` in milliseconds."""
    return completion(reply, setting(created=int(call.moment * 1000)))


@fault(breaks={"CC-RESP-003"}, seam="reply")
def writes_created_as_text(reply: Reply, call: Call) -> Reply:
    """Writes `created` as a string."""
    return completion(reply, setting(created=str(int(call.moment))))


@fault(breaks={"CC-RESP-003"}, seam="reply")
def dates_itself_an_hour_back(reply: Reply, call: Call) -> Reply:
    """Writes the `created` of an hour ago."""
    return completion(reply, setting(created=int(call.moment) - 3600))


@fault(breaks={"CC-MSG-001", "CC-RESP-004", "CC-TOOL-005"}, seam="reply")
def answers_twice(reply: Reply, call: Call) -> Reply:
    """Sends two choices where one was asked for."""
    if (call.json or {}).get("n") is not None:
        return reply
    return completion(
        reply,
        lambda body: body["choices"].append({**copy.deepcopy(body["choices"][0]), "index": 1}),
    )


@fault(breaks={"CC-RESP-004"}, seam="reply")
def answers_with_no_choices(reply: Reply, call: Call) -> Reply:
    """Sends an empty array of choices."""
    return completion(reply, setting(choices=[])) if "tools" not in (call.json or {}) else reply


@fault(breaks={"CC-RESP-005", "CC-MODEL-012"}, seam="reply")
def does_not_name_its_model(reply: Reply, call: Call) -> Reply:
    """Writes null for `model`."""
    return completion(reply, setting(model=None))


@fault(breaks={"CC-RESP-006"}, seam="reply")
def leaves_usage_out(reply: Reply, call: Call) -> Reply:
    """Sends no usage."""
    return completion(reply, dropping("usage"))


@fault(breaks={"CC-RESP-007"}, seam="reply")
def numbers_its_fingerprint(reply: Reply, call: Call) -> Reply:
    """Writes `system_fingerprint` as a number."""
    return completion(reply, setting(system_fingerprint=1))


@fault(breaks={"CC-RESP-008", "CC-SDK-001"}, seam="reply")
def serves_a_tier_of_its_own(reply: Reply, call: Call) -> Reply:
    """Names a service tier that does not exist."""
    return completion(reply, setting(service_tier="turbo"))


@fault(breaks={"CC-RESP-009"}, seam="reply")
def puts_an_error_beside_choices(reply: Reply, call: Call) -> Reply:
    """Puts an error object beside the choices."""
    error = {"message": "Upstream is slow.", "type": "server_error", "param": None, "code": None}
    return completion(reply, setting(error=error))


@fault(breaks={"CC-RESP-010"}, seam="reply")
def uses_a_known_name_for_something_else(reply: Reply, call: Call) -> Reply:
    """Uses the name `moderation` for a string."""
    return completion(reply, setting(moderation="none"))


@fault(breaks={"CC-RESP-011"}, seam="reply")
def puts_a_delta_beside_the_message(reply: Reply, call: Call) -> Reply:
    """Puts a delta into the choice of a plain reply."""
    return choice(reply, setting(delta={}))


@fault(breaks={"CC-MSG-001"}, seam="reply")
def leaves_the_index_out(reply: Reply, call: Call) -> Reply:
    """Sends choices without an index."""
    return choice(reply, dropping("index"))


@fault(breaks={"CC-MSG-001"}, seam="reply")
def counts_choices_from_one(reply: Reply, call: Call) -> Reply:
    """Begins to count choices at 1."""
    return choice(reply, lambda one: one.update(index=one["index"] + 1))


@fault(breaks={"CC-MSG-002", "CC-REQ-014"}, seam="reply")
def speaks_as_a_bot(reply: Reply, call: Call) -> Reply:
    """Names its role "bot"."""
    return message(reply, setting(role="bot"))


@fault(breaks={"CC-MSG-002", "CC-REQ-014"}, seam="reply")
def leaves_the_role_out(reply: Reply, call: Call) -> Reply:
    """Sends a message without a role."""
    return message(reply, dropping("role"))


@fault(breaks={"CC-MSG-003", "CC-SDK-001", "CC-SDK-007", "CC-SDK-010"}, seam="reply")
def answers_in_parts(reply: Reply, call: Call) -> Reply:
    """Sends the content as an array of parts."""

    def part(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str):
            one["content"] = [{"type": "text", "text": one["content"]}]

    return message(reply, part)


@fault(breaks={"CC-MSG-004", "CC-SDK-014"}, seam="reply")
def leaves_content_out(reply: Reply, call: Call) -> Reply:
    """Leaves the key `content` out where it has no ASCII to say."""

    def drop(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str) and not one["content"].isascii():
            one.pop("content")

    return message(reply, drop)


@fault(breaks={"CC-MSG-005", "CC-SDK-014"}, seam="reply")
def leaves_refusal_out(reply: Reply, call: Call) -> Reply:
    """Leaves the key `refusal` out."""
    return message(reply, dropping("refusal"))


@fault(breaks={"CC-MSG-006"}, seam="reply")
def calls_nothing_in_a_list(reply: Reply, call: Call) -> Reply:
    """Sends `tool_calls: []` where nothing was called."""
    return message(reply, lambda one: one.setdefault("tool_calls", []))


@fault(breaks={"CC-MSG-007"}, seam="reply")
def speaks_unasked(reply: Reply, call: Call) -> Reply:
    """Sends an audio object that nobody asked for."""
    audio = {"id": "audio_1", "expires_at": 2_000_000_000, "data": "UklGRg==", "transcript": "Hi."}
    return message(reply, setting(audio=audio))


@fault(breaks={"CC-MSG-008"}, seam="reply")
def annotates_out_of_form(reply: Reply, call: Call) -> Reply:
    """Sends an annotation without type and positions."""
    return message(reply, setting(annotations=[{"url": "https://example.com/"}]))


@fault(breaks={"CC-MSG-009", "CC-SDK-014"}, seam="reply")
def leaves_logprobs_out(reply: Reply, call: Call) -> Reply:
    """Leaves the key `logprobs` out of the choice."""
    return choice(reply, lambda one: one.pop("logprobs") if one["logprobs"] is None else None)


@fault(breaks={"CC-MSG-010"}, seam="reply")
def says_nothing(reply: Reply, call: Call) -> Reply:
    """Answers a greeting with an empty text."""
    return message(reply, setting(content="")) if prompted(call, "Say h") else reply


@fault(
    breaks={"CC-LOGP-006", "CC-MSG-011", "CC-STRUCT-001", "CC-STRUCT-003", "CC-STRUCT-004"},
    seam="reply",
)
def leaks_the_template(reply: Reply, call: Call) -> Reply:
    """Lets the end token of the chat template into the text."""

    def leak(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str):
            one["content"] += "<|im_end|>"

    return message(reply, leak)


@fault(breaks={"CC-LOGP-006", "CC-MSG-012"}, seam="reply")
def garbles_unicode(reply: Reply, call: Call) -> Reply:
    """Reads its own UTF-8 as Latin-1."""

    def garble(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str):
            one["content"] = one["content"].encode().decode("latin-1")

    return message(reply, garble)


@fault(breaks={"CC-MSG-007", "CC-MSG-013"}, seam="reply")
def calls_a_function_nobody_gave(reply: Reply, call: Call) -> Reply:
    """Answers a greeting with a function call that was never offered."""
    called = {"name": "get_time", "arguments": "{}"}
    return message(reply, setting(function_call=called)) if prompted(call, "Say h") else reply


@fault(breaks={"CC-RESP-001"}, seam="reply")
def answers_from_a_cache(reply: Reply, call: Call) -> Reply:
    """Gives the same id whenever the same request comes again."""
    return completion(reply, setting(id=f"chatcmpl-{zlib.crc32(call.content)}"))


@fault(breaks={"CC-RESP-003"}, seam="reply")
def writes_created_with_a_fraction(reply: Reply, call: Call) -> Reply:
    """Writes `created` as a number with a fraction."""
    return completion(reply, setting(created=call.moment))


@fault(breaks={"CC-LOGP-006", "CC-MSG-012"}, seam="reply")
def knows_ascii_alone(reply: Reply, call: Call) -> Reply:
    """Writes a question mark for every character beyond ASCII."""

    def narrow(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str):
            one["content"] = one["content"].encode("ascii", "replace").decode()

    return message(reply, narrow)


@fault(breaks={"CC-LOGP-006", "CC-MSG-012"}, seam="reply")
def escapes_twice(reply: Reply, call: Call) -> Reply:
    """Sends JSON escapes as text."""

    def escape(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str) and not one["content"].isascii():
            one["content"] = json.dumps(one["content"])[1:-1]

    return message(reply, escape)


@fault(breaks={"CC-MSG-012"}, seam="reply")
def tears_emoji(reply: Reply, call: Call) -> Reply:
    """Decodes the bytes of an emoji one by one, so that U+FFFD stands for each."""

    def tear(one: dict[str, Any]) -> None:
        if isinstance(one["content"], str):
            torn = ("\ufffd" * 4 if ord(c) > 0xFFFF else c for c in one["content"])
            one["content"] = "".join(torn)

    return message(reply, tear)
