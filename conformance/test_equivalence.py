"""Stream versus non-stream: both say the same thing in two forms (CC-EQUIV)."""

from typing import Any

from .asking import prompts
from .asking.battery import CHOICE, all_streams, invitation, named, usage_stream
from .asking.prompts import repeat
from .asking.sent import facts_of, sent_json
from .chat import Chat
from .expect import answered_at, each, judge, require, sightings_of, trials, whole_stream
from .guards import (
    choices_of,
    completion,
    finish_reason,
    message,
    refuses,
    status_line,
    text,
    usage,
)
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.completion import findings
from .protocol.damage import has_lone_surrogate, is_torn
from .protocol.finding import shorten
from .protocol.jsontext import is_object_text
from .protocol.rules import is_count
from .requirements import REQUIREMENTS, requirement
from .wire.exchange import Exchange

BLOCK = "  # Title\n\n- one\n- Übergröße 🙂 你好\n\n```\nx = 1\n```\n\nThe end.  "
"""Leading and trailing blanks, newlines, Markdown, characters that no token holds alone."""


@requirement("CC-EQUIV-001")
def test_the_assembled_chunks_make_a_valid_reply(chat: Chat) -> None:
    chapters = ("CC-RESP", "CC-MSG", "CC-FIN")
    musts = [
        name
        for name, entry in REQUIREMENTS.items()
        if entry.level == "MUST" and name.rpartition("-")[0] in chapters
    ]

    def look(exchange: Exchange) -> list[Sighting]:
        if chat.reading(exchange).error_events:
            return []  # a failed stream makes no reply
        told, facts = chat.reading(exchange).fold(), facts_of(sent_json(exchange))
        found = findings(told, facts, date=answered_at(exchange))
        return [s for name in musts for s in sightings_of(name, found, exchange)]

    judge(each(all_streams(chat), look))


@requirement("CC-EQUIV-002")
def test_prompt_tokens_are_the_same_in_both_modes(chat: Chat) -> None:
    if not chat.has("stream"):
        raise Unsupported("the target refuses `stream`")
    streamed = usage_stream(chat)
    counted, plain = chat.reading(streamed).usage, usage(chat.ask())
    if plain is None or not isinstance(counted, dict):
        raise Inconclusive("one of the two replies carries no usage", streamed)
    if not is_count(counted.get("prompt_tokens")):
        raise Blocked("CC-STREAM-022", f"usage is {shorten(counted)}", streamed)
    require(
        counted.get("prompt_tokens") == plain["prompt_tokens"],
        f"prompt_tokens {plain['prompt_tokens']}, as without stream",
        counted.get("prompt_tokens"),
        at="$.usage.prompt_tokens",
        on=streamed,
    )


def _call(exchange: Exchange, value: dict[str, Any]) -> tuple[Any, ...] | None:
    """Name, whether the arguments parse, and whether the reason fits; None where cut off, by the
    bound or by a filter."""
    choice = (choices_of(value) or [{}])[0]
    reason = choice.get("finish_reason")
    if reason in ("length", "content_filter"):
        return None
    said = choice.get("message")
    calls = said.get("tool_calls") if isinstance(said, dict) else None
    first = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], dict) else {}
    function = first.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    parses = isinstance(arguments, str) and is_object_text(arguments)
    return function.get("name"), parses, reason in ("tool_calls", "stop")


@requirement("CC-EQUIV-005")
def test_a_forced_call_has_the_same_structure_in_both_modes(chat: Chat) -> None:
    force = {"tool_choice": named(prompts.WEATHER_TOOL)}
    wanted = ("get_weather", True, True)
    kept = {"plain": 0, "streamed": 0}
    counted = 0
    seen: list[Any] = []
    for number in range(3):
        plainly = invitation(chat, **force, sample=number)
        if refuses(plainly, CHOICE):
            raise Unsupported(f"refused: {status_line(plainly)}", plainly)
        finish_reason(plainly)
        streamed = invitation(chat, **force, sample=number, stream=True)
        pair = (_call(plainly, completion(plainly)), _call(streamed, _folded(chat, streamed)))
        if None in pair:
            continue
        counted += 1
        seen.append(pair)
        kept["plain"] += pair[0] == wanted
        kept["streamed"] += pair[1] == wanted
        if number == 1 and kept["plain"] == kept["streamed"] == counted == 2:
            return  # decided: neither mode can break it twice
    if counted < 2:
        raise Inconclusive(f"{counted} of 3 pairs counted; in the others the call was cut off")
    if all(one[0] is None and other[0] is None for one, other in seen):
        raise Inconclusive("the forced tool is called in neither mode", streamed)
    broke = {mode: counted - kept[mode] for mode in kept}
    apart = [
        m
        for m, o in (("plain", "streamed"), ("streamed", "plain"))
        if broke[m] >= 2 and kept[o] >= 2
    ]
    require(
        not apart,
        "the same name, arguments that parse, and reason, in both modes",
        f"(name, arguments parse, reason fits): {seen[-1][0]} and streamed {seen[-1][1]}",
        on=streamed,
    )


def _folded(chat: Chat, exchange: Exchange) -> dict[str, Any]:
    return dict(whole_stream(chat, exchange).fold())


NAMES = ("reasoning_content", "reasoning")
"""Members that carry reasoning: DeepSeek's and OpenRouter's."""

THOUGHTS = 5
"""Pairs of answers that show thoughts in one mode, always the same, where the other loses them. A
model that thinks over half of its answers makes so many once in 500 runs."""


@requirement("CC-EQUIV-006")
def test_reasoning_has_the_same_name_in_both_modes(chat: Chat) -> None:
    sides: set[bool] = set()  # whether it is the stream that shows thoughts
    for number in range(THOUGHTS):  # a model may think for one answer and not for the next
        said = message(chat.ask(sample=number))
        plainly = {name for name in NAMES if said.get(name)}
        exchange = chat.stream(sample=number)
        choice = chat.reading(exchange).choices.get(0)
        pieces = choice.reasonings if choice else {}
        streamed = {name for name, told in pieces.items() if any(told)}
        if plainly == streamed or (plainly and streamed):
            break
        sides.add(bool(streamed))
        if len(sides) > 1:
            raise Inconclusive("the model thinks at times, in the one mode or the other", exchange)
    if not plainly and not streamed:
        raise Unsupported("no reasoning text in either mode", exchange)
    require(
        plainly == streamed,
        f"the reasoning under {', '.join(sorted(plainly)) or 'no name'}, as without stream",
        ", ".join(sorted(streamed)) or "no name",
        on=exchange,
    )


@requirement("CC-EQUIV-008")
def test_streaming_keeps_every_character(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        fields = {chat.bound_name: 256, "sample": number}
        control = text(chat.ask(repeat(BLOCK), **fields))
        streamed = chat.stream(repeat(BLOCK), **fields)
        deltas = whole_stream(chat, streamed).deltas()
        said = "".join(deltas)
        if control.strip() != BLOCK.strip():
            return None
        looked.append((streamed, f"{shorten(said)} for {shorten(control)}"))
        # Another answer is the model's; the same one with pieces missing, twice or in another
        # order is the stream's.
        return True if said == control else False if _is_marred(deltas, control) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="the streamed text is that of the plain reply",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


def _is_marred(deltas: list[str], whole: str) -> bool:
    """Whether the deltas are those of `whole`, with some lost, repeated, out of order, or a blank
    after each."""
    said = "".join(deltas)
    if _lacks(said, whole) or _stutters(deltas, whole) or sorted(said) == sorted(whole):
        return True
    padded = [delta for delta in deltas if delta]
    return "".join(delta[:-1] for delta in padded) == whole and all(
        delta[-1].isspace() for delta in padded
    )


def _stutters(deltas: list[str], whole: str) -> bool:
    """Whether the deltas make `whole` without those that repeat the one before them."""
    at, before = 0, ""
    for delta in deltas:
        if whole.startswith(delta, at):
            at += len(delta)
        elif delta != before:
            return False
        before = delta
    return at == len(whole)


def _lacks(said: str, whole: str) -> bool:
    """Whether `said` is `whole` with some characters left out or made unreadable, none added."""
    if has_lone_surrogate(said) or is_torn(said, whole):
        return True
    rest = iter(whole)
    return len(said) < len(whole) and all(character in rest for character in said)
