"""Faults of log probabilities (CC-LOGP), and of the parameters that ask for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import (
    Edit,
    asked,
    bad_parameter,
    choice,
    dropping,
    each_choice,
    each_item,
    given,
    has_text,
    is_finish,
    is_number,
    setting,
    without,
)
from conformance.reference.faults.registry import fault


def _entries(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a choice's content."""
    held = one["logprobs"] or {}
    return held.get("content") or []


def _each_entry(edit: Edit) -> Edit:
    """An edit of a choice that changes every entry."""

    def change(one: dict[str, Any]) -> None:
        for entry in _entries(one):
            edit(entry)

    return change


def _everywhere(reply: Reply, edit: Edit) -> Reply:
    """Every choice of a reply changed by `edit`, streamed or not."""
    if reply.events is None:
        return choice(reply, edit)
    return replace(reply, events=tuple(each_choice(reply.events, edit)))


def _holder(edit: Edit) -> Edit:
    """An edit of a choice that changes its `logprobs`, where there are any."""
    return lambda one: edit(one["logprobs"]) if one["logprobs"] else None


def _plainly(call: Call) -> bool:
    """Whether log probabilities are asked for without alternatives."""
    return asked(call, "logprobs") is True and not asked(call, "top_logprobs")


@fault(breaks={"CC-LOGP-001"}, seam="request")
def ignores_logprobs(call: Call) -> Call | Reply:
    """Accepts `logprobs` and returns none."""
    wanted = asked(call, "logprobs") is True and 0 <= (asked(call, "top_logprobs") or 0) <= 20
    return without(call, "logprobs", "top_logprobs") if wanted else call


@fault(breaks={"CC-LOGP-001"}, seam="reply")
def tells_them_as_the_legacy_api_did(reply: Reply, call: Call) -> Reply:
    """Returns the parallel lists of the legacy completions API."""

    def legacy(one: dict[str, Any]) -> None:
        told = _entries(one)
        names = {"tokens": "token", "token_logprobs": "logprob"}
        if told:
            one["logprobs"] = {name: [e[key] for e in told] for name, key in names.items()}

    return _everywhere(reply, legacy) if asked(call, "logprobs") else reply


@fault(breaks={"CC-LOGP-002"}, seam="reply")
def nulls_the_alternatives(reply: Reply, call: Call) -> Reply:
    """Writes `top_logprobs: null` where none were asked for (BerriAI/litellm#21932)."""
    none = _each_entry(setting(top_logprobs=None))
    return choice(reply, none) if _plainly(call) else reply


@fault(breaks={"CC-LOGP-002"}, seam="events")
def nulls_the_alternatives_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Writes `top_logprobs: null` in chunks, so that a client drops their text."""
    none = _each_entry(setting(top_logprobs=None))
    return each_choice(events, none) if _plainly(call) else events


@fault(breaks={"CC-LOGP-002"}, seam="reply")
def nulls_what_is_unlikely(reply: Reply, call: Call) -> Reply:
    """Writes null for the log probability of an unlikely token (xorbitsai/inference#5252)."""

    def null(entry: dict[str, Any]) -> None:
        for one in entry["top_logprobs"][1:]:
            one["logprob"] = None

    return choice(reply, _each_entry(null)) if asked(call, "logprobs") else reply


@fault(breaks={"CC-LOGP-002"}, seam="reply")
def spells_bytes_as_text(reply: Reply, call: Call) -> Reply:
    """Writes the bytes of a token as a string."""
    spelled = _each_entry(lambda entry: entry.update(bytes=entry["token"]))
    return choice(reply, spelled) if asked(call, "logprobs") else reply


def _impossible(entry: dict[str, Any]) -> None:
    for one in entry["top_logprobs"][1:]:
        one["logprob"] = -math.inf


@fault(breaks={"CC-LOGP-003"}, seam="reply")
def writes_minus_infinity(reply: Reply, call: Call) -> Reply:
    """Writes -Infinity for what a grammar rules out."""
    return choice(reply, _each_entry(_impossible)) if asked(call, "logprobs") else reply


@fault(breaks={"CC-LOGP-003"}, seam="events")
def writes_nan_in_streams(events: list[Item], call: Call) -> list[Item]:
    """Writes NaN for the log probability of a streamed token."""
    nan = _each_entry(setting(logprob=math.nan))
    return each_choice(events, nan) if asked(call, "logprobs") else events


@fault(breaks={"CC-LOGP-003"}, seam="reply")
def writes_probabilities(reply: Reply, call: Call) -> Reply:
    """Writes probabilities instead of their logarithms."""

    def raise_(entry: dict[str, Any]) -> None:
        for one in (entry, *entry["top_logprobs"]):
            one["logprob"] = math.exp(one["logprob"])

    return choice(reply, _each_entry(raise_)) if asked(call, "logprobs") else reply


def _copied(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("token", "logprob", "bytes")}


@fault(breaks={"CC-LOGP-004"}, seam="reply")
def tells_an_alternative_unasked(reply: Reply, call: Call) -> Reply:
    """Lists the token itself as an alternative where none was asked for."""
    itself = _each_entry(lambda entry: entry.update(top_logprobs=[_copied(entry)]))
    return _everywhere(reply, itself) if _plainly(call) else reply


@fault(breaks={"CC-LOGP-004"}, seam="reply")
def adds_the_token_to_its_alternatives(reply: Reply, call: Call) -> Reply:
    """Adds the chosen token to those that were asked for, as llama-cpp-python does."""
    more = _each_entry(lambda entry: entry["top_logprobs"].insert(0, _copied(entry)))
    return _everywhere(reply, more) if asked(call, "top_logprobs") else reply


@fault(breaks={"CC-LOGP-004"}, seam="reply")
def ignores_top_logprobs(reply: Reply, call: Call) -> Reply:
    """Accepts `top_logprobs` and lists no alternative."""
    return _everywhere(reply, _each_entry(setting(top_logprobs=[])))


@fault(breaks={"CC-LOGP-004"}, seam="request")
def tells_nothing_where_no_alternatives_are_asked_for(call: Call) -> Call | Reply:
    """Takes `top_logprobs: 0` for no log probabilities at all, as llama.cpp does."""
    none = asked(call, "top_logprobs") == 0
    return without(call, "logprobs", "top_logprobs") if none else call


@fault(breaks={"CC-LOGP-005"}, seam="reply")
def sorts_alternatives_by_name(reply: Reply, call: Call) -> Reply:
    """Lists alternatives in the order of the vocabulary."""
    turned = _each_entry(lambda entry: entry["top_logprobs"].reverse())
    return _everywhere(reply, turned) if asked(call, "top_logprobs") else reply


@fault(breaks={"CC-LOGP-006"}, seam="reply")
def tells_of_no_first_token(reply: Reply, call: Call) -> Reply:
    """Leaves the entry of the first token out of a plain reply."""
    return choice(reply, lambda one: _entries(one)[:1] and one["logprobs"]["content"].pop(0))


@fault(breaks={"CC-LOGP-006"}, seam="reply")
def tells_spaces_as_the_vocabulary_spells_them(reply: Reply, call: Call) -> Reply:
    """Writes the vocabulary's sign for a space, in token and bytes, in a plain reply."""

    def sign(entry: dict[str, Any]) -> None:
        token = entry["token"].replace(" ", "\u2581")
        entry.update(token=token, bytes=list(token.encode()))

    return choice(reply, _each_entry(sign)) if asked(call, "logprobs") else reply


@fault(breaks={"CC-LOGP-007"}, seam="reply")
def leaves_refusals_odds_out(reply: Reply, call: Call) -> Reply:
    """Sends `logprobs` without the key `refusal`, as llama.cpp does."""
    return _everywhere(reply, _holder(dropping("refusal")))


@fault(breaks={"CC-LOGP-008", "CC-MSG-009", "CC-SDK-014"}, seam="reply")
def has_empty_odds_unasked(reply: Reply, call: Call) -> Reply:
    """Sends `logprobs: {}` where none were asked for."""
    unasked = not asked(call, "logprobs")
    return choice(reply, setting(logprobs={})) if unasked else reply


@fault(breaks={"CC-LOGP-008"}, seam="events")
def streams_empty_odds_unasked(events: list[Item], call: Call) -> list[Item]:
    """Sends an empty list of entries in each chunk where none were asked for."""
    empty = setting(logprobs={"content": [], "refusal": None})
    return events if asked(call, "logprobs") else each_choice(events, empty)


def _moved(events: list[Item], onto: Callable[[Item], bool]) -> list[Item]:
    """The stream with all entries moved to the chunks that `onto` picks."""
    told: list[dict[str, Any]] = []
    each_choice(events, lambda one: told.extend(_entries(one)))
    bare = each_choice(events, setting(logprobs=None))
    return each_choice(bare, setting(logprobs={"content": told, "refusal": None}), onto)


@fault(breaks={"CC-LOGP-009"}, seam="events")
def tells_the_odds_at_the_end(events: list[Item], call: Call) -> list[Item]:
    """Sends all entries of a stream with the finish reason."""
    return _moved(events, is_finish) if asked(call, "logprobs") else events


@fault(breaks={"CC-LOGP-009"}, seam="events")
def streams_no_odds(events: list[Item], call: Call) -> list[Item]:
    """Returns log probabilities in plain replies only."""
    return each_item(events, lambda item: [one.update(logprobs=None) for one in item["choices"]])


@fault(breaks={"CC-LOGP-009"}, seam="events")
def tells_the_odds_a_chunk_late(events: list[Item], call: Call) -> list[Item]:
    """Sends the entry of each streamed token beside the next one."""
    spoken = [item for item in events if has_text(item) and isinstance(item, dict)]
    late: list[Any] = [None, *(item["choices"][0]["logprobs"] for item in spoken)]
    if not asked(call, "logprobs") or asked(call, "n"):
        return events
    return each_choice(events, lambda one: one.update(logprobs=late.pop(0)), has_text)


@fault(breaks={"CC-LOGP-010"}, seam="reply")
def leaves_bytes_out(reply: Reply, call: Call) -> Reply:
    """Leaves `bytes` out of every entry, as mlx-lm does."""

    def drop(entry: dict[str, Any]) -> None:
        for one in (entry, *entry["top_logprobs"]):
            del one["bytes"]

    return _everywhere(reply, _each_entry(drop)) if asked(call, "logprobs") else reply


# Requests.


@fault(breaks={"CC-REQ-029"}, seam="request")
def clamps_logit_bias(call: Call) -> Call | Reply:
    """Moves a bias out of range into it."""
    biases = asked(call, "logit_bias")
    if not isinstance(biases, dict) or not all(map(is_number, biases.values())):
        return call
    return given(call, logit_bias={k: max(-100, min(100, v)) for k, v in biases.items()})


@fault(breaks={"CC-REQ-029"}, seam="request")
def fails_on_a_ban(call: Call) -> Call | Reply:
    """Refuses a bias of -100 as invalid."""
    biases = asked(call, "logit_bias")
    banned = isinstance(biases, dict) and -100 in biases.values()
    return bad_parameter("seed", "is not an integer") if banned else call


@fault(breaks={"CC-REQ-031"}, seam="request")
def clamps_top_logprobs(call: Call) -> Call | Reply:
    """Gives 20 alternatives to who asks for more."""
    most = asked(call, "top_logprobs")
    return given(call, top_logprobs=20) if is_number(most) and most > 20 else call


@fault(breaks={"CC-REQ-031"}, seam="request")
def takes_a_negative_number_for_none(call: Call) -> Call | Reply:
    """Gives no alternatives to who asks for -1."""
    most = asked(call, "top_logprobs")
    return given(call, top_logprobs=0) if is_number(most) and most < 0 else call
