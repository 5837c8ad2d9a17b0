"""Stream versus non-stream: both say the same thing in two forms (CC-EQUIV)."""

from typing import Any

from . import prompts
from .battery import streams, usage_stream
from .chat import Chat
from .expect import each, judge, require, sightings_of, whole_stream
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
from .outcomes import Inconclusive, Sighting, Unsupported
from .prompts import repeat
from .protocol.completion import findings
from .protocol.facts import Facts
from .protocol.jsontext import read_document
from .requirements import REQUIREMENTS, requirement
from .wire.exchange import Exchange

BLOCK = "  # Title\n\n- one\n- two\n\n```\nx = 1\n```\n\nThe end.  "
"""Leading and trailing blanks, newlines, Markdown: what a careless splitter loses."""


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
        found = findings(chat.reading(exchange).fold(), Facts(stream=False))
        return [s for name in musts for s in sightings_of(name, found, exchange)]

    judge(each(streams(chat), look))


@requirement("CC-EQUIV-002")
def test_prompt_tokens_are_the_same_in_both_modes(chat: Chat) -> None:
    streamed = usage_stream(chat)
    counted, plain = chat.reading(streamed).usage, usage(chat.ask())
    if plain is None or not isinstance(counted, dict):
        raise Inconclusive("one of the two replies carries no usage", streamed)
    require(
        counted.get("prompt_tokens") == plain["prompt_tokens"],
        f"prompt_tokens {plain['prompt_tokens']}, as without stream",
        counted.get("prompt_tokens"),
        at="$.usage.prompt_tokens",
        on=streamed,
    )


def _call(exchange: Exchange, value: dict[str, Any]) -> tuple[Any, ...] | None:
    """Name, whether the arguments parse, and whether the reason fits; None where cut off."""
    choice = (choices_of(value) or [{}])[0]
    reason = choice.get("finish_reason")
    if reason == "length":
        return None
    said = choice.get("message")
    calls = said.get("tool_calls") if isinstance(said, dict) else None
    first = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], dict) else {}
    function = first.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    parses = isinstance(arguments, str) and read_document(arguments.encode()).is_object
    return function.get("name"), parses, reason in ("tool_calls", "stop")


@requirement("CC-EQUIV-005")
def test_a_forced_call_has_the_same_structure_in_both_modes(chat: Chat) -> None:
    force = {"type": "function", "function": {"name": "get_weather"}}
    fields = {"tools": [prompts.WEATHER_TOOL], "tool_choice": force, chat.bound_name: 256}
    wanted = ("get_weather", True, True)
    kept = {"plain": 0, "streamed": 0}
    counted = 0
    seen: list[Any] = []
    for number in range(3):
        plainly = chat.ask(prompts.WEATHER, sample=number, **fields)
        if refuses(plainly, ("tool_choice",)):
            raise Unsupported(f"refused: {status_line(plainly)}", plainly)
        finish_reason(plainly)
        streamed = chat.stream(prompts.WEATHER, sample=number, **fields)
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


@requirement("CC-EQUIV-006")
def test_reasoning_has_the_same_name_in_both_modes(chat: Chat) -> None:
    names = ("reasoning_content", "reasoning")
    said = message(chat.ask())
    plainly = {name for name in names if said.get(name)}
    exchange = chat.stream()
    choice = chat.reading(exchange).choices.get(0)
    streamed = set(choice.reasonings) if choice else set()
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
    prompt = repeat(BLOCK)
    control = text(chat.ask(prompt, max_tokens=256))
    streamed = chat.stream(prompt, max_tokens=256)
    said = whole_stream(chat, streamed).text()
    if control.strip() != BLOCK.strip():
        raise Inconclusive("the model does not repeat the block without stream either", streamed)
    require(said == control, f"the text {control!r}", repr(said), on=streamed)
