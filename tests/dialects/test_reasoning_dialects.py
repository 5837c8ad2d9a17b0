"""Dialects of reasoning models: right servers, blamed for nothing."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    each_delta,
    each_item,
    is_chunk,
    message,
    prompted,
    without,
)
from conformance.reference.models import served
from conformance.reference.routes import Site, respond
from tests.inprocess import Judgement

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())
CHAPTER = ("CC-REAS", "CC-REQ-041", "CC-SAMP", "CC-EQUIV-006", "CC-EQUIV-008", "CC-MSG-011")
FIELD = "reasoning_content"
DOCUMENTED = f'models = [{{ id = "{THINKER}", traits = ["reasoning"] }}]\n'


def _delta(item: Item) -> dict[str, Any]:
    """The delta of an item; empty where it has none."""
    if not isinstance(item, dict) or not is_chunk(item):
        return {}
    found: dict[str, Any] = item["choices"][0].get("delta") or {}
    return found


def _thinks(item: Item) -> bool:
    return bool(_delta(item).get(FIELD))


def everywhere(reply: Reply, edit: Any) -> Reply:
    """The reply with every message, or every delta of thought, changed by `edit`."""
    if reply.events is None:
        return message(reply, lambda one: edit(one) if FIELD in one else None)
    return replace(reply, events=tuple(each_delta(reply.events, edit, _thinks)))


@dialect(seam="reply", model=THINKER, only=CHAPTER)
def calls_it_reasoning(reply: Reply, call: Call) -> Reply:
    """Tells thoughts in `reasoning`, as OpenRouter and newer vLLM do."""
    return everywhere(reply, lambda one: one.update(reasoning=one.pop(FIELD)))


@dialect(seam="reply", model=THINKER, only=CHAPTER)
def tells_it_in_both_fields(reply: Reply, call: Call) -> Reply:
    """Tells the same thoughts in both fields, and in details too, as OpenRouter does."""

    def twice(one: dict[str, Any]) -> None:
        details = [{"type": "reasoning.text", "text": one[FIELD], "index": 0}]
        one.update(reasoning=one[FIELD], reasoning_details=details)

    return everywhere(reply, twice)


@dialect(seam="reply", model=THINKER, only=CHAPTER)
def tells_details_alone(reply: Reply, call: Call) -> Reply:
    """Tells thoughts as `reasoning_details`, and in no text field."""

    def detailed(one: dict[str, Any]) -> None:
        said = one.pop(FIELD)
        one["reasoning_details"] = [{"type": "reasoning.text", "text": said, "index": 0}]

    return everywhere(reply, detailed)


@dialect(seam="reply", model=THINKER, only=CHAPTER)
def keeps_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Counts its thoughts and shows none of them, as OpenAI's models do."""
    if reply.events is not None:
        return replace(reply, events=tuple(item for item in reply.events if not _thinks(item)))
    return everywhere(reply, lambda one: one.pop(FIELD))


@dialect(seam="reply", model=THINKER, only=CHAPTER, profile=DOCUMENTED)
def counts_no_thoughts_either(reply: Reply, call: Call) -> Reply:
    """Is documented as reasoning, and shows nothing of it, not even a count."""

    def uncounted(item: dict[str, Any]) -> None:
        if isinstance(item.get("usage"), dict):
            item["usage"].pop("completion_tokens_details", None)

    hidden = keeps_its_thoughts(reply, call)
    if hidden.events is not None:
        told = each_item(hidden.events, uncounted, lambda item: isinstance(item, dict))
        return replace(hidden, events=tuple(told))
    if hidden.ok and call.chat:
        uncounted(hidden.body)
    return hidden


@dialect(seam="reply", model=THINKER, only=CHAPTER, undecided=("CC-EQUIV-008",))
def thinks_in_tags(reply: Reply, call: Call) -> Reply:
    """Tells thoughts in a `<think>` block of content, in both modes, as a server without parser."""

    def within(one: dict[str, Any]) -> None:
        said = one["message"]
        cut = one["finish_reason"] == "length" and not said["content"]
        if FIELD in said:
            end = "" if cut else f"</think>\n\n{said['content'] or ''}"
            said["content"] = f"<think>\n{said.pop(FIELD)}{end}"

    if reply.events is None:
        return choice(reply, within)
    told: list[Item] = []
    open_tags: set[int] = set()
    for item in reply.events:
        delta = _delta(item)
        if not isinstance(item, dict) or not item.get("choices"):
            told.append(item)
            continue
        one = item["choices"][0]
        index, said = one["index"], dict(delta)
        if FIELD in delta:
            begins = "" if index in open_tags else "<think>\n"
            open_tags.add(index)
            said = {"content": f"{begins}{delta[FIELD]}"}
        elif index in open_tags and (delta.get("content") or delta.get("tool_calls")):
            open_tags.discard(index)
            said["content"] = f"</think>\n\n{delta.get('content') or ''}"
        told.append({**item, "choices": [{**one, "delta": said}]})
    return replace(reply, events=tuple(told))


@dialect(seam="events", model=THINKER, only=CHAPTER)
def nulls_what_it_does_not_say(events: list[Item], call: Call) -> list[Item]:
    """Sends `content` null beside a thought, and `reasoning_content` null beside all else."""

    def filled(delta: dict[str, Any]) -> None:
        delta.setdefault(FIELD, None)
        if delta[FIELD]:
            delta.setdefault("content", None)

    return each_delta(events, filled)


@dialect(seam="events", model=THINKER, only=CHAPTER)
def joins_the_boundary(events: list[Item], call: Call) -> list[Item]:
    """Sends the last of a thought and the first of the answer in one delta, as vLLM may."""
    for first, second in pairwise(events):
        said = _delta(second).get("content")
        if _thinks(first) and said and isinstance(first, dict):
            one = first["choices"][0]
            both = {**one, "delta": {**one["delta"], "content": said}}
            joined = {**first, "choices": [both]}
            kept = [item for item in events if item is not second]
            return [joined if item is first else item for item in kept]
    return events


@dialect(seam="events", model=THINKER, only=CHAPTER[:-2])
def begins_its_answer_with_blanks(events: list[Item], call: Call) -> list[Item]:
    """Streams newlines as content before, between and after its thoughts."""
    blank = [item for item in events if _thinks(item)][:1]
    if not blank or asked(call, "n"):
        return events
    one = blank[0]
    assert isinstance(one, dict)
    begun = {**one["choices"][0], "delta": {"content": "\n"}}
    at = next(place for place, item in enumerate(events) if item is one)
    return [*events[: at + 1], {**one, "choices": [begun]}, *events[at + 1 :]]


@dialect(seam="request", model=THINKER, only=CHAPTER, profile=DOCUMENTED)
def does_not_think_of_greetings(call: Call) -> Call | Reply:
    """Thinks where there is something to think of, and greets without."""
    if not prompted(call, "Say h"):
        return call
    return respond(without(call, "reasoning_effort").understood_as(_calm(call)), SITE)


def _calm(call: Call) -> dict[str, Any]:
    body = dict(call.json or {})
    return (
        body if body.get("reasoning_effort") == "extreme" else {**body, "reasoning_effort": "none"}
    )


@dialect(seam="request", model=THINKER, only=CHAPTER)
def has_no_effort(call: Call) -> Call | Reply:
    """Has no `reasoning_effort`, and says so."""
    return bad_parameter("reasoning_effort") if asked(call, "reasoning_effort") else call


@dialect(seam="request", model=THINKER, only=CHAPTER)
def fixes_its_sampling_as_upstream(call: Call) -> Call | Reply:
    """Refuses what it cannot honour in upstream's words, `logprobs` with 403."""
    for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty"):
        value = asked(call, name)
        if value not in (None, 0 if "penalty" in name else 1):
            why = f"Unsupported value: '{name}' does not support {value} with this model."
            return refusal(400, why, param=name, code="unsupported_value")
    if asked(call, "logprobs"):
        return refusal(403, "You are not allowed to request logprobs from this model.")
    return bad_parameter("stop") if asked(call, "stop") else call


@dialect(seam="request", model=THINKER, only=CHAPTER)
def cannot_finish_in_so_few_tokens(call: Call) -> Call | Reply:
    """Answers 400 where the bound is spent on thought, as upstream has."""
    bound = asked(call, "max_tokens") or asked(call, "max_completion_tokens")
    if not isinstance(bound, int) or bound > 32:
        return call
    why = "max_tokens or model output limit was reached. Please try again with higher max_tokens."
    return refusal(400, f"Could not finish the message because {why}")


@pytest.mark.parametrize("name", ["counts_no_thoughts_either", "does_not_think_of_greetings"])
def test_a_documented_trait_makes_a_model_a_reasoning_one(
    spoken: Mapping[str, Future[Judgement]], name: str
) -> None:
    assert spoken[name].result().verdicts["CC-REAS-001"] == "PASS"
