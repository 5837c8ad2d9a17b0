"""Streaming semantics: what a sequence of chunks says (CC-STREAM).

The chunk machine (`protocol.stream`) judges; here are the streams that it reads.
"""

from .asking.battery import all_streams, counted_stream, long_stream, usage_stream
from .chat import Chat
from .expect import each, judge, readings, require, sightings_of, streams_keep, whole_stream
from .outcomes import Blocked, Sighting, Unsupported
from .protocol.finding import Finding
from .protocol.fold import is_cumulative, repeats_whole
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-STREAM-001")
def test_every_chunk_has_the_five_members(chat: Chat) -> None:
    streams_keep("CC-STREAM-001", chat, all_streams(chat))


@requirement("CC-STREAM-002")
def test_all_chunks_of_a_stream_share_one_id(chat: Chat) -> None:
    first: dict[object, Exchange] = {}

    def look(exchange: Exchange) -> list[Sighting]:
        reading = chat.reading(exchange)
        found = sightings_of("CC-STREAM-002", reading.findings, exchange)
        name = reading.fold().get("id")
        known = first.setdefault(name, exchange) if isinstance(name, str) and name else exchange
        if known is not exchange:
            required = "streams of different requests have different ids"
            found.append(Sighting(Finding("", required, f"{name!r} twice", "$.id"), exchange))
        return found

    judge(each(all_streams(chat), look))


@requirement("CC-STREAM-003")
def test_all_chunks_share_one_created(chat: Chat) -> None:
    streams_keep("CC-STREAM-003", chat, all_streams(chat))


@requirement("CC-STREAM-004")
def test_model_and_fingerprint_stay_the_same(chat: Chat) -> None:
    streams_keep("CC-STREAM-004", chat, all_streams(chat))


@requirement("CC-STREAM-005")
def test_choices_is_an_array_in_every_chunk(chat: Chat) -> None:
    streams_keep("CC-STREAM-005", chat, all_streams(chat))


@requirement("CC-STREAM-006")
def test_index_is_the_number_of_the_choice(chat: Chat) -> None:
    streams_keep("CC-STREAM-006", chat, all_streams(chat))


@requirement("CC-STREAM-007")
def test_every_chunk_choice_has_a_delta_object(chat: Chat) -> None:
    streams_keep("CC-STREAM-007", chat, all_streams(chat))


@requirement("CC-STREAM-008")
def test_the_first_delta_names_the_assistant(chat: Chat) -> None:
    streams_keep("CC-STREAM-008", chat, all_streams(chat))


@requirement("CC-STREAM-009")
def test_role_appears_only_in_the_first_delta(chat: Chat) -> None:
    streams_keep("CC-STREAM-009", chat, all_streams(chat))


@requirement("CC-STREAM-010")
def test_role_is_assistant_wherever_it_appears(chat: Chat) -> None:
    streams_keep("CC-STREAM-010", chat, all_streams(chat))


@requirement("CC-STREAM-011")
def test_finish_reason_is_null_until_the_last(chat: Chat) -> None:
    streams_keep("CC-STREAM-011", chat, all_streams(chat))


@requirement("CC-STREAM-012")
def test_every_choice_finishes_exactly_once(chat: Chat) -> None:
    streams_keep("CC-STREAM-012", chat, all_streams(chat))


@requirement("CC-STREAM-013")
def test_nothing_follows_the_finish_of_a_choice(chat: Chat) -> None:
    streams_keep("CC-STREAM-013", chat, all_streams(chat))


@requirement("CC-STREAM-015")
def test_content_is_incremental(chat: Chat) -> None:
    streams_keep("CC-STREAM-015", chat, all_streams(chat))
    pair = [long_stream(chat), counted_stream(chat)]
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
    streams_keep("CC-STREAM-016", chat, all_streams(chat))


@requirement("CC-STREAM-017")
def test_only_the_usage_chunk_has_no_choices(chat: Chat) -> None:
    streams_keep("CC-STREAM-017", chat, all_streams(chat))


def _counted(chat: Chat) -> list[Exchange]:
    """The streams that were asked for their usage."""
    if not chat.has("stream"):
        raise Unsupported("the target refuses `stream`, and with it the usage of streams")
    return [usage_stream(chat), counted_stream(chat)]


@requirement("CC-STREAM-018")
def test_exactly_one_chunk_carries_usage_when_asked(chat: Chat) -> None:
    streams_keep("CC-STREAM-018", chat, _counted(chat))


@requirement("CC-STREAM-019")
def test_all_other_chunks_carry_usage_null(chat: Chat) -> None:
    streams_keep("CC-STREAM-019", chat, _counted(chat))


@requirement("CC-STREAM-020")
def test_no_usage_is_sent_unless_asked(chat: Chat) -> None:
    streams_keep("CC-STREAM-020", chat, all_streams(chat))


@requirement("CC-STREAM-021")
def test_usage_is_no_running_total(chat: Chat) -> None:
    streams_keep("CC-STREAM-021", chat, _counted(chat))


@requirement("CC-STREAM-022")
def test_usage_in_a_chunk_has_three_counts(chat: Chat) -> None:
    streams_keep("CC-STREAM-022", chat, _counted(chat))


@requirement("CC-STREAM-023")
def test_choices_of_one_stream_keep_apart(chat: Chat) -> None:
    exchange = chat.stream(n=2)
    streams_keep("CC-STREAM-023", chat, [exchange])
    seen = sorted(chat.reading(exchange).choices)
    if len(seen) < 2 and not whole_stream(chat, exchange).error_events:
        raise Blocked("CC-SAMP-001", f"choices {seen} for n 2", exchange)


@requirement("CC-STREAM-024")
def test_ordinary_chunks_have_no_error_key(chat: Chat) -> None:
    streams_keep("CC-STREAM-024", chat, all_streams(chat))


@requirement("CC-STREAM-025")
def test_extra_delta_members_can_be_accumulated(chat: Chat) -> None:
    streams_keep("CC-STREAM-025", chat, all_streams(chat))


@requirement("CC-STREAM-026")
def test_obfuscation_is_a_string(chat: Chat) -> None:
    streams_keep("CC-STREAM-026", chat, all_streams(chat))


@requirement("CC-STREAM-027")
def test_delta_refusal_is_a_string_or_null(chat: Chat) -> None:
    streams_keep("CC-STREAM-027", chat, all_streams(chat))


@requirement("CC-STREAM-029")
def test_empty_chunks_are_rare(chat: Chat) -> None:
    streams_keep("CC-STREAM-029", chat, all_streams(chat))


@requirement("CC-STREAM-030")
def test_usage_comes_in_a_chunk_of_its_own(chat: Chat) -> None:
    streams_keep("CC-STREAM-030", chat, _counted(chat))


@requirement("CC-STREAM-014")
def test_the_finishing_chunk_may_carry_text(chat: Chat) -> None:
    found = readings(chat, all_streams(chat))
    told = sum(
        bool(choice.get("finish_reason")) and bool((choice.get("delta") or {}).get("content"))
        for _, reading in found
        for chunk in reading.chunks
        for _, choice in chunk.choices()
        if isinstance(choice.get("delta"), dict)
    )
    # It is joined to the rest (`protocol.fold`): no clause may read the text without it.
    chat.observe(f"{told} finishing chunks of {len(found)} streams carry text")
