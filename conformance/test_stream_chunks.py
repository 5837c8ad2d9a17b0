"""Streaming semantics: what a sequence of chunks says (CC-STREAM).

The chunk machine (`protocol.stream`) judges; here are the streams that it reads.
"""

from . import prompts
from .battery import LONG, streams, usage_stream
from .chat import Chat
from .expect import judge, require, streams_keep
from .outcomes import Sighting
from .protocol.finding import Finding
from .protocol.fold import is_cumulative, repeats_whole
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-STREAM-001")
def test_every_chunk_has_the_five_members(chat: Chat) -> None:
    streams_keep("CC-STREAM-001", chat, streams(chat))


@requirement("CC-STREAM-002")
def test_all_chunks_of_a_stream_share_one_id(chat: Chat) -> None:
    exchanges = streams(chat)
    streams_keep("CC-STREAM-002", chat, exchanges)
    first: dict[str, Exchange] = {}
    twice: list[Sighting] = []
    for exchange in exchanges:
        chunks = chat.reading(exchange).chunks
        name = str(chunks[0].value.get("id")) if chunks else ""
        if name and name in first:
            required = "streams of different requests have different ids"
            twice.append(Sighting(Finding("", required, f"{name!r} twice", "$.id"), exchange))
        first[name] = exchange
    judge(twice)


@requirement("CC-STREAM-003")
def test_all_chunks_share_one_created(chat: Chat) -> None:
    streams_keep("CC-STREAM-003", chat, streams(chat))


@requirement("CC-STREAM-004")
def test_model_and_fingerprint_stay_the_same(chat: Chat) -> None:
    streams_keep("CC-STREAM-004", chat, streams(chat))


@requirement("CC-STREAM-005")
def test_choices_is_an_array_in_every_chunk(chat: Chat) -> None:
    streams_keep("CC-STREAM-005", chat, streams(chat))


@requirement("CC-STREAM-006")
def test_index_is_the_number_of_the_choice(chat: Chat) -> None:
    streams_keep("CC-STREAM-006", chat, streams(chat))


@requirement("CC-STREAM-007")
def test_every_chunk_choice_has_a_delta_object(chat: Chat) -> None:
    streams_keep("CC-STREAM-007", chat, streams(chat))


@requirement("CC-STREAM-008")
def test_the_first_delta_names_the_assistant(chat: Chat) -> None:
    streams_keep("CC-STREAM-008", chat, streams(chat))


@requirement("CC-STREAM-009")
def test_role_appears_only_in_the_first_delta(chat: Chat) -> None:
    streams_keep("CC-STREAM-009", chat, streams(chat))


@requirement("CC-STREAM-010")
def test_role_is_assistant_wherever_it_appears(chat: Chat) -> None:
    streams_keep("CC-STREAM-010", chat, streams(chat))


@requirement("CC-STREAM-011")
def test_finish_reason_is_null_until_the_last(chat: Chat) -> None:
    streams_keep("CC-STREAM-011", chat, streams(chat))


@requirement("CC-STREAM-012")
def test_every_choice_finishes_exactly_once(chat: Chat) -> None:
    streams_keep("CC-STREAM-012", chat, streams(chat))


@requirement("CC-STREAM-013")
def test_nothing_follows_the_finish_of_a_choice(chat: Chat) -> None:
    streams_keep("CC-STREAM-013", chat, streams(chat))


@requirement("CC-STREAM-015")
def test_content_is_incremental(chat: Chat) -> None:
    streams_keep("CC-STREAM-015", chat, streams(chat))
    pair = [chat.stream(prompts.COUNT, sample=number, max_tokens=LONG) for number in range(2)]
    deltas = [chat.reading(exchange).deltas() for exchange in pair]
    require(
        not all(is_cumulative(texts) for texts in deltas),
        "a delta adds to the text before it",
        "each delta begins with the whole one before it, in 2 of 2 streams",
        on=pair[-1],
    )
    require(
        not all(repeats_whole(texts) for texts in deltas),
        "the text is not repeated at its end",
        "the last delta is all deltas before it, in 2 of 2 streams",
        on=pair[-1],
    )


@requirement("CC-STREAM-016")
def test_a_successful_stream_has_a_choice_chunk(chat: Chat) -> None:
    streams_keep("CC-STREAM-016", chat, streams(chat))


@requirement("CC-STREAM-017")
def test_only_the_usage_chunk_has_no_choices(chat: Chat) -> None:
    streams_keep("CC-STREAM-017", chat, streams(chat))


@requirement("CC-STREAM-018")
def test_exactly_one_chunk_carries_usage_when_asked(chat: Chat) -> None:
    streams_keep("CC-STREAM-018", chat, [usage_stream(chat)])


@requirement("CC-STREAM-019")
def test_all_other_chunks_carry_usage_null(chat: Chat) -> None:
    streams_keep("CC-STREAM-019", chat, [usage_stream(chat)])


@requirement("CC-STREAM-020")
def test_no_usage_is_sent_unless_asked(chat: Chat) -> None:
    streams_keep("CC-STREAM-020", chat, streams(chat))


@requirement("CC-STREAM-021")
def test_usage_is_no_running_total(chat: Chat) -> None:
    streams_keep("CC-STREAM-021", chat, [usage_stream(chat)])


@requirement("CC-STREAM-022")
def test_usage_in_a_chunk_has_three_counts(chat: Chat) -> None:
    streams_keep("CC-STREAM-022", chat, [usage_stream(chat)])


@requirement("CC-STREAM-023")
def test_choices_of_one_stream_keep_apart(chat: Chat) -> None:
    streams_keep("CC-STREAM-023", chat, [chat.stream(n=2)])


@requirement("CC-STREAM-024")
def test_ordinary_chunks_have_no_error_key(chat: Chat) -> None:
    streams_keep("CC-STREAM-024", chat, streams(chat))


@requirement("CC-STREAM-025")
def test_extra_delta_members_can_be_accumulated(chat: Chat) -> None:
    streams_keep("CC-STREAM-025", chat, streams(chat))


@requirement("CC-STREAM-026")
def test_obfuscation_is_a_string(chat: Chat) -> None:
    streams_keep("CC-STREAM-026", chat, streams(chat))


@requirement("CC-STREAM-027")
def test_delta_refusal_is_a_string_or_null(chat: Chat) -> None:
    streams_keep("CC-STREAM-027", chat, streams(chat))


@requirement("CC-STREAM-029")
def test_empty_chunks_are_rare(chat: Chat) -> None:
    streams_keep("CC-STREAM-029", chat, streams(chat))


@requirement("CC-STREAM-030")
def test_usage_comes_in_a_chunk_of_its_own(chat: Chat) -> None:
    streams_keep("CC-STREAM-030", chat, [usage_stream(chat)])
