"""Every fault of the reference server turns exactly its declared requirements red.

The laws:

1. Sets are compared, not counted: a fault that breaks one requirement more or less fails here.
2. A requirement that no fault breaks is a check that was never seen failing: it fails here too. An
   INFO entry cannot fail; `dialects/test_observation_dialects` shows that its check sees.
3. The server without a fault breaks nothing, and leaves nothing undecided.
4. What is BLOCKED names a requirement that is broken in the very same run.

Ids that no check here judges are left out of a fault's declaration: those of client libraries that
are not installed (`make clients`). What a complete run finds is kept for `tests.faults.matrix`.
Faults that only generated requests show take hundreds of them: `make thorough`, and `make faults`,
which tries all; none of them is the only one to break a clause.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from conformance.checks import judged
from conformance.libraries import absent
from conformance.reference.faults import FAULTS
from conformance.requirements import REQUIREMENTS

from .faults.matrix import KEPT, keep
from .faults.trial import examples, judge, profile, server
from .inprocess import Judgement, trial_pool

pytestmark = pytest.mark.slow

HERE = Path(__file__)

NONE = ""
"""The name of the server without a fault."""

UNOBSERVABLE: Mapping[str, str] = {
    "CC-HTTP-008": "it allows space before the document; a reply cannot break a permission",
    "CC-SSE-011": "it allows comments; where they stand and how is other clauses' business",
    "CC-STREAM-014": "it allows text in the finishing chunk; a reply cannot break a permission",
    "CC-SERR-008": "it allows `event: error`; another name is CC-SSE-015's",
}
"""Judged requirements that no reply can break, with the reason."""


TRIED = [
    pytest.param(name, marks=pytest.mark.thorough if examples(fault) else ())
    for name, fault in FAULTS.items()
]


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Judgement]]]:
    """A trial for each fault that is tried, three at a time, since they wait; a test waits for its
    own."""
    folder = tmp_path_factory.mktemp("faults")
    tried = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == HERE and hasattr(item, "callspec")
    ]
    with server() as address, trial_pool(3) as pool:
        jobs = {name: pool.submit(judge, address, name, folder) for name in [NONE, *tried]}
        yield jobs
        pool.shutdown(cancel_futures=True)
    KEPT.unlink(missing_ok=True)
    complete = not any(job.cancelled() or job.exception() for job in jobs.values())
    if complete and FAULTS.keys() < jobs.keys():
        keep({name: jobs[name].result() for name in FAULTS})


def test_the_server_without_a_fault_keeps_every_requirement(
    trials: Mapping[str, Future[Judgement]],
) -> None:
    trial = trials[NONE].result()

    kept = ("PASS", "UNSUPPORTED", "OBSERVED")
    undecided = {i: v for i, v in trial.verdicts.items() if v not in kept}
    assert undecided == {}
    assert trial.exit_status == 0, trial.output
    assert set(trial.verdicts) == set(judged())


@pytest.mark.parametrize("name", TRIED)
def test_a_fault_breaks_exactly_what_it_declares(
    trials: Mapping[str, Future[Judgement]], name: str
) -> None:
    trial = trials[name].result()
    declared = (FAULTS[name].breaks & judged().keys()) - absent()

    assert trial.ids("ERROR") == frozenset()
    assert trial.ids("FAIL", "WARN") == declared, trial.output
    must_break = any(REQUIREMENTS[i].level == "MUST" for i in declared)
    assert (trial.exit_status == 1) == ("FAIL" in trial.verdicts.values())
    assert must_break or trial.exit_status in (0, 6)
    assert blocked_in_vain(trial) == {}


def blocked_in_vain(trial: Judgement) -> dict[str, str]:
    """What is BLOCKED by a requirement that is not broken, with that requirement, by id."""
    broken = trial.ids("FAIL", "WARN")
    return {
        entry["id"]: entry["evidence"].get("by", "nothing")
        for entry in trial.results["requirements"]
        if entry["verdict"] == "BLOCKED" and entry["evidence"].get("by") not in broken
    }


def test_every_judged_requirement_is_caught_failing(
    trials: Mapping[str, Future[Judgement]],
) -> None:
    caught = {i for trial in trials.values() for i in trial.result().ids("FAIL", "WARN")}

    missed = {i for i in judged() if REQUIREMENTS[i].level != "INFO"} - caught
    assert missed == set(UNOBSERVABLE) | absent()


def test_every_declared_id_is_in_the_catalogue() -> None:
    unknown = {i for fault in FAULTS.values() for i in fault.breaks} - set(REQUIREMENTS)

    assert unknown == set()


def test_the_folder_of_a_trial_holds_what_it_says(tmp_path: Path) -> None:
    assert "stream_error" in profile(tmp_path).read_text("utf-8")
