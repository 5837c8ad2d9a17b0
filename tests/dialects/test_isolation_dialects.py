"""Dialects of headers, limits, keys and busy servers: right ones, blamed for nothing."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import asked, bad_parameter, given, message, messages

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

HEADERS = ("CC-HDR", "CC-ERR-013", "CC-ERR-014", "CC-ERR-021", "CC-AUTH-011")
LIMITED = 'keys = { limited = "$REFERENCE_LIMITED_KEY" }\n'
EXHAUSTED = 'keys = { exhausted = "$REFERENCE_EXHAUSTED_KEY" }\n'
RESTRICTED = 'keys = { restricted = "$REFERENCE_RESTRICTED_KEY" }\n'
BURST = "capabilities = { burst = true }\n"

_FAMILY = tuple(
    f"x-ratelimit-{what}-{unit}"
    for what in ("limit", "remaining", "reset")
    for unit in ("requests", "tokens")
)


# Headers.


@dialect(seam="reply", only=HEADERS, warns=("CC-HDR-001",))
def sends_no_headers_of_its_own(reply: Reply, call: Call) -> Reply:
    """Sends neither ids nor limits, as most engines do."""
    own = ("x-request-id", "openai-version", "openai-processing-ms", *_FAMILY)
    return reply.lacking(*own)


@dialect(seam="reply", only=HEADERS)
def tells_limits_per_day_too(reply: Reply, call: Call) -> Reply:
    """Writes names in capitals, and tells more limits than the six names, as Groq does."""
    own = (
        ("X-RateLimit-Limit-Requests", "14400"),
        ("X-RateLimit-Remaining-Requests", "14370"),
        ("X-RateLimit-Reset-Requests", "2m59.56s"),
        ("x-ratelimit-limit-requests-day", "unlimited"),
        ("X-Request-ID", f"req_{call.nonce}"),
    )
    return reply.having(*own)


@dialect(seam="reply", only=HEADERS)
def tells_of_tokens_alone(reply: Reply, call: Call) -> Reply:
    """Limits tokens and not requests."""
    return reply.lacking(*(name for name in _FAMILY if name.endswith("requests")))


# Keys.


@dialect(seam="reply", only=HEADERS, profile=LIMITED)
def does_not_say_for_how_long(reply: Reply, call: Call) -> Reply:
    """Knows no delay for a 429, and sends none."""
    if reply.status != 429:
        return reply
    return reply.lacking("Retry-After", "retry-after-ms", "x-should-retry")


@dialect(
    seam="request",
    only=HEADERS,
    profile=LIMITED,
    undecided=("CC-ERR-013", "CC-HDR-005"),
)
def has_room_for_the_limited_key(call: Call) -> Call | Reply:
    """Serves a key that its profile calls limited."""
    return replace(call, trusted=True)


@dialect(seam="reply", only=HEADERS, profile=EXHAUSTED)
def runs_out_of_a_budget(reply: Reply, call: Call) -> Reply:
    """Says which limit of spending was reached."""
    if reply.status != 429 or not isinstance(reply.body, dict):
        return reply
    code = "project_spend_limit_exceeded"
    error = {**reply.body["error"], "code": code}
    return Reply(429, {"error": error}, reply.headers)


@dialect(seam="reply", only=HEADERS, profile=RESTRICTED)
def knows_members_only(reply: Reply, call: Call) -> Reply:
    """Answers a key from elsewhere with 401 and a code of its own."""
    if reply.status != 403:
        return reply
    return refusal(401, "Your IP is not authorized.", code="ip_not_authorized")


# Calls at once.

CALLS = ("CC-CONC",)


@dialect(seam="request", only=CALLS)
def streams_to_nobody(call: Call) -> Call | Reply:
    """Refuses `stream` by name."""
    return bad_parameter("stream") if asked(call, "stream") else call


@dialect(seam="request", only=CALLS, undecided=("CC-CONC-001",))
def keeps_words_to_itself(call: Call) -> Call | Reply:
    """Is a model that repeats no code words."""
    said = text.last_user_text(messages(call)) if messages(call) else ""
    if "code word" not in said:
        return call
    return given(call, messages=[{"role": "user", "content": "Say hello."}])


_arrived = count(1)
CALLS_AT_ONCE = 10


@dialect(seam="request", only=(*CALLS, "CC-HDR-005", "CC-ERR-013"))
def serves_a_few_at_once(call: Call) -> Call | Reply:
    """Puts off two calls of three for a second where many come at once."""
    said = text.last_user_text(messages(call)) if messages(call) else ""
    number = next(_arrived) if "The code word is" in said else 0
    if number % 3 == 0 or number > 2 * CALLS_AT_ONCE:
        return call
    soon = (("Retry-After", "1"),)
    why = "Too many concurrent requests."
    return refusal(429, why, kind="requests", code="rate_limit_exceeded", headers=soon)


@dialect(seam="clock", only=CALLS)
def thinks_before_every_answer(pauses: list[float], call: Call) -> list[float]:
    """Takes a third of a second for any answer."""
    return [pauses[0] + 0.3, *pauses[1:]] if call.chat else pauses


@dialect(seam="reply", only=CALLS, model=THINKER)
def thinks_of_its_own_word(reply: Reply, call: Call) -> Reply:
    """Repeats in its thought what it was told."""
    said = text.last_user_text(messages(call)) if messages(call) else ""

    def think(one: dict[str, Any]) -> None:
        one["reasoning_content"] = f"The user says: {said}"

    return message(reply, think)


@dialect(seam="request", only=CALLS, profile=BURST)
def sheds_load_politely(call: Call) -> Call | Reply:
    """Answers 503 or 429 where more calls come than it serves."""
    said = text.last_user_text(messages(call)) if messages(call) else ""
    number = said.removeprefix("Say hello to number ").rstrip(".")
    if not number.isdecimal() or int(number) < 10:
        return call
    if int(number) % 2:
        return refusal(503, "The server is overloaded.", kind="service_unavailable_error")
    return refusal(429, "Slow down.", kind="requests", code="rate_limit_exceeded")
