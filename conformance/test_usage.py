"""Usage: the token counts add up and bound what they claim to bound (CC-USAGE)."""

from .asking import prompts
from .asking.battery import TIGHT, counted_stream, cut, plain, usage_stream
from .asking.sent import facts_of, sent_json
from .chat import OMIT, Chat
from .expect import completions_keep, each, judge, require, sightings_of
from .guards import (
    choices_of,
    completion,
    finish_reason,
    first_choice,
    refuses,
    status_line,
    usage,
    within_bound,
)
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.completion import findings
from .requirements import requirement
from .wire.exchange import Exchange

SMALL = 8
"""The output bound of each of two choices (CC-USAGE-009)."""


@requirement("CC-USAGE-001")
def test_usage_has_three_counts(chat: Chat) -> None:
    completions_keep("CC-USAGE-001", plain(chat))


@requirement("CC-USAGE-002")
def test_the_total_is_the_sum(chat: Chat) -> None:
    _kept(chat, "CC-USAGE-002")


@requirement("CC-USAGE-003")
def test_counts_are_above_zero_where_there_is_text(chat: Chat) -> None:
    _kept(chat, "CC-USAGE-003")


def _kept(chat: Chat, requirement_id: str) -> None:
    """The usage of plain replies keeps the rule, and so does that of streams that tell one."""

    def look(exchange: Exchange) -> list[Sighting]:
        facts = facts_of(sent_json(exchange))
        told = chat.reading(exchange).fold() if facts.stream else completion(exchange)
        return sightings_of(requirement_id, findings(told, facts), exchange)

    counted = chat.has("stream") and chat.has("stream_usage")
    streamed = [usage_stream(chat), counted_stream(chat)] if counted else []
    judge(each([*plain(chat), *streamed], look))


@requirement("CC-USAGE-004")
def test_prompt_tokens_repeat_and_grow_with_the_prompt(chat: Chat) -> None:
    short, again = usage(chat.ask()), usage(chat.ask(sample=1))
    long = usage(chat.ask(f"{prompts.FILLER} {prompts.HELLO}"))
    if short is None or again is None or long is None:
        raise Inconclusive("the replies carry no usage")
    require(
        short["prompt_tokens"] == again["prompt_tokens"],
        "the same request has the same prompt_tokens",
        f"{short['prompt_tokens']} and {again['prompt_tokens']}",
        at="$.usage.prompt_tokens",
    )
    require(
        long["prompt_tokens"] > short["prompt_tokens"],
        f"sixty words more raise prompt_tokens above {short['prompt_tokens']}",
        long["prompt_tokens"],
        at="$.usage.prompt_tokens",
    )


@requirement("CC-USAGE-005")
def test_completion_tokens_stay_within_the_bound(chat: Chat) -> None:
    exchange = chat.ask(prompts.COUNT, max_tokens=OMIT, max_completion_tokens=TIGHT)
    if refuses(exchange, ("max_completion_tokens",)):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    counted = usage(within_bound(exchange))
    if counted is None:
        raise Inconclusive("the reply carries no usage", exchange)
    require(
        counted["completion_tokens"] <= TIGHT + 1,
        f"completion_tokens at most {TIGHT}, one more for the stop token",
        counted["completion_tokens"],
        at="$.usage.completion_tokens",
        on=exchange,
    )


@requirement("CC-USAGE-006")
def test_token_details_are_objects_of_integers(chat: Chat) -> None:
    _kept(chat, "CC-USAGE-006")


@requirement("CC-USAGE-007")
def test_cached_tokens_are_among_the_prompts(chat: Chat) -> None:
    _kept(chat, "CC-USAGE-007")


@requirement("CC-USAGE-008")
def test_reasoning_tokens_are_among_the_completions(chat: Chat) -> None:
    _kept(chat, "CC-USAGE-008")


@requirement("CC-USAGE-009")
def test_completion_tokens_cover_all_choices(chat: Chat) -> None:
    for number in range(3):  # two choices that the bound has cut say most
        fields = {"n": 2, "sample": number, chat.bound_name: SMALL}
        exchange = within_bound(chat.ask(prompts.COUNT, **fields))
        choices = choices_of(completion(exchange))
        full = all(choice.get("finish_reason") == "length" for choice in choices)
        if full:
            break
    counted = usage(exchange)
    if counted is None:
        raise Inconclusive("the reply carries no usage", exchange)
    first_choice(exchange)
    if len(choices) != 2:
        raise Blocked("CC-SAMP-001", f"{len(choices)} choices for n 2", exchange)
    each_writes = _one_writes(chat)
    least, most = min(each_writes + 2, 2 * each_writes), 2 * (SMALL + 1)  # one more to stop
    require(
        counted["completion_tokens"] <= most
        and (counted["completion_tokens"] >= least or not full),
        f"completion_tokens counts both choices, of {each_writes} tokens each",
        counted["completion_tokens"],
        at="$.usage.completion_tokens",
        on=exchange,
    )


def _one_writes(chat: Chat) -> int:
    """Tokens that a choice cut at `SMALL` holds: fewer where the target caps every answer.

    Raises `Blocked` by CC-REQ-024 where a bound is not kept.
    """
    control = cut(chat)
    counted = usage(control)
    if counted is not None and counted["completion_tokens"] > TIGHT + 1:
        raise Blocked("CC-REQ-024", f"{counted['completion_tokens']} tokens", control)
    if counted is None or finish_reason(control) != "length":
        return SMALL
    return min(SMALL, counted["completion_tokens"])
