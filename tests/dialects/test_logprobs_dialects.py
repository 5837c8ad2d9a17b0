"""Dialects of log probabilities: right servers, blamed for nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    each_choice,
    given,
    has_text,
    is_finish,
    without,
)
from conformance.reference.models import served
from conformance.reference.routes import Site, respond

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())
ONLY = ("CC-LOGP", "CC-REQ-029", "CC-REQ-031", "CC-STRUCT-003", "CC-STRUCT-008")

Object = dict[str, Any]


def wanted(call: Call) -> bool:
    """Whether log probabilities are asked for."""
    return asked(call, "logprobs") is True


def entries(one: Object) -> list[Object]:
    """The entries of a choice; empty where it has none."""
    found: list[Object] = (one.get("logprobs") or {}).get("content") or []
    return found


def entry(token: str, octets: bytes | None = None) -> Object:
    """A whole entry without alternatives; without `octets` its bytes are those of the token."""
    told = list(token.encode() if octets is None else octets)
    return {"token": token, "logprob": -0.1, "bytes": told, "top_logprobs": []}


def in_all(reply: Reply, edit: Callable[[Object], Any]) -> Reply:
    """A reply with every choice that has entries changed, streamed or not."""

    def change(one: Object) -> None:
        if entries(one):
            edit(one)

    if reply.events is None:
        return choice(reply, change)
    return replace(reply, events=tuple(each_choice(reply.events, change)))


def each_entry(reply: Reply, edit: Callable[[Object], Any]) -> Reply:
    """A reply with every entry changed."""
    return in_all(reply, lambda one: [edit(told) for told in entries(one)])


# What is not offered.


@dialect(seam="request", only=ONLY)
def may_not_tell_the_odds(call: Call) -> Call | Reply:
    """Refuses log probabilities with 403, as upstream does for some models."""
    body = call.json if call.chat and call.json else {}
    if not {"logprobs", "top_logprobs"} & set(body):
        return call
    return refusal(403, "You are not allowed to request logprobs from this model")


@dialect(seam="request", only=ONLY)
def has_no_alternatives(call: Call) -> Call | Reply:
    """Tells the odds of the chosen tokens alone, and knows no `top_logprobs`."""
    return bad_parameter("top_logprobs") if "top_logprobs" in (call.json or {}) else call


@dialect(seam="request", only=ONLY)
def has_five_alternatives_at_most(call: Call) -> Call | Reply:
    """Gives five alternatives at most, and refuses more."""
    most = asked(call, "top_logprobs")
    return bad_parameter("top_logprobs", "is at most 5") if most and most > 5 else call


@dialect(seam="request", only=ONLY)
def has_no_biases(call: Call) -> Call | Reply:
    """Knows no `logit_bias`."""
    return bad_parameter("logit_bias") if "logit_bias" in (call.json or {}) else call


@dialect(seam="request", only=ONLY)
def has_a_small_vocabulary(call: Call) -> Call | Reply:
    """Refuses to bias a token that it has not among its 32,000."""
    biases = asked(call, "logit_bias")
    known = isinstance(biases, dict) and all(int(token) < 32_000 for token in biases)
    return bad_parameter("logit_bias", "names no token") if biases and not known else call


_heard: set[bytes] = set()


@dialect(seam="request", only=ONLY)
def sometimes_tells_no_odds(call: Call) -> Call | Reply:
    """Has null for the log probabilities of a plain call now and then."""
    if not wanted(call) or asked(call, "top_logprobs") is not None or call.content in _heard:
        return call
    _heard.add(call.content)
    return without(call, "logprobs")


# What entries hold.


@dialect(seam="reply", only=ONLY)
def tells_tokens_without_bytes(reply: Reply, call: Call) -> Reply:
    """Has null for the bytes of every token."""
    return each_entry(reply, lambda told: told.update(bytes=None))


@dialect(seam="reply", only=ONLY)
def knows_more_of_a_token(reply: Reply, call: Call) -> Reply:
    """Adds a vendor's members to entries, and counts in whole numbers."""
    return each_entry(reply, lambda told: told.update(token_id=7, rank=1, logprob=-0))


@dialect(seam="reply", only=ONLY)
def rules_alternatives_out(reply: Reply, call: Call) -> Reply:
    """Writes -9999.0 for what a grammar rules out, and a hair above zero for what it forces."""

    def force(told: Object) -> None:
        for rank, one in enumerate((told, *told["top_logprobs"])):
            one["logprob"] = -9999.0 if rank > 1 else 1.2e-07

    return each_entry(reply, force)


@dialect(seam="reply", only=ONLY)
def lists_what_is_likely_alone(reply: Reply, call: Call) -> Reply:
    """Lists fewer alternatives than were asked for, and not those of the first token."""

    def thin(one: Object) -> None:
        for rank, told in enumerate(entries(one)):
            told["top_logprobs"] = told["top_logprobs"][: rank % 3]

    return in_all(reply, thin)


@dialect(seam="reply", only=ONLY)
def has_a_space_before_the_first_token(reply: Reply, call: Call) -> Reply:
    """Begins with a token that has a space before it, as SentencePiece does."""
    if reply.events is not None:
        return reply

    def lead(one: Object) -> None:
        first = entries(one)[0]
        first.update(token=f" {first['token']}", bytes=[32, *first["bytes"]])

    return in_all(reply, lead)


# Which tokens there are.


@dialect(seam="reply", only=ONLY)
def tells_how_its_turn_ends(reply: Reply, call: Call) -> Reply:
    """Has an entry for the token that ends the turn, as vLLM does."""
    if reply.events is None:
        return in_all(reply, lambda one: entries(one).append(entry("<|im_end|>")))
    ends = {"content": [entry("<|im_end|>")], "refusal": None}
    if not wanted(call):
        return reply
    told = each_choice(reply.events, lambda one: one.update(logprobs=ends), is_finish)
    return replace(reply, events=tuple(told))


def _halves(told: Object) -> list[Object]:
    """The entry of a token beyond ASCII as two, each with half of its bytes."""
    octets = bytes(told["bytes"])
    if octets.isascii():
        return [told]
    return [entry("\ufffd", octets[:1]), entry("\ufffd", octets[1:])]


def _is_beyond_ascii(one: Object) -> bool:
    return any(not bytes(told["bytes"]).isascii() for told in entries(one))


@dialect(seam="request", only=ONLY)
def splits_code_points(call: Call) -> Call | Reply:
    """Has two tokens for a character beyond ASCII, the first of them before the text."""
    if asked(call, "response_format"):
        return bad_parameter("response_format")
    reply = respond(call, SITE)
    if not wanted(call) or not reply.ok:
        return call

    def split(one: Object) -> None:
        if told := entries(one):
            one["logprobs"]["content"] = [half for whole in told for half in _halves(whole)]

    if reply.events is None:
        return in_all(reply, split)
    told: list[Item] = []
    for item in reply.events:
        [first] = each_choice([item], split)
        if isinstance(item, dict) and has_text(item) and _is_beyond_ascii(item["choices"][0]):
            [early] = each_choice([first], lambda one: one["delta"].update(content=""))
            told += each_choice([early], lambda one: entries(one).pop())
            [first] = each_choice([first], lambda one: entries(one).pop(0))
        told.append(first)
    return replace(reply, events=tuple(told))


@dialect(seam="events", only=ONLY)
def tells_three_tokens_at_a_time(events: list[Item], call: Call) -> list[Item]:
    """Gathers three tokens for a delta, and their entries with them."""
    if asked(call, "n"):
        return events
    told: list[Item] = []
    gathered = 0
    for item in events:
        last = told[-1] if told else None
        if has_text(item) and isinstance(item, dict) and isinstance(last, dict) and gathered % 3:
            one = item["choices"][0]
            [told[-1]] = each_choice([last], _adding(one))
        else:
            told.append(item)
        gathered += has_text(item)
    return told


def _adding(one: Object) -> Callable[[Object], None]:
    def add(into: Object) -> None:
        into["delta"]["content"] += one["delta"]["content"]
        entries(into).extend(entries(one))

    return add


@dialect(seam="reply", model=THINKER, only=ONLY)
def tells_the_odds_of_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Has an entry for every token of its thoughts too, as vLLM does."""
    if not wanted(call):
        return reply
    if reply.events is None:

        def before(one: Object) -> None:
            thought = one["message"]["reasoning_content"]
            one["logprobs"]["content"] = [entry(thought), entry("</think>"), *entries(one)]

        return in_all(reply, before)

    def beside(one: Object) -> None:
        if thought := one["delta"].get("reasoning_content"):
            one["logprobs"] = {"content": [entry(thought)], "refusal": None}

    return replace(reply, events=tuple(each_choice(reply.events, beside)))


SPENT = tuple(f"CC-LOGP-{n:03}" for n in range(1, 11) if n != 8)
"""What nobody can judge where nothing is said."""


@dialect(seam="request", model=THINKER, only=("CC-LOGP",), undecided=SPENT)
def spends_its_bound_on_thoughts(call: Call) -> Call | Reply:
    """Thinks so long that nothing is said, and tells nothing of its thoughts."""
    return given(call, max_tokens=4) if wanted(call) else call
