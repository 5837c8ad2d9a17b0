"""Requests as HTTP lets them be sent: methods, paths, headers, sizes, spellings (CC-HTTP)."""

import json
from functools import lru_cache

from .asking.battery import BROKEN_JSON, beyond_ascii
from .asking.invalid import NO_OBJECTS, hostile
from .asking.sent import CHAT_PATH, encode, sent_json
from .chat import Chat
from .expect import each, judge, require
from .guards import (
    accepted,
    answered,
    error_object,
    not_5xx,
    persists,
    refused,
    status_line,
    success,
    usage,
)
from .outcomes import Blocked, Inconclusive, Sighting
from .protocol.finding import Finding, shorten
from .protocol.jsontext import read_document
from .requirements import requirement
from .wire.exchange import Exchange, FailureKind, Request
from .wire.raw import exchange_raw


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

    methods = ("PUT", "PATCH", "DELETE")
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


@lru_cache(maxsize=1)  # where it is blamed it is asked again: held once all the same
def large_body(head: bytes, size: int, tail: bytes) -> bytes:
    """`size` octets of text between `head` and `tail`."""
    piece = b"x" * 10_000
    return b"".join((head, *[piece] * (size // len(piece)), tail))


@requirement("CC-HTTP-020", scope="target", harms=True)
def test_a_body_of_50_mb_is_refused_with_a_reply(chat: Chat) -> None:
    size = int(chat.profile.limits.large_body_mb * 1_000_000)
    head, content, tail = encode(chat.body("x")).partition(b'"content": "')
    exchange = chat.post(large_body(head + content, size, tail))
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
    bodies = [BROKEN_JSON, chat.body(), *([chat.body(stream=True)] if chat.has("stream") else [])]
    replies = [answered(chat.post(body, headers=[origin])) for body in bodies]
    for exchange in (preflight, *replies):
        require(
            exchange.header("access-control-allow-origin") in ("*", origin[1]),
            f"Access-Control-Allow-Origin: * or {origin[1]}",
            exchange.header("access-control-allow-origin") or "no such header",
            on=exchange,
        )
