"""A run as JSON (`load_results.schema.json`), from the book and what was watched: pure.

Laws
----
* Percentiles are those of the steady phase where there was one; what was left out is counted.
* A percentile that too few samples carry is null. What was not measured is null, never 0.
* What is there to be drawn (``series``, ``distributions``) is bounded, however long the run.
* Times are in milliseconds, each with ``count mean min max p50 p90 p95 p99`` and 95 % confidence
  intervals; ``failed`` beside them are the requests that gave no sample.
* The key is in none of it.
"""

from __future__ import annotations

import csv
import io
import math
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from load import marking, series, slo, timeline, validity
from load.facts import SECOND, Facts, Judged, decided, evidence, judge, rate, standings
from load.histogram import ERROR, Histogram, needed
from load.metrics import OPENING, OWN, Book, Tally

__all__ = ["FORMAT", "Facts", "build", "decided", "evidence", "intervals", "judge", "standings"]

FORMAT: Final = 1
LATENCIES: Final = (
    *("ttft", "ttft_sched", "ttfvt", "ttfe", "headers", "itl", "stall", "tpot"),
    *("e2e", "e2e_sched", "close", "dns", "connect", "tls"),
)
PERCENTS: Final = (50, 90, 95, 99)
DISTRIBUTED: Final = ("ttft", "ttft_sched", "itl", "e2e")


def build(facts: Facts, judged: Judged | None = None) -> dict[str, Any]:
    """The results as plain data that the schema accepts; ``judged`` where that is known already."""
    judged = judged or judge(facts)
    seen, verdict, marked = judged.seen, judged.verdict, judged.windows
    started, stopped = facts.span
    bins = series.grid(facts.book)
    return {
        "format": FORMAT,
        "state": facts.state,
        "tool": {
            "version": facts.version,
            "locust": facts.locust,
            "python": platform.python_version(),
        },
        "definitions": {"version": timeline.VERSION, "quantile_error": ERROR}
        | {"samples_needed": {f"p{percent}": needed(percent / 100) for percent in PERCENTS}}
        | {"metrics": dict(timeline.DEFINITIONS)},
        "command": facts.command,
        "run": facts.run,
        "started": datetime.fromtimestamp(started / SECOND, UTC).isoformat(timespec="seconds"),
        "duration_s": round((stopped - started) / SECOND, 3),
        "target": {"url": facts.settings.to.url},
        "load": _load(facts),
        "window": _window(facts),
        "validity": _validity(facts, seen, verdict) | {"windows": [_marked(w) for w in marked]},
        "series": _series(facts, bins),
        "models": {
            model: _model(facts, model)
            | {"valid_windows": _valid_windows(facts, model, marked)}
            | {"series": bins and series.of_model(facts.book, model, bins)}
            for model in facts.book.models
        },
        "slo": [_outcome(outcome) for outcome in decided(facts, verdict)],
    }


def _load(facts: Facts) -> dict[str, Any]:
    settings = facts.settings
    first, end = facts.window
    row = facts.book.whole(OWN).row("in_flight")
    flights = [count for second, count in row.items() if first <= second < end]
    rates = [rate(facts, model, "requests") for model in facts.book.models]
    return {
        "loop": "open" if settings.open_loop else "closed",
        "users": facts.users,
        "arrivals": "trace" if settings.trace else settings["arrivals"] if settings.open_loop
        else None,
        "offered_per_second": settings["rate"] if settings.open_loop and not settings.trace
        else None,
        "achieved_per_second": None if None in rates else sum(r for r in rates if r is not None),
        "mean_in_flight": sum(flights) / len(flights) if flights else None,
        "think_time_s": settings["think-time"],
        "workers": len(facts.finals),
        "weights": dict(settings.models),
        "prompts": "shared" if settings["shared-prompts"] else "unique",
        "options": dict(settings.options),
    }  # fmt: skip


def _window(facts: Facts) -> dict[str, Any]:
    first, end = facts.window
    opening = [facts.book.whole(model, OPENING).counts["requests"] for model in facts.book.models]
    return {
        "phase": "steady" if facts.steady else "all",
        "start": first,
        "seconds": end - first,
        "left_out": sum(opening) if facts.steady else 0,
    }


def _series(facts: Facts, bins: series.Grid | None) -> dict[str, Any] | None:
    """The bins of the run, and what was in flight in them; None where nothing was recorded."""
    if bins is None:
        return None
    flights = facts.book.whole(OWN).row("in_flight")
    return {
        "start": bins.start,
        "seconds": bins.seconds,
        "bins": bins.bins,
        "in_flight": series.mean(flights, bins),
    }


def _validity(facts: Facts, seen: validity.Evidence, verdict: validity.Validity) -> dict[str, Any]:
    own = facts.measured(OWN)
    late = facts.book.whole(OWN).row("late_probes")
    return {
        "verdict": verdict.verdict,
        "reasons": _reasons(verdict),
        "error_bar_ms": _ms(verdict.error_ns),
        "clock": _clock(own.counts),
        "client_lag_ms": _latency(seen.lag),
        "loop_lag_ms": _latency(seen.loop),
        "schedule_lag_ms": _latency(seen.late),
        "sending_ms": _latency(seen.sending),
        "gc_pause_ms": _latency(own.hists.get("gc", Histogram())),
        "cpu": dict(seen.cpu),
        "bunched_share": seen.bunched / seen.tokens if seen.tokens else None,
        "late_seconds": sorted(second for second, count in late.items() if count),
        "lost_requests": facts.lost,
        "dead_workers": list(facts.dead),
    }


def _marked(window: marking.Marked) -> dict[str, Any]:
    """One window of the run."""
    seen, verdict = window.seen, window.verdict
    return {
        "start": window.start,
        "seconds": window.length,
        "verdict": verdict.verdict,
        "reasons": _reasons(verdict),
        "client_lag_ms": _lag(seen.lag),
        "loop_lag_ms": _lag(seen.loop),
        "schedule_lag_ms": _lag(seen.late),
        "sending_ms": _lag(seen.sending),
        "cpu": dict(seen.cpu),
        "tokens": seen.tokens,
        "bunched_share": seen.bunched / seen.tokens if seen.tokens else None,
    }


def _lag(hist: Histogram) -> dict[str, Any]:
    whole = _scaled(hist, 1_000_000)
    return {name: whole[name] for name in ("count", "p50", "p95", "max")}


def _valid_windows(
    facts: Facts, model: str, marked: Sequence[marking.Marked]
) -> dict[str, Any] | None:
    """What a model did in the VALID windows alone; None where there is none."""
    valid = [window for window in marked if window.verdict.valid]
    if not valid:
        return None
    tally = marking.over(facts.book, model, facts.phases, valid)
    seconds = marking.seconds(valid, facts.window)
    failed, tokens = (
        sum(count for second, count in row.items() if second in seconds)
        for row in (facts.measured(model).row("failed"), facts.book.whole(model).row("tokens"))
    )
    return {
        "windows": len(valid),
        "of": len(marked),
        **{f"{name}_ms": _latency(tally.hist(name), failed) for name in ("ttft", "itl", "e2e")},
        "tokens_per_second": tokens / len(seconds) if seconds else None,
    }


def _reasons(verdict: validity.Validity) -> list[dict[str, str]]:
    return [{"rule": r.rule, "what": r.what, "spoils": r.spoils} for r in verdict.reasons]


def _model(facts: Facts, model: str) -> dict[str, Any]:
    whole, tally = facts.book.whole(model), facts.measured(model)
    counts = whole.counts
    failed = tally.counts["failed"]
    good = standings(facts)[model].good
    ended = tally.counts["ok"] + failed
    first, end = facts.window
    return {
        "requests": counts["requests"],
        "transmitted": counts["transmitted"],
        "ok": counts["ok"],
        "failed": counts["failed"],
        "cancelled": counts["cancelled"],
        "failures": dict(whole.failures),
        "examples": dict(whole.examples),
        "clock": _clock(counts),
        **{f"{name}_ms": _latency(tally.hist(name), failed) for name in LATENCIES},
        "tokens_per_second": rate(facts, model, "tokens"),
        "requests_per_second": rate(facts, model, "ok"),
        "tokens_per_second_of_a_request": _scaled(tally.hists.get("rate", Histogram()), 1000),
        "output_tokens": counts["tokens"],
        "output_tokens_of_ok": counts["tokens_ok"],
        "tokens_by": _source(tally),
        "prompt_tokens": counts["prompt_tokens"],
        "reasoning_tokens": counts["reasoning_tokens"],
        "cached_tokens": counts["cached_tokens"],
        "chunks": counts["chunks"],
        "reads": counts["reads"],
        "bunched_reads": counts["bunched_reads"],
        "cut_by_length": counts["finish_length"],
        "answered_as_another_model": counts["other_model"],
        "goodput": None if good is None else {
            "good": good,
            "of": ended,
            "attainment": good / ended if ended else None,
            "interval": list(slo.wilson(good, ended)),
            "per_second": good / (end - first) if end > first else None,
        },
        "conformance": {"checked": counts["checked"], "findings": dict(whole.findings)},
        "distributions": {
            f"{name}_ms": series.distribution(tally.hist(name)) for name in DISTRIBUTED
        },
    }  # fmt: skip


def _clock(counts: Mapping[str, int]) -> str | None:
    """Whose stamps the figures rest on, None where no body was read."""
    if counts["user_space"]:
        return "user space"
    return "kernel" if counts["kernel"] else None


def _source(tally: Tally) -> str | None:
    """Where N came from: ``usage``, ``chunks``, or ``mixed``, which no figure should rest on."""
    usage, chunks = tally.counts["ok_by_usage"], tally.counts["ok_by_chunks"]
    if usage and chunks:
        return "mixed"
    return "usage" if usage else "chunks" if chunks else None


def _ms(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else round(value / 1e6, 6)


def _latency(hist: Histogram, failed: int = 0) -> dict[str, Any]:
    return {**_scaled(hist, 1_000_000), "failed": failed}


def _scaled(hist: Histogram, unit: int) -> dict[str, Any]:
    def scaled(value: float | None) -> float | None:
        return None if value is None else round(value / unit, 6)

    made: dict[str, Any] = {"count": hist.count, "mean": scaled(hist.mean)}
    made["min"] = scaled(hist.least) if hist.count else None
    made["max"] = scaled(hist.most) if hist.count else None
    intervals = {}
    for percent in PERCENTS:
        interval = hist.interval(percent / 100)
        made[f"p{percent}"] = scaled(hist.quantile(percent / 100)) if interval else None
        intervals[f"p{percent}"] = list(map(scaled, interval)) if interval else None
    return {**made, "ci95": intervals}


def _outcome(outcome: slo.Outcome) -> dict[str, Any]:
    target, seen = outcome.target, outcome.seen
    why = outcome.why
    if seen is not None and math.isinf(seen):
        seen, why = None, why or "too many requests failed"
    if seen is not None and target.metric in slo.LATENCIES:
        seen = _ms(seen)
    return {
        "target": target.spelled,
        "model": outcome.model,
        "verdict": str(outcome.verdict),
        "seen": seen,
        "why": why,
    }


COLUMNS: Final = ("second", "model", "requests", "ok", "failed", "cancelled", "tokens", "in_flight")


def intervals(facts: Facts) -> str:
    """CSV, a row per second and model: by send, by end, tokens by arrival; in flight of all."""
    flights = facts.book.whole(OWN).row("in_flight")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for second, model, counts in _rows(facts.book):
        writer.writerow([second, model, *counts, flights.get(second, "")])
    return out.getvalue()


def _rows(book: Book) -> Sequence[tuple[int, str, list[int]]]:
    names = COLUMNS[2:-1]
    rows = []
    for model in book.models:
        whole = book.whole(model)
        for second in {second for row in whole.series.values() for second in row}:
            rows.append((second, model, [whole.row(name).get(second, 0) for name in names]))
    return sorted(rows)
