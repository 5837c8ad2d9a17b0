"""What must hold before a clause can be judged, and what is blamed when it does not.

The law: a guard never fails the clause at hand for the breach of another one. It raises `Blocked`
with the id to blame, `Inconclusive` when nobody can be blamed, `Unsupported` for a clean refusal.

| what came back | the clause at hand |
|---|---|
| timeout, connection refused, too large, 402, 408, 429 | INCONCLUSIVE |
| 400, since the bound was spent on thinking | INCONCLUSIVE |
| 4xx by a content filter, which takes a prompt for what it is not | INCONCLUSIVE |
| the plainest call lost each time (`lost`) | BLOCKED by CC-HTTP-009, or CC-HTTP-001 |
| reply cut short, not HTTP/1.1, each time | BLOCKED by CC-HTTP-009 |
| connection lost before a reply, each time | broken where a reply is demanded, else INCONCLUSIVE |
| a stream lost before its head, each time | BLOCKED by CC-SSE-001 |
| any of these, but not each time | INCONCLUSIVE |
| a content coding that was not asked for | BLOCKED by CC-HTTP-018 |
| 5xx that persists, plain call succeeds meanwhile | broken where 200 or 4xx is demanded |
| 5xx otherwise | INCONCLUSIVE |
| not 200 to the plainest call | BLOCKED by CC-HTTP-001, every check but that one |
| not 200 to a valid call, for its output bound | BLOCKED by CC-REQ-024 |
| 200 without a JSON object | BLOCKED by CC-HTTP-002 |
| `stream: true` without a stream | BLOCKED by CC-SSE-001 |
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from .asking.sent import is_stream
from .lost import FRAMING, breaks_framing, broken_by, is_lost, told
from .outcomes import Blocked, Broken, Inconclusive, Sighting, Unsupported
from .protocol.calls import ToolCall, well_formed
from .protocol.coding import inflate
from .protocol.errors import names as names_one_of
from .protocol.errors import read_error
from .protocol.finding import Finding, excerpt, shorten
from .protocol.jsontext import read_document
from .protocol.rules import is_count
from .wire.exchange import Exchange, FailureKind

REPEATS_THAT_COUNT = 3

POSTPONED: Mapping[int | None, str] = {
    402: "payment required",
    408: "the target gave up waiting",
    429: "rate limited",
}
"""Statuses that say nothing about the request: the same call may be answered another time."""

BOUNDS = ("max_tokens", "max_completion_tokens")

UNFINISHED = b"Could not finish the message"
"""How upstream refuses a bound that a model spends on thinking (CC-REQ-024)."""


FILTERED = ("content_filter", "content_policy_violation")
"""Codes of an error by which a content filter refuses a prompt: Azure's and upstream's."""


def broken(required: str, seen: str, exchange: Exchange | None = None, at: str = "") -> NoReturn:
    """Blame the target, in one finding."""
    raise Broken([Sighting(Finding("", required, seen, at), exchange)])


def body_text(exchange: Exchange, limit: int = 120) -> str:
    """The beginning of a reply's body, as one printable line."""
    return excerpt(exchange.body[: 4 * limit].decode("utf-8", "backslashreplace"), limit)


def status_line(exchange: Exchange) -> str:
    """What came back, in a few words: `status 400: {"error": …}`."""
    if exchange.status is None:
        return str(exchange.failure)
    body = f": {body_text(exchange, 160)}" if exchange.body else " with an empty body"
    return f"status {exchange.status}{body}"


def persists(exchange: Exchange) -> bool:
    """Whether this outcome came each time, `REPEATS_THAT_COUNT` times or more (`patience` knows how
    often), while the plainest call succeeded."""
    return exchange.repeats >= REPEATS_THAT_COUNT and exchange.canary_ok is True


def lost_unbegun(exchange: Exchange) -> bool:
    """Whether the connection is lost before a reply each time, while the plainest call has one."""
    return is_lost(exchange) and not breaks_framing(exchange) and persists(exchange)


def _persisting(exchange: Exchange) -> str:
    times = f"{exchange.repeats} of {exchange.repeats} times"
    return f"{status_line(exchange)}; {times}, while the plainest call succeeds"


def answered(exchange: Exchange, required: str | None = None, *, coded: bool = False) -> Exchange:
    """`exchange`, which holds a whole reply that is not put off (`POSTPONED`).

    `required`: what the clause at hand demands of the reply; a connection that is lost each time
    breaks it. Without, one that had brought the head of a reply is CC-HTTP-009's business.
    `coded`: a content coding that was not asked for is the clause at hand.
    """
    failure = exchange.failure
    if failure is not None and failure.kind is not FailureKind.HELD_OPEN:
        if (by := broken_by(exchange)) is not None:
            raise Blocked(by, told(exchange), exchange)
        if is_lost(exchange) and persists(exchange):
            if failure.kind is FailureKind.RESET and required is not None:
                broken(required, _persisting(exchange), exchange)
            if breaks_framing(exchange):
                raise Blocked(FRAMING, _persisting(exchange), exchange)
            raise Inconclusive(_persisting(exchange), exchange)
        raise Inconclusive(str(failure), exchange)
    if exchange.status in POSTPONED:
        raise Inconclusive(f"{POSTPONED[exchange.status]}: {status_line(exchange)}", exchange)
    if exchange.status in (400, 422) and UNFINISHED in exchange.body:
        raise Inconclusive(f"the bound leaves no room to think: {status_line(exchange)}", exchange)
    if filtered(exchange):
        raise Inconclusive(f"a filter refused the prompt: {status_line(exchange)}", exchange)
    coding = unasked_coding(exchange)
    if coding is not None and not coded:
        raise Blocked("CC-HTTP-018", f"Content-Encoding: {coding}, unasked", exchange)
    return exchange


def filtered(exchange: Exchange) -> bool:
    """Whether a content filter refused the prompt: that says nothing of the request's form."""
    error = read_error(exchange.body) if exchange.status in (400, 403, 422) else None
    return error is not None and error.code in FILTERED


def legible(exchange: Exchange) -> Exchange:
    """`exchange`; where it asked for gzip and got it, with its body as it was before."""
    if not exchange.header("content-encoding") or unasked_coding(exchange) is not None:
        return exchange
    plain = inflate(exchange.body)
    return exchange if plain is None else replace(exchange, body=plain)


def unasked_coding(exchange: Exchange) -> str | None:
    """The content coding of a reply where the request does not list it (RFC 9110 §12.5.3)."""
    coding = (exchange.header("content-encoding") or "").strip().lower().removeprefix("x-")
    if coding in ("", "identity"):
        return None
    asked = dict(exchange.request.headers).get("Accept-Encoding", "")
    listed = [item.partition(";")[0].strip().lower() for item in asked.split(",")]
    return None if coding in listed else coding


def not_5xx(exchange: Exchange, required: str) -> Exchange:
    """`exchange`, which is answered by no server error.

    A 5xx that persists breaks the clause at hand; one that does not is inconclusive.
    """
    answered(exchange, required)
    if (exchange.status or 0) >= 500:
        if persists(exchange):
            broken(required, _persisting(exchange), exchange)
        raise Inconclusive(status_line(exchange), exchange)
    return exchange


def accepted(exchange: Exchange, *, optional: tuple[str, ...] = (), what: str = "") -> Exchange:
    """`exchange`, which answers 200 as the clause demands.

    `optional` names parameters that may be refused: a 4xx that names one is UNSUPPORTED.
    """
    required = f"status 200{' for ' + what if what else ''}"
    not_5xx(exchange, required)
    if exchange.status != 200:
        if optional and refuses(exchange, optional):
            raise Unsupported(f"refused: {status_line(exchange)}", exchange)
        broken(required, status_line(exchange), exchange)
    return exchange


def refused(exchange: Exchange, *, what: str, statuses: tuple[int, ...] = ()) -> Exchange:
    """`exchange`, which refuses with a 4xx as the clause demands."""
    wanted = " or ".join(map(str, statuses)) or "4xx"
    required = f"status {wanted} for {what}"
    not_5xx(exchange, required)
    status = exchange.status or 0
    if not 400 <= status < 500 or (statuses and status not in statuses):
        broken(required, status_line(exchange), exchange)
    return exchange


def is_refusal(exchange: Exchange) -> bool:
    """Whether the request itself was refused: a 4xx that is not `POSTPONED`, `UNFINISHED`, nor a
    filter's."""
    if not 400 <= (exchange.status or 0) < 500 or exchange.status in POSTPONED:
        return False
    return UNFINISHED not in exchange.body and not filtered(exchange)


def refuses(exchange: Exchange, names: tuple[str, ...]) -> bool:
    """Whether this is a clean refusal: a 4xx whose `param` or message names one of `names`.

    An error in another form than the envelope is CC-ERR-001's; what it says counts here.
    """
    if not is_refusal(exchange):
        return False
    return names_one_of(exchange.body, *names) or names_one_of(_enveloped(exchange.body), *names)


def _enveloped(body: bytes) -> bytes:
    """What FastAPI, RFC 7807 and flat errors say, as an envelope: `detail` or `message`, no echo of
    the request (`input`)."""
    value = read_document(body).value
    given = value if isinstance(value, dict) else {}
    told = [given.get(name) for name in ("message", "detail", "error")]
    for item in given["detail"] if isinstance(given.get("detail"), list) else ():
        if isinstance(item, dict):
            told += [item.get("msg"), *(item["loc"] if isinstance(item.get("loc"), list) else ())]
    message = " ".join(part for part in told if isinstance(part, str))
    return json.dumps({"error": {"message": message}}).encode()


def success(exchange: Exchange) -> Exchange:
    """`exchange`, a valid call answered 200; anything else is not this clause's business."""
    answered(exchange)
    status = exchange.status or 0
    if status >= 500:
        raise Inconclusive(status_line(exchange), exchange)
    if status != 200:
        raise Blocked(_denied(exchange), status_line(exchange), exchange)
    return exchange


def _denied(exchange: Exchange) -> str:
    """The clause whose business it is that a valid call is answered otherwise than by 200."""
    if refuses(exchange, BOUNDS):
        return "CC-REQ-024"
    if 200 < (exchange.status or 0) < 300:
        return "CC-SSE-001" if is_stream(exchange.request) else "CC-HTTP-002"
    return "CC-HTTP-001"


def completion(exchange: Exchange) -> dict[str, Any]:
    """The JSON object of a successful reply without `stream`."""
    success(exchange)
    value = read_document(exchange.body).value
    if not isinstance(value, dict):
        raise Blocked("CC-HTTP-002", f"no JSON object: {body_text(exchange)}", exchange)
    return value


def choices_of(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices of a completion or chunk that are objects."""
    choices = value.get("choices")
    return [c for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []


def first_choice(exchange: Exchange) -> dict[str, Any]:
    """The first choice of a successful reply."""
    choices = completion(exchange).get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Blocked("CC-RESP-004", f"choices is {shorten(choices)}", exchange)
    return choices[0]


FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")


def finish_reason(exchange: Exchange) -> str:
    """Why the first choice of a successful reply ended."""
    reason = first_choice(exchange).get("finish_reason")
    if reason not in FINISH_REASONS:
        raise Blocked("CC-FIN-001", f"finish_reason is {shorten(reason)}", exchange)
    return str(reason)


def counts(exchange: Exchange) -> bool:
    """Whether a successful reply counts as a trial of behaviour: its answer was neither cut by the
    bound nor stopped by a filter nor refused by the model."""
    said = first_choice(exchange).get("message")
    refusal = said.get("refusal") if isinstance(said, dict) else None
    return finish_reason(exchange) not in ("length", "content_filter") and not refusal


def message(exchange: Exchange) -> dict[str, Any]:
    """The message of the first choice."""
    found = first_choice(exchange).get("message")
    if not isinstance(found, dict):
        raise Blocked("CC-MSG-002", f"message is {shorten(found)}", exchange)
    return found


def text(exchange: Exchange) -> str:
    """The text of the first choice's message; "" for null."""
    content = message(exchange).get("content")
    if content is not None and not isinstance(content, str):
        raise Blocked("CC-MSG-003", f"content is {shorten(content)}", exchange)
    return content or ""


def calls_in(exchange: Exchange) -> list[Any]:
    """The tool calls of the first choice, as they were sent; none is right."""
    listed = message(exchange).get("tool_calls")
    if listed is not None and not isinstance(listed, list):
        raise Blocked("CC-RESP-010", f"tool_calls is {shorten(listed)}", exchange)
    return listed or []


def well_formed_calls(exchange: Exchange) -> list[ToolCall]:
    """The same calls, read; blamed on the clause that one of them breaks."""
    found = []
    for given in calls_in(exchange):
        call = well_formed(given)
        if isinstance(call, str):
            raise Blocked(call, f"a call is {shorten(given)}", exchange)
        found.append(call)
    return found


def usage(exchange: Exchange) -> dict[str, int] | None:
    """The usage object where there is a sound one; None without."""
    found = completion(exchange).get("usage")
    if not isinstance(found, dict):
        return None
    for key in ("prompt_tokens", "completion_tokens", "total_tokens"):
        if not is_count(found.get(key)):
            raise Blocked("CC-USAGE-001", f"usage is {shorten(found)}", exchange)
    return found


_EVENT = re.compile(rb"\A(\xef\xbb\xbf)?\s*(:|data:|event:|id:|retry:)")


def streamed(exchange: Exchange) -> Exchange:
    """`exchange`, a call with `stream: true` that is answered by an event stream.

    A stream under a wrong Content-Type is still read: its label is CC-SSE-001's business alone.
    """
    if lost_unbegun(exchange):
        raise Blocked("CC-SSE-001", _persisting(exchange), exchange)
    answered(exchange)
    status = exchange.status or 0
    if status >= 500 and not persists(exchange):
        raise Inconclusive(status_line(exchange), exchange)
    is_event_stream = exchange.media_type == "text/event-stream" or _EVENT.match(exchange.body)
    if status != 200 or not is_event_stream:
        raise Blocked("CC-SSE-001", status_line(exchange), exchange)
    return exchange


def error_object(exchange: Exchange) -> dict[str, Any]:
    """The `error` object of a 4xx reply."""
    value = read_document(exchange.body).value
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        raise Blocked("CC-ERR-001", status_line(exchange), exchange)
    return error


def within_bound(exchange: Exchange) -> Exchange:
    """`exchange`, a call with a small output bound that was answered 200.

    Raises `Inconclusive` where the bound is refused by name (a reasoning model cannot answer in
    so few tokens), `Blocked` by CC-REQ-024 where it is refused otherwise.
    """
    answered(exchange)
    if refuses(exchange, BOUNDS):
        raise Inconclusive(f"the bound is refused: {status_line(exchange)}", exchange)
    if 400 <= (exchange.status or 0) < 500:
        raise Blocked("CC-REQ-024", status_line(exchange), exchange)
    return success(exchange)
