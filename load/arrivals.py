"""When requests are due, in an open loop: pure, absolute, shared among workers.

Laws
----
* A schedule is a sequence of nanoseconds from the start of the run, in order, known beforehand:
  a request that was late delays no other.
* All workers compute the same schedule from the same seed, and each takes every W-th of it. The
  arrivals of all workers together are that schedule, whatever W is.

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
>>> list(islice(shard(schedule("constant", rate=4), 1, 2), 2))
[250000000, 750000000]
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Final

__all__ = ["PROCESSES", "read_trace", "schedule", "shard"]

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


def shard(moments: Iterable[int], index: int, workers: int) -> Iterator[int]:
    """Worker ``index``'s part of a schedule. Raises ValueError if it is none of ``workers``."""
    if not 0 <= index < workers:
        raise ValueError(f"worker {index} is none of {workers}")
    return islice(moments, index, None, workers)


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
