"""The windows of a run, each with its own verdict, and figures over the VALID ones alone: pure.

Laws
----
* A window is judged by the rules of the run, on what was watched in it; what they scale by, the
  medians of TTFT and ITL, is the run's.
* An INVALID window is marked, and what the run says without it stands beside; what many of them,
  or what they carry, make of the run is said in `reliance`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from load import validity
from load.metrics import OWN, Book, Tally

__all__ = ["Marked", "judged", "mark", "over", "seconds"]


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
        window = judged(start, book.length, own, tallies, run)
        if window is not None:
            found.append(window)
    return found


def judged(
    start: int, length: int, own: Tally, models: Sequence[Tally], run: validity.Evidence
) -> Marked | None:
    """One window, from its tally of ``OWN`` and those of the models.

    None where nothing was watched in it: an edge of the phase, shorter than a probe.
    """
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
        tokens=sum(tally.counts["chunks"] for tally in models),
        bunched=sum(tally.counts["bunched_tokens"] for tally in models),
    )
    if not seen.loop.count and not seen.tokens:
        return None
    return Marked(start, length, seen, validity.judge(seen))


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
