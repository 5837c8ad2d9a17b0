"""Dialects of structured output: right servers, blamed for nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    each_delta,
    has_text,
    is_chunk,
    message,
    messages,
    place,
    setting,
    text_of,
)
from conformance.reference.faults.structured import form, json_schema
from conformance.reference.models import served
from conformance.reference.routes import Site, respond

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())
ONLY = ("CC-STRUCT",)

FOLLOWED = ("CC-STRUCT-003", "CC-STRUCT-004", "CC-STRUCT-007", "CC-STRUCT-008")
"""What nobody can judge where no answer in a form comes to its natural end."""


def spelled_anew(reply: Reply, spell: Any) -> Reply:
    """A reply whose JSON is spelled anew; one that the bound has cut stays as it is."""

    def plainly(said: dict[str, Any]) -> None:
        try:
            said["content"] = spell(json.loads(said["content"]))
        except ValueError:
            return

    if reply.events is None:
        return message(reply, plainly)
    told = list(reply.events)
    try:
        whole = spell(json.loads("".join(map(text_of, told))))
    except ValueError:
        return reply
    first = place(told, has_text)
    rest = [item for item in told[first + 1 :] if not has_text(item)]
    return replace(reply, events=(*told[:first], *_saying(told[first], whole), *rest))


def _saying(item: Item, text: str) -> list[Item]:
    return each_delta([item], setting(content=text))


# What is not offered.


@dialect(seam="request", only=ONLY)
def has_text_alone(call: Call) -> Call | Reply:
    """Knows no format but text, and says so."""
    return bad_parameter("response_format") if form(call) not in ("", "text") else call


@dialect(seam="request", only=ONLY)
def has_no_grammar(call: Call) -> Call | Reply:
    """Has JSON mode alone, and refuses a schema in words of its own."""
    return refusal(422, "Structured outputs need a grammar.") if json_schema(call) else call


@dialect(
    seam="request",
    undecided=("CC-STRUCT-003", "CC-STRUCT-007", "CC-STRUCT-008", "CC-STRUCT-010"),
    only=ONLY,
)
def refuses_a_schema_without_a_word(call: Call) -> Call | Reply:
    """Refuses a schema, and does not say why."""
    return refusal(400, "Bad request.") if json_schema(call) else call


@dialect(seam="request", only=ONLY)
def wants_the_word_json(call: Call) -> Call | Reply:
    """Refuses JSON mode where no message says JSON, as upstream does."""
    said = json.dumps(messages(call)).lower()
    if form(call) != "json_object" or "json" in said:
        return call
    return refusal(400, "'messages' must contain the word 'json' in some form.", param="messages")


@dialect(seam="request", only=(*ONLY, "CC-LOGP"))
def has_no_odds_in_a_form(call: Call) -> Call | Reply:
    """Cannot tell log probabilities of an answer in a form."""
    both = json_schema(call) and asked(call, "logprobs")
    return bad_parameter("logprobs", "cannot stand beside response_format") if both else call


@dialect(seam="request", undecided=("CC-STRUCT-007",), only=ONLY)
def cannot_fill_a_form_in_a_few_tokens(call: Call) -> Call | Reply:
    """Refuses small bounds, as reasoning models do."""
    bound = asked(call, "max_tokens")
    if not isinstance(bound, int) or not 0 < bound <= 32:
        return call
    return refusal(400, "Could not finish the message because max_tokens was reached.")


# How JSON is written.


@dialect(seam="reply", only=ONLY)
def spreads_its_json(reply: Reply, call: Call) -> Reply:
    """Indents, sorts its members, escapes, and ends with a blank line, in one delta."""
    if not form(call):
        return reply
    return spelled_anew(reply, lambda held: json.dumps(held, indent=2, sort_keys=True) + "\n\n")


@dialect(seam="reply", only=ONLY)
def writes_members_in_another_order(reply: Reply, call: Call) -> Reply:
    """Writes the members of an object in another order, without any space."""
    if not json_schema(call):
        return reply
    return spelled_anew(
        reply,
        lambda held: "\n " + json.dumps(dict(reversed(held.items())), separators=(",", ":")),
    )


@dialect(seam="reply", model=THINKER, only=ONLY)
def thinks_before_it_fills_a_form(reply: Reply, call: Call) -> Reply:
    """Thinks first, under the name `reasoning`, and only then writes JSON."""

    def rename(said: dict[str, Any]) -> None:
        if "reasoning_content" in said:
            said["reasoning"] = said.pop("reasoning_content")

    if reply.events is None:
        return message(reply, rename)
    return replace(reply, events=tuple(each_delta(reply.events, rename, is_chunk)))


# Answers that say nothing of the form.


@dialect(seam="reply", undecided=FOLLOWED, only=ONLY)
def refuses_to_choose(reply: Reply, call: Call) -> Reply:
    """Is a model that refuses to fill the form: content is null, finish_reason `stop`."""
    if not json_schema(call) or not reply.ok:
        return reply
    if reply.events is None:
        return message(reply, setting(content=None, refusal="I can't help with that."))

    def refuse(delta: dict[str, Any]) -> None:
        delta["refusal"] = delta.pop("content")

    return replace(reply, events=tuple(each_delta(reply.events, refuse, has_text)))


@dialect(seam="reply", undecided=("CC-STRUCT-001",), only=ONLY)
def leaves_json_mode_blank(reply: Reply, call: Call) -> Reply:
    """Answers in JSON mode with blanks, as DeepSeek says that it may."""
    return message(reply, setting(content=" \n")) if form(call) == "json_object" else reply


@dialect(seam="request", undecided=("CC-STRUCT-001", *FOLLOWED), only=ONLY)
def never_comes_to_an_end(call: Call) -> Call | Reply:
    """Is a model that writes on until its bound cuts it, whatever it was asked for."""
    if not form(call) or asked(call, "max_tokens") is None or not respond(call, SITE).ok:
        return call
    body = {key: value for key, value in (call.json or {}).items() if key != "response_format"}
    count = [{"role": "user", "content": "Count from 1 to 300, separated by spaces."}]
    bound = min(int(body["max_tokens"]), 40)
    return call.understood_as({**body, "messages": count, "max_tokens": bound})
