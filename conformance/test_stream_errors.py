"""Errors in streams: what goes wrong is told as an error, before or during the stream (CC-SERR).

A fault in the middle of a stream cannot be ordered from an arbitrary target. These checks look at
every error event that the standing streams hold, and at the prompt that the profile names under
`[triggers] stream_error`; with neither they are UNSUPPORTED.
"""

import json
from collections.abc import Iterator

from .asking.battery import BROKEN_JSON, BROKEN_STREAM, streams, was_cut
from .asking.credentials import WRONG_KEY
from .asking.invalid import INVALID, unknown_model
from .asking.sent import encode
from .chat import Chat
from .expect import QUICK, each, judge, require, streams_keep
from .guards import answered, persists, status_line
from .outcomes import Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-SERR-001")
def test_faults_of_the_request_are_http_errors(chat: Chat) -> None:
    cases: list[tuple[Exchange, Exchange]] = []
    cases.append((chat.post(BROKEN_JSON), chat.post(BROKEN_STREAM)))
    for name in ("messages left out", "model unknown"):
        plain = INVALID[name].body(chat)
        cases.append((chat.post(plain), chat.post(encode({**json.loads(plain), "stream": True}))))
    if chat.has("auth"):
        wrong = f"Bearer {WRONG_KEY}"
        cases.append(
            (
                chat.post(chat.body(), authorization=wrong),
                chat.post(chat.body(stream=True), authorization=wrong),
            )
        )

    def look(exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        if 400 <= (exchange.status or 0) < 500:
            return []
        if (exchange.status or 0) >= 500 and not persists(exchange):
            raise Inconclusive(status_line(exchange), exchange)
        required = "the 4xx that the same request gets without stream"
        return [Sighting(Finding("", required, status_line(exchange)), exchange)]

    refused_plainly = [s for p, s in cases if 400 <= (p.status or 0) < 500]
    at_once = _failed_at_once(chat)
    if not refused_plainly and not at_once:
        raise Inconclusive(f"nothing is refused without stream either ({unknown_model()})")
    judge([*each(refused_plainly, look), *at_once])


def _failed_at_once(chat: Chat) -> list[Sighting]:
    """A warning for each stream that is an error from its first byte on.

    Once headers are sent, or a comment, an event is all that can tell of a fault.
    """
    found = []
    for exchange in _readable(chat):
        reading = chat.reading(exchange)
        first = reading.items[0] if reading.items else None
        if first is None or first not in reading.error_events or first.span[0] > 0:
            continue
        waited = (exchange.arrived_at(0) or 0.0) - (exchange.headers_at or 0.0)
        if waited < QUICK:
            required = "an HTTP error, as long as nothing was sent"
            seen = f"status {exchange.status}, and an error event that nothing precedes"
            found.append(Sighting(Finding("", required, seen, first.where, mild=True), exchange))
    return found


def failed_streams(chat: Chat) -> list[Exchange]:
    """The streams that hold an error event, and the one that the profile's trigger makes fail.

    Raises `Unsupported` when none can be had, or when the target tells faults by cutting the
    connection, which it may (CC-SSE-024).
    """
    trigger = triggered(chat)
    if trigger is not None and was_cut(trigger):
        raise Unsupported("the target cuts the connection where a stream fails", trigger)
    found = [e for e in _readable(chat) if chat.reading(e).error_events]
    if trigger is not None and all(e is not trigger for e in found):
        found.append(trigger)
    if not found:
        raise Unsupported("no stream failed, and the profile names no prompt that makes one fail")
    return found


def triggered(chat: Chat) -> Exchange | None:
    """The stream that the profile's trigger makes fail; None where it names none."""
    trigger = chat.profile.triggers.get("stream_error")
    return None if trigger is None else chat.stream(trigger)


def _readable(chat: Chat) -> Iterator[Exchange]:
    for exchange in streams(chat):
        try:
            chat.reading(exchange)
        except Unjudged:
            continue
        yield exchange


@requirement("CC-SERR-002")
def test_a_fault_after_the_first_byte_is_an_error_event(chat: Chat) -> None:
    exchanges = failed_streams(chat)
    streams_keep("CC-SERR-002", chat, exchanges)
    told = any(chat.reading(exchange).error_events for exchange in exchanges)
    require(told, "an event whose data is an error object", "none", on=exchanges[-1])


@requirement("CC-SERR-003")
def test_the_error_in_a_stream_is_an_object_with_a_message(chat: Chat) -> None:
    streams_keep("CC-SERR-003", chat, failed_streams(chat))


@requirement("CC-SERR-004")
def test_a_failed_stream_does_not_look_complete(chat: Chat) -> None:
    trigger = triggered(chat)
    if trigger is not None and was_cut(trigger):
        return
    streams_keep("CC-SERR-004", chat, failed_streams(chat))
    if trigger is None:
        return
    reading = chat.reading(trigger)
    complete = not reading.error_events and reading.done and reading.finish_reason() == "stop"
    require(
        not complete,
        "an error event, or a connection cut short",
        "finish_reason 'stop' and [DONE], as if nothing had happened",
        on=trigger,
    )


@requirement("CC-SERR-005")
def test_the_body_ends_after_an_error_event(chat: Chat) -> None:
    limits = chat.profile.limits

    def look(exchange: Exchange) -> list[Sighting]:
        wait = _held_open(chat, exchange)
        for number in range(AGAIN, AGAIN + 2):
            if wait > limits.held_open_warning_s:  # the smallest counts, as in CC-SSE-007
                again = chat.send(exchange.request, sample=number)
                if chat.reading(again).error_events:
                    wait = min(wait, _held_open(chat, again))
        if wait <= limits.held_open_warning_s:
            return []
        required = f"the body ends within {limits.held_open_s:g} s after the error event"
        mild = wait <= limits.held_open_s
        return [Sighting(Finding("", required, f"{wait:.1f} s", mild=mild), exchange)]

    judge(each(failed_streams(chat), look))


AGAIN = 50
"""Samples of failed streams that no other check asks for."""


def _held_open(chat: Chat, exchange: Exchange) -> float:
    """The seconds from a stream's error event to the end of its body; 0 without such an event."""
    events = chat.reading(exchange).error_events
    at = exchange.arrived_at(events[-1].span[1] - 1) if events else None
    return 0.0 if at is None else exchange.ended_at - at


@requirement("CC-SERR-006")
def test_an_error_is_not_disguised_as_text(chat: Chat) -> None:
    exchange = triggered(chat)
    if exchange is None:
        raise Unsupported("the profile names no prompt that makes a stream fail")
    if was_cut(exchange):
        return
    said = chat.reading(exchange).text()
    disguised = "error" in said.lower() and not chat.reading(exchange).error_events
    require(not disguised, "the error is an event of its own", f"text {said!r}", on=exchange)


@requirement("CC-SERR-007")
def test_the_error_object_stands_alone(chat: Chat) -> None:
    streams_keep("CC-SERR-007", chat, failed_streams(chat))


@requirement("CC-SERR-008")
def test_an_error_event_may_be_named_error(chat: Chat) -> None:
    names = {
        line.value
        for exchange in failed_streams(chat)
        for event in chat.reading(exchange).error_events
        for line in event.event.block.fields("event")
    }
    # Any other name than `error` is CC-SSE-015's.
    named = f"errors are named {', '.join(sorted(names))}" if names else "errors carry no name"
    chat.observe(f"{named}; they are read either way")
