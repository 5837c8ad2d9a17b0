"""What a run's results are made from, and what is decided by it: verdict and targets. Pure.

Laws: samples are those of the steady phase where there was one; a rate counts whole seconds in
which all workers were in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from load import marking, reliance, slo, validity
from load.gather import Final as LastWord
from load.histogram import Histogram
from load.metrics import OPENING, OWN, STEADY, Book, Tally
from load.options import Settings
from load.windows import phase_of

__all__ = ["UNFINISHED", "Facts", "Judged", "decided", "evidence", "judge", "rate", "standings"]

SECOND: Final = 1_000_000_000

UNFINISHED: Final = {
    "running": "the run goes on",
    "cut off": "the run was cut off",
}
"""The states of a run that is not over, and why no target is decided then."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a run's results are made from.

    ``users`` is the most that ran; ``command`` the command line, without the key ("": unknown);
    ``state`` is ``over``, or one of `UNFINISHED`.
    """

    settings: Settings
    run: str
    book: Book
    finals: Mapping[str, LastWord]
    users: int
    dead: tuple[str, ...] = ()
    lost: int = 0
    locust: str = ""
    version: str = ""
    command: str = ""
    state: str = "over"

    @property
    def steady(self) -> bool:
        """Whether every worker reached its steady phase, and a request of it has ended."""
        ended = any(
            tally.counts["ok"] + tally.counts["failed"]
            for model in self.book.models
            for key, tally in self.book.tallies[model].items()
            if phase_of(key) == STEADY
        )
        return ended and all(f.steady_since is not None for f in self.finals.values())

    @property
    def span(self) -> tuple[int, int]:
        """From the first worker's start to the last one's stop, ns of the epoch."""
        if not self.finals:
            return 0, 0
        finals = self.finals.values()
        return min(f.started for f in finals), max(f.stopped for f in finals)

    @property
    def window(self) -> tuple[int, int]:
        """Whole seconds of the epoch, ``[first, end)``, in which all workers were steady."""
        if not self.finals:
            return 0, 0
        finals = self.finals.values()
        if self.steady:
            begins = [f.steady_since for f in finals if f.steady_since is not None]
        else:
            begins = [f.started for f in finals]
        first = -(-max(begins) // SECOND)
        return first, max(first, min(f.stopped for f in finals) // SECOND)

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases whose samples count."""
        return (STEADY,) if self.steady else (OPENING, STEADY)

    def measured(self, model: str) -> Tally:
        """The tally whose samples count."""
        return self.book.whole(model, *self.phases)


def evidence(facts: Facts) -> validity.Evidence:
    """What was watched, for the verdict on the run."""
    own = facts.measured(OWN)
    seen = validity.Evidence(kernel=not own.counts["user_space"])
    for name, into in (
        ("lag", seen.lag),
        ("loop", seen.loop),
        ("late", seen.late),
        ("sending", seen.sending),
    ):
        into.merge(own.hist(name))
    for model in facts.book.models:
        tally = facts.measured(model)
        seen.ttft.merge(tally.hists.get("ttft", Histogram()))
        seen.itl.merge(tally.hists.get("itl", Histogram()))
        seen.tokens += tally.counts["chunks"]
        seen.bunched += tally.counts["bunched_tokens"]
        seen.streams += tally.hist("ttft").count
        seen.first_bunched += tally.counts["first_bunched"]
        whole = facts.book.whole(model)
        seen.requests += whole.counts["requests"]
        seen.not_sent += whole.failures["not_sent"]
    seen.clock_steps = own.counts["clock_steps"]
    seen.cpu = {f"worker {f.worker}": f.cpu for f in facts.finals.values()}
    seen.dead, seen.lost = facts.dead, facts.lost
    return seen


@dataclass(frozen=True, slots=True)
class Judged:
    """A run, judged: what was watched over it, its windows, and the verdict on it."""

    seen: validity.Evidence
    windows: Sequence[marking.Marked]
    verdict: validity.Validity


def judge(facts: Facts) -> Judged:
    """The verdict on a run: by what was watched over it, and by what its windows say."""
    seen = evidence(facts)
    whole = validity.judge(seen)
    windows = marking.mark(facts.book, facts.phases, seen)
    valid = [window for window in windows if window.verdict.valid]
    moved = [
        shift
        for model in facts.book.models
        for shift in reliance.shifts(
            model,
            facts.measured(model).hists,
            marking.over(facts.book, model, facts.phases, valid).hists,
        )
        if len(valid) < len(windows)
    ]
    said = reliance.reasons(
        len(marking.seconds(valid, facts.window)),
        len(marking.seconds(windows, facts.window)),
        moved,
        whole.error_ns,
    )
    return Judged(seen, windows, replace(whole, reasons=(*whole.reasons, *said)))


def standings(facts: Facts) -> dict[str, slo.Standing]:
    """What targets are decided by, for each model."""
    return {model: _standing(facts, model) for model in facts.book.models}


def _standing(facts: Facts, model: str) -> slo.Standing:
    tally = facts.measured(model)
    counts = tally.counts
    wanted = any(target.model in ("", model) for target in facts.settings.good)
    return slo.Standing(
        hists=tally.hists,
        ended=counts["ok"] + counts["failed"],
        failed=counts["failed"],
        good=counts["good"] if wanted else None,
        tokens_per_second=rate(facts, model, "tokens"),
        requests_per_second=rate(facts, model, "ok"),
    )


def rate(facts: Facts, model: str, series: str) -> float | None:
    """How many of a series a second in the window; None where it holds no whole second."""
    first, end = facts.window
    if end <= first:
        return None
    row = facts.book.whole(model).row(series)
    return sum(count for second, count in row.items() if first <= second < end) / (end - first)


def decided(facts: Facts, verdict: validity.Validity) -> list[slo.Outcome]:
    """Every target, decided; of a run that is not over none is."""
    known = standings(facts)
    why = UNFINISHED.get(facts.state)
    return [
        outcome
        if why is None
        else replace(outcome, verdict=slo.Verdict.INCONCLUSIVE, why=outcome.why or why)
        for target in facts.settings.targets
        for outcome in slo.decide(target, known, valid=verdict.valid, error=verdict.error_ns)
    ]
