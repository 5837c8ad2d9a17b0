"""A fault that strikes one call in three: how often the suite finds it, and what it calls it.

The laws:

1. A check that looks at m replies which the fault can break finds it with probability
   1 - (2/3)^m; m is measured, on the server that is always broken.
2. A breach that is found is called intermittent, but where every repetition was struck too.
3. Nothing else is blamed: a fault that comes and goes breaks no more than one that stays.

Bounds are those of the binomial distribution at `CHANCE`. Which calls are struck follows from their
numbers, so that a run repeats itself until somebody changes what is sent.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from math import comb
from pathlib import Path

import pytest

from conformance.again import ENOUGH
from conformance.checks import judged
from conformance.reference.faults import FAULTS

from .faults.odds import broken_replies, found_in
from .faults.trial import DRIVEN, judge, server
from .inprocess import Judgement, trial_pool

pytestmark = pytest.mark.thorough

AMONG = 3
RUNS = 6
CHANCE = 1e-5
"""How seldom a bound is missed by luck."""

TABLE = (
    "streams_null_deltas",
    "never_says_done",
    "begins_json_with_a_byte_order_mark",
    "nulls_a_count",
    "never_says_why",
    "asks_no_credentials",
    "leaves_the_role_out",
    "accepts_empty_messages",
)
"""One fault each of chunks, framing, transport, usage, finish reasons, credentials, messages and
refusals."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run found: the broken ids, those with an error, and how steady each breach was."""

    broken: frozenset[str]
    errors: frozenset[str]
    steady: tuple[bool | None, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault: always on, then `RUNS` times at odds, and once at odds against the whole suite."""

    stated: float
    always: Seen
    at_odds: tuple[Seen, ...]
    whole: Seen


def seen(judgement: Judgement) -> Seen:
    """What is looked at of a run; a breach is steady, or not, or nobody could say (None)."""
    assert judgement.verdicts, judgement.output
    told = [
        entry["evidence"].get("repeated")
        for entry in judgement.results["requirements"]
        if entry["verdict"] in ("FAIL", "WARN")
    ]
    steady = tuple(found and found["broken"] == found["of"] for found in told)
    return Seen(judgement.ids("FAIL", "WARN"), judgement.ids("ERROR"), steady)


def asked_again(name: str) -> frozenset[str]:
    """What a fault breaks, but for what a client library alone shows: that is not asked again."""
    return (FAULTS[name].breaks & judged().keys()) - DRIVEN


def trial(name: str, folder: Path) -> Trial:
    """Judge one fault on a server of its own, so that the same calls are struck each time."""
    ids = tuple(sorted(asked_again(name)))
    with server() as address:
        always = judge(address, name, folder, ids)
        at_odds = [judge(address, f"{name}~{AMONG}.{n}", folder, ids) for n in range(RUNS)]
        whole = judge(address, f"{name}~{AMONG}.{RUNS}", folder)
    stated = found_in(broken_replies(always), AMONG)
    return Trial(stated, seen(always), tuple(map(seen, at_odds)), seen(whole))


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Trial]]]:
    """One trial for every fault of the table, two at a time."""
    folder = tmp_path_factory.mktemp("intermittent")
    with trial_pool() as pool:
        yield {name: pool.submit(trial, name, folder) for name in TABLE}
        pool.shutdown(cancel_futures=True)


def at_most(n: int, p: float) -> int:
    """The largest number of hits among `n` that is not rarer than `CHANCE`."""
    tail = 0.0
    for k in range(n, -1, -1):
        tail += comb(n, k) * p**k * (1 - p) ** (n - k)
        if tail > CHANCE:
            return k
    return 0


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_that_stays_is_called_steady(
    trials: Mapping[str, Future[Trial]], name: str
) -> None:
    always = trials[name].result().always
    assert always.broken == asked_again(name)
    assert set(always.steady) == {True}


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_in_one_of_three_calls_is_found_as_often_as_stated(
    trials: Mapping[str, Future[Trial]], name: str
) -> None:
    outcome = trials[name].result()
    missed = sum(not run.broken for run in outcome.at_odds)
    assert missed <= at_most(RUNS, 1 - outcome.stated)


@pytest.mark.parametrize("name", TABLE)
def test_it_is_called_intermittent_but_for_bad_luck(
    trials: Mapping[str, Future[Trial]], name: str
) -> None:
    told = [steady for run in trials[name].result().at_odds for steady in run.steady]
    assert told.count(True) <= at_most(len(told), 1 / AMONG**ENOUGH)


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_that_comes_and_goes_breaks_no_more_than_one_that_stays(
    trials: Mapping[str, Future[Trial]], name: str
) -> None:
    whole = trials[name].result().whole
    assert whole.errors == frozenset()
    assert whole.broken <= FAULTS[name].breaks
