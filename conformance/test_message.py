"""Choices and message: what the model said, in which form (CC-MSG)."""

from .battery import BEYOND_ASCII, beyond_ascii, plain, streams
from .chat import OMIT, Chat
from .expect import completions_keep, streams_keep, trials
from .guards import first_choice, text
from .outcomes import Inconclusive, Unjudged
from .requirements import requirement
from .wire.exchange import Exchange


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
            if first_choice(exchange).get("finish_reason") != "stop":
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


@requirement("CC-MSG-011")
def test_content_is_free_of_template_markup(chat: Chat) -> None:
    completions_keep("CC-MSG-011", plain(chat))


@requirement("CC-MSG-012")
def test_text_beyond_ascii_comes_back_intact(chat: Chat) -> None:
    looked: list[Exchange] = []
    wanted = BEYOND_ASCII

    def trial(number: int) -> bool | None:
        exchange = beyond_ascii(chat, number)
        looked.append(exchange)
        try:
            if first_choice(exchange).get("finish_reason") == "length":
                return None
            said = text(exchange)
        except Unjudged:
            return None
        damaged = "\ufffd" in said or _mojibake(wanted) in said
        return None if not damaged and wanted not in said else not damaged

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="content holds the text as it was sent",
        seen=lambda: "U+FFFD or UTF-8 read as Latin-1 in content",
        on=lambda: looked[-1],
    )


def _mojibake(wanted: str) -> str:
    """What the beginning of `wanted` becomes when its UTF-8 is read as Latin-1."""
    return wanted[:4].encode().decode("latin-1")


@requirement("CC-MSG-013")
def test_no_tools_no_call(chat: Chat) -> None:
    completions_keep("CC-MSG-013", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-MSG-013", chat, streams(chat))
