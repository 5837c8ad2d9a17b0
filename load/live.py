"""A run as it goes, for the live view: what came in so far, put into figures. Pure.

Laws
----
* The figures are those of `results`, by the same rules, on what has been reported so far: when the
  run has ended they are equal.
* Reports are added up as they come in, so that a look costs the same in the first minute and in
  the eighth hour: what a look works through is bounded by what has changed since the last one.
* Between two models or two windows ``pause`` is called: in a process that measures, no look holds
  the loop for long.
* A reset forgets what was reported, here only: the results are of the whole run.
* The key is in none of it.

Theory
------
A stream is recorded when it is over. So what arrived after the oldest request in flight was begun
is not all known yet: up to that moment (``whole_until``) figures are whole, and rates are taken
over the seconds before it. With nothing in flight, at the end, it is the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from load import reliance, slo, timeline, validity
from load.facts import SECOND, Facts, evidence
from load.gather import Final as LastWord
from load.gather import Pulse
from load.histogram import needed
from load.live_points import Past, point, times
from load.metrics import OWN, Book, Tally
from load.options import Settings
from load.windows import Window, phase_of

__all__ = ["Live"]

SHOWN: Final = ("ttft", "itl", "e2e")
WATCHED: Final = ("lag", "loop", "late", "sending")
PERCENT: Final = (50, 90, 95, 99)


class Live:
    """The figures of a run so far.

    Args:
        run: its name; a report of another run is not taken.
        settings: its options.
        book: where the windows are kept, by whom the reports are gathered; it is only read.
    """

    def __init__(self, run: str, settings: Settings, book: Book) -> None:
        self._run, self._settings, self._book = run, settings, book
        self._kept = {*SHOWN, *WATCHED, *(t.metric for t in settings.targets)}
        self._pulses: dict[str, Pulse] = {}
        self._over: set[str] = set()  # workers that have said their last word
        self._dead: tuple[str, ...] = ()
        self._resets = self._revision = 0
        self._since = 0  # the first second that counts
        self._conclusion: Mapping[str, Any] | None = None
        self._clear()

    def _clear(self) -> None:
        self._totals = Book()  # by model and phase, windows folded in, without series
        self._rows: dict[str, dict[str, Counter[int]]] = {}  # series, by model and name
        self._sums: dict[str, Counter[str]] = {}  # of each series
        self._least: int | None = None  # the first second of all series
        self._points: dict[int, tuple[int, dict[str, Any]]] = {}  # by start: revision, point
        self._length = self._book.length
        self._seconds: set[int] = set()  # whose windows have changed
        self._changed = True
        self._head: dict[str, Any] = {}

    def reset(self, second: int) -> None:
        """Begin anew at a second of the epoch: Locust's statistics were reset."""
        self._resets += 1
        self._since = second
        self._clear()

    # --- what comes in ---------------------------------------------------------------------------

    def add(self, worker: str, data: Mapping[str, Any]) -> None:
        """Take a report as `Ledger.report` does, after it has."""
        if data.get("run") != self._run:
            return
        if data.get("final"):
            last = LastWord(**data["final"])
            self._over.add(worker)
            self._pulses[worker] = Pulse(
                worker=last.worker,
                at=last.stopped,
                started=last.started,
                steady_since=last.steady_since,
                oldest=None,
                cpu=last.cpu,
            )
        elif data.get("pulse"):
            self._pulses[worker] = Pulse(**data["pulse"])
        for model, tallies in data["book"].items():
            for key, plain in tallies.items():
                self._take(model, key, Tally.of(plain))
        self._changed = True

    def _take(self, model: str, key: str, tally: Tally) -> None:
        window = Window.of(key)
        if window is not None:
            if window.start < self._since:
                return
            self._seconds.add(window.start)
        rows = self._rows.setdefault(model, {})
        for name, row in tally.series.items():
            counted = {second: n for second, n in row.items() if second >= self._since}
            rows.setdefault(name, Counter()).update(counted)
            self._sums.setdefault(model, Counter())[name] += sum(counted.values())
            self._seconds.update(counted)
            if counted:
                least = min(counted)
                self._least = least if self._least is None else min(self._least, least)
        tally.series = {}
        tally.hists = {name: hist for name, hist in tally.hists.items() if name in self._kept}
        self._totals.tally(model, phase_of(key)).merge(tally)

    def conclude(self, results: Mapping[str, Any]) -> None:
        """The run has ended: its verdict and targets are those of the results."""
        self._conclusion = results
        self._changed = True

    # --- what is shown ---------------------------------------------------------------------------

    def refresh(self, users: int, alive: Collection[str] | None, pause: Callable[[], None]) -> None:
        """Work out anew what has changed.

        ``alive`` names the workers that are connected, None where a run has but its own process.
        """
        known = self._pulses.keys() - self._over
        lost = known.difference(known if alive is None else alive)
        dead = tuple(f"worker {n} ({name})" for n, name in self._named(lost))
        if not self._changed and dead == self._dead and users == self._head.get("users"):
            return
        self._changed, self._dead = False, dead
        self._revision += 1
        facts = self._facts(users, lost)
        seen = evidence(facts)
        pause()
        self._draw(facts, seen, pause)
        verdict = self._judge(facts, seen)
        first, end = self._window(facts)
        models, standings = [], {}
        for model in facts.book.models:
            row, standings[model] = self._model(facts, model)
            models.append(row)
            pause()
        self._head = {
            "phase": "steady" if facts.steady else "all",
            "window": {"first": first, "end": end, "seconds": end - first},
            "whole_until": facts.span[1] / SECOND if facts.finals else None,
            "started": facts.span[0] / SECOND if facts.finals else None,
            "at": max((p.at for p in self._pulses.values()), default=0) / SECOND or None,
            "users": users,
            "workers": len(facts.finals),
            "dead": list(dead),
            "in_flight": self._in_flight(OWN, facts),
            "validity": self._validity(verdict, seen),
            "slo": self._slo(standings, verdict),
            "models": models,
        }

    def view(self, since: str = "") -> dict[str, Any]:
        """The figures as of the last `refresh`, for JSON, and the points newer than ``since``.

        ``since`` is the ``mark`` of an earlier view; where it is of another run, of before a reset,
        or not understood, all points are in it and ``whole`` is true.
        """
        name = f"{self._run}.{self._resets}.{self._length}"
        known, _, number = since.rpartition(":")
        whole = known != name or not number.isascii() or not number.isdigit()
        newer = -1 if whole else int(number)
        more = {
            "definitions": {name: timeline.DEFINITIONS[name] for name in SHOWN},
            "needs": {f"p{percent}": needed(percent / 100) for percent in PERCENT},
            "target": self._settings.to.url,
            "goodput": [target.spelled for target in self._settings.good],
        }
        return {
            "run": self._run,
            "mark": f"{name}:{self._revision}",
            "whole": whole,
            "window_s": self._length,
            "reset_at": self._since or None,
            **(more if whole else {}),
            **self._head,
            "points": [p for _, (rev, p) in sorted(self._points.items()) if rev > newer],
        }

    def _named(self, workers: Collection[str]) -> list[tuple[int, str]]:
        return sorted((self._pulses[name].worker, name) for name in workers)

    def _facts(self, users: int, lost: Collection[str]) -> Facts:
        """The run so far as `facts` has it, but for series, which are kept here."""
        finals = {name: pulse.so_far() for name, pulse in self._pulses.items() if name not in lost}
        return Facts(
            settings=self._settings,
            run=self._run,
            book=self._totals,
            finals=finals,
            users=users,
            dead=self._dead,
        )

    def _window(self, facts: Facts) -> tuple[int, int]:
        first, end = facts.window
        first = max(first, self._since)
        return first, max(first, end)

    def _rate(self, facts: Facts, model: str, series: str) -> float | None:
        """As `facts.rate`, from the sum of the series and what lies outside the window."""
        first, end = self._window(facts)
        if end <= first:
            return None
        row = self._row(model, series)
        begin = first if self._least is None else self._least
        last = max(pulse.at for pulse in self._pulses.values()) // SECOND
        outside = sum(row.get(second, 0) for second in range(begin, first))
        outside += sum(row.get(second, 0) for second in range(end, last + 2))
        return (self._sums.get(model, Counter())[series] - outside) / (end - first)

    def _row(self, model: str, series: str) -> Mapping[int, int]:
        return self._rows.get(model, {}).get(series, {})

    def _model(self, facts: Facts, model: str) -> tuple[dict[str, Any], slo.Standing]:
        counts = self._counts(model)
        tally = facts.measured(model)
        failed, ended = tally.counts["failed"], tally.counts["ok"] + tally.counts["failed"]
        wanted = any(target.model in ("", model) for target in self._settings.good)
        good = tally.counts["good"] if wanted else None
        standing = slo.Standing(
            hists=tally.hists,
            ended=ended,
            failed=failed,
            good=good,
            tokens_per_second=self._rate(facts, model, "tokens"),
            requests_per_second=self._rate(facts, model, "ok"),
        )
        rows = self._totals.tallies[model].values()
        row = {
            "model": model,
            **{name: counts[name] for name in ("requests", "ok", "failed", "cancelled")},
            "in_flight": self._in_flight(model, facts),
            "failures": dict(sum((t.failures for t in rows), Counter())),
            "examples": {k: text for t in rows for k, text in t.examples.items()},
            **{f"{name}_ms": times(tally.hist(name), failed) for name in SHOWN},
            "tokens_per_second": standing.tokens_per_second,
            "requests_per_second": standing.requests_per_second,
            "output_tokens": counts["tokens"],
            "goodput": None if good is None else {
                "good": good, "of": ended, "attainment": good / ended if ended else None,
            },
        }  # fmt: skip
        return row, standing

    def _counts(self, model: str) -> Counter[str]:
        made: Counter[str] = Counter()
        for tally in self._totals.tallies.get(model, {}).values():
            made.update(tally.counts)
        return made

    def _in_flight(self, model: str, facts: Facts) -> int | None:
        """In the last second that all workers that live have told of; None before the first."""
        if self._conclusion is not None:
            return 0
        pulses = [self._pulses[name] for name in facts.finals]
        row = self._row(model, "in_flight")
        last = min((pulse.at for pulse in pulses), default=0) // SECOND
        watched = self._row(OWN, "in_flight")
        for second in range(last - 1, max(last - 5, self._since) - 1, -1):
            if second in watched:
                return row.get(second, 0)
        return None

    def _judge(self, facts: Facts, seen: validity.Evidence) -> validity.Validity:
        """As `facts.judge`; what INVALID windows have moved is found out at the end alone."""
        verdict = validity.judge(seen)
        first, end = self._window(facts)
        valid = watched = 0
        for start, (_, made) in self._points.items():
            if made["verdict"] is not None and made["phase"] in facts.phases:
                seconds = max(0, min(end, start + made["seconds"]) - max(first, start))
                watched += seconds
                valid += seconds if made["verdict"] == "VALID" else 0
        said = reliance.reasons(valid, watched, (), verdict.error_ns)
        return replace(verdict, reasons=(*verdict.reasons, *said))

    def _validity(self, verdict: validity.Validity, seen: validity.Evidence) -> dict[str, Any]:
        """As the results have it; theirs, once there are some."""
        if self._conclusion is not None:
            known = self._conclusion["validity"]
            shown = ("verdict", "reasons", "error_bar_ms", "clock", "cpu", "late_seconds")
            made = {name: known[name] for name in shown}
            return made | {"late_seconds": len(made["late_seconds"])}
        error = verdict.error_ns
        late = self._row(OWN, "late_probes")
        watched = self._counts(OWN)
        return {
            "verdict": verdict.verdict,
            "reasons": [
                {"rule": r.rule, "what": r.what, "spoils": r.spoils} for r in verdict.reasons
            ],
            "error_bar_ms": None if error is None else round(error / 1e6, 6),
            "clock": "user space" if watched["user_space"]
            else "kernel" if watched["kernel"] else None,
            "cpu": dict(seen.cpu),
            "late_seconds": sum(1 for count in late.values() if count),
        }  # fmt: skip

    def _slo(
        self, standings: Mapping[str, slo.Standing], verdict: validity.Validity
    ) -> list[dict[str, Any]]:
        if self._conclusion is not None:
            return list(self._conclusion["slo"])
        return [
            {
                "target": target.spelled,
                "model": outcome.model,
                "verdict": str(outcome.verdict),
                "why": outcome.why,
            }
            for target in self._settings.targets
            for outcome in slo.decide(
                target, standings, valid=verdict.valid, error=verdict.error_ns
            )
        ]

    def _draw(self, facts: Facts, seen: validity.Evidence, pause: Callable[[], None]) -> None:
        """The points whose window has changed, and those that reach back to it."""
        past = Past(self._book, self._rows, self._since)
        if past.length != self._length or self._conclusion is not None:  # all are judged anew
            self._length, self._points = past.length, {}
            seconds = {s for rows in self._rows.values() for row in rows.values() for s in row}
            self._seconds |= seconds
        changed = {second - second % past.length for second in self._seconds}
        self._seconds = set()
        started, at = facts.span[0] / SECOND, max((p.at for p in self._pulses.values()), default=0)
        for start in sorted(past.reached(changed, self._points)):
            made = point(past, start, facts.book.models, seen, (started, at / SECOND))
            self._points[start] = self._revision, made
            pause()
