"""Faults of headers, and of refusals for want of rate, credit or permission (CC-HDR, CC-ERR)."""

from __future__ import annotations

from dataclasses import replace

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import error, setting
from conformance.reference.faults.registry import fault


def _key(call: Call, purpose: str) -> bool:
    """Whether a call carries the spare key of this purpose (`routes.SPARE_KEYS`)."""
    return "".join(call.values("authorization")).endswith(f"-{purpose}")


@fault(breaks={"CC-HDR-001"}, seam="reply")
def sends_no_request_id(reply: Reply, call: Call) -> Reply:
    """Sends no x-request-id."""
    return reply.lacking("x-request-id")


@fault(breaks={"CC-HDR-001"}, seam="reply")
def names_no_streams(reply: Reply, call: Call) -> Reply:
    """Sends no x-request-id with streams."""
    return reply if reply.events is None else reply.lacking("x-request-id")


@fault(breaks={"CC-HDR-001"}, seam="reply")
def names_no_errors(reply: Reply, call: Call) -> Reply:
    """Sends no x-request-id with errors."""
    return reply if reply.ok else reply.lacking("x-request-id")


@fault(breaks={"CC-HDR-001"}, seam="reply")
def names_every_request_alike(reply: Reply, call: Call) -> Reply:
    """Sends the same x-request-id with every reply of a worker."""
    return reply.having(("x-request-id", "req_worker_3"))


@fault(breaks={"CC-HDR-002"}, seam="reply")
def measures_in_fractions(reply: Reply, call: Call) -> Reply:
    """Tells the time of processing with a fraction and a unit."""
    return reply.having(("openai-processing-ms", "1.25ms"))


@fault(breaks={"CC-HDR-002"}, seam="reply")
def names_an_empty_organization(reply: Reply, call: Call) -> Reply:
    """Sends an empty openai-organization."""
    return reply.having(("openai-organization", ""))


_SIX = tuple(
    f"x-ratelimit-{what}-{unit}"
    for what in ("limit", "remaining", "reset")
    for unit in ("requests", "tokens")
)


@fault(breaks={"CC-HDR-003"}, seam="reply")
def tells_limits_by_other_names(reply: Reply, call: Call) -> Reply:
    """Tells its limits as a gateway does, by names without a unit."""
    own = (("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "99"))
    return reply.lacking(*_SIX).having(*own)


@fault(breaks={"CC-HDR-003"}, seam="reply")
def has_more_left_than_there_is(reply: Reply, call: Call) -> Reply:
    """Tells more remaining tokens than the limit."""
    return reply.having(("x-ratelimit-remaining-tokens", "1000001"))


@fault(breaks={"CC-HDR-003"}, seam="reply")
def tells_limits_without_end(reply: Reply, call: Call) -> Reply:
    """Says -1 where there is no limit."""
    return reply.having(("x-ratelimit-limit-requests", "-1"))


@fault(breaks={"CC-HDR-004"}, seam="reply")
def resets_at_an_hour(reply: Reply, call: Call) -> Reply:
    """Tells when limits reset as a Unix time."""
    return reply.having(("x-ratelimit-reset-requests", "1792195200"))


@fault(breaks={"CC-HDR-004"}, seam="reply")
def resets_after_bare_seconds(reply: Reply, call: Call) -> Reply:
    """Tells when limits reset as a number without a unit."""
    return reply.having(("x-ratelimit-reset-tokens", "0.06"))


@fault(breaks={"CC-HDR-005"}, seam="reply")
def retries_after_nothing(reply: Reply, call: Call) -> Reply:
    """Sends `Retry-After: 0` with a 429."""
    return reply.having(("Retry-After", "0")) if _key(call, "limited") else reply


@fault(breaks={"CC-HDR-005"}, seam="reply")
def retries_after_a_fraction(reply: Reply, call: Call) -> Reply:
    """Sends a fraction of seconds as Retry-After."""
    return reply.having(("Retry-After", "1.5")) if _key(call, "limited") else reply


@fault(breaks={"CC-HDR-007"}, seam="reply")
def should_perhaps_retry(reply: Reply, call: Call) -> Reply:
    """Sends `x-should-retry: yes`."""
    return reply.having(("x-should-retry", "yes")) if _key(call, "limited") else reply


@fault(breaks={"CC-HDR-007"}, seam="reply")
def retries_after_ms_with_a_unit(reply: Reply, call: Call) -> Reply:
    """Sends retry-after-ms with a unit."""
    return reply.having(("retry-after-ms", "1000ms")) if _key(call, "limited") else reply


@fault(breaks={"CC-ERR-013"}, seam="reply")
def limits_the_rate_without_a_code(reply: Reply, call: Call) -> Reply:
    """Writes the status as the code of a 429."""
    return error(reply, setting(code="429")) if _key(call, "limited") else reply


@fault(breaks={"CC-ERR-013"}, seam="reply")
def limits_the_rate_in_plain_text(reply: Reply, call: Call) -> Reply:
    """Answers a 429 as the proxy in front writes it."""
    if not _key(call, "limited"):
        return reply
    plain = replace(reply, body=None, content=b"Too Many Requests\n")
    return plain.having(("Content-Type", "text/plain"))


@fault(breaks={"CC-ERR-014"}, seam="reply")
def calls_empty_credit_a_rate_limit(reply: Reply, call: Call) -> Reply:
    """Gives exhausted credit the type and code of a rate limit."""
    limit = setting(type="requests", code="rate_limit_exceeded")
    return error(reply, limit) if _key(call, "exhausted") else reply


@fault(breaks={"CC-ERR-014"}, seam="reply")
def lets_empty_credit_be_retried(reply: Reply, call: Call) -> Reply:
    """Does not say that exhausted credit is nothing to retry."""
    return reply.lacking("x-should-retry") if _key(call, "exhausted") else reply


@fault(breaks={"CC-ERR-014", "CC-ERR-021"}, seam="reply")
def wants_payment_in_plain_text(reply: Reply, call: Call) -> Reply:
    """Answers exhausted credit with a 402 without the envelope."""
    if not _key(call, "exhausted"):
        return reply
    return replace(reply, status=402, body={"detail": "Insufficient Balance"})


@fault(breaks={"CC-AUTH-011"}, seam="reply")
def calls_a_restricted_key_wrong(reply: Reply, call: Call) -> Reply:
    """Tells a key that lacks permission that it is no key."""
    if not _key(call, "restricted"):
        return reply
    return refusal(401, "Invalid API key provided", code="invalid_api_key", headers=reply.headers)


@fault(breaks={"CC-AUTH-011"}, seam="reply")
def hides_a_model_from_a_restricted_key(reply: Reply, call: Call) -> Reply:
    """Tells a key that lacks permission that there is no such model."""
    if not _key(call, "restricted"):
        return reply
    return refusal(404, "The model does not exist.", code="model_not_found", headers=reply.headers)
