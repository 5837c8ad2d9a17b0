"""The bounds that a user sets to what a run sends, as they are written: budgets, and a rate.

The law: a mistake is one line that says what to write instead (`pytest.UsageError`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from conformance.wire.pace import Limits, Rate

MOST_BUDGET = 10**12
FEWEST_TOKENS = 2000
"""With less, not even the plainest call could be let out (`budget.UNBOUNDED`)."""

MOST_CALLS = 1_000_000
PERIODS: Mapping[str, float] = {"min": 60.0, "s": 1.0}


def add_options(add: Callable[..., Any]) -> None:
    """Registers the options, by the `addoption` of a group."""
    add(
        "--rate",
        metavar="N/min",
        help="send at most N requests in a minute (N/s: in a second), over all processes",
    )
    add(
        "--budget-requests",
        metavar="N",
        help="send at most N requests; what is not judged by then is INCONCLUSIVE",
    )
    add(
        "--budget-tokens",
        metavar="N",
        help="let models read and write at most N tokens, as the target's usage counts them",
    )


def read(option: Callable[[str], Any]) -> Limits:
    """The bounds, by pytest's `getoption`."""
    return Limits(
        _budget("--budget-requests", option("budget_requests"), 1),
        _budget("--budget-tokens", option("budget_tokens"), FEWEST_TOKENS),
        _rate(option("rate")),
    )


def whole(option: str, given: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    if not given.isascii() or not given.isdigit() or not least <= int(given[:30]) <= most:
        raise pytest.UsageError(f"{option} {given}: give a whole number from {least} to {most:,}")
    return int(given)


def _budget(option: str, given: str | None, least: int) -> int | None:
    return None if given is None else whole(option, given, least, MOST_BUDGET)


def _rate(given: str | None) -> Rate | None:
    """`--rate`: 60/min, or 2/s."""
    if given is None:
        return None
    calls, _, period = given.partition("/")
    counts = calls.isascii() and calls.isdigit() and 1 <= int(calls[:30]) <= MOST_CALLS
    if not counts or period not in PERIODS:
        raise pytest.UsageError(
            f"--rate {given}: give requests in a minute or a second, such as 60/min or 2/s"
        )
    return Rate(int(calls), PERIODS[period])
