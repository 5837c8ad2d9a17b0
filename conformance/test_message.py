"""Choices and message: what the model said, in which form (CC-MSG)."""

from typing import Any

from .asking import prompts
from .asking.battery import BEYOND_ASCII, all_streams, plain
from .chat import OMIT, Chat
from .expect import completions_keep, folds_keep, streams_keep, trials
from .guards import first_choice, message, text
from .outcomes import Inconclusive, Unjudged
from .protocol.damage import misread
from .protocol.finding import shorten
from .requirements import requirement
from .wire.exchange import Exchange

ENOUGH = 256
"""An output bound that the repeated text fits in, whatever the tokenizer makes of it."""


@requirement("CC-MSG-001")
def test_choice_indices_run_from_zero(chat: Chat) -> None:
    completions_keep("CC-MSG-001", plain(chat))


@requirement("CC-MSG-002")
def test_the_message_is_the_assistants(chat: Chat) -> None:
    completions_keep("CC-MSG-002", plain(chat))


@requirement("CC-MSG-003")
def test_content_is_a_string_or_null(chat: Chat) -> None:
    completions_keep("CC-MSG-003", plain(chat))


@requirement("CC-MSG-004")
def test_content_is_present_even_when_null(chat: Chat) -> None:
    completions_keep("CC-MSG-004", plain(chat))


@requirement("CC-MSG-005")
def test_refusal_is_present_as_string_or_null(chat: Chat) -> None:
    completions_keep("CC-MSG-005", plain(chat))


@requirement("CC-MSG-006")
def test_tool_calls_is_absent_where_nothing_was_called(chat: Chat) -> None:
    completions_keep("CC-MSG-006", plain(chat))


@requirement("CC-MSG-007")
def test_function_call_and_audio_are_absent_unless_requested(chat: Chat) -> None:
    completions_keep("CC-MSG-007", plain(chat))


@requirement("CC-MSG-008")
def test_annotations_are_url_citations(chat: Chat) -> None:
    completions_keep("CC-MSG-008", plain(chat))


@requirement("CC-MSG-009")
def test_logprobs_is_present_and_null_when_not_requested(chat: Chat) -> None:
    completions_keep("CC-MSG-009", plain(chat))


@requirement("CC-MSG-010")
def test_an_ordinary_question_gets_text(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(sample=number, max_tokens=OMIT)
        looked.append(exchange)
        try:
            said = message(exchange)
            if first_choice(exchange).get("finish_reason") != "stop" or _is_no_answer(said):
                return None
            return bool(text(exchange).strip())
        except Inconclusive:
            return None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="content is a non-empty string",
        seen=lambda: "content is empty",
        on=lambda: looked[-1],
    )


def _is_no_answer(said: dict[str, Any]) -> bool:
    """Whether the model refused, or called something: then no text has to come."""
    return any(said.get(name) for name in ("refusal", "tool_calls", "function_call"))


@requirement("CC-MSG-011")
def test_content_is_free_of_template_markup(chat: Chat) -> None:
    completions_keep("CC-MSG-011", plain(chat))
    if chat.has("stream"):
        folds_keep("CC-MSG-011", chat, all_streams(chat))


@requirement("CC-MSG-012")
def test_text_beyond_ascii_comes_back_intact(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(
            prompts.repeat(BEYOND_ASCII), sample=number, **{chat.bound_name: ENOUGH}
        )
        try:
            if first_choice(exchange).get("finish_reason") == "length":
                return None
            said = text(exchange)
        except Unjudged:
            return None
        how = misread(said, BEYOND_ASCII)
        looked.append((exchange, f"{how} in {shorten(said)}"))
        return True if BEYOND_ASCII in said else None if how is None else False

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="content holds the text as it was sent",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


@requirement("CC-MSG-013")
def test_no_tools_no_call(chat: Chat) -> None:
    completions_keep("CC-MSG-013", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-MSG-013", chat, all_streams(chat))
