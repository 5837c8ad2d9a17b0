"""Tool calls: the form of a call in a reply, and of its fragments in a stream (CC-TOOL).

The laws:

1. Form is judged on calls that were made. A model that calls nothing, not even where a call is
   forced, leaves the form undecided.
2. What a model may get wrong (arguments that parse) is tried k of n times; what is lost on its way
   through a stream is called lost only against a control without `stream`.

Which tool is called, and when, is judged in `test_tool_choice`.
"""

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

from .asking import prompts
from .asking.battery import (
    CALLED,
    all_streams,
    call_streams,
    called,
    calls,
    demanded,
    forced,
    invitation,
    no_arguments,
    result,
    two_calls,
)
from .asking.sent import facts_of, sent_json
from .chat import Chat
from .expect import (
    each,
    judge,
    require,
    second_look,
    sightings_of,
    streamed_calls,
    streams_keep,
    trials,
)
from .guards import choices_of, completion, counts, is_refusal, status_line, well_formed_calls
from .outcomes import Blocked, Inconclusive, Sighting, Unjudged
from .protocol.calls import ToolCall
from .protocol.completion import findings
from .protocol.jsontext import is_object_text
from .protocol.stream import StreamReading
from .requirements import requirement
from .wire.exchange import Exchange

NO_CALL = "the model called no tool"


# In a reply.


@requirement("CC-TOOL-001")
def test_a_call_has_an_id_a_type_and_a_function(chat: Chat) -> None:
    _replies_keep("CC-TOOL-001", chat)


@requirement("CC-TOOL-002")
def test_arguments_are_a_string_of_json(chat: Chat) -> None:
    replies = [*calls(chat), demanded(chat), no_arguments(chat)]
    judge(each(replies, lambda e: _found("CC-TOOL-002", completion(e), e)))


def _replies_keep(requirement_id: str, chat: Chat) -> None:
    """Every reply that holds calls keeps the rule, by the rules of `protocol.calls`."""
    replies = [*calls(chat), demanded(chat)]
    judge(each(replies, lambda e: _found(requirement_id, completion(e), e)))


def _found(requirement_id: str, told: dict[str, Any], exchange: Exchange) -> list[Sighting]:
    """What the rules say of a completion with calls, or of one that a stream's chunks make."""
    messages = [choice.get("message") for choice in choices_of(told)]
    if not any(isinstance(said, dict) and said.get("tool_calls") for said in messages):
        raise Inconclusive(NO_CALL, exchange)
    found = findings(told, facts_of(sent_json(exchange)))
    return sightings_of(requirement_id, found, exchange)


def _calls_in(exchange: Exchange) -> list[ToolCall] | None:
    """The calls of a plain reply; None where it does not count, or has none."""
    made = well_formed_calls(exchange)
    return made if made and counts(exchange) else None


def _is_object(call: ToolCall) -> bool:
    return is_object_text(call.arguments)


def _parted(chat: Chat, *parts: Callable[[Chat], None]) -> None:
    """Judge in several ways: one that says nothing hides none of the others."""

    def look(part: Callable[[Chat], None]) -> list[Sighting]:
        part(chat)
        return []

    judge(each(parts, look))


@requirement("CC-TOOL-003")
def test_arguments_parse_as_an_object_and_none_are_one_too(chat: Chat) -> None:
    _parted(chat, _some_parse, _none_are_an_object)


def _some_parse(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        for ask in (invitation, forced):
            exchange = ask(chat, sample=number)
            made = _calls_in(exchange)
            if made:
                looked.append((exchange, made[0].arguments))
                return all(map(_is_object, made))
        return None

    chat.memory["trials"] = trials(
        trial,
        required="the arguments of a call parse as a JSON object",
        seen=lambda: f"arguments {looked[-1][1]!r}",
        on=lambda: looked[-1][0],
    )


def _no_empty_string(made: list[ToolCall] | None) -> bool | None:
    """Whether calls without arguments hold an object; text that does not parse is the model's."""
    if not made:
        return None
    if any(not call.arguments.strip() for call in made):
        return False
    return True if all(map(_is_object, made)) else None


def _none_are_an_object(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        looked.append(no_arguments(chat, sample=number))
        return _no_empty_string(_calls_in(looked[-1]))

    def streamed(number: int) -> bool | None:
        looked.append(no_arguments(chat, sample=number, stream=True))
        return _no_empty_string(streamed_calls(chat, looked[-1]))

    required = 'a call without arguments has "{}"'
    trials(
        trial,
        needed=1,
        of=2,
        required=required,
        seen=lambda: "an empty string",
        on=lambda: looked[-1],
    )
    if chat.has("stream"):
        second_look(
            streamed,
            required=f"{required}, streamed too",
            seen=lambda: "no arguments at all",
            on=lambda: looked[-1],
        )


@requirement("CC-TOOL-005")
def test_call_ids_are_unique_in_a_reply_and_across_turns(chat: Chat) -> None:
    def streamed(exchange: Exchange) -> list[Sighting]:
        return _found("CC-TOOL-005", chat.reading(exchange).fold(), exchange)

    found = each(calls(chat), lambda e: _found("CC-TOOL-005", completion(e), e))
    if chat.has("stream"):
        with contextlib.suppress(Unjudged):  # no call in any stream: the plain ones are judged
            found += each(call_streams(chat), streamed)
    judge(found)
    _two_turns(chat)


def _two_turns(chat: Chat) -> None:
    """The ids of a second turn are none of the first's."""
    first = _calls_in(forced(chat)) or _calls_in(invitation(chat))
    if first is None:
        raise Inconclusive(NO_CALL)
    ids = [call.id for call in first]
    history = [
        {"role": "user", "content": prompts.WEATHER},
        called(*ids),
        *map(result, ids),
        {"role": "user", "content": prompts.WEATHER_ELSEWHERE},
    ]
    options: dict[str, Any] = {"messages": history, chat.bound_name: CALLED}
    exchange = forced(chat, **options)
    if is_refusal(exchange):  # for the call's null content, which is CC-REQ-011's?
        history[1]["content"] = "I look it up."
        exchange = forced(chat, **options)
    if is_refusal(exchange):
        raise Blocked("CC-TOOL-023", status_line(exchange), exchange)
    second = _calls_in(exchange)
    if second is None:
        raise Inconclusive(f"{NO_CALL} in the second turn", exchange)
    again = [call.id for call in second if call.id in ids]
    require(
        not again,
        f"ids other than {', '.join(map(repr, ids))}, those of the turn before",
        ", ".join(map(repr, again)),
        at="$.choices[0].message.tool_calls[*].id",
        on=exchange,
    )


@requirement("CC-TOOL-006")
def test_content_beside_calls_is_null_or_plain_text(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        streamed = facts_of(sent_json(exchange)).stream
        told = chat.reading(exchange).fold() if streamed else completion(exchange)
        return _found("CC-TOOL-006", told, exchange)

    judge(each([*calls(chat), *(call_streams(chat) if chat.has("stream") else [])], look))


@requirement("CC-TOOL-007")
def test_calls_in_a_plain_reply_have_no_index(chat: Chat) -> None:
    _replies_keep("CC-TOOL-007", chat)


# In a stream.


def _streams_keep(requirement_id: str, chat: Chat) -> None:
    """Every stream that holds calls keeps the rule, by the rules of `protocol.calls`."""

    def look(exchange: Exchange) -> list[Sighting]:
        reading = chat.reading(exchange)
        if not _calls_something(reading):
            raise Inconclusive(NO_CALL, exchange)
        return sightings_of(requirement_id, reading.findings, exchange)

    judge(each(call_streams(chat), look))


def _calls_something(reading: StreamReading) -> bool:
    """Whether any delta holds a fragment of a call, whatever its form."""
    deltas = [choice.get("delta") for chunk in reading.chunks for _, choice in chunk.choices()]
    return any(isinstance(delta, dict) and delta.get("tool_calls") for delta in deltas)


@requirement("CC-TOOL-008")
def test_every_fragment_of_a_call_has_an_index(chat: Chat) -> None:
    _streams_keep("CC-TOOL-008", chat)


@requirement("CC-TOOL-009")
def test_indices_of_calls_count_from_zero(chat: Chat) -> None:
    _streams_keep("CC-TOOL-009", chat)


@requirement("CC-TOOL-010")
def test_an_index_belongs_to_one_call(chat: Chat) -> None:
    _streams_keep("CC-TOOL-010", chat)


@requirement("CC-TOOL-011")
def test_the_first_fragment_has_id_type_and_name(chat: Chat) -> None:
    _streams_keep("CC-TOOL-011", chat)


@requirement("CC-TOOL-012")
def test_later_fragments_repeat_neither_id_nor_type_nor_name(chat: Chat) -> None:
    _streams_keep("CC-TOOL-012", chat)


@requirement("CC-TOOL-013")
def test_fragments_hold_a_function_with_arguments_of_text(chat: Chat) -> None:
    _streams_keep("CC-TOOL-013", chat)


@requirement("CC-TOOL-014")
def test_the_fragments_of_the_arguments_make_a_whole(chat: Chat) -> None:
    def left_to_the_model(chat: Chat) -> None:
        _arrives_whole(chat, invitation)

    def forced_by_name(chat: Chat) -> None:
        _arrives_whole(chat, forced)

    _parted(chat, left_to_the_model, forced_by_name)
    trial, looked = _arrival(chat, two_calls)
    second_look(
        trial,
        required="the fragments of two calls make JSON each, as they do without stream",
        seen=lambda: f"arguments {looked[-1][1]!r}",
        on=lambda: looked[-1][0],
    )


Looked: TypeAlias = list[tuple[Exchange, str]]
"""What was looked at: each stream, and the arguments in question."""


def _arrival(
    chat: Chat, ask: Callable[..., Exchange]
) -> tuple[Callable[[int], bool | None], Looked]:
    """Whether arguments parse streamed that parse without `stream`, and what was looked at."""
    looked: Looked = []

    def trial(number: int) -> bool | None:
        control = _calls_in(ask(chat, sample=number))
        if not control or not all(map(_is_object, control)):
            return None
        exchange = ask(chat, sample=number, stream=True)
        made = streamed_calls(chat, exchange)
        if not made:
            return None
        broken = [call for call in made if not _is_object(call)]
        looked.append((exchange, (broken or made)[-1].arguments))
        return not broken

    return trial, looked


def _arrives_whole(chat: Chat, ask: Callable[..., Exchange]) -> None:
    """The arguments parse streamed, where those of the same call parse without `stream`."""
    trial, looked = _arrival(chat, ask)
    chat.memory["trials"] = trials(
        trial,
        required="the fragments of the arguments make JSON, as they do without stream",
        seen=lambda: f"arguments {looked[-1][1]!r}",
        on=lambda: looked[-1][0],
    )


@requirement("CC-TOOL-015")
def test_a_chunk_has_one_fragment_of_each_call(chat: Chat) -> None:
    _streams_keep("CC-TOOL-015", chat)


@requirement("CC-TOOL-016")
def test_no_fragment_of_a_call_follows_the_finish(chat: Chat) -> None:
    _streams_keep("CC-TOOL-016", chat)


@requirement("CC-TOOL-017")
def test_deltas_without_calls_leave_tool_calls_out(chat: Chat) -> None:
    streams_keep("CC-TOOL-017", chat, all_streams(chat))


@requirement("CC-TOOL-032")
def test_the_first_fragment_has_arguments(chat: Chat) -> None:
    _streams_keep("CC-TOOL-032", chat)
