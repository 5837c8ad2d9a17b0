"""Ctrl-C, and the SIGTERM by which a job of CI is cancelled: the run ends, and its results stand.

The law: both end a run in the same way, pytest's own for Ctrl-C (exit status 2), except that the
reader is not shown which line of ours was being executed.
"""

import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NoReturn

CAUGHT: Mapping[signal.Signals, str] = {
    signal.SIGINT: "by Ctrl-C",
    signal.SIGTERM: "by SIGTERM",
}


class Stopped(KeyboardInterrupt):
    """The user, or the system, ends the run.

    Its name stands in pytest's summary; under the name of its base a line of source would too.
    """


_told: list[str] = []
"""What has come. Python swallows what is raised in a callback of its garbage collector."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    _told.append(CAUGHT[signal.Signals(number)])
    raise Stopped(_told[-1])


def heed() -> None:
    """Raise `Stopped` once more where a signal has come and the run goes on all the same."""
    if _told:
        raise Stopped(_told[-1])


def catch(*, worker: bool) -> Callable[[], None]:
    """Let the signals end the run; returns what puts back the handlers that were there before.

    `worker`: the controlling process ends it, and this one lives on until then.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    _told.clear()
    before: dict[signal.Signals, Any] = {}
    if worker:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        heeded = [number for number in CAUGHT if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, _stop) for number in heeded}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return put_back
