"""The end of a run that several workers make: the master waits for the last word of each.

Laws: it waits until every worker's last report is in, or those left are known to be dead, and no
longer than its patience.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from locust.runners import STATE_MISSING, MasterRunner

from load.gather import Ledger

__all__ = ["quit_master", "spenders", "wait_for_workers"]

PATIENCE: Final = 15.0
"""Seconds, beyond --stop-timeout, that the master waits for the workers' last reports."""


def spenders(runner: Any, ledger: Ledger) -> set[str]:
    """Those who have a share of a budget: the share of a worker that is dead is nobody's."""
    known = set(ledger.expected)
    return known & _alive(runner) if isinstance(runner, MasterRunner) else known


def _alive(runner: Any) -> set[str]:
    return {client.id for client in runner.clients.values() if client.state != STATE_MISSING}


def wait_for_workers(runner: Any, ledger: Ledger, stop_timeout: float) -> None:
    """Until every worker's last report is in, or those left are known to be dead."""
    until = time.monotonic() + stop_timeout + PATIENCE
    while ledger.missing and time.monotonic() < until:
        if not _alive(runner).intersection(ledger.missing):
            until = min(until, time.monotonic() + 2)  # what they sent last may be on its way
        gevent.sleep(0.05)


def quit_master(runner: Any, conclude: Callable[[], None]) -> None:
    """As MasterRunner.quit, but that the run is concluded before workers and master are gone."""
    workers = list(runner.clients)
    runner.stop(send_stop_to_client=False)
    for name in workers:
        runner.send_message("quit", client_id=name)
    conclude()
    gevent.sleep(0.1)  # Locust's own last statistics follow ours on the same sockets
    runner.greenlet.kill(block=True)
