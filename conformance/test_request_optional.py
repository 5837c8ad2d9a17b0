"""Parameters that a server may ignore: taken, or refused by name (CC-REQ).

What a server ignores it need not check: where parameters that do not exist are accepted, an
accepted one says nothing of being supported.
"""

from typing import Any

from .asking.battery import with_value
from .asking.invalid import unknown_parameter
from .asking.probes import SPEECH
from .chat import Chat
from .expect import each, judge
from .guards import accepted, is_refusal, not_5xx, refused, refuses, status_line
from .outcomes import Sighting, Unsupported
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange

PAIRS = 16
"""The most pairs that `metadata` has."""

NOT_NULLABLE = (
    *("tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "functions"),
    *("function_call", "prompt_cache_options", "web_search_options"),
)

OPTIONAL: dict[str, Any] = {
    "store": False,
    "service_tier": "auto",
    "prediction": {"type": "content", "content": "Hello!"},
    "modalities": ["text"],
    "moderation": {"model": "omni-moderation-latest"},
    "web_search_options": {},
    "prompt_cache_options": {"mode": "implicit"},
    "verbosity": "medium",
}
"""A valid value of each; `audio` is asked for as speech is (`probes.SPEECH`)."""


@requirement("CC-REQ-016")
def test_null_for_what_is_not_nullable_gets_some_answer(chat: Chat) -> None:
    refusing = [name for name in NOT_NULLABLE if is_refusal(with_value(chat, name, None))]
    told = f"null is refused for {', '.join(refusing)}" if refusing else "null is taken for all"
    chat.observe(f"{told} of the parameters that the specification does not let be null")


@requirement("CC-REQ-034")
def test_metadata_has_at_most_16_pairs(chat: Chat) -> None:
    exchange = with_value(chat, "metadata", {"zq1": "a", "zq2": "b"})
    accepted(exchange, optional=("metadata",), what="metadata of two pairs")
    if unknown_parameter(chat).status == 200:
        raise Unsupported("parameters that do not exist are accepted: metadata may be one of them")
    many = {f"zq{number}": "a" for number in range(PAIRS + 1)}
    refused(chat.ask(metadata=many), what="metadata of 17 pairs", statuses=(400, 422))


@requirement("CC-REQ-035")
def test_an_optional_parameter_is_taken_or_refused_by_name(chat: Chat) -> None:
    asked: list[tuple[tuple[str, ...], Exchange]] = [
        ((name,), with_value(chat, name, value)) for name, value in OPTIONAL.items()
    ]
    asked.append((tuple(SPEECH), chat.ask(**SPEECH)))

    def look(row: tuple[tuple[str, ...], Exchange]) -> list[Sighting]:
        names, exchange = row
        required = f"200, or a 400 that names {' or '.join(names)}"
        not_5xx(exchange, required)
        if exchange.status == 200 or refuses(exchange, names):
            return []
        return [Sighting(Finding("", required, status_line(exchange)), exchange)]

    judge(each(asked, look))
