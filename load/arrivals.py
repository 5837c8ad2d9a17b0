"""When requests are due, in an open loop: pure, absolute, shared among workers.

Laws
----
* A schedule is a sequence of nanoseconds from the start of the run, in order, known beforehand:
  a request that was late delays no other.
* All workers compute the same schedule from the same seed, and each takes every W-th of it. The
  arrivals of all workers together are that schedule, whatever W is, and also where a worker joins
  later: from a moment on, which all are told beforehand, there are more shares of it.

Theory
------
constant   gap 1/rate
poisson    exponential gaps: independent clients; as many as come, come (no rescaling to a count)
gamma      gamma gaps of shape k and mean 1/rate: k < 1 is burstier than Poisson, k = 1 is Poisson,
           k > 1 is more even (k -> infinity is constant)
trace      moments in seconds, from a file: one JSON number, or an object with ``timestamp`` (as
           traces of Azure and Mooncake have it), a line; the first is the start

Example
-------
>>> from itertools import islice
>>> list(islice(schedule("constant", rate=4), 3))
[0, 250000000, 500000000]
>>> mine = Shares()
>>> mine.add(since=0, worker=1, workers=2)
>>> [n for n, at in enumerate(islice(schedule("constant", rate=4), 6)) if mine.hold(n, at)]
[1, 3, 5]
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

__all__ = ["PROCESSES", "Shares", "read_trace", "schedule"]

PROCESSES: Final = ("constant", "poisson", "gamma", "trace")

SECOND: Final = 1_000_000_000


def schedule(
    process: str,
    *,
    rate: float = 1.0,
    shape: float = 1.0,
    seed: int = 0,
    trace: Sequence[int] = (),
) -> Iterator[int]:
    """The moments in ns from the start; endless but for a trace.

    Args:
        process: one of ``PROCESSES``.
        rate: requests per second.
        shape: k of gamma.
        seed: of Poisson and gamma.
        trace: moments in ns, for ``trace``; ``rate`` then speeds it up (1: as recorded).

    Raises:
        ValueError: an unknown process, or a rate or shape that is not above 0.
    """
    if process not in PROCESSES:
        raise ValueError(f"{process!r} is none of {', '.join(PROCESSES)}")
    if not rate > 0 or not shape > 0:
        raise ValueError("rate and shape are above 0")
    if process == "trace":
        return (int(moment / rate) for moment in trace)
    if process == "constant":
        return (int(number * SECOND / rate) for number in count())
    return _random(random.Random(seed), rate, shape if process == "gamma" else 1.0)


def _random(source: random.Random, rate: float, shape: float) -> Iterator[int]:
    moment = 0.0
    scale = 1 / (rate * shape)
    while True:
        moment += source.gammavariate(shape, scale)
        yield int(moment * SECOND)


class Shares:
    """Which arrivals of a schedule are one worker's: every W-th, with a W that may grow."""

    def __init__(self) -> None:
        self._known: list[tuple[int, int, int]] = []

    def add(self, since: int, worker: int, workers: int) -> None:
        """From the moment ``since`` on (ns), this is worker ``worker`` of ``workers``.

        Raises:
            ValueError: it is none of them.
        """
        if not 0 <= worker < workers:
            raise ValueError(f"worker {worker} is none of {workers}")
        self._known.append((since, worker, workers))
        self._known.sort()

    def hold(self, number: int, moment: int) -> bool:
        """Whether the ``number``-th arrival, from 0, is this worker's."""
        for since, worker, workers in reversed(self._known):
            if since <= moment:
                return number % workers == worker
        return False


def read_trace(path: Path) -> list[int]:
    """The moments of a trace file in ns, from 0, in order.

    Raises:
        ValueError: one line that names the file and the line that is no moment.
        OSError: it cannot be read.
    """
    moments = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            value = value["timestamp"] if isinstance(value, dict) else value
            moments.append(int(float(value) * SECOND))
        except (ValueError, TypeError, KeyError, OverflowError):
            raise ValueError(
                f"{path}:{number}: neither a number of seconds nor an object with 'timestamp'"
            ) from None
    if not moments:
        raise ValueError(f"{path}: no moments")
    moments.sort()
    return [moment - moments[0] for moment in moments]
