"""The results on one screen: pure text from the results' own JSON.

Laws: every percentile is printed with its samples and failures beside it; what was withheld is a
dash; the run's verdict on itself, with its error bar, comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from load.sharing import most_tokens

__all__ = ["opening_line", "summary"]

DASH: Final = "-"
_COLUMNS: Final = (
    ("TTFT p50", "ttft_ms", "p50"),
    ("p95", "ttft_ms", "p95"),
    ("p99", "ttft_ms", "p99"),
    ("ITL p50", "itl_ms", "p50"),
    ("p99", "itl_ms", "p99"),
    ("TPOT p50", "tpot_ms", "p50"),
    ("E2E p50", "e2e_ms", "p50"),
    ("p95", "e2e_ms", "p95"),
)


FAST: Final = 200
"""Tokens a second of one stream that a closed loop is reckoned with: a fast service today."""


def opening_line(settings: Any, users: int) -> str:
    """What a run is about to do, and what it may cost at most.

    A closed loop sends its next request when the last has ended, so how much it asks for is up to
    the target: its ceiling is reckoned for streams of ``FAST`` tokens/s, and says so. Where users
    think between requests, there is a ceiling that no target can pass.
    """
    models = ", ".join(
        id_ if weight == 1 else f"{id_} (x{weight:g})" for id_, weight in settings.models
    )
    most = most_tokens({"max_tokens": settings["max-tokens"], **settings.extra})
    if settings.open_loop:
        rate = settings["rate"]
        if settings.trace:
            load = f"{len(settings.trace)} requests of {settings['trace']}"
            ceiling = f"{len(settings.trace) * most} output tokens in all"
        else:
            load = f"{rate:g} requests/s, {settings['arrivals']}"
            ceiling = f"{rate * 60 * most:.0f} output tokens per minute"
    else:
        think = settings["think-time"]
        load = f"{users} users, think time {think:g} s"
        each = most / (think + most / FAST) if most else FAST
        ceiling = f"{users * each * 60:.0f} output tokens per minute at {FAST} tokens/s of a stream"
        if think and most:
            ceiling += f", and {users * most / think * 60:.0f} at any speed"
        else:
            ceiling += " (more if it is faster)"
    budgets = [
        f"{settings[name]} {word}"
        for name, word in (("budget-requests", "requests"), ("budget-tokens", "tokens"))
        if settings[name]
    ]
    budget = f"; stops after {' or '.join(budgets)}" if budgets else ""
    return f"Load on {settings.to.url}: {models}; {load}; at most {ceiling}{budget}"


def summary(results: Mapping[str, Any]) -> str:
    """Every line of it, without colours."""
    return "\n".join(
        ["", *_head(results), "", *_table(results), *_notes(results), *_targets(results), ""]
    )


def _head(results: Mapping[str, Any]) -> list[str]:
    load, window, valid = results["load"], results["window"], results["validity"]
    loop = (
        f"{load['users']} users" if load["loop"] == "closed" else f"open loop, {load['arrivals']}"
    )
    sent, offered = load["achieved_per_second"], load["offered_per_second"]
    rate = "" if sent is None else f", {sent:.2f} requests/s"
    rate += "" if offered is None or sent is None else f" of {offered:g} offered"
    flight = load["mean_in_flight"]
    rate += "" if flight is None else f", {flight:.1f} in flight"
    error, lag = valid["error_bar_ms"], valid["client_lag_ms"]["p99"]
    bar = "unknown" if error is None else f"±{error:.2f} ms"
    cpu = max(valid["cpu"].values(), default=0.0)
    lines = [
        f"Load on {results['target']['url']}: {loop}{rate}",
        f"{valid['verdict']}: stamps {bar} ({valid['clock'] or 'none read'}), "
        f"reads late by {_number(lag)} ms at p99, CPU {cpu:.0%} of a core",
        f"Window: {window['seconds']} s, phase {window['phase']}, "
        f"{window['left_out']} requests of the opening left out",
    ]
    lines += [f"  {r['rule']}: {r['what']} (spoils {r['spoils']})" for r in valid["reasons"]]
    return [*lines, *_windows(valid["windows"], results["started"])]


def _windows(windows: Sequence[Mapping[str, Any]], started: str) -> list[str]:
    """How many windows are INVALID, and which, in seconds since the start: the first three."""
    marked = [window for window in windows if window["verdict"] == "INVALID"]
    if not marked:
        return []
    began = int(datetime.fromisoformat(started).timestamp())
    lines = [f"INVALID windows: {len(marked)} of {len(windows)}, {windows[0]['seconds']} s each"]
    for window in marked[:3]:
        at = max(0, window["start"] - began)
        why = "; ".join(f"{r['rule']}: {r['what']}" for r in window["reasons"])
        lines.append(f"  at +{at} s: {why}")
    return lines + (["  …"] if len(marked) > 3 else [])


def _number(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _table(results: Mapping[str, Any]) -> list[str]:
    head = ["model (times in ms)", "ok", "failed", *(name for name, _, _ in _COLUMNS), "tokens/s"]
    rows = [head]
    for id_, model in results["models"].items():
        cells = [_number(model[metric][statistic]) for _, metric, statistic in _COLUMNS]
        rate = _number(model["tokens_per_second"])
        rows.append([id_, str(model["ok"]), str(model["failed"]), *cells, rate])
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _notes(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for id_, model in results["models"].items():
        notes = [
            f"{kind} {count} ({model['examples'].get(kind, '')})"
            for kind, count in sorted(model["failures"].items(), key=lambda pair: -pair[1])
        ]
        if model["cancelled"]:
            notes.append(f"{model['cancelled']} cut off by the end of the run")
        if model["tokens_by"] not in (None, "usage"):
            notes.append(f"tokens are counted by {model['tokens_by']}")
        if model["answered_as_another_model"]:
            notes.append(f"{model['answered_as_another_model']} answered as another model")
        conformance = model["conformance"]
        notes += [
            f"{clause} broken in {count} of {conformance['checked']} streams: "
            f"{model['examples'].get(clause, '')}"
            for clause, count in sorted(conformance["findings"].items())
        ]
        valid = model["valid_windows"]
        if valid is not None and valid["windows"] < valid["of"]:
            ttft, itl = valid["ttft_ms"], valid["itl_ms"]
            windows = "window" if valid["windows"] == 1 else "windows"
            notes.append(
                f"over {valid['windows']} VALID {windows}: TTFT p50 {_number(ttft['p50'])}, "
                f"p95 {_number(ttft['p95'])}, ITL p50 {_number(itl['p50'])}, "
                f"tokens/s {_number(valid['tokens_per_second'])}"
            )
        if good := model["goodput"]:
            low, high = good["interval"]
            notes.append(f"good: {good['good']} of {good['of']} ({low:.1%} to {high:.1%})")
        lines += [f"  {id_}: {note}" for note in notes]
    return lines


def _targets(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in results["slo"]:
        seen = "" if row["seen"] is None else f", seen {row['seen']:.6g}"
        why = f", {row['why']}" if row["why"] else ""
        lines.append(f"{row['verdict'].upper()}: {row['target']} for {row['model']}{seen}{why}")
    return lines
