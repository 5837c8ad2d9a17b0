"""Transport & HTTP: one JSON document or one event stream, framed as HTTP says (CC-HTTP)."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from .asking import prompts
from .asking.battery import (
    BROKEN_JSON,
    LONG,
    TIGHT,
    all_null,
    conversation,
    good_streams,
    particular,
    plain,
)
from .asking.invalid import invalid, refusals, replayed, unknown_parameter
from .asking.sent import facts_of, sent_json
from .asking.served import served
from .chat import Chat
from .expect import WAITS, each, judge, longest, require, sightings_of, told_apart, trials
from .guards import (
    REPEATS_THAT_COUNT,
    accepted,
    answered,
    body_text,
    broken,
    choices_of,
    completion,
    legible,
    not_5xx,
    persists,
    status_line,
    success,
    unasked_coding,
)
from .lost import ENDPOINT, FRAMING, breaks_framing, broken_by, is_lost, told
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.finding import Finding, shorten
from .protocol.jsontext import findings, loads_leniently, read_document
from .protocol.logprobs import holds_nan
from .protocol.media import findings as media_findings
from .requirements import requirement
from .wire.exchange import Exchange, FailureKind
from .wire.raw import RawReply, exchange_raw


def documents_keep(requirement_id: str, exchanges: list[Exchange]) -> None:
    """Every body is the JSON document that the requirement demands."""

    def look(exchange: Exchange) -> list[Sighting]:
        found = findings(read_document(success(exchange).body))
        return sightings_of(requirement_id, found, exchange)

    judge(each(exchanges, look))


@requirement("CC-HTTP-001")
def test_the_plainest_call_is_answered_with_choices(chat: Chat) -> None:
    exchange = chat.canary()
    if broken_by(exchange) == ENDPOINT:
        broken("a reply", told(exchange), exchange)
    answered(exchange)
    status = exchange.status or 0
    if status >= 500:
        raise Inconclusive(status_line(exchange), exchange)
    require(status == 200, "status 200", status_line(exchange), on=exchange)
    value = read_document(exchange.body).value
    if not isinstance(value, dict):
        raise Blocked("CC-HTTP-002", f"no JSON object: {body_text(exchange)}", exchange)
    require("choices" in value, "a JSON object with choices", value, on=exchange)


@requirement("CC-HTTP-002")
def test_a_success_is_one_json_object(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        if 200 < (answered(exchange).status or 0) < 300:
            return [Sighting(Finding("", "status 200", status_line(exchange)), exchange)]
        document = read_document(success(exchange).body)
        if has_bare_nan(exchange):
            return []  # CC-LOGP-003
        return sightings_of("CC-HTTP-002", findings(document), exchange)

    try:
        replies = [*plain(chat), *particular(chat)]
    except Inconclusive:  # it stopped answering: what it said before is judged
        judge(each([chat.canary()], look))
        raise
    judge(each(replies, look))


def has_bare_nan(exchange: Exchange) -> bool:
    """Whether a bare NaN or infinity stands in the log probabilities that were asked for."""
    if not facts_of(sent_json(exchange)).logprobs:
        return False
    value = loads_leniently(exchange.body.decode("utf-8", "replace"))
    return isinstance(value, dict) and holds_nan(choices_of(value))


@requirement("CC-HTTP-003")
def test_a_success_is_labelled_application_json(chat: Chat) -> None:
    judge(
        each(
            [*plain(chat), *particular(chat), *served(chat)],
            lambda e: [Sighting(f, e) for f in media_findings(success(e).header("content-type"))],
        )
    )


@requirement("CC-HTTP-004")
def test_without_stream_the_reply_is_no_event_stream(chat: Chat) -> None:
    nulled = all_null(chat)

    def look(exchange: Exchange) -> list[Sighting]:
        if exchange is nulled and 400 <= (exchange.status or 0) < 500:
            return []  # CC-REQ-015 judges null
        success(exchange)
        if exchange.media_type != "text/event-stream" and not exchange.body.lstrip().startswith(
            b"data:"
        ):
            return []
        required = "a JSON document"
        return [Sighting(Finding("", required, body_text(exchange)), exchange)]

    judge(each([chat.ask(), nulled, chat.ask(stream=False)], look))


ACCEPTS = ("application/json", "text/event-stream", "")
"""Accept headers of streamed calls beside the usual `*/*`; "" sends none."""


@requirement("CC-HTTP-005")
def test_stream_decides_the_form_and_not_accept(chat: Chat) -> None:
    def is_stream(exchange: Exchange) -> list[Sighting]:
        not_5xx(exchange, "an event stream")
        if exchange.status == 200 and exchange.media_type == "text/event-stream":
            return []
        accept = dict(exchange.request.headers).get("Accept", "*/*")
        seen = f"{exchange.media_type or 'no Content-Type'}, {status_line(exchange)}"
        required = f"text/event-stream, whatever Accept says ({accept or 'nothing'})"
        return [Sighting(Finding("", required, seen), exchange)]

    if chat.has("stream"):
        plain_stream = answered(chat.stream())
        if plain_stream.status != 200 or plain_stream.media_type != "text/event-stream":
            raise Blocked("CC-SSE-001", status_line(plain_stream), plain_stream)
        body = chat.body(stream=True)
        judge(each([chat.post(body, headers=[("Accept", a)]) for a in ACCEPTS], is_stream))
    exchange = chat.post(chat.body(), headers=[("Accept", "text/event-stream")])
    accepted(exchange, what="Accept: text/event-stream without stream")
    require(
        exchange.media_type != "text/event-stream",
        "JSON without stream, whatever Accept says",
        exchange.media_type,
        on=exchange,
    )


@requirement("CC-HTTP-006")
def test_nothing_follows_the_document(chat: Chat) -> None:
    documents_keep("CC-HTTP-006", [*plain(chat), *served(chat)])


@requirement("CC-HTTP-007")
def test_a_body_begins_without_a_byte_order_mark(chat: Chat) -> None:
    documents_keep("CC-HTTP-007", [*plain(chat), *served(chat)])

    def look(exchange: Exchange) -> list[Sighting]:
        found = findings(read_document(answered(exchange).body))
        return sightings_of("CC-HTTP-007", found, exchange)

    if found := refusals(chat):
        judge(each(found, look))


@requirement("CC-HTTP-008")
def test_space_before_the_document_is_insignificant(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        document = read_document(success(exchange).body)
        if document.error is not None:
            raise Blocked("CC-HTTP-002", document.error, exchange)
        return []

    judge(each(plain(chat), look))


@requirement("CC-HTTP-009")
def test_messages_are_framed_completely(chat: Chat) -> None:
    judge(_cut_short(chat.canary()))  # where that is lost each time, nothing else is asked

    def look(reply: RawReply) -> list[Sighting]:
        whole = reply
        for _ in range(REPEATS_THAT_COUNT):
            if whole.response is not None and not is_lost(whole.exchange):
                break  # else the target closed before, or somebody on the way: ask again, alone
            whole = exchange_raw(chat.client, reply.exchange.request, linger=0.2)
            chat.note(whole.exchange)
        if whole.response is None:
            return _unbegun(whole)
        return [Sighting(f, whole.exchange) for f in whole.response.findings]

    # A refusal may be lost with a connection on which not all was read: its reset tells nothing.
    refusals = [exchange for exchange in faulty(chat) if not _is_reset(exchange)]
    listed = [chat.get("/models")] if chat.has("models") else []
    streamed = good_streams(chat) if chat.has("stream") else []
    begun = refused_streams(chat) if chat.has("stream") else []
    standing = [*plain(chat), *streamed, *refusals, *begun, *listed]
    judge([*each(conversation(chat), look), *(s for e in standing for s in _cut_short(e))])


def refused_streams(chat: Chat) -> list[Exchange]:
    """Streams that are refused, or would be without `stream`: where one begins all the same, it may
    break off."""
    options = chat.stream(stream_options={"include_usage": "yes"})
    found = [*(one for _, one in replayed(chat)), unknown_parameter(chat, stream=True), options]
    return [exchange for exchange in found if not _is_reset(exchange)]


def _cut_short(exchange: Exchange) -> list[Sighting]:
    """A sighting if the reply has two lengths, or ended before its end each time that it came."""
    lengths = [exchange.header(name) for name in ("transfer-encoding", "content-length")]
    if all(lengths):
        required = "never both Transfer-Encoding and Content-Length"
        return [Sighting(Finding("", required, " and ".join(map(str, lengths))), exchange)]
    required = "the reply is framed completely"
    if broken_by(exchange) == FRAMING:
        return [Sighting(Finding("", required, told(exchange)), exchange)]
    if not breaks_framing(exchange) or not persists(exchange):
        return []
    return [Sighting(Finding("", required, str(exchange.failure)), exchange)]


def _is_reset(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.RESET


def _unbegun(reply: RawReply) -> list[Sighting]:
    """A reply that never began: nobody's fault unless it is no HTTP at all."""
    failure = reply.exchange.failure
    if failure is not None and failure.kind is FailureKind.PROTOCOL:
        required = "a reply that begins with an HTTP/1.1 status line"
        return [Sighting(Finding("", required, shorten(reply.exchange.body)), reply.exchange)]
    raise Inconclusive(str(failure), reply.exchange)


@requirement("CC-HTTP-017")
def test_a_connection_can_be_reused(chat: Chat) -> None:
    lost: list[Loss] = []
    for number in range(REPEATS_THAT_COUNT):  # an idle connection may be closed just as it is used
        replies = conversation(chat, number)
        found = _lost(replies)
        if found is None:
            return
        lost.append(found)
        if found.step != lost[0].step:
            raise Inconclusive(f"lost {lost[0].step}, then {found.step}: at times", found.exchange)
    last = lost[-1]
    if not last.before:
        raise Inconclusive(str(last.exchange.failure), last.exchange)
    if (last.before.status or 0) >= 500:
        seen = f"{status_line(last.before)}, and the connection is closed"
        raise Blocked("CC-ERR-010", seen, last.before)
    required = f"a complete reply on the same connection {last.step}"
    ends = [one.exchange for one in lost]
    judge(Sighting(Finding("", required, str(end.failure)), end) for end in ends)


@dataclass(frozen=True, slots=True)
class Loss:
    """The first exchange of a conversation that is not complete, and the one before, if any."""

    step: str
    before: Exchange | None
    exchange: Exchange


STEPS = ("at once", "after a success", "after a 4xx", "after a finished stream")
"""When each request of a conversation is sent."""


def _lost(replies: Sequence[RawReply]) -> Loss | None:
    """Where a conversation was lost; None where it was not.

    Raises `Unsupported` where that was announced, `Inconclusive` where a reply did not end.
    """
    number = next((n for n, one in enumerate(replies) if not one.exchange.complete), None)
    if number is None:
        return None
    exchange, before = replies[number].exchange, replies[number - 1] if number else None
    unended = (FailureKind.TIMEOUT, FailureKind.TOO_LARGE)
    given_up = exchange.failure is not None and exchange.failure.kind in unended
    if given_up and not (before and before.response and before.response.findings):
        raise Inconclusive(str(exchange.failure), exchange)
    if before and _announces_close(before):
        raise Unsupported(f"closes the connection {STEPS[number]}, and says so", before.exchange)
    return Loss(STEPS[number], before.exchange if before else None, exchange)


def _announces_close(reply: RawReply) -> bool:
    """Whether a reply says that its connection ends with it, as RFC 9112 §9.3 lets it."""
    if reply.response is None:
        return False
    options = (reply.response.header("connection") or "").lower()
    old = reply.response.version == "1.0" and "keep-alive" not in options
    return old or "close" in options or reply.response.framing == "close"


@requirement("CC-HTTP-018")
def test_only_a_coding_that_was_asked_for_is_applied(chat: Chat) -> None:
    def plainly(exchange: Exchange) -> list[Sighting]:
        coding = unasked_coding(answered(exchange, coded=True))
        required = "no Content-Encoding under Accept-Encoding: identity"
        return [Sighting(Finding("", required, coding), exchange)] if coding else []

    streamed = good_streams(chat) if chat.has("stream") else []
    judge(each([*plain(chat), *streamed, *served(chat), *refusals(chat)], plainly))
    zipped = chat.post(chat.body(), headers=[("Accept-Encoding", "gzip")])
    coding = unasked_coding(answered(legible(zipped), coded=True))
    require(coding is None, "gzip or identity under Accept-Encoding: gzip", coding, on=zipped)
    success(legible(zipped))
    if (zipped.header("content-encoding") or "identity").strip().lower() == "identity":
        return
    try:
        body = gzip.decompress(zipped.body)
    except (OSError, EOFError, zlib.error) as error:
        broken("a body that decodes as gzip", f"{error}", zipped)
    completion(chat.ask())
    found = read_document(body)
    require(found.is_object, "a JSON object once gzip is undone", shorten(body), on=zipped)


def faulty(chat: Chat) -> list[Exchange]:
    """Two kinds of refusal: by whoever reads the body, and by whoever understands it."""
    return [chat.post(BROKEN_JSON), invalid(chat, "temperature below 0")]


@requirement("CC-HTTP-025")
def test_headers_of_a_stream_come_before_its_end(chat: Chat) -> None:
    if not chat.has("stream"):
        raise Unsupported("stream is refused")
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.stream(prompts.COUNT, sample=number, max_tokens=LONG)
        chat.reading(exchange)
        looked.append(exchange)
        if (exchange.headers_at or 0.0) < 0.8 * exchange.ended_at:
            return True
        return told_apart(exchange) if _withheld(chat, exchange) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="the headers arrive in the first 80 % of the time",
        seen=lambda: f"{looked[-1].headers_at or 0:.3f} of {looked[-1].ended_at:.3f} s",
        on=lambda: looked[-1],
    )


def _withheld(chat: Chat, exchange: Exchange) -> bool:
    """Whether the headers of a long answer came later than a whole short one, by far (the control).

    A server that waits for its first token, and is quick from then on, does not keep the headers
    of a long answer any longer than those of a short one.
    """
    asked = (chat.stream(prompts.COUNT, sample=one, max_tokens=TIGHT) for one in range(WAITS))
    short = longest(asked)
    return short is not None and (exchange.headers_at or 0.0) > 2 * short
