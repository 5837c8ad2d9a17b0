"""Ctrl-C, and the SIGTERM by which a job of CI is cancelled: the run ends, and its results stand.

Laws
----
1. Both end a run in the same way, pytest's own for Ctrl-C (exit status 2), except that the reader
   is not shown which line of ours was being executed.
2. An exchange that hangs is cut at once: where a check is at work (`at_work`), a signal raises
   `Stopped`. Anywhere else (a report is made, a line of the journal is written, pytest collects) it
   is noted, and heeded where the next check begins.
3. A second one never waits for the next check. Nor does it break off the writing of the results:
   once they stand (`saved`), the process ends on the spot.
4. Before the run has begun there is nothing to be saved: one line, exit status 2.

Theory
------
Python runs a handler between two instructions of the main thread, whatever that does. What it
raises there strikes code that expects nothing: the callbacks of the garbage collector swallow it,
and the parser of CPython 3.11, which pytest calls to show source, ends with a `SystemError`
instead. So nothing is raised but where our own code waits, and what is raised there may still be
lost: `heed` raises it again.

A worker of xdist is deaf until it has a handler (`deaf` blocks the signals while it is started, it
inherits that, and `catch` unblocks them); after it, the controller is the one that ends it.
"""

import atexit
import contextlib
import enum
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CAUGHT: Mapping[signal.Signals, str] = {
    signal.SIGINT: "by Ctrl-C",
    signal.SIGTERM: "by SIGTERM",
}

INTERRUPTED = 2
"""The exit status, pytest's."""


class Stopped(KeyboardInterrupt):
    """The user, or the system, ends the run.

    Its name stands in pytest's summary; under the name of its base a line of source would too.
    """


class Phase(enum.Enum):
    """How far a run is."""

    STARTING = "nothing was sent yet"
    RUNNING = "checks may be at work"
    CLOSING = "the results are being written"
    SAVED = "the results stand, or there are none to come"


class Act(enum.Enum):
    """What becomes of a signal."""

    NOTE = "it is remembered"
    RAISE = "`Stopped` is raised where Python is"
    LEAVE = "the process ends on the spot"


def act(phase: Phase, *, working: bool, before: bool, raised: bool, worker: bool = False) -> Act:
    """What to do about a signal.

    Args:
        phase: how far the run is.
        working: whether a check is at work.
        before: whether this is not the first signal.
        raised: whether an earlier one has been raised, so that the run is ending already.
        worker: whether another process ends this one.
    """
    if phase is Phase.STARTING:
        return Act.LEAVE
    if phase is Phase.RUNNING:
        hurried = before and not raised and not worker
        return Act.RAISE if working or hurried else Act.NOTE
    return Act.LEAVE if phase is Phase.SAVED and before and not worker else Act.NOTE


@dataclass(slots=True)
class _State:
    """What this process knows. `told`: the signals that have come, in words."""

    phase: Phase = Phase.SAVED
    working: bool = False
    raised: bool = False
    worker: bool = False
    told: list[str] = field(default_factory=list)
    replaced: dict[signal.Signals, Any] = field(default_factory=dict)
    """The handlers that were there before ours."""
    owned: bool = False
    """Whether the process is there for this run alone, and ends with it."""


_state = _State()


# -- what happens ---------------------------------------------------------------------------------


def _come(number: int, frame: FrameType | None) -> None:
    before = bool(_state.told)
    _state.told.append(CAUGHT[signal.Signals(number)])
    done = act(
        _state.phase,
        working=_state.working,
        before=before,
        raised=_state.raised,
        worker=_state.worker,
    )
    if done is Act.LEAVE:
        starting = _state.phase is Phase.STARTING
        _leave(f"interrupted {_state.told[-1]} before the run began\n" if starting else "")
    if done is Act.RAISE:
        heed()


def heed() -> None:
    """Raise `Stopped` where a signal has come: the run is to end here."""
    if _state.told:
        _state.raised = True
        raise Stopped(_state.told[-1])


def came() -> bool:
    """Whether a signal has come."""
    return bool(_state.told)


def raised() -> bool:
    """Whether one has been raised: the run is ending."""
    return _state.raised


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """In this block a signal raises at once; one that has come before is heeded first."""
    heed()
    before, _state.working = _state.working, True
    try:
        yield
    finally:
        _state.working = before


def interruptible(call: Callable[P, T]) -> Callable[P, T]:
    """`call`, at work all the time."""

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        with at_work():
            return call(*args, **kwargs)

    return called


def closing() -> None:
    """The results are about to be written: from now on nothing is raised."""
    _state.phase = Phase.CLOSING


def saved() -> None:
    """The results stand: who has pressed Ctrl-C twice waits for nothing more."""
    _state.phase = Phase.SAVED
    if len(_state.told) > 1 and not _state.worker:
        _leave()


def _leave(line: str = "") -> None:
    """End the process: no handler, no exception, nothing that could be in the way."""
    with contextlib.suppress(Exception):  # it may be in the middle of a write
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, line.encode())
    os._exit(INTERRUPTED)


# -- from when to when ----------------------------------------------------------------------------


def starting() -> None:
    """This process is there for a run of ours: until it begins, a signal ends it with one line."""
    if _state.owned or not _install():
        return
    _state.phase, _state.owned = Phase.STARTING, True
    # Python's own end cannot be interrupted without a trace of it, and is over at once.
    atexit.register(_ignore)


def release() -> None:
    """It was no run of ours after all."""
    if _state.owned:
        atexit.unregister(_ignore)
        _state.owned = False
        _put_back()


def catch(*, worker: bool) -> Callable[[], None]:
    """Let the signals end the run that begins; returns what is to be called at its very end.

    `worker`: the controlling process ends it, and this one lives on until then.
    """
    if not _state.owned and not _install():
        return lambda: None
    _state.phase, _state.working, _state.raised = Phase.RUNNING, False, False
    _state.worker = worker
    _state.told.clear()
    if worker:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _mask(signal.SIG_UNBLOCK)
    return _end


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """What is started in this block hears no signal until it says so; ours wait for its end."""
    _mask(signal.SIG_BLOCK)
    try:
        yield
    finally:
        _mask(signal.SIG_UNBLOCK)


def _end() -> None:
    _state.phase = Phase.SAVED
    if not _state.owned:
        _put_back()


def _install() -> bool:
    """Put our handlers in place; whether this thread may."""
    if threading.current_thread() is not threading.main_thread():
        return False
    if not _state.replaced:
        heeded = [number for number in CAUGHT if signal.getsignal(number) != signal.SIG_IGN]
        _state.replaced = {number: signal.signal(number, _come) for number in heeded}
    return True


def _put_back() -> None:
    for number, handler in _state.replaced.items():
        signal.signal(number, handler)
    _state.replaced = {}


def _ignore() -> None:
    for number in CAUGHT:
        signal.signal(number, signal.SIG_IGN)


def _mask(how: int) -> None:
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(how, CAUGHT)
