"""A signal ends the run: at once where a check is at work, at the next check anywhere else."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import product

import pytest

from conformance.running import signals
from conformance.running.signals import Act, Phase, act
from tests.plugin.bench import ROOT

BOTH = (True, False)


@pytest.fixture(autouse=True)
def caught() -> Iterator[None]:
    """A run is under way in this process."""
    end = signals.catch(worker=False)
    yield
    end()


def came(number: signal.Signals = signal.SIGINT) -> bool:
    """Whether a signal that comes now raises."""
    try:
        signal.raise_signal(number)
    except signals.Stopped:
        return True
    return False


# -- what is decided --------------------------------------------------------------------------


@pytest.mark.parametrize("worker", BOTH)
def test_what_a_check_waits_for_is_cut_at_once(worker: bool) -> None:
    for before, raised in product(BOTH, BOTH):
        now = act(Phase.RUNNING, working=True, before=before, raised=raised, worker=worker)
        assert now is Act.RAISE


def test_anywhere_else_the_first_one_is_noted_and_the_second_one_waits_no_longer() -> None:
    first, second, third = (
        act(Phase.RUNNING, working=False, before=before, raised=raised)
        for before, raised in ((False, False), (True, False), (True, True))
    )
    assert (first, second) == (Act.NOTE, Act.RAISE)
    assert third is Act.NOTE  # the run is ending; what is raised now would hinder that


def test_the_writing_of_results_is_never_broken_off() -> None:
    for working, before, raised in product(BOTH, BOTH, BOTH):
        now = act(Phase.CLOSING, working=working, before=before, raised=raised)
        assert now is Act.NOTE


def test_when_the_results_stand_the_second_one_ends_the_process() -> None:
    for working, raised in product(BOTH, BOTH):
        once, again = (
            act(Phase.SAVED, working=working, before=before, raised=raised)
            for before in (False, True)
        )
        assert (once, again) == (Act.NOTE, Act.LEAVE)


def test_a_worker_is_ended_by_its_controller_alone() -> None:
    for phase, before, raised in product((Phase.RUNNING, Phase.SAVED), BOTH, BOTH):
        assert act(phase, working=False, before=before, raised=raised, worker=True) is Act.NOTE


# -- what happens -----------------------------------------------------------------------------


def test_a_report_that_is_being_made_is_made_and_the_next_check_does_not_begin() -> None:
    assert not came()
    with pytest.raises(signals.Stopped, match="by Ctrl-C"), signals.at_work():
        pytest.fail("the check has begun")


def test_a_check_is_interrupted_where_it_is() -> None:
    with signals.at_work():
        assert came(signal.SIGTERM)
        assert came()  # it was swallowed, and comes again
    assert not came()  # the run is ending


def test_one_that_was_swallowed_is_heeded_later() -> None:
    signals.heed()
    with signals.at_work(), contextlib.suppress(signals.Stopped):
        signal.raise_signal(signal.SIGTERM)  # as in a callback of the garbage collector
    with pytest.raises(signals.Stopped, match="by SIGTERM"):
        signals.heed()
    signals.catch(worker=False)  # another run has heard of none
    signals.heed()


def test_what_is_interruptible_is_called_as_ever() -> None:
    assert signals.interruptible(max)(2, 3) == 3
    assert not came()
    with pytest.raises(signals.Stopped):
        signals.interruptible(max)(2, 3)


def test_a_process_that_is_started_deaf_hears_later_what_has_come() -> None:
    with signals.deaf():
        signal.raise_signal(signal.SIGINT)
        signals.heed()
    with pytest.raises(signals.Stopped):
        signals.heed()


def test_handlers_of_others_are_put_back() -> None:
    signals.catch(worker=False)()
    before = signal.getsignal(signal.SIGINT)
    end = signals.catch(worker=False)
    assert signal.getsignal(signal.SIGINT) is not before
    end()
    assert signal.getsignal(signal.SIGINT) is before


SCRIPT = """
import signal
from conformance.running import signals
signals.starting()
{}
"""

STAGES = {
    "before the run": ("signal.raise_signal(15)", 2, "interrupted by SIGTERM before the run began"),
    "not ours after all": ("signals.release(); signal.raise_signal(15)", -15, ""),
    "over": ("signals.catch(worker=False)(); signal.raise_signal(2)", 0, ""),
    "over, twice": (
        "signals.catch(worker=False)(); signal.raise_signal(2); signal.raise_signal(2); 1/0",
        2,
        "",
    ),
    "saved, in a hurry": (
        "signals.catch(worker=False); signals.closing(); signal.raise_signal(2); "
        "signal.raise_signal(2); print('written'); signals.saved(); print('and more')",
        2,
        "",
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_process_that_is_there_for_a_run(stage: str) -> None:
    code, status, said = STAGES[stage]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (status, said)
    assert done.stdout == ("written\n" if "written" in code else "")
