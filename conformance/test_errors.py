"""Errors per status: every refusal speaks one form (CC-ERR).

`protocol.errors` judges the form; here are the refusals that it looks at: credentials, broken JSON,
models and every invalid request of the battery, as CC-ERR-001 states the scope.
"""

from urllib.parse import urlsplit

from .asking.battery import BROKEN_JSON
from .asking.invalid import INVALID, NO_OBJECTS, hostile, invalid, refusals
from .asking.limits import out_of_credit, rate_limited
from .asking.probes import NO_CREDIT
from .chat import Chat
from .expect import each, judge, require, sightings_of
from .guards import answered, persists, status_line, unasked_coding
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.errors import findings, read_error
from .protocol.finding import Finding, shorten
from .protocol.jsontext import read_document
from .requirements import requirement
from .wire.exchange import Exchange


def errors_keep(requirement_id: str, exchanges: list[Exchange], *, host: str | None = None) -> None:
    """Every error reply keeps the requirement; none at all leaves it inconclusive.

    `host`: the target's own, where those behind it are looked for.
    """
    if not exchanges:
        raise Inconclusive("none of the faulty requests was refused with a 4xx")

    def look(exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        label = exchange.header("content-type")
        found = findings(exchange.status or 0, label, exchange.body, host=host)
        return sightings_of(requirement_id, found, exchange)

    judge(each(exchanges, look))


@requirement("CC-ERR-001")
def test_every_refusal_is_a_json_envelope(chat: Chat) -> None:
    errors_keep("CC-ERR-001", refusals(chat))


@requirement("CC-ERR-002")
def test_error_is_an_object(chat: Chat) -> None:
    errors_keep("CC-ERR-002", refusals(chat))


@requirement("CC-ERR-003")
def test_no_framework_shape_replaces_the_envelope(chat: Chat) -> None:
    errors_keep("CC-ERR-003", refusals(chat))


@requirement("CC-ERR-004")
def test_the_envelope_is_not_flattened(chat: Chat) -> None:
    errors_keep("CC-ERR-004", refusals(chat))


@requirement("CC-ERR-005")
def test_the_envelope_is_not_wrapped_in_an_array(chat: Chat) -> None:
    errors_keep("CC-ERR-005", refusals(chat))


@requirement("CC-ERR-006")
def test_message_is_a_string(chat: Chat) -> None:
    errors_keep("CC-ERR-006", refusals(chat))


@requirement("CC-ERR-007")
def test_type_is_a_string(chat: Chat) -> None:
    errors_keep("CC-ERR-007", refusals(chat))


@requirement("CC-ERR-008")
def test_code_is_a_string_or_null(chat: Chat) -> None:
    errors_keep("CC-ERR-008", refusals(chat))


@requirement("CC-ERR-009")
def test_param_and_code_are_present(chat: Chat) -> None:
    errors_keep("CC-ERR-009", refusals(chat))


@requirement("CC-ERR-010")
def test_client_faults_are_4xx_that_clients_do_not_retry(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        status = exchange.status or 0
        if status < 400 or (status >= 500 and not persists(exchange)):
            # A 2xx accepts the request: whether it may is the business of the clause it breaks.
            if status >= 500:
                raise Inconclusive(status_line(exchange), exchange)
            return []
        if 400 <= status < 500 and status not in (408, 409):
            return []
        required = "a 4xx other than 408 and 409"
        seen = status_line(exchange)
        times = f", {exchange.repeats} of {exchange.repeats} times" if status >= 500 else ""
        return [Sighting(Finding("", required, seen + times), exchange)]

    judge(each(_faulty(chat), look))


def _faulty(chat: Chat) -> list[Exchange]:
    """The replies to every request that the client got wrong."""
    bodies = [*NO_OBJECTS, *hostile(chat), BROKEN_JSON]
    return [invalid(chat, name) for name in INVALID] + [chat.post(body) for body in bodies]


@requirement("CC-ERR-011")
def test_a_400_has_type_invalid_request_error(chat: Chat) -> None:
    errors_keep("CC-ERR-011", refusals(chat))


@requirement("CC-ERR-012")
def test_semantic_faults_are_400_rather_than_422(chat: Chat) -> None:
    errors_keep("CC-ERR-012", refusals(chat))


@requirement("CC-ERR-015")
def test_a_server_fault_carries_the_envelope(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        value = read_document(exchange.body).value
        error = value.get("error") if isinstance(value, dict) else None
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return []
        required = 'a 5xx carries {"error": {"message": …}}'
        return [Sighting(Finding("", required, status_line(exchange)), exchange)]

    trigger = chat.profile.triggers.get("stream_error")
    provoked = [] if trigger is None else [chat.ask(trigger, settled=True)]
    met = [e for e in [*provoked, *_faulty(chat)] if (e.status or 0) >= 500]
    if not met and trigger is not None:
        reason = f"the trigger did not fail: {status_line(provoked[0])}"
        raise Inconclusive(reason, provoked[0])
    if not met:
        raise Unsupported("no 5xx came, and the profile names no prompt that makes one come")
    judge(each(met, look))


@requirement("CC-ERR-017")
def test_the_same_fault_gets_the_same_error(chat: Chat) -> None:
    body = INVALID["messages left out"].body(chat)
    found = [answered(chat.post(body, sample=number)) for number in range(3)]
    if any((exchange.status or 0) >= 500 for exchange in found):
        raise Inconclusive(status_line(found[-1]), found[-1])
    if not all(400 <= (exchange.status or 0) < 500 for exchange in found):
        raise Blocked("CC-REQ-001", status_line(found[-1]), found[-1])

    def key(exchange: Exchange) -> tuple[object, ...]:
        value = read_document(exchange.body).value
        error = value.get("error") if isinstance(value, dict) else None
        told = error if isinstance(error, dict) else {}
        return exchange.status, told.get("type"), told.get("code")

    first = key(found[0])
    for exchange in found[1:]:
        require(
            key(exchange) == first,
            f"status, type and code {first!r} each time",
            repr(key(exchange)),
            on=exchange,
        )


@requirement("CC-ERR-018")
def test_an_error_shows_nothing_of_the_inside(chat: Chat) -> None:
    own = urlsplit(chat.client.endpoint.base_url).hostname or ""
    errors_keep("CC-ERR-018", refusals(chat), host=own)


def _legible(exchange: Exchange) -> Exchange:
    """`exchange`, whose body is coded in no way that was not asked for."""
    coding = unasked_coding(exchange)
    if coding is not None:
        raise Blocked("CC-HTTP-018", f"Content-Encoding: {coding}, unasked", exchange)
    return exchange


@requirement("CC-ERR-013")
def test_a_rate_limit_is_429_with_its_code(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        error = read_error(_legible(exchange).body)
        if error is not None and error.code == "rate_limit_exceeded":
            return []
        seen = status_line(exchange) if error is None else shorten(error.code)
        return [Sighting(Finding("", "code 'rate_limit_exceeded'", seen, "$.error.code"), exchange)]

    judge(each(rate_limited(chat), look)[:1])


@requirement("CC-ERR-014", scope="target")
def test_exhausted_credit_is_429_that_nobody_repeats(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        if exchange.failure is not None:
            raise Inconclusive(str(exchange.failure), exchange)
        if exchange.status is None or exchange.status >= 500:
            raise Inconclusive(status_line(exchange), exchange)
        error = read_error(_legible(exchange).body)
        kind, code = (error.type, error.code) if error else (None, None)
        again = exchange.header("x-should-retry")
        rows = (
            ("status 429", exchange.status, exchange.status == 429, ""),
            ("type 'insufficient_quota'", kind, kind == "insufficient_quota", "$.error.type"),
            ("a code that says why", code, code in NO_CREDIT, "$.error.code"),
            ("x-should-retry: false", again, again == "false", "x-should-retry"),
        )
        return [
            Sighting(Finding("", required, shorten(seen), at), exchange)
            for required, seen, holds, at in rows
            if not holds
        ]

    exchanges = out_of_credit(chat)
    if any(exchange.status == 200 for exchange in exchanges):
        raise Inconclusive("the exhausted key is served", exchanges[-1])
    judge(each(exchanges, look))


@requirement("CC-ERR-021")
def test_payment_and_conflict_speak_the_envelope(chat: Chat) -> None:
    met = {id(e): e for e in (*out_of_credit(chat), *chat.patience.met) if e.status in (402, 409)}
    if not met:
        raise Unsupported("no reply had the status 402 or 409")
    chat.observe(f"status {' and '.join(sorted({str(e.status) for e in met.values()}))} is used")

    def look(exchange: Exchange) -> list[Sighting]:
        body = _legible(exchange).body
        found = findings(exchange.status or 0, exchange.header("content-type"), body)
        return [Sighting(finding, exchange) for finding in found if finding.id in ENVELOPE]

    judge(each(met.values(), look)[:1])


ENVELOPE = frozenset({"CC-ERR-001", "CC-ERR-002", "CC-ERR-006"})
"""What makes an error readable: an object under `error`, with a message."""
