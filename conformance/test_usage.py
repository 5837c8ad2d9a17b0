"""Usage: the token counts add up and bound what they claim to bound (CC-USAGE)."""

from . import prompts
from .battery import TIGHT, plain, usage_stream
from .chat import OMIT, Chat
from .expect import completions_keep, judge, require, sightings_of
from .guards import accepted, completion, success, usage
from .outcomes import Inconclusive
from .requirements import requirement


@requirement("CC-USAGE-001")
def test_usage_has_three_counts(chat: Chat) -> None:
    completions_keep("CC-USAGE-001", plain(chat))


@requirement("CC-USAGE-002")
def test_the_total_is_the_sum(chat: Chat) -> None:
    completions_keep("CC-USAGE-002", plain(chat))
    _streamed_too(chat, "CC-USAGE-002")


@requirement("CC-USAGE-003")
def test_counts_are_above_zero_where_there_is_text(chat: Chat) -> None:
    completions_keep("CC-USAGE-003", plain(chat))
    _streamed_too(chat, "CC-USAGE-003")


def _streamed_too(chat: Chat, requirement_id: str) -> None:
    """The usage chunk obeys the same rule, read from the folded stream."""
    if chat.has("stream_usage"):
        from .protocol.completion import findings
        from .protocol.facts import Facts

        exchange = usage_stream(chat)
        folded = chat.reading(exchange).fold()
        judge(sightings_of(requirement_id, findings(folded, Facts(stream=False)), exchange))


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
    exchange = accepted(
        chat.ask(prompts.COUNT, max_tokens=OMIT, max_completion_tokens=TIGHT),
        optional=("max_completion_tokens",),
    )
    counted = usage(exchange)
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
    completions_keep("CC-USAGE-006", plain(chat))


@requirement("CC-USAGE-007")
def test_cached_tokens_are_among_the_prompts(chat: Chat) -> None:
    completions_keep("CC-USAGE-007", plain(chat))


@requirement("CC-USAGE-008")
def test_reasoning_tokens_are_among_the_completions(chat: Chat) -> None:
    completions_keep("CC-USAGE-008", plain(chat))


@requirement("CC-USAGE-009")
def test_completion_tokens_cover_all_choices(chat: Chat) -> None:
    exchange = success(chat.ask(prompts.COUNT, n=2, **{chat.bound_name: 8}))
    choices = completion(exchange).get("choices")
    counted = usage(exchange)
    if counted is None or not isinstance(choices, list) or len(choices) != 2:
        raise Inconclusive("no two choices with usage", exchange)
    cut = all(isinstance(c, dict) and c.get("finish_reason") == "length" for c in choices)
    require(
        counted["completion_tokens"] <= 18 and (counted["completion_tokens"] > 9 or not cut),
        "completion_tokens counts both choices, of 8 tokens each",
        counted["completion_tokens"],
        at="$.usage.completion_tokens",
        on=exchange,
    )
