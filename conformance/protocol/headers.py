"""Rules for the headers that clients of this API look at: CC-HDR-002 to 005 and 007, CC-ERR-014.

Laws
----
* A header that is not sent breaks nothing: all of this is optional, and judged for its form.
* A rule is a row: the clause, the header, a pattern for its whole value, the pattern in words.

Theory
------
Rate limits are told by six names, ``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``. A
server may tell more of its own beside them (``…-requests-day``); one that tells its limits by other
names alone is not read by any client. Durations are what Go's ``time.ParseDuration`` takes.

Example
-------
>>> [finding.id for finding in findings(200, [("x-ratelimit-reset-tokens", "1792195200.5")])]
['CC-HDR-004']
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from .finding import Finding, Findings

__all__ = ["LIMITS", "Row", "findings", "told", "unix_seconds"]

_UNITS: Final = ("requests", "tokens")
LIMITS: Final = tuple(
    f"x-ratelimit-{what}-{unit}" for what in ("limit", "remaining", "reset") for unit in _UNITS
)
"""The six names."""

FAMILY: Final = "x-ratelimit-"

_COUNT: Final = r"\d+"
_DURATION: Final = r"0|(\d+(\.\d*)?(h|m|s|ms|us|µs|Âµs|ns))+"  # Âµ: UTF-8 read as latin-1


@dataclass(frozen=True, slots=True)
class Row:
    """What the value of one header looks like where a reply carries it.

    ``status``: only in replies of that status; None: in any.
    """

    id: str
    name: str
    form: str
    required: str
    status: int | None = None


ROWS: Final = (
    Row("CC-HDR-002", "openai-processing-ms", _COUNT, "an integer"),
    Row("CC-HDR-002", "openai-version", r"\S.*", "a text that is not empty"),
    Row("CC-HDR-002", "openai-organization", r"\S.*", "a text that is not empty"),
    *(Row("CC-HDR-003", name, _COUNT, "an integer >= 0") for name in LIMITS[:4]),
    *(Row("CC-HDR-004", name, _DURATION, "a duration as in 6m0s") for name in LIMITS[4:]),
    Row("CC-HDR-005", "retry-after", r"0*[1-9]\d*", "an integer >= 1 (seconds)", status=429),
    Row("CC-HDR-007", "retry-after-ms", r"\d+(\.\d+)?", "a number"),
    Row("CC-HDR-007", "x-should-retry", "true|false", "true or false"),
)


def unix_seconds(date: str | None) -> int | None:
    """A ``Date`` header in Unix seconds; None where there is none, or it cannot be read.

    >>> unix_seconds("Thu, 01 Jan 1970 00:01:00 GMT"), unix_seconds("yesterday")
    (60, None)
    """
    try:
        return int(parsedate_to_datetime(date or "").timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def told(headers: Iterable[tuple[str, str]], clause: str) -> list[str]:
    """The headers among `headers` that `clause` speaks of, in lower case."""
    names = {row.name for row in ROWS if row.id == clause}
    return [
        name.lower()
        for name, _ in headers
        if name.lower() in names or (clause == "CC-HDR-003" and name.lower().startswith(FAMILY))
    ]


def findings(status: int, headers: Iterable[tuple[str, str]]) -> list[Finding]:
    """What is wrong with the headers of one reply; never raises."""
    log = Findings()
    given = {name.lower(): value.strip() for name, value in headers}
    for row in ROWS:
        value = given.get(row.name)
        if value is None or row.status not in (None, status):
            continue
        if re.fullmatch(row.form, value) is None:
            log.add(row.id, f"{row.name} is {row.required}", value, row.name)
    family = [name for name in given if name.startswith(FAMILY)]
    if family and not set(family) & set(LIMITS):
        required = f"limits go by the names {FAMILY}{{limit,remaining,reset}}-{{requests,tokens}}"
        log.add("CC-HDR-003", required, ", ".join(sorted(family)))
    for unit in _UNITS:
        left, limit = (given.get(f"{FAMILY}{what}-{unit}", "") for what in ("remaining", "limit"))
        # A count of 19 digits holds every 64-bit integer; Python refuses to read thousands.
        counts = all(re.fullmatch(r"\d{1,19}", value) for value in (left, limit))
        if counts and int(left) > int(limit):
            required = f"{FAMILY}remaining-{unit} is at most the limit, {limit}"
            log.add("CC-HDR-003", required, left, f"{FAMILY}remaining-{unit}")
    return list(log)
