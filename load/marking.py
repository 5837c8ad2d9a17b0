"""The windows of a run, each with its own verdict, and figures over the VALID ones alone: pure.

Laws
----
* A window is judged by the rules of the run, on what was watched in it; what they scale by, the
  medians of TTFT and ITL, is the run's.
* An INVALID window takes nothing away from the run's own figures or verdict: it is marked, and what
  the run says without it stands beside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from load import validity
from load.metrics import OWN, Book, Tally

__all__ = ["Marked", "mark", "over", "seconds"]


@dataclass(frozen=True, slots=True)
class Marked:
    """A window: its first second of the epoch, its length in seconds, evidence and verdict."""

    start: int
    length: int
    seen: validity.Evidence
    verdict: validity.Validity


def mark(book: Book, phases: Sequence[str], run: validity.Evidence) -> list[Marked]:
    """The windows of some phases in order, each judged; ``run`` is what was watched over all."""
    found = []
    models = [book.windows(model, *phases) for model in book.models]
    for start, own in book.windows(OWN, *phases).items():
        tallies = [rows[start] for rows in models if start in rows]
        seen = replace(
            run,
            lag=own.hist("lag"),
            loop=own.hist("loop"),
            late=own.hist("late"),
            sending=own.hist("sending"),
            cpu=_cpu(own),
            lost=0,
            dead=(),
            not_sent=own.counts["held_back"],
            clock_steps=own.counts["clock_steps"],
            tokens=sum(tally.counts["chunks"] for tally in tallies),
            bunched=sum(tally.counts["bunched_tokens"] for tally in tallies),
        )
        if seen.loop.count or seen.tokens:  # else an edge of the phase, shorter than a probe
            found.append(Marked(start, book.length, seen, validity.judge(seen)))
    return found


def _cpu(own: Tally) -> dict[str, float]:
    """Share of one core by worker, of those that were measured in the window."""
    passed = {
        name.partition("/")[2]: count
        for name, count in own.counts.items()
        if name.startswith("wall_ns/")
    }
    return {
        f"worker {worker}": own.counts[f"cpu_ns/{worker}"] / wall
        for worker, wall in passed.items()
        if wall
    }


def over(book: Book, model: str, phases: Sequence[str], windows: Collection[Marked]) -> Tally:
    """What a model did in these windows: the histograms ``ttft``, ``itl`` and ``e2e``."""
    rows, made = book.windows(model, *phases), Tally()
    for window in windows:
        if window.start in rows:
            made.merge(rows[window.start])
    return made


def seconds(windows: Collection[Marked], span: tuple[int, int]) -> set[int]:
    """The seconds of the windows that lie in a span ``[first, end)``."""
    first, end = span
    return {
        second
        for window in windows
        for second in range(max(first, window.start), min(end, window.start + window.length))
    }
