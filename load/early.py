"""Ctrl-C: one line before a run has begun, and after that where Locust waits for it alone.

Laws
----
* Before a run has begun Ctrl-C ends the process with one line and status 2, where Python would
  show what it was importing; of several processes one says it.
* Then it is raised in the main greenlet, which waits for it, and not in whatever runs just then:
  the run ends, with its results. A second one says so, a third ends the process at once.
* Where it is ignored it stays so. Nothing is imported here that takes time.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["begun", "heed"]

_first = os.getpid()
_asked = 0


def _say(text: str) -> None:
    if os.getpid() == _first:
        os.write(sys.stderr.fileno(), f"load: {text}\n".encode())


def _leave(*_: object) -> None:
    _say("interrupted before the run began")
    os._exit(2)


def heed() -> None:
    """From now on Ctrl-C ends the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def begun() -> None:
    """From now on Ctrl-C ends the run; to be called when the main greenlet waits. Needs gevent."""
    if signal.getsignal(signal.SIGINT) not in (_leave, signal.default_int_handler):
        return  # it is ignored, or watched already
    import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types

    signal.signal(signal.SIGINT, _watched)
    gevent.signal_handler(signal.SIGINT, _end)


def _watched(*_: object) -> None:
    """Stands for gevent's watcher, which Python knows nothing of."""


def _end() -> None:
    """In a greenlet of its own."""
    global _asked  # noqa: PLW0603 - a process has one Ctrl-C
    _asked += 1
    if _asked == 1:
        import gevent

        gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
    elif _asked == 2:
        _say("the run is ending; once more, and it ends at once")
    else:
        os._exit(2)
