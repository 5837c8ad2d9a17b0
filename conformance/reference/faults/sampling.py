"""Faults of n, stop, seed, limits and logit_bias (CC-SAMP)."""

from __future__ import annotations

from typing import Any

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    given,
    inserted,
    is_finish,
    message,
    messages,
    place,
    without,
)
from conformance.reference.faults.registry import fault
from conformance.reference.text import plain, tokens


def _stops(call: Call) -> list[str]:
    """The stop sequences of a call, as far as they are any."""
    stop = asked(call, "stop")
    listed = stop if isinstance(stop, list) else [stop]
    return [one for one in listed if isinstance(one, str) and one]


def _ended_by_stop(choice: dict[str, Any]) -> bool:
    """Whether a choice ended by itself, as one does at a stop sequence."""
    return choice.get("finish_reason") == "stop"


def _said_last(events: list[Item], words: str) -> list[Item]:
    """The stream of one choice with words before its end, where it ended by itself."""
    at = place(events, is_finish)
    end = events[at] if at < len(events) else None
    if not isinstance(end, dict) or not _ended_by_stop(end["choices"][0]):
        return events
    last = {**end["choices"][0], "delta": {"content": words}, "finish_reason": None}
    return inserted(events, at, {**end, "choices": [last]})


@fault(breaks={"CC-EQUIV-001", "CC-MSG-001", "CC-SAMP-001"}, seam="request")
def answers_once_whatever_n(call: Call) -> Call | Reply:
    """Ignores `n` and gives one choice, as llama-cpp-python does."""
    n = asked(call, "n")
    return without(call, "n") if isinstance(n, int) and n > 1 else call


@fault(breaks={"CC-EQUIV-001", "CC-SAMP-001"}, seam="events")
def streams_one_choice_of_many(events: list[Item], call: Call) -> list[Item]:
    """Streams the first of several choices alone."""
    return [
        item
        for item in events
        if not isinstance(item, dict)
        or not item.get("choices")
        or item["choices"][0].get("index") == 0
    ]


@fault(breaks={"CC-SAMP-002"}, seam="request")
def ignores_stop(call: Call) -> Call | Reply:
    """Accepts `stop` and goes on writing."""
    return without(call, "stop") if 0 < len(_stops(call)) < 5 else call


@fault(breaks={"CC-SAMP-002"}, seam="reply")
def keeps_the_stop_sequence(reply: Reply, call: Call) -> Reply:
    """Ends the text with the stop sequence that ended it."""
    stops = _stops(call)
    if len(stops) != 1 or not reply.ok or reply.events is not None:
        return reply
    if not _ended_by_stop(reply.body["choices"][0]) or stops[0] == ".":
        return reply
    return message(reply, lambda one: one.update(content=one["content"] + stops[0]))


@fault(breaks={"CC-SAMP-002"}, seam="events")
def streams_the_stop_sequence(events: list[Item], call: Call) -> list[Item]:
    """Streams the stop sequence before it ends."""
    stops = _stops(call)
    return _said_last(events, stops[0]) if len(stops) == 1 else events


@fault(breaks={"CC-SAMP-003"}, seam="events")
def streams_the_beginning_of_a_stop_sequence(events: list[Item], call: Call) -> list[Item]:
    """Streams the first tokens of a stop sequence before it knows what they are."""
    stops = [tokens(stop) for stop in _stops(call)]
    return _said_last(events, "".join(stops[0][:3])) if stops and len(stops[0]) > 3 else events


@fault(breaks={"CC-SAMP-003"}, seam="reply")
def leaves_the_beginning_of_a_stop_sequence(reply: Reply, call: Call) -> Reply:
    """Cuts off the last token of a stop sequence alone."""
    stops = [tokens(stop) for stop in _stops(call)]
    long = stops and len(stops[0]) > 3 and reply.ok and reply.events is None
    if not long or not _ended_by_stop(reply.body["choices"][0]):
        return reply
    return message(reply, lambda one: one.update(content=one["content"] + "".join(stops[0][:-1])))


@fault(breaks={"CC-SAMP-004"}, seam="request")
def heeds_the_first_stop_sequence_alone(call: Call) -> Call | Reply:
    """Stops at the first of the listed stop sequences, and at no other."""
    return given(call, stop=_stops(call)[:1]) if 1 < len(_stops(call)) < 5 else call


@fault(breaks={"CC-SAMP-004"}, seam="request")
def stops_at_the_first_token_of_a_sequence(call: Call) -> Call | Reply:
    """Takes the first token of a stop sequence for the whole."""
    stops = _stops(call)
    if not 0 < len(stops) < 5:
        return call
    return given(call, stop=[tokens(stop)[0] for stop in stops])


@fault(breaks={"CC-SAMP-005"}, seam="request")
def takes_a_bound_of_one_for_none(call: Call) -> Call | Reply:
    """Reads an output bound of 1 as no bound."""
    bounds = ("max_tokens", "max_completion_tokens")
    return without(call, *bounds) if 1 in [asked(call, name) for name in bounds] else call


@fault(breaks={"CC-SAMP-005"}, seam="request")
def refuses_a_bound_of_one_as_forbidden(call: Call) -> Call | Reply:
    """Answers 403 to an output bound below 2."""
    bounds = ("max_tokens", "max_completion_tokens")
    small = any(asked(call, name) == 1 for name in bounds)
    return refusal(403, "max_tokens: at least 2 are needed.", param="max_tokens") if small else call


@fault(breaks={"CC-SAMP-006"}, seam="request")
def breaks_on_a_bound_beyond_its_window(call: Call) -> Call | Reply:
    """Answers 500 where the output bound is larger than the window."""
    bounds = [asked(call, name) for name in ("max_tokens", "max_completion_tokens")]
    if not any(isinstance(bound, int) and bound > 131_072 for bound in bounds):
        return call
    return refusal(500, "The server had an error.", kind="server_error")


@fault(breaks={"CC-SAMP-007"}, seam="reply")
def draws_anew_in_spite_of_a_seed(reply: Reply, call: Call) -> Reply:
    """Accepts `seed` and draws another text each time."""
    if asked(call, "seed") is None or reply.events is not None:
        return reply
    return message(reply, lambda one: one.update(content=f"{one['content']} {call.nonce}"))


def _forces(call: Call) -> bool:
    """Whether a bias forces one token."""
    bias = asked(call, "logit_bias")
    return isinstance(bias, dict) and list(bias.values()) == [100]


@fault(breaks={"CC-SAMP-009"}, seam="request")
def ignores_logit_bias(call: Call) -> Call | Reply:
    """Accepts `logit_bias` without any effect."""
    return without(call, "logit_bias") if _forces(call) else call


@fault(breaks={"CC-SAMP-009"}, seam="request")
def refuses_logit_bias_without_a_word(call: Call) -> Call | Reply:
    """Refuses a bias that forces a token without saying what is wrong."""
    return refusal(400, "Invalid request.") if _forces(call) else call


@fault(breaks={"CC-SAMP-012"}, seam="reply")
def returns_the_prompt_too(reply: Reply, call: Call) -> Reply:
    """Puts the whole conversation before the answer, as a model for completions does."""
    told = "\n".join(plain(one.get("content")) for one in messages(call)[:-1])
    above = any(one.get("role") == "system" for one in messages(call)[:-1])
    if not above or not reply.ok or reply.events is not None:
        return reply
    return message(reply, lambda one: one.update(content=f"{told}\n{one['content'] or ''}"))
