"""Stream versus non-stream: both say the same thing in two forms (CC-EQUIV)."""

from .battery import streams, usage_stream
from .chat import Chat
from .expect import each, judge, require, sightings_of
from .guards import text, usage
from .outcomes import Inconclusive, Sighting
from .prompts import repeat
from .protocol.completion import findings
from .protocol.facts import Facts
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


@requirement("CC-EQUIV-008")
def test_streaming_keeps_every_character(chat: Chat) -> None:
    prompt = repeat(BLOCK)
    control = text(chat.ask(prompt, max_tokens=256))
    streamed = chat.stream(prompt, max_tokens=256)
    said = chat.reading(streamed).text()
    if control.strip() != BLOCK.strip():
        raise Inconclusive("the model does not repeat the block without stream either", streamed)
    require(said == control, f"the text {control!r}", repr(said), on=streamed)
