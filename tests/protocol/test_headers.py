"""Headers of rate limits, retries and the like: their forms."""

from __future__ import annotations

import pytest

from conformance.protocol.headers import findings, told

from .talk import ids


@pytest.mark.parametrize(
    ("name", "value", "clause"),
    [
        ("OpenAI-Processing-Ms", "12", None),
        ("openai-processing-ms", "12.5", "CC-HDR-002"),
        ("openai-version", "2020-10-01", None),
        ("openai-version", "", "CC-HDR-002"),
        ("openai-organization", " ", "CC-HDR-002"),
        ("X-RateLimit-Limit-Requests", "0", None),
        ("x-ratelimit-limit-tokens", "1.5", "CC-HDR-003"),
        ("x-ratelimit-remaining-requests", "-1", "CC-HDR-003"),
        ("x-ratelimit-limit", "100", "CC-HDR-003"),
        ("ratelimit-limit", "100", None),
        *((f"x-ratelimit-reset-{unit}", "6m0s", None) for unit in ("requests", "tokens")),
        *(("x-ratelimit-reset-tokens", good, None) for good in ("12ms", "2m59.56s", "0", "1h0m0s")),
        ("x-ratelimit-reset-tokens", "5\u00b5s", None),
        ("x-ratelimit-reset-tokens", "12", "CC-HDR-004"),
        ("x-ratelimit-reset-tokens", "1s 2ms", "CC-HDR-004"),
        ("x-ratelimit-reset-requests", "2026-01-01T00:00:00Z", "CC-HDR-004"),
        ("retry-after-ms", "250", None),
        ("retry-after-ms", "0.5", None),
        ("retry-after-ms", "soon", "CC-HDR-007"),
        ("x-should-retry", "false", None),
        ("x-should-retry", "no", "CC-HDR-007"),
    ],
)
def test_a_header_has_its_form(name: str, value: str, clause: str | None) -> None:
    assert ids(findings(200, [(name, value)])) == ([clause] if clause else [])


@pytest.mark.parametrize(
    ("value", "broken"),
    [("1", False), ("060", False), ("0", True), ("1.5", True), ("-1", True), ("", True)],
)
def test_retry_after_is_whole_seconds_in_a_429(value: str, broken: bool) -> None:
    assert ids(findings(429, [("Retry-After", value)])) == (["CC-HDR-005"] if broken else [])
    assert findings(503, [("Retry-After", value)]) == []


def test_no_more_remains_than_the_limit() -> None:
    limit = ("x-ratelimit-limit-tokens", "10")
    assert findings(200, [limit, ("x-ratelimit-remaining-tokens", "10")]) == []
    assert ids(findings(200, [limit, ("x-ratelimit-remaining-tokens", "11")])) == ["CC-HDR-003"]
    assert findings(200, [limit, ("x-ratelimit-remaining-tokens", "9" * 5000)]) == []


def test_further_names_may_stand_beside_the_six() -> None:
    own = ("x-ratelimit-limit-requests-day", "a lot")
    assert findings(200, [own, ("x-ratelimit-limit-requests", "5")]) == []


def test_what_a_reply_tells_is_known() -> None:
    headers = [("X-RateLimit-Limit", "1"), ("OpenAI-Version", "x"), ("Date", "now")]
    assert told(headers, "CC-HDR-003") == ["x-ratelimit-limit"]
    assert told(headers, "CC-HDR-002") == ["openai-version"]
    assert told(headers, "CC-HDR-007") == []
