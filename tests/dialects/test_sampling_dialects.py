"""Dialects of sampling and of windows: right servers, blamed for nothing."""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    completion,
    given,
    message,
    messages,
)
from conformance.reference.models import DOCUMENTED, served
from conformance.reference.routes import Site, respond
from tests.inprocess import Judgement

from .dialect import (
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())
CHAPTER = ("CC-SAMP",)
BOUNDS = ("max_tokens", "max_completion_tokens")


@dialect(seam="request", only=CHAPTER)
def has_neither_stop_nor_n(call: Call) -> Call | Reply:
    """Refuses `stop`, `n`, `seed` and `logit_bias` by name, as the latest reasoning models do."""
    found = next((p for p in ("stop", "n", "seed", "logit_bias") if asked(call, p)), None)
    return bad_parameter(found, "is not supported with this model") if found else call


@dialect(seam="request", only=CHAPTER)
def fixes_its_temperature(call: Call) -> Call | Reply:
    """Takes no temperature but 1."""
    warm = asked(call, "temperature") not in (None, 1)
    return bad_parameter("temperature", "only 1 is supported") if warm else call


def _spaced(call: Call, between: str) -> Reply:
    """The reply to a count with other words between its numbers, stop sequences obeyed."""
    told = text.answer(messages(call))
    prompt = f"Repeat the following text exactly, and nothing else:\n\n{told.replace(' ', between)}"
    return respond(given(call, messages=[{"role": "user", "content": prompt}]), SITE)


def _counts(call: Call) -> bool:
    return bool(messages(call)) and text.last_user_text(messages(call)).startswith("Count")


@dialect(seam="request", only=CHAPTER)
def counts_with_commas(call: Call) -> Call | Reply:
    """Sets commas and newlines between the numbers that it counts."""
    return _spaced(call, ",\n") if _counts(call) else call


@dialect(
    seam="request",
    only=CHAPTER,
    undecided=("CC-SAMP-002", "CC-SAMP-004", "CC-SAMP-003"),
)
def neither_counts_nor_repeats(call: Call) -> Call | Reply:
    """Answers in two words whatever it is asked for."""
    if not messages(call) or not (_counts(call) or "Repeat" in text.last_user_text(messages(call))):
        return call
    prompt = "Repeat the following text exactly, and nothing else:\n\nNo, thanks."
    return respond(given(call, messages=[{"role": "user", "content": prompt}]), SITE)


@dialect(seam="request", only=CHAPTER)
def refuses_bounds_of_any_extreme(call: Call) -> Call | Reply:
    """Answers 400 to a bound of 1, as upstream has, and to one beyond its window, as vLLM does."""
    bounds = [asked(call, name) for name in BOUNDS]
    if 1 in bounds:
        why = (
            "max_tokens or model output limit was reached. Please try again with higher max_tokens."
        )
        return refusal(400, f"Could not finish the message because {why}")
    large = any(isinstance(bound, int) and bound > 131_072 for bound in bounds)
    return refusal(400, "max_tokens is too large: 10000000.", param="max_tokens") if large else call


@dialect(seam="request", only=CHAPTER, undecided=("CC-SAMP-007",))
def has_several_backends(call: Call) -> Call | Reply:
    """Answers the same seed differently on another backend, which its fingerprint tells."""
    if asked(call, "seed") is None:
        return call

    def other(body: dict[str, Any]) -> None:
        body["system_fingerprint"] = f"fp_{call.nonce}"
        body["choices"][0]["message"]["content"] += f" {call.nonce}"

    return completion(respond(call, SITE), other)


@dialect(seam="request", only=CHAPTER)
def trims_what_a_stop_leaves(call: Call) -> Call | Reply:
    """Strips the blanks before a stop sequence in plain replies."""
    if asked(call, "stream") or not asked(call, "stop"):
        return call
    return message(
        respond(call, SITE), lambda one: one.update(content=(one["content"] or "").rstrip())
    )


@dialect(seam="request", only=CHAPTER, warns=())
def mentions_its_instructions(call: Call) -> Call | Reply:
    """A model that speaks of its instructions without being asked."""
    above = [one for one in messages(call) if one.get("role") == "system"]
    if not above:
        return call
    note = text.plain(above[0].get("content"))
    prompt = f"Repeat the following text exactly, and nothing else:\n\nHello! I read {note[:24]!r}."
    return respond(given(call, messages=[{"role": "user", "content": prompt}]), SITE)


@dialect(seam="events", only=CHAPTER)
def streams_whole_lines(events: list[Item], call: Call) -> list[Item]:
    """Streams its answer in two pieces, the usage apart."""
    texts = [
        item
        for item in events
        if isinstance(item, dict)
        and item.get("choices")
        and item["choices"][0]["delta"].get("content")
    ]
    if len(texts) < 3 or asked(call, "n"):
        return events
    said = "".join(item["choices"][0]["delta"]["content"] for item in texts)
    halves = iter((said[: len(said) // 2], said[len(said) // 2 :]))
    told: list[Item] = []
    for item in events:
        if any(item is one for one in texts[2:]):
            continue
        if any(item is one for one in texts[:2]) and isinstance(item, dict):
            one = {**item["choices"][0], "delta": {"content": next(halves)}}
            told.append({**item, "choices": [one]})
        else:
            told.append(item)
    return told


# Windows.

TOLD = 'models = [{ id = "meta/llama-3.3-70b-instruct", context_tokens = 131072 }]\n'


@dialect(seam="request", only=("CC-REQ-048", "CC-MODEL"))
def tells_its_window_in_the_list(call: Call) -> Call | Reply:
    """Lists `max_model_len`, as vLLM does, and refuses in vLLM's words."""
    if call.path == "/models":
        rows = [{**one.public(), "max_model_len": one.window} for one in DOCUMENTED]
        return Reply(200, {"object": "list", "data": rows})
    told = respond(call, SITE)
    if told.status != 400 or "context_length" not in json.dumps(told.body):
        return call
    said = "This model's maximum context length is 131072 tokens. However, you requested 150000."
    return refusal(400, said, kind="BadRequestError")


@dialect(seam="request", only=("CC-REQ-048",), profile=TOLD, undecided=("CC-REQ-048",))
def takes_more_than_it_documents(call: Call) -> Call | Reply:
    """Has a larger window than its documentation tells."""
    if len(call.content) < 200_000 or not call.chat:
        return call
    told = respond(given(call, messages=[{"role": "user", "content": "Say hello."}]), SITE)

    def count(body: dict[str, Any]) -> None:
        counts = body["usage"]
        counts.update(prompt_tokens=144_200, total_tokens=144_200 + counts["completion_tokens"])

    return completion(told, count)


@dialect(seam="request", only=("CC-REQ-048",), profile=TOLD, undecided=("CC-REQ-048",))
def stands_behind_a_small_gateway(call: Call) -> Call | Reply:
    """Has a gateway before it that takes no large bodies."""
    large = call.chat and len(call.content) > 100_000
    return refusal(413, "Request entity too large.") if large else call


def test_a_window_that_the_list_tells_is_judged(
    spoken: Mapping[str, Future[Judgement]],
) -> None:
    assert spoken["tells_its_window_in_the_list"].result().verdicts["CC-REQ-048"] == "PASS"


def test_a_stop_sequence_is_judged_with_commas_too(
    spoken: Mapping[str, Future[Judgement]],
) -> None:
    verdicts = spoken["counts_with_commas"].result().verdicts
    assert {verdicts[f"CC-SAMP-00{n}"] for n in (2, 3, 4)} == {"PASS"}
