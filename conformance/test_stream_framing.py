"""Streaming framing: the bytes of an event stream (CC-SSE).

What the bytes must be is judged in `protocol.framing`; here are the streams it looks at, and what
only headers and the clock can tell.
"""

from itertools import pairwise

from . import prompts
from .battery import LONG, streams
from .chat import Chat
from .expect import each, judge, require, streams_keep, told_apart, trials
from .guards import answered, refuses, status_line, text
from .outcomes import Broken, Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange

APART = 0.0003
"""Seconds between two reads that make them two instants: one burst is read faster than that."""


@requirement("CC-SSE-001")
def test_a_stream_is_labelled_text_event_stream(chat: Chat) -> None:
    for exchange in (chat.stream(), chat.stream(prompts.COUNT, max_tokens=LONG)):
        answered(exchange)
        if refuses(exchange, ("stream",)):
            raise Unsupported(f"refused: {status_line(exchange)}", exchange)
        if (exchange.status or 0) >= 500 and exchange.canary_ok is not True:
            raise Inconclusive(status_line(exchange), exchange)
        require(exchange.status == 200, "status 200", status_line(exchange), on=exchange)
        require(
            exchange.media_type == "text/event-stream",
            "Content-Type: text/event-stream",
            exchange.header("content-type") or "no Content-Type",
            on=exchange,
        )


@requirement("CC-SSE-002")
def test_the_stream_is_valid_utf8(chat: Chat) -> None:
    streams_keep("CC-SSE-002", chat, [*streams(chat), _beyond_ascii(chat)])


def _beyond_ascii(chat: Chat, sample: int = 0) -> Exchange:
    """A stream whose text is beyond ASCII."""
    wanted = f"{prompts.UNICODE['emoji']}{prompts.UNICODE['CJK']}"
    return chat.stream(prompts.repeat(wanted), sample=sample, max_tokens=256)


@requirement("CC-SSE-003")
def test_every_chunk_is_one_event(chat: Chat) -> None:
    streams_keep("CC-SSE-003", chat, streams(chat))


@requirement("CC-SSE-004")
def test_a_blank_line_ends_every_event(chat: Chat) -> None:
    streams_keep("CC-SSE-004", chat, streams(chat))


@requirement("CC-SSE-005")
def test_done_ends_the_stream(chat: Chat) -> None:
    streams_keep("CC-SSE-005", chat, streams(chat))


@requirement("CC-SSE-006")
def test_no_data_follows_done(chat: Chat) -> None:
    streams_keep("CC-SSE-006", chat, streams(chat))


@requirement("CC-SSE-007")
def test_the_body_ends_after_done(chat: Chat) -> None:
    limits = chat.profile.limits
    waits: list[tuple[float, Exchange]] = []
    for number in range(3):
        exchange = chat.stream(sample=number)
        end = chat.reading(exchange).done_end
        done_at = None if end is None else exchange.arrived_at(end - 1)
        if done_at is not None:
            waits.append((exchange.ended_at - done_at, exchange))
            if waits[-1][0] <= limits.held_open_warning_s:
                return  # the smallest of three counts
    if not waits:
        raise Inconclusive("no stream ended with [DONE]")
    wait, exchange = min(waits, key=lambda pair: pair[0])
    required = f"the body ends within {limits.held_open_s:g} s after [DONE]"
    mild = wait <= limits.held_open_s
    require(False, required, f"{wait:.1f} s, the smallest of three", on=exchange, mild=mild)


@requirement("CC-SSE-008")
def test_lines_end_with_lf(chat: Chat) -> None:
    streams_keep("CC-SSE-008", chat, streams(chat))


@requirement("CC-SSE-009")
def test_one_space_follows_the_colon_of_data(chat: Chat) -> None:
    streams_keep("CC-SSE-009", chat, streams(chat))


@requirement("CC-SSE-010")
def test_an_event_has_one_data_line(chat: Chat) -> None:
    streams_keep("CC-SSE-010", chat, streams(chat))


@requirement("CC-SSE-012")
def test_no_event_is_empty_or_other_than_json(chat: Chat) -> None:
    streams_keep("CC-SSE-012", chat, streams(chat))


@requirement("CC-SSE-013")
def test_no_block_is_dispatched_without_data(chat: Chat) -> None:
    streams_keep("CC-SSE-013", chat, streams(chat))


@requirement("CC-SSE-014")
def test_id_fields_are_not_sent(chat: Chat) -> None:
    streams_keep("CC-SSE-014", chat, streams(chat))


@requirement("CC-SSE-015")
def test_chunks_carry_no_event_name(chat: Chat) -> None:
    streams_keep("CC-SSE-015", chat, streams(chat))


@requirement("CC-SSE-016")
def test_every_event_is_a_chunk_or_an_error(chat: Chat) -> None:
    streams_keep("CC-SSE-016", chat, streams(chat))


@requirement("CC-SSE-017")
def test_the_stream_begins_without_a_byte_order_mark(chat: Chat) -> None:
    streams_keep("CC-SSE-017", chat, streams(chat))


@requirement("CC-SSE-018")
def test_the_last_event_is_ended_too(chat: Chat) -> None:
    streams_keep("CC-SSE-018", chat, streams(chat))


@requirement("CC-SSE-020")
def test_no_character_is_split_between_deltas(chat: Chat) -> None:
    wanted = f"{prompts.UNICODE['emoji']}{prompts.UNICODE['CJK']}"
    clean = 0
    for number in range(3):
        exchange = _beyond_ascii(chat, number)
        reading = chat.reading(exchange)
        said = reading.text()
        if any("\ud800" <= c <= "\udfff" for c in said):
            require(False, "no lone surrogate in a delta", said, on=exchange)
        if "\ufffd" not in said:
            clean += 1
            continue
        if _damaged(said, wanted) or _control(chat) == said.replace("\ufffd", ""):
            require(False, "no U+FFFD that the text itself lacks", said, on=exchange)
        raise Inconclusive("U+FFFD came, and whether the model wrote it cannot be told", exchange)
    require(clean == 3, "three intact streams", f"{clean}")


def _damaged(said: str, wanted: str) -> bool:
    """Whether `said` is `wanted` with some characters replaced by runs of U+FFFD."""
    kept = said.replace("\ufffd", "")
    rest = iter(wanted)
    return len(kept) < len(wanted) and bool(kept) and all(character in rest for character in kept)


def _control(chat: Chat) -> str:
    """The same text asked for without `stream`; "" where it cannot be had."""
    wanted = f"{prompts.UNICODE['emoji']}{prompts.UNICODE['CJK']}"
    try:
        return text(chat.ask(prompts.repeat(wanted), max_tokens=256, temperature=0))
    except (Unjudged, Broken):
        return ""


@requirement("CC-SSE-021")
def test_events_arrive_while_the_answer_is_made(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = chat.stream(prompts.COUNT, sample=number, max_tokens=LONG)
        reading = chat.reading(exchange)
        offset = reading.offset_of_first_content
        at = None if offset is None else exchange.arrived_at(offset - 1)
        if at is None or len(reading.chunks) < 20:
            return None
        share = at / exchange.ended_at
        instants = 1 + sum(b.at - a.at > APART for a, b in pairwise(exchange.arrivals))
        looked.append((exchange, f"first content at {share:.0%}, {instants} arrivals"))
        held = share < 0.6 and instants >= 3
        return True if held else told_apart(exchange)

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="first content before 60 % of the time, and 3 arrivals or more",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


@requirement("CC-SSE-022")
def test_a_stream_is_not_content_compressed(chat: Chat) -> None:
    exchange = chat.post(chat.body(stream=True), headers=[("Accept-Encoding", "gzip")])
    answered(exchange)
    coding = exchange.header("content-encoding")
    require(
        coding in (None, "identity"),
        "no Content-Encoding on an event stream",
        f"Content-Encoding: {coding}",
        on=exchange,
    )


@requirement("CC-SSE-023")
def test_a_stream_is_not_cached_and_has_no_length(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        chat.reading(exchange)
        control = (exchange.header("cache-control") or "").lower()
        found = []
        if "no-cache" not in control and "no-store" not in control:
            seen = f"Cache-Control: {control}" if control else "no Cache-Control"
            found.append(Finding("", "Cache-Control: no-cache, or no-store", seen))
        if (length := exchange.header("content-length")) is not None:
            found.append(Finding("", "no Content-Length", f"Content-Length: {length}"))
        return [Sighting(finding, exchange) for finding in found]

    judge(each([chat.stream()], look))


@requirement("CC-SSE-024")
def test_a_stream_that_ends_cleanly_is_whole(chat: Chat) -> None:
    streams_keep("CC-SSE-024", chat, streams(chat))


@requirement("CC-SSE-025")
def test_the_stream_is_never_silent_for_long(chat: Chat) -> None:
    limits = chat.profile.limits

    def look(exchange: Exchange) -> list[Sighting]:
        chat.reading(exchange)
        times = [exchange.headers_at or 0.0, *(a.at for a in exchange.arrivals)]
        gap = max((b - a for a, b in pairwise(times)), default=0.0)
        if gap <= limits.silence_warning_s:
            return []
        required = f"no gap above {limits.silence_s:g} s between bytes"
        return [
            Sighting(Finding("", required, f"{gap:.1f} s", mild=gap <= limits.silence_s), exchange)
        ]

    judge(each(streams(chat), look))


@requirement("CC-SSE-026")
def test_done_occurs_once_and_is_ended(chat: Chat) -> None:
    streams_keep("CC-SSE-026", chat, streams(chat))
