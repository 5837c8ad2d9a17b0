"""Streaming framing: the bytes of an event stream (CC-SSE).

What the bytes must be is judged in `protocol.framing`; here are the streams it looks at, and what
only headers and the clock can tell.
"""

from itertools import pairwise

from .asking import prompts
from .asking.battery import all_streams, cut, long_stream
from .asking.forms import BARE, streamed_formed, with_odds
from .asking.sent import encode, sent_json
from .chat import Chat
from .expect import QUICK, WAITS, each, judge, longest, readings, require, streams_keep, trials
from .guards import answered, legible, lost_unbegun, persists, refuses, status_line, success, text
from .outcomes import Blocked, Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.coding import flushes, inflate
from .protocol.damage import has_lone_surrogate, is_torn
from .protocol.finding import Finding, shorten
from .protocol.sse import decode
from .protocol.stream import StreamReading
from .requirements import requirement
from .wire.exchange import Exchange

APART = 0.0003
"""Seconds between two reads that make them two instants: one burst is read faster than that."""


@requirement("CC-SSE-001")
def test_a_stream_is_labelled_text_event_stream(chat: Chat) -> None:
    for exchange in (chat.stream(), long_stream(chat)):
        answered(exchange, "status 200 and an event stream")
        if refuses(exchange, ("stream",)):
            raise Unsupported(f"refused: {status_line(exchange)}", exchange)
        if (exchange.status or 0) >= 500 and not persists(exchange):
            raise Inconclusive(status_line(exchange), exchange)
        require(exchange.status == 200, "status 200", status_line(exchange), on=exchange)
        _labelled(exchange)
    for exchange in _other_streams(chat):
        sound = exchange.status == 200 or lost_unbegun(exchange)
        require(sound, "status 200", status_line(exchange), on=exchange)
        _labelled(exchange)


def _labelled(exchange: Exchange) -> None:
    if lost_unbegun(exchange):
        answered(exchange, "status 200 and an event stream")
    require(
        exchange.media_type == "text/event-stream",
        "Content-Type: text/event-stream",
        exchange.header("content-type") or "no Content-Type",
        on=exchange,
    )


def _other_streams(chat: Chat) -> list[Exchange]:
    """Streams that offer tools, ask for two choices, a form, log probabilities or text beyond
    ASCII: a server may refuse one, but may not answer it whole."""
    found = [*all_streams(chat), _beyond_ascii(chat)]
    if chat.has("json_schema"):
        found += [call() for call in streamed_formed(chat)]
    if chat.has("logprobs"):
        found.append(with_odds(chat, BARE))
    came = [e for e in found if 200 <= (e.status or 0) < 300 or lost_unbegun(e)]
    return [*came, *(e for e in found if _fails_when_streamed(chat, e))]


def _fails_when_streamed(chat: Chat, exchange: Exchange) -> bool:
    """Whether a 5xx came each time, while the same call is answered without `stream`."""
    if (exchange.status or 0) < 500 or not persists(exchange):
        return False
    whole = {k: v for k, v in sent_json(exchange).items() if k not in ("stream", "stream_options")}
    return chat.post(encode(whole)).status == 200


@requirement("CC-SSE-002")
def test_the_stream_is_valid_utf8(chat: Chat) -> None:
    streams_keep("CC-SSE-002", chat, [*all_streams(chat), _beyond_ascii(chat)])


WANTED = "".join(prompts.UNICODE[script] for script in ("emoji", "CJK", "Arabic"))
"""A text that no byte-level tokenizer has a token for each character of."""


def _beyond_ascii(chat: Chat, sample: int = 0) -> Exchange:
    """A stream whose text is beyond ASCII."""
    return chat.stream(prompts.repeat(WANTED), sample=sample, **{chat.bound_name: 256})


@requirement("CC-SSE-003")
def test_every_chunk_is_one_event(chat: Chat) -> None:
    streams_keep("CC-SSE-003", chat, all_streams(chat))


@requirement("CC-SSE-004")
def test_a_blank_line_ends_every_event(chat: Chat) -> None:
    streams_keep("CC-SSE-004", chat, all_streams(chat))


@requirement("CC-SSE-005")
def test_done_ends_the_stream(chat: Chat) -> None:
    streams_keep("CC-SSE-005", chat, all_streams(chat))


@requirement("CC-SSE-006")
def test_no_data_follows_done(chat: Chat) -> None:
    streams_keep("CC-SSE-006", chat, all_streams(chat))


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
        raise Blocked("CC-SSE-005", "no stream ended with [DONE]", exchange)
    required = f"the body ends within {limits.held_open_s:g} s after [DONE]"
    mild = min(wait for wait, _ in waits) <= limits.held_open_s
    judge(
        Sighting(Finding("", required, f"{wait:.1f} s", mild=mild), exchange)
        for wait, exchange in waits
    )


@requirement("CC-SSE-008")
def test_lines_end_with_lf(chat: Chat) -> None:
    streams_keep("CC-SSE-008", chat, all_streams(chat))


@requirement("CC-SSE-009")
def test_one_space_follows_the_colon_of_data(chat: Chat) -> None:
    streams_keep("CC-SSE-009", chat, all_streams(chat))


@requirement("CC-SSE-010")
def test_an_event_has_one_data_line(chat: Chat) -> None:
    streams_keep("CC-SSE-010", chat, all_streams(chat))


@requirement("CC-SSE-012")
def test_no_event_is_empty_or_other_than_json(chat: Chat) -> None:
    streams_keep("CC-SSE-012", chat, all_streams(chat))


@requirement("CC-SSE-013")
def test_no_block_is_dispatched_without_data(chat: Chat) -> None:
    streams_keep("CC-SSE-013", chat, all_streams(chat))


@requirement("CC-SSE-014")
def test_id_fields_are_not_sent(chat: Chat) -> None:
    streams_keep("CC-SSE-014", chat, all_streams(chat))


@requirement("CC-SSE-015")
def test_chunks_carry_no_event_name(chat: Chat) -> None:
    streams_keep("CC-SSE-015", chat, all_streams(chat))


@requirement("CC-SSE-016")
def test_every_event_is_a_chunk_or_an_error(chat: Chat) -> None:
    streams_keep("CC-SSE-016", chat, all_streams(chat))


@requirement("CC-SSE-017")
def test_the_stream_begins_without_a_byte_order_mark(chat: Chat) -> None:
    streams_keep("CC-SSE-017", chat, all_streams(chat))


@requirement("CC-SSE-018")
def test_the_last_event_is_ended_too(chat: Chat) -> None:
    streams_keep("CC-SSE-018", chat, all_streams(chat))


@requirement("CC-SSE-020")
def test_no_character_is_split_between_deltas(chat: Chat) -> None:
    for number in range(3):
        exchange = _beyond_ascii(chat, number)
        said = chat.reading(exchange).text()
        halved = has_lone_surrogate(said)
        require(not halved, "no lone surrogate in a delta", shorten(said), on=exchange)
        if "\ufffd" not in said:
            continue
        torn = is_torn(said, WANTED) or _is_torn_control(said, _control(chat))
        required = "no U+FFFD that the text itself lacks"
        require(not torn, required, shorten(said), on=exchange)
        raise Inconclusive("U+FFFD came, and whether the model wrote it cannot be told", exchange)


def _is_torn_control(said: str, control: str) -> bool:
    """Whether `said` is the control's text, or nothing but damage where that holds `WANTED`."""
    nothing_else = not said.replace("\ufffd", "").strip()
    return is_torn(said, control) or (nothing_else and WANTED in control)


def _control(chat: Chat) -> str:
    """The same text asked for without `stream`; "" where it cannot be had."""
    fields = {chat.bound_name: 256, "temperature": 0}
    try:
        return text(chat.ask(prompts.repeat(WANTED), **fields))
    except Unjudged:
        return ""


@requirement("CC-SSE-021")
def test_events_arrive_while_the_answer_is_made(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = long_stream(chat, number)
        reading = chat.reading(exchange)
        times = _departures(exchange, reading)
        if not times or len(reading.text() + reading.reasoning()) < LONG_TEXT:
            return None
        share, instants = times[0] / exchange.ended_at, _instants(times)
        looked.append((exchange, f"first output at {share:.0%}, {instants} arrivals"))
        short = longest(cut(chat, sample) for sample in range(WAITS)) if share >= EARLY else None
        return arrived_as_made(times, exchange.ended_at, short)

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="first output before 60 % of the time, and 3 arrivals or more",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


EARLY = 0.6
"""The share of a stream's time before which its output begins."""

LONG_TEXT = 100
"""Characters of an answer of about 100 tokens, even where each digit is one."""


def _departures(exchange: Exchange, reading: StreamReading) -> list[float]:
    """When each event with output had arrived, in seconds."""
    times = (exchange.arrived_at(offset - 1) for offset in reading.output_offsets)
    return [at for at in times if at is not None]


def _instants(times: list[float]) -> int:
    """How many instants these are: reads closer than `APART` are one."""
    return 1 + sum(later - sooner > APART for sooner, later in pairwise(times))


def arrived_as_made(times: list[float], ended: float, short: float | None) -> bool | None:
    """Whether output that arrived at `times` of a stream came while the answer was made; None where
    nobody can tell.

    The wait may have been for the model's first token, as after a queue, and not for its last: then
    the output began no later than a plain answer of `TIGHT` tokens takes as a whole (`short`, the
    longest of some; None without one). What follows such a wait in less than `QUICK` may be a quick
    model's.

    Args:
        times: seconds, one for each event with output, none of them missing.
        ended: when the stream ended.
    """
    if _instants(times) < 3:
        return None if ended < QUICK else False
    if times[0] < EARLY * ended:
        return True
    waited = short is not None and times[0] <= 1.5 * short
    if waited and times[-1] - times[0] >= QUICK:
        return True
    return None if waited or ended < QUICK else False


@requirement("CC-SSE-022")
def test_a_stream_is_not_content_compressed(chat: Chat) -> None:
    exchange = chat.post(chat.body(stream=True), headers=[("Accept-Encoding", "gzip")])
    success(legible(exchange))
    coding = (exchange.header("content-encoding") or "identity").strip().lower()
    if coding == "identity":
        return
    body = inflate(exchange.body) if coding in ("gzip", "x-gzip") else None
    events = len(decode(body).events) if body is not None else 0
    flushed = flushes(exchange.body)
    require(
        events > 0 and flushed >= min(3, events),
        "no Content-Encoding on an event stream, or a flush after each event",
        f"Content-Encoding: {coding}, {flushed} flushes in {events} events",
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
    streams_keep("CC-SSE-024", chat, all_streams(chat))


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

    judge(each(all_streams(chat), look))


@requirement("CC-SSE-026")
def test_done_occurs_once_and_is_ended(chat: Chat) -> None:
    streams_keep("CC-SSE-026", chat, all_streams(chat))


@requirement("CC-SSE-011")
def test_comments_between_events_are_ignored(chat: Chat) -> None:
    found = readings(chat, all_streams(chat))
    lines = [line for _, r in found for block in r.decoder.blocks for line in block.lines]
    comments = [line for line in lines if line.is_comment]
    if not comments:
        raise Unsupported("no stream carried a comment")
    gaps = [gap for e, r in found for gap in _spacing(e, r)]
    spaced = f", {min(gaps):.1f} s to {max(gaps):.1f} s apart" if gaps else ""
    chat.observe(f"{len(comments)} comments in {len(found)} streams{spaced}")


def _spacing(exchange: Exchange, reading: StreamReading) -> list[float]:
    """The seconds between the comments of a stream."""
    ends = [line.end for block in reading.decoder.blocks for line in block.lines if line.is_comment]
    times = [at for at in (exchange.arrived_at(end - 1) for end in ends) if at is not None]
    return [later - sooner for sooner, later in pairwise(times)]


@requirement("CC-SSE-019")
def test_the_transport_cuts_streams_anywhere(chat: Chat) -> None:
    exchange = long_stream(chat)
    reading = chat.reading(exchange)
    ends = {event.end for event in reading.events}
    cut = sum(arrival.end not in ends for arrival in exchange.arrivals)
    chat.observe(
        f"{len(reading.events)} events came in {len(exchange.arrivals)} reads, {cut} of which "
        "ended inside an event"
    )
