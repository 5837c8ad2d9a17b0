"""Transport & HTTP: one JSON document or one event stream, framed as HTTP says (CC-HTTP)."""

import gzip
import json
import zlib

from . import prompts
from .battery import BROKEN_JSON, LONG, TIGHT, all_null, beyond_ascii, conversation, plain, streams
from .chat import Chat
from .expect import each, judge, require, sightings_of, told_apart, trials
from .guards import (
    BROKEN_FRAMING,
    accepted,
    answered,
    body_text,
    broken,
    completion,
    error_object,
    not_5xx,
    persists,
    refused,
    status_line,
    success,
    unasked_coding,
    usage,
)
from .invalid import NO_OBJECTS, hostile, invalid
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.finding import Finding, shorten
from .protocol.jsontext import findings, read_document
from .protocol.media import findings as media_findings
from .requirements import requirement
from .sent import CHAT_PATH, encode, sent_json
from .wire.exchange import Exchange, FailureKind, Request
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
    documents_keep("CC-HTTP-002", plain(chat))


@requirement("CC-HTTP-003")
def test_a_success_is_labelled_application_json(chat: Chat) -> None:
    judge(
        each(
            plain(chat),
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
        plain_stream = chat.stream()
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
    documents_keep("CC-HTTP-006", plain(chat))


@requirement("CC-HTTP-007")
def test_a_body_begins_without_a_byte_order_mark(chat: Chat) -> None:
    documents_keep("CC-HTTP-007", plain(chat))


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
    def look(reply: RawReply) -> list[Sighting]:
        whole = reply
        if reply.response is None:  # the target closed before: ask again, alone
            whole = exchange_raw(chat.client, reply.exchange.request, linger=0.2)
            chat.note(whole.exchange)
        if whole.response is None:
            return _lost(whole)
        return [Sighting(f, whole.exchange) for f in whole.response.findings]

    standing = [*plain(chat), *(streams(chat) if chat.has("stream") else []), *faulty(chat)]
    judge([*each(conversation(chat), look), *(s for e in standing for s in _cut_short(e))])


def _cut_short(exchange: Exchange) -> list[Sighting]:
    """A sighting if the reply ended before its declared end each time that it was asked for."""
    failure = exchange.failure
    if failure is None or failure.kind not in BROKEN_FRAMING or not persists(exchange):
        return []
    return [Sighting(Finding("", "the reply is framed completely", str(failure)), exchange)]


def _lost(reply: RawReply) -> list[Sighting]:
    """A reply that never began: nobody's fault unless it is no HTTP at all."""
    failure = reply.exchange.failure
    if failure is not None and failure.kind is FailureKind.PROTOCOL:
        required = "a reply that begins with an HTTP/1.1 status line"
        return [Sighting(Finding("", required, shorten(reply.exchange.body)), reply.exchange)]
    raise Inconclusive(str(failure), reply.exchange)


@requirement("CC-HTTP-010")
def test_a_charset_parameter_changes_nothing(chat: Chat) -> None:
    labelled = ("Content-Type", "application/json; charset=utf-8")
    accepted(chat.post(chat.body(), headers=[labelled]), what="; charset=utf-8")


@requirement("CC-HTTP-011")
def test_another_media_type_is_parsed_or_refused(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        not_5xx(exchange, "status 200, 400, 415 or 422")
        if exchange.status not in (200, 400, 415, 422):
            required = "status 200, 400, 415 or 422"
            return [Sighting(Finding("", required, status_line(exchange)), exchange)]
        return [] if exchange.status == 200 else _no_envelope(exchange)

    types = ("text/plain", "application/x-www-form-urlencoded")
    judge(each([chat.post(chat.body(), headers=[("Content-Type", t)]) for t in types], look))


def _no_envelope(exchange: Exchange) -> list[Sighting]:
    """A sighting unless the reply carries an error object with a message."""
    value = read_document(exchange.body).value
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return []
    required = 'the envelope {"error": {"message": …}}'
    return [Sighting(Finding("", required, status_line(exchange)), exchange)]


@requirement("CC-HTTP-012")
def test_a_body_that_is_no_json_is_refused(chat: Chat) -> None:
    exchange = chat.post(BROKEN_JSON)
    refused(exchange, what="a body that is no JSON", statuses=(400, 422))
    error_object(exchange)


@requirement("CC-HTTP-013")
def test_a_body_that_is_no_object_is_refused(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        refused(exchange, what=f"the body {shorten(exchange.request.body or b'')}")
        return _no_envelope(exchange)

    judge(each([chat.post(body) for body in NO_OBJECTS], look))


@requirement("CC-HTTP-014")
def test_another_method_is_refused_with_allow(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        not_5xx(exchange, "status 405 or 404")
        if exchange.status not in (404, 405):
            return [Sighting(Finding("", "status 405 or 404", status_line(exchange)), exchange)]
        found = _no_envelope(exchange)
        if exchange.status == 405 and exchange.header("allow") is None:
            found.append(Sighting(Finding("", "an Allow header", "none"), exchange))
        return found

    methods = ("PUT", "DELETE")
    judge(each([chat.post(chat.body(), method=method) for method in methods], look))


@requirement("CC-HTTP-015")
def test_an_unknown_path_is_a_json_404(chat: Chat) -> None:
    exchange = not_5xx(chat.post(chat.body(), path="/chat/completionz"), "status 404")
    require(exchange.status == 404, "status 404", status_line(exchange), on=exchange)
    judge(_no_envelope(exchange))


@requirement("CC-HTTP-016")
def test_the_documented_path_is_not_redirected_to_get(chat: Chat) -> None:
    for exchange in (chat.ask(), chat.post(chat.body(), path=f"{CHAT_PATH}/")):
        not_5xx(exchange, "no 301, 302 or 303")
        require(
            exchange.status not in (301, 302, 303),
            "no 301, 302 or 303",
            f"{exchange.status} to {exchange.header('location')}",
            on=exchange,
        )


@requirement("CC-HTTP-017")
def test_a_connection_can_be_reused(chat: Chat) -> None:
    replies = conversation(chat)
    first = replies[0].exchange
    if not first.complete:
        raise Inconclusive(str(first.failure), first)
    steps = ("a success", "a 4xx", "a finished stream")
    for step, before, reply in zip(steps, replies, replies[1:], strict=False):
        exchange = reply.exchange
        timed_out = exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT
        if timed_out and not (before.response and before.response.findings):
            raise Inconclusive(str(exchange.failure), exchange)
        if not exchange.complete and _announces_close(before):
            raise Unsupported(f"closes the connection after {step}, and says so", before.exchange)
        if not exchange.complete and (before.exchange.status or 0) >= 500:
            seen = f"{status_line(before.exchange)}, and the connection is closed"
            raise Blocked("CC-ERR-010", seen, before.exchange)
        require(
            exchange.complete,
            f"a complete reply on the same connection after {step}",
            str(exchange.failure),
            on=exchange,
        )


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

    streamed = [chat.stream()] if chat.has("stream") else []
    judge(each([chat.ask(), *streamed, *faulty(chat)], plainly))
    zipped = chat.post(chat.body(), headers=[("Accept-Encoding", "gzip")])
    coding = unasked_coding(answered(zipped, coded=True))
    require(coding is None, "gzip or identity under Accept-Encoding: gzip", coding, on=zipped)
    success(zipped)
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


UNKNOWN_HEADERS = (
    ("x-stainless-lang", "python"),
    ("x-stainless-package-version", "3.54.0"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-runtime", "CPython"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-async", "false"),
    ("OpenAI-Beta", "assistants=v2"),
    ("HTTP-Referer", "https://example.org"),
    ("X-Title", "conformance"),
)


@requirement("CC-HTTP-019")
def test_unknown_request_headers_are_ignored(chat: Chat) -> None:
    bare = success(chat.ask())
    exchange = chat.post(chat.body(), headers=UNKNOWN_HEADERS)
    not_5xx(exchange, f"status {bare.status}, as without them")
    require(
        exchange.status == bare.status,
        f"status {bare.status}, as without them",
        status_line(exchange),
        on=exchange,
    )


@requirement("CC-HTTP-020", scope="target", harms=True)
def test_a_body_of_50_mb_is_refused_with_a_reply(chat: Chat) -> None:
    size = int(chat.profile.limits.large_body_mb * 1_000_000)
    head, content, tail = encode(chat.body("x")).partition(b'"content": "')
    # Joined as octets: a text of this size would be held three times over.
    exchange = chat.post((head + content).ljust(len(head + content) + size, b"x") + tail)
    failure = exchange.failure
    reset = failure is not None and failure.kind is FailureKind.RESET and persists(exchange)
    require(not reset, "a complete reply", str(failure), on=exchange)
    required = "status 413, 400 or 200"
    not_5xx(exchange, required)
    require(exchange.status in (200, 400, 413, 422), required, status_line(exchange), on=exchange)
    if exchange.status != 200:
        judge(_no_envelope(exchange))


@requirement("CC-HTTP-021")
def test_chunked_and_expected_bodies_are_read(chat: Chat) -> None:
    request = Request("POST", CHAT_PATH, encode(chat.body()))

    def look(body: str) -> list[Sighting]:
        exchange = chat.patience.settled(
            lambda: exchange_raw(chat.client, request, body=body).exchange
        )
        chat.note(exchange)
        allowed = (200, 417) if body == "expect" else (200,)
        required = f"status {' or '.join(map(str, allowed))} for a body sent as {body}"
        not_5xx(exchange, required)
        found = Sighting(Finding("", required, status_line(exchange)), exchange)
        return [] if exchange.status in allowed else [found]

    judge(each(("chunked", "expect"), look))


@requirement("CC-HTTP-022")
def test_both_spellings_of_a_text_are_the_same_request(chat: Chat) -> None:
    raw = success(beyond_ascii(chat))
    escaped = chat.post(json.dumps(sent_json(raw)).encode())
    not_5xx(escaped, f"status {raw.status}, as for the raw spelling")
    require(
        escaped.status == raw.status,
        f"status {raw.status}, as for the raw spelling",
        status_line(escaped),
        on=escaped,
    )
    one, other = usage(raw), usage(escaped)
    if one is None or other is None:
        raise Inconclusive("the replies carry no usage", escaped)
    if one["prompt_tokens"] != other["prompt_tokens"]:
        again = usage(beyond_ascii(chat, 1))
        if again is not None and again["prompt_tokens"] != one["prompt_tokens"]:
            raise Blocked("CC-USAGE-004", "prompt_tokens vary for the same request", raw)
    require(
        one["prompt_tokens"] == other["prompt_tokens"],
        f"prompt_tokens {one['prompt_tokens']}, as for the raw spelling",
        other["prompt_tokens"],
        at="$.usage.prompt_tokens",
        on=escaped,
    )


@requirement("CC-HTTP-023", harms=True)
def test_hostile_strings_do_not_break_the_server(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        not_5xx(exchange, "status 200 or a 4xx envelope")
        return _no_envelope(exchange) if exchange.status != 200 else []

    judge(each([chat.post(body) for body in hostile(chat)], look))


@requirement("CC-HTTP-024", scope="target")
def test_browsers_get_their_preflight_and_headers(chat: Chat) -> None:
    origin = ("Origin", "https://example.org")
    asks = [
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    preflight = answered(
        chat.get(CHAT_PATH, method="OPTIONS", authorization=None, headers=[origin, *asks])
    )
    fine = 200 <= (preflight.status or 0) < 300
    require(fine, "a 2xx to OPTIONS", status_line(preflight), on=preflight)
    allowed = ", ".join(preflight.header_values("access-control-allow-headers"))
    names = {name.strip().lower() for name in allowed.split(",")}
    require(
        "authorization" in names,  # "*" does not cover it (Fetch, CORS non-wildcard names)
        "Access-Control-Allow-Headers names Authorization",
        allowed or "no such header",
        on=preflight,
    )
    for exchange in (preflight, answered(chat.post(BROKEN_JSON, headers=[origin]))):
        require(
            exchange.header("access-control-allow-origin") in ("*", origin[1]),
            f"Access-Control-Allow-Origin: * or {origin[1]}",
            exchange.header("access-control-allow-origin") or "no such header",
            on=exchange,
        )


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
        return told_apart(exchange) if _withheld(chat, exchange, number) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="the headers arrive in the first 80 % of the time",
        seen=lambda: f"{looked[-1].headers_at or 0:.3f} of {looked[-1].ended_at:.3f} s",
        on=lambda: looked[-1],
    )


def _withheld(chat: Chat, exchange: Exchange, number: int) -> bool:
    """Whether the headers of a long answer came later than a whole short one, by far (the control).

    A server that waits for its first token, and is quick from then on, does not keep the headers
    of a long answer any longer than those of a short one.
    """
    short = chat.stream(prompts.COUNT, sample=number, max_tokens=TIGHT)
    chat.reading(short)
    return (exchange.headers_at or 0.0) > 2 * short.ended_at
