"""Headers: what a reply tells about itself and about limits, where it tells it (CC-HDR)."""

from collections import defaultdict

from .asking.battery import BROKEN_JSON, plain, streams
from .asking.credentials import WRONG_KEY
from .asking.invalid import INVALID
from .asking.limits import rate_limited
from .chat import Chat
from .expect import each, judge
from .outcomes import Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.finding import Finding, shorten
from .protocol.headers import findings, told
from .requirements import requirement
from .wire.exchange import Exchange

MOST_SECONDS = 60
"""What every client that was measured waits for (CC-HDR-006)."""


def replies(chat: Chat) -> list[Exchange]:
    """Ten replies or more of every kind: successes, streams, refusals; each once."""
    found = [*plain(chat), *(streams(chat) if chat.has("stream") else ())]
    found.append(chat.post(BROKEN_JSON))
    found += [chat.post(INVALID[name].body(chat)) for name in REFUSED]
    if chat.has("auth"):
        found.append(chat.post(chat.body(), authorization=f"Bearer {WRONG_KEY}"))
    if chat.has("models"):
        found.append(chat.get("/models"))
    return [e for e in {id(e): e for e in found}.values() if e.status is not None]


REFUSED = ("messages left out", "messages empty", "temperature below 0", "model unknown")


def headers_keep(clause: str, chat: Chat, exchanges: list[Exchange]) -> None:
    """Every header that `clause` speaks of has its form; UNSUPPORTED where none is sent."""
    if not any(told(exchange.headers, clause) for exchange in exchanges):
        raise Unsupported("no reply carries such a header")

    def look(exchange: Exchange) -> list[Sighting]:
        found = findings(exchange.status or 0, exchange.headers)
        return [Sighting(finding, exchange) for finding in found if finding.id == clause]

    judge(each(exchanges, look)[:1])


def limited(chat: Chat) -> list[Exchange]:
    """The 429s of the run; none is fine."""
    try:
        return rate_limited(chat)
    except Unjudged:
        return []


@requirement("CC-HDR-001")
def test_every_reply_carries_a_request_id_of_its_own(chat: Chat) -> None:
    exchanges = replies(chat)
    if not exchanges:
        raise Inconclusive("nothing was answered")
    seen: dict[str, list[Exchange]] = defaultdict(list)
    missing: list[Exchange] = []
    for exchange in exchanges:
        value = (exchange.header("x-request-id") or "").strip()
        seen[value].append(exchange)
        missing += [] if value else [exchange]
    required = "x-request-id is there, and not empty"
    without = f"{len(missing)} of {len(exchanges)} replies are without"
    judge([Sighting(Finding("", required, without), exchange) for exchange in missing[:1]])
    judge(
        Sighting(
            Finding("", "no two replies share it", f"{shorten(value)} in {len(shared)}"), shared[-1]
        )
        for value, shared in seen.items()
        if len(shared) > 1
    )


@requirement("CC-HDR-002")
def test_headers_about_the_processing_have_their_form(chat: Chat) -> None:
    headers_keep("CC-HDR-002", chat, replies(chat))


@requirement("CC-HDR-003")
def test_rate_limits_are_told_by_six_names(chat: Chat) -> None:
    headers_keep("CC-HDR-003", chat, [*replies(chat), *limited(chat)])


@requirement("CC-HDR-004")
def test_rate_limits_reset_after_a_duration(chat: Chat) -> None:
    headers_keep("CC-HDR-004", chat, [*replies(chat), *limited(chat)])


@requirement("CC-HDR-005")
def test_retry_after_is_a_number_of_seconds(chat: Chat) -> None:
    headers_keep("CC-HDR-005", chat, rate_limited(chat))


@requirement("CC-HDR-006")
def test_clients_wait_at_most_a_minute_for_a_retry(chat: Chat) -> None:
    values = {e.header("retry-after") or "none" for e in limited(chat)}
    long = any(v.isdecimal() and int(v[:9]) > MOST_SECONDS for v in values)
    told_ = f"Retry-After of its 429s: {', '.join(sorted(values))}" if values else "no 429 was met"
    chat.observe(told_ + (f"; clients wait for at most {MOST_SECONDS} s" if long else ""))


@requirement("CC-HDR-007")
def test_headers_about_retries_have_their_form(chat: Chat) -> None:
    headers_keep("CC-HDR-007", chat, [*replies(chat), *limited(chat), *chat.patience.met])
