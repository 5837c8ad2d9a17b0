"""Ways of telling: who speaks, in what pieces, how a choice opens and ends, where usage stands.

The law: a chunk carries one choice, before and after; only the order and the size of what is told
change, never what is told.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import each_item, given, is_chunk, is_finish, is_usage
from conformance.reference.models import served
from conformance.reference.routes import Site, respond

from .axes import way
from .dialect import THINKER

Object: TypeAlias = dict[str, Any]

SITE = Site(served())
TEXTS = ("content", "reasoning_content", "reasoning")
"""Members of a delta that grow by concatenation."""


def stream(reply: Reply, tell: Callable[[list[Item]], list[Item]]) -> Reply:
    """The reply with its events told otherwise; a document as it is."""
    return reply if reply.events is None else replace(reply, events=tuple(tell(list(reply.events))))


def said(reply: Reply, edit: Callable[[Object], Any]) -> Reply:
    """The reply with every message or delta changed by `edit`."""

    def change(item: Object) -> None:
        for one in item["choices"]:
            edit(one.get("message") or one["delta"])

    return objects(reply, change)


def objects(
    reply: Reply, edit: Callable[[Object], Any], where: Callable[[Item], bool] = is_chunk
) -> Reply:
    """The reply with its completion, or the chunks that `where` picks, changed by `edit`."""
    if reply.events is not None:
        return stream(reply, lambda events: each_item(events, edit, where))
    if not reply.ok or not isinstance(reply.body, dict) or "choices" not in reply.body:
        return reply
    body = copy.deepcopy(reply.body)
    edit(body)
    return replace(reply, body=body)


def choice_of(item: Item) -> Object:
    """The choice of a chunk; empty where an item is none."""
    found: Object = item["choices"][0] if isinstance(item, dict) and is_chunk(item) else {}
    return found


def number(item: Item) -> int:
    """The index of a chunk's choice; -1 where an item is no chunk."""
    index: int = choice_of(item).get("index", -1)
    return index


def with_choice(item: Item, **members: Any) -> Item:
    """A chunk with members of its choice replaced."""
    assert isinstance(item, dict)
    return {**item, "choices": [{**item["choices"][0], **members}]}


# Who speaks, and what is seen of its thoughts.


def _renamed(reply: Reply, *names: str) -> Reply:
    def rename(told: Object) -> None:
        if "reasoning_content" in told:
            thought = told.pop("reasoning_content")
            told.update(dict.fromkeys(names, thought))

    return said(reply, rename)


@way("model", model=THINKER)
def thinks_in_reasoning_content(reply: Reply, call: Call) -> Reply:
    """Tells its thoughts as DeepSeek does."""
    return reply


@way("model", model=THINKER)
def thinks_in_reasoning(reply: Reply, call: Call) -> Reply:
    """Tells its thoughts as OpenRouter and newer vLLM do."""
    return _renamed(reply, "reasoning")


@way("model", model=THINKER)
def thinks_in_both(reply: Reply, call: Call) -> Reply:
    """Tells its thoughts under both names."""
    return _renamed(reply, "reasoning_content", "reasoning")


@way("model", model=THINKER)
def thinks_in_private(reply: Reply, call: Call) -> Reply:
    """Counts its thoughts and does not tell them, as upstream does."""
    hidden = _renamed(reply)
    return stream(hidden, lambda events: [one for one in events if not _is_void(one)])


def _is_void(item: Item) -> bool:
    choice = choice_of(item)
    return choice.get("delta") == {} and choice.get("finish_reason") is None


# How large the pieces are.


def _gathered(events: list[Item], size: int) -> list[Item]:
    """The stream with deltas of at least `size` characters, where there are so many to gather."""
    told: list[Item] = []
    open_: dict[int, Item] = {}
    for item in events:
        member, index = _text_member(item), number(item)
        last = open_.get(index)
        if member and last is not None and member == _text_member(last):
            _append(last, item, member)
            if len(choice_of(last)["delta"][member]) >= size:
                del open_[index]
            continue
        copied = copy.deepcopy(item)
        told.append(copied)
        open_.pop(index, None)
        if member:
            open_[index] = copied
    return told


def _text_member(item: Item) -> str:
    """The member of a delta that holds nothing but text; "" where there is none."""
    delta = choice_of(item).get("delta") or {}
    told = [name for name, value in delta.items() if value]
    plain = told and set(told) <= set(TEXTS) and not is_finish(item)
    return told[0] if plain else ""


def _append(last: Item, item: Item, member: str) -> None:
    into, new = choice_of(last), choice_of(item)
    for name in TEXTS:
        if new["delta"].get(name):
            into["delta"][name] += new["delta"][name]
    if new.get("logprobs"):
        into["logprobs"]["content"] += new["logprobs"]["content"]


@way("pieces")
def tells_a_character_each(reply: Reply, call: Call) -> Reply:
    """Sends each character in a delta of its own, where no token is rated as a whole."""

    def split(item: Item) -> Iterator[Item]:
        member = _text_member(item)
        if not member or choice_of(item).get("logprobs"):
            yield item
            return
        for letter in choice_of(item)["delta"][member]:
            names = [name for name in TEXTS if choice_of(item)["delta"].get(name)]
            yield with_choice(item, delta=dict.fromkeys(names, letter))

    return stream(reply, lambda events: [piece for item in events for piece in split(item)])


@way("pieces")
def tells_a_hundred_characters_each(reply: Reply, call: Call) -> Reply:
    """Gathers a hundred characters for a delta."""
    return stream(reply, lambda events: _gathered(events, 100))


@way("pieces")
def tells_all_at_once(reply: Reply, call: Call) -> Reply:
    """Has its answer ready, as a cache has, and sends it in one delta."""
    return stream(reply, lambda events: _gathered(events, 10**9))


# How a choice opens.


def _opening(item: Item) -> bool:
    return "role" in (choice_of(item).get("delta") or {})


@way("opening")
def opens_with_null(reply: Reply, call: Call) -> Reply:
    """Sends the role with content null."""
    return _opened(reply, {"role": "assistant", "content": None})


@way("opening")
def opens_with_the_role_alone(reply: Reply, call: Call) -> Reply:
    """Sends the role, and nothing beside it."""
    return _opened(reply, {"role": "assistant"})


def _opened(reply: Reply, delta: Object) -> Reply:
    return stream(
        reply,
        lambda events: [with_choice(e, delta=dict(delta)) if _opening(e) else e for e in events],
    )


@way("opening")
def opens_with_the_first_piece(reply: Reply, call: Call) -> Reply:
    """Sends the role with the first piece of what it says, as Mistral does."""

    def tell(events: list[Item]) -> list[Item]:
        told = list(events)
        for opening in [item for item in events if _opening(item)]:
            mine = [item for item in told if number(item) == number(opening)]
            if len(mine) > 1 and not is_finish(mine[1]):
                delta = {"role": "assistant", **choice_of(mine[1])["delta"]}
                told[_at(told, mine[1])] = with_choice(mine[1], delta=delta)
                del told[_at(told, opening)]
        return told

    return stream(reply, tell)


def _at(events: list[Item], wanted: Item) -> int:
    """The place of this very item: equal ones are not meant."""
    return next(i for i, item in enumerate(events) if item is wanted)


# How a choice ends.


@way("ending")
def ends_with_empty_content(reply: Reply, call: Call) -> Reply:
    """Sends content "" with the reason, as vLLM does."""
    return stream(
        reply,
        lambda events: [
            with_choice(e, delta={"content": ""}) if is_finish(e) else e for e in events
        ],
    )


@way("ending")
def ends_with_the_last_piece(reply: Reply, call: Call) -> Reply:
    """Sends the last piece of what it says with the reason."""

    def tell(events: list[Item]) -> list[Item]:
        told = list(events)
        for end in [item for item in events if is_finish(item)]:
            before = [item for item in told if number(item) == number(end)][:-1]
            if len(before) > 1 or (before and not _opening(before[-1])):
                last = choice_of(before[-1])
                merged = with_choice(end, delta=last["delta"], logprobs=last.get("logprobs"))
                told[_at(told, end)] = merged
                del told[_at(told, before[-1])]
        return told

    return stream(reply, tell)


# Several choices.


@way("choices")
def tells_one_choice_after_the_other(reply: Reply, call: Call) -> Reply:
    """Streams a choice to its end before it begins the next one."""

    def order(item: Item) -> int:
        index = number(item)
        return index if index >= 0 else 10**9

    return stream(reply, lambda events: sorted(events, key=order))


@way("choices")
def lists_choices_backwards(reply: Reply, call: Call) -> Reply:
    """Lists the choices of a document in the order in which they were done."""
    return reply if reply.events is not None else objects(reply, lambda o: o["choices"].reverse())


# Where the usage stands.


@way("usage", warns=("CC-STREAM-019",))
def keeps_null_usage_out(reply: Reply, call: Call) -> Reply:
    """Leaves `usage: null` out of ordinary chunks, as most servers do."""
    return stream(reply, lambda events: each_item(events, lambda item: item.pop("usage", None)))


@way("usage", warns=("CC-STREAM-019", "CC-STREAM-030"))
def counts_with_the_last_reason(reply: Reply, call: Call) -> Reply:
    """Sends the usage, when asked for, on the chunk that ends the last choice."""
    counted = [item for item in reply.events or () if is_usage(item)]
    return _with_usage(keeps_null_usage_out(reply, call), counted)


@way("usage", warns=("CC-STREAM-019", "CC-STREAM-020", "CC-STREAM-030"))
def counts_unasked(reply: Reply, call: Call) -> Reply:
    """Sends the usage on the chunk that ends the last choice, asked or not, as Mistral does."""
    asked = given(call, stream_options={"include_usage": True})
    counted = [item for item in respond(asked, SITE).events or () if is_usage(item)]
    return _with_usage(keeps_null_usage_out(reply, call), counted)


def _with_usage(reply: Reply, counted: list[Item]) -> Reply:
    """The stream with the usage of `counted` on its last reason, and no chunk of its own."""

    def tell(events: list[Item]) -> list[Item]:
        told = [item for item in events if not is_usage(item)]
        ends = [item for item in told if is_finish(item)]
        for carrier in counted[:1]:
            if ends and isinstance(carrier, dict):
                told[_at(told, ends[-1])] = {**_dict(ends[-1]), "usage": carrier["usage"]}
        return told

    return stream(reply, tell)


def _dict(item: Item) -> Object:
    assert isinstance(item, dict)
    return item
