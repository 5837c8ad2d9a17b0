"""Watches the generator itself: the lag of its event loop, its CPU, what is in flight.

Laws: what is watched is counted in the phase in which it was seen; a probe costs microseconds.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types

from load.metrics import OWN, Book

__all__ = ["Monitor"]

PROBE: Final = 0.01
"""Seconds that the probe of the loop sleeps."""

LATE_NS: Final = 50_000_000
"""A probe later than this marks its second."""

_now = time.monotonic_ns


class Monitor:
    """Two greenlets, for the length of a run.

    Args:
        book: where it is counted, under ``OWN``.
        phase: the phase that holds now.
        in_flight: how many requests are, by model.
        worker: the index of this process.
        tick: called once a second.
    """

    def __init__(
        self,
        book: Book,
        phase: Callable[[], str],
        in_flight: Callable[[], Mapping[str, int]],
        worker: int,
        tick: Callable[[], None],
    ) -> None:
        self._worker = worker
        self._book, self._phase, self._in_flight, self._tick = book, phase, in_flight, tick
        self._greenlets = [gevent.spawn(self._probe), gevent.spawn(self._seconds)]
        self._collection = 0
        self._used: dict[str, tuple[int, int]] = {}  # by phase: ns of the wall, of the CPU
        gc.callbacks.append(self._collected)

    def stop(self) -> None:
        """End both greenlets; safe to call twice."""
        gevent.killall(self._greenlets, block=False)
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)

    def cpu(self, phase: str) -> float:
        """Share of one core used in a phase; 0 where it lasted no second."""
        passed, spent = self._used.get(phase, (0, 0))
        return spent / passed if passed else 0.0

    def _probe(self) -> None:
        while True:
            before = _now()
            gevent.sleep(PROBE)
            late = max(0, _now() - before - int(PROBE * 1e9))
            second = int(time.time())
            self._book.window(OWN, self._phase(), second).hist("loop").add(late)
            if late > LATE_NS:
                self._book.tally(OWN, self._phase()).at("late_probes", second)

    def _seconds(self) -> None:
        wall, cpu = _now(), time.process_time_ns()
        while True:
            gevent.sleep(1.0)
            now, used = _now(), time.process_time_ns()
            phase, second = self._phase(), int(time.time())
            passed, spent = self._used.get(phase, (0, 0))
            self._used[phase] = passed + now - wall, spent + used - cpu
            self._book.window(OWN, phase, second).counts.update(
                {f"wall_ns/{self._worker}": now - wall, f"cpu_ns/{self._worker}": used - cpu}
            )
            wall, cpu = now, used
            flying = self._in_flight()
            self._book.tally(OWN, phase).at("in_flight", second, sum(flying.values()))
            for model, count in flying.items():
                self._book.tally(model, phase).at("in_flight", second, count)
            self._tick()

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        """The garbage collector's own call, before and after each pause."""
        if phase == "start":
            self._collection = _now()
        elif self._collection:
            self._book.tally(OWN, self._phase()).hist("gc").add(_now() - self._collection)
