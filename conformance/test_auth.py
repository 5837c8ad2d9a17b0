"""Authentication: the key opens every door, and nothing else does (CC-AUTH)."""

from typing import Any

from .asking.battery import BROKEN_JSON
from .asking.credentials import MALFORMED, REFUSED_BY_HTTP, WRONG_KEY
from .asking.invalid import unknown_model
from .asking.limits import by_key
from .chat import Chat
from .expect import each, judge, require
from .guards import accepted, answered, broken, not_5xx, refused, status_line
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.errors import findings
from .protocol.finding import Finding, shorten
from .protocol.jsontext import read_document
from .requirements import requirement
from .target.profile import DocumentedError
from .wire.exchange import BEARER, Exchange

WRONG = f"Bearer {WRONG_KEY}"


def wrong_key(chat: Chat) -> Exchange:
    """The reply to a plain call with a key that the target cannot know."""
    return chat.post(chat.body(), authorization=WRONG)


@requirement("CC-AUTH-001")
def test_the_bearer_key_alone_is_enough(chat: Chat) -> None:
    accepted(chat.canary(), what="the key as the only credential")
    if chat.has("models"):
        exchange = answered(chat.get("/models"))
        if exchange.status in (401, 403):
            raise Inconclusive("the key may chat and not list models: restricted?", exchange)
        accepted(exchange, what="GET /models with the key as the only credential")


@requirement("CC-AUTH-002")
def test_no_credentials_get_401(chat: Chat) -> None:
    refused(
        chat.post(chat.body(), authorization=None),
        what="a call without credentials",
        statuses=(401,),
    )


@requirement("CC-AUTH-003")
def test_a_wrong_key_gets_the_documented_401(chat: Chat) -> None:
    exchange = refused(wrong_key(chat), what="a wrong key", statuses=(401,))
    documented = chat.profile.unauthorized
    if documented is not None:
        judge(_undocumented(exchange, documented, codes=(documented.code,)))


@requirement("CC-AUTH-003")
def test_other_bad_credentials_get_the_documented_body(chat: Chat) -> None:
    documented = chat.profile.unauthorized
    if documented is None:
        raise Unsupported("the profile documents no error body")
    values = (None, *MALFORMED.values())

    def look(exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        if exchange.status != documented.status:
            return []  # CC-AUTH-002 and CC-AUTH-006 judge the status
        # Upstream gives no code where no key was sent, so that null is as good.
        return _undocumented(exchange, documented, codes=(documented.code, None))

    judge(each([chat.post(chat.body(), authorization=value) for value in values], look))


def _undocumented(
    exchange: Exchange, documented: DocumentedError, codes: tuple[str | None, ...]
) -> list[Sighting]:
    """What differs from the documented body, field by field; the message's wording does not."""
    error = _error(exchange)
    wanted = {"type": (documented.type,), "code": codes, "param": (documented.param,)}
    return [
        Sighting(
            Finding(
                "",
                f"{name} is {' or '.join(map(shorten, values))}, as documented",
                shorten(error[name]) if name in error else "left out",
                f"$.error.{name}",
            ),
            exchange,
        )
        for name, values in wanted.items()
        if name not in error or error[name] not in values
    ]


def _error(exchange: Exchange) -> dict[str, Any]:
    value = read_document(exchange.body).value
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, dict) else {}


@requirement("CC-AUTH-004")
def test_a_wrong_key_gets_the_code_that_clients_know(chat: Chat) -> None:
    exchange = refused(wrong_key(chat), what="a wrong key")
    error = _error(exchange)
    wanted = {"type": "invalid_request_error", "code": "invalid_api_key", "param": None}
    if (documented := chat.profile.unauthorized) is not None:
        wanted = {"type": documented.type, "code": documented.code, "param": documented.param}
    judge(
        Sighting(
            Finding("", f"{name} is {shorten(value)}", shorten(error[name]), f"$.error.{name}"),
            exchange,
        )
        for name, value in wanted.items()
        if name in error and error[name] != value  # presence is CC-ERR-009's
    )


@requirement("CC-AUTH-005")
def test_the_scheme_is_case_insensitive(chat: Chat) -> None:
    plain = not_5xx(chat.post(chat.body()), "a reply")
    for scheme in ("bearer", "BEARER"):
        exchange = chat.post(chat.body(), authorization=BEARER.replace("Bearer", scheme))
        required = f"status {plain.status}, as with Bearer"
        not_5xx(exchange, required)
        require(
            exchange.status == plain.status,
            required,
            f"{scheme}: {status_line(exchange)}",
            on=exchange,
        )


@requirement("CC-AUTH-006")
def test_malformed_credentials_are_refused_cleanly(chat: Chat) -> None:
    def look(exchange: Exchange, statuses: tuple[int, ...], envelope: bool) -> list[Sighting]:
        refused(exchange, what="malformed credentials", statuses=statuses)
        found = findings(exchange.status or 0, exchange.header("content-type"), exchange.body)
        broken = [f for f in found if f.id in ("CC-ERR-001", "CC-ERR-002", "CC-ERR-006")]
        return [Sighting(f, exchange) for f in broken] if envelope else []

    body = chat.body()
    judge(
        each(
            [chat.post(body, authorization=value) for value in MALFORMED.values()],
            lambda e: look(e, (400, 401), envelope=True),
        )
    )
    judge(
        each(
            [chat.post(body, authorization=value) for value in REFUSED_BY_HTTP.values()],
            lambda e: look(e, (400, 401, 431), envelope=False),
        )
    )


@requirement("CC-AUTH-007")
def test_a_401_carries_a_bearer_challenge(chat: Chat) -> None:
    asked = [wrong_key(chat), chat.post(chat.body(), authorization=None)]
    refusals = [exchange for exchange in asked if exchange.status == 401]
    if not refusals:
        answered(asked[0])
        raise Inconclusive(f"no 401 to look at: {status_line(asked[0])}", asked[0])

    def look(exchange: Exchange) -> list[Sighting]:
        challenge = answered(exchange).header("www-authenticate") or ""
        if challenge.lower().startswith("bearer"):
            return []
        seen = f"WWW-Authenticate: {challenge}" if challenge else "no WWW-Authenticate"
        return [Sighting(Finding("", "WWW-Authenticate: Bearer …", seen), exchange)]

    judge(each(refusals, look))


@requirement("CC-AUTH-008")
def test_credentials_are_checked_before_the_body(chat: Chat) -> None:
    plainly = answered(wrong_key(chat))
    if 400 <= (plainly.status or 0) < 500 and plainly.status != 401:
        raise Blocked("CC-AUTH-003", f"with a valid body: {status_line(plainly)}", plainly)
    exchange = chat.post({"model": unknown_model()}, authorization=WRONG)
    refused(exchange, what="a wrong key with an invalid body", statuses=(401,))


@requirement("CC-AUTH-009")
def test_a_wrong_key_gets_no_stream(chat: Chat) -> None:
    plainly = answered(wrong_key(chat))
    if plainly.status != 401:
        raise Blocked("CC-AUTH-003", f"without stream: {status_line(plainly)}", plainly)
    exchange = chat.post(chat.body(stream=True), authorization=WRONG)
    refused(exchange, what="a wrong key with stream: true", statuses=(401,))
    require(
        exchange.is_json_type,
        "Content-Type: application/json",
        exchange.header("content-type") or "no Content-Type",
        on=exchange,
    )


@requirement("CC-AUTH-010")
def test_the_key_is_not_echoed(chat: Chat) -> None:
    exchange = answered(wrong_key(chat))
    headers = " ".join(value for _, value in exchange.headers)
    for where, octets in (("body", exchange.body), ("headers", headers.encode("latin-1"))):
        require(
            WRONG_KEY.encode() not in octets,
            "the submitted key does not occur in the reply",
            f"the whole key in the {where}",
            on=exchange,
        )


@requirement("CC-AUTH-010")
def test_a_key_that_is_right_is_not_echoed_either(chat: Chat) -> None:
    if not chat.client.endpoint.tellable:
        raise Unsupported("the key is short or an ordinary word: any reply may hold it")
    unknown = chat.body(model=unknown_model())
    judge(each([chat.canary(), chat.post(BROKEN_JSON), chat.post(unknown)], _echoes))


def _echoes(exchange: Exchange) -> list[Sighting]:
    answered(exchange)
    if exchange.echoed is None:
        return []
    required = "the submitted key does not occur in the reply"
    return [Sighting(Finding("", required, f"the whole key in {exchange.echoed}"), exchange)]


@requirement("CC-AUTH-011", scope="target")
def test_a_key_without_permission_is_told_so(chat: Chat) -> None:
    exchange = by_key(chat, "restricted")
    if exchange is None:
        raise Unsupported("the profile names no key that lacks permission")
    if answered(exchange).status == 200:
        raise Inconclusive("the restricted key may use this model", exchange)
    refused(exchange, what="a key that lacks permission", statuses=(401, 403))
    if not (error := _error(exchange)):
        broken("the envelope", status_line(exchange), exchange)
    require(
        error.get("code") != "invalid_api_key",
        "another code than that of a wrong key",
        error.get("code"),
        at="$.error.code",
        on=exchange,
    )
