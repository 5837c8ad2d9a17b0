"""A sweep as data (`load_sweep.schema.json`): its answer, how sure it is, and each run of it. Pure.

Laws
----
* A step is one run; what it says is taken from its own results, and is null where it wrote none.
* How sure the answer is stands beside it: how many runs held, and the 95 % Wilson interval of the
  share of such runs that do; for each target what was seen, and its own 95 % interval.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from load import slo

__all__ = ["FORMAT", "Asked", "build", "margins"]

FORMAT: Final = 1
LATENCIES: Final = ("ttft_ms", "ttft_sched_ms", "itl_ms", "e2e_ms")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sweep was asked to do: where, which targets, how the rates are searched, for how long.

    ``started`` is an ISO moment, ``duration`` in seconds, ``command`` the command line.
    """

    url: str
    targets: Sequence[str]
    search: Mapping[str, float]
    started: str
    duration: float
    command: str
    version: str


def build(
    asked: Asked,
    found: Mapping[str, Any],
    steps: Sequence[tuple[float, str, str, Mapping[str, Any] | None]],
    *,
    state: str = "over",
) -> dict[str, Any]:
    """The sweep as plain data that the schema accepts.

    Args:
        found: ``held``, ``broken`` and ``unknown``: rates, or None.
        steps: each run in order: rate, verdict, file, and its results (None: it wrote none).
        state: ``running``, ``interrupted`` or ``over``.
    """
    held = [(verdict, made) for rate, verdict, _, made in steps if rate == found["held"]]
    good = sum(verdict == "held" for verdict, _ in held)
    low, high = slo.wilson(good, len(held))
    known = [made for _, _, _, made in steps if made is not None]
    return {
        "format": FORMAT,
        "state": state,
        "tool": {"version": asked.version, "python": platform.python_version()},
        "command": asked.command,
        "started": asked.started,
        "duration_s": round(asked.duration, 3),
        "target": {"url": asked.url},
        "search": dict(asked.search),
        "slo": [_limit(spelled) for spelled in asked.targets],
        "held": found["held"],
        "broken": found["broken"],
        "unknown": found["unknown"],
        "confidence": {"held": good, "of": len(held), "share": [round(low, 4), round(high, 4)]},
        "targets": margins(made for _, made in held if made is not None),
        "definitions": known[0]["definitions"] if known else None,
        "steps": [_step(*step) for step in steps],
    }


def _limit(spelled: str) -> dict[str, Any]:
    """A target, taken apart; the limit in ms, per second, or as a share."""
    target = slo.parse(spelled)
    limit = target.limit / 1e6 if target.metric in slo.LATENCIES else target.limit
    return {
        "target": target.spelled,
        "metric": target.metric,
        "statistic": target.statistic,
        "model": target.model,
        "comparison": target.comparison,
        "limit": limit,
    }


def _step(rate: float, verdict: str, file: str, made: Mapping[str, Any] | None) -> dict[str, Any]:
    step: dict[str, Any] = {"rate": rate, "verdict": verdict, "file": file, "results": None}
    if made is None:
        return step
    seen, load = made["validity"], made["load"]
    step["results"] = {
        "run": made["run"],
        "started": made["started"],
        "validity": seen["verdict"],
        "reasons": seen["reasons"],
        "error_bar_ms": seen["error_bar_ms"],
        "invalid_windows": sum(window["verdict"] == "INVALID" for window in seen["windows"]),
        "windows": len(seen["windows"]),
        "achieved_per_second": load["achieved_per_second"],
        "mean_in_flight": load["mean_in_flight"],
        "slo": made["slo"],
        "models": {
            id_: {name: model[name] for name in ("ok", "failed", "failures", "tokens_per_second")}
            | {name: model[name] for name in LATENCIES}
            for id_, model in made["models"].items()
        },
    }
    return step


def margins(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each target saw in these runs, and the widest edges of its 95 % intervals.

    Intervals are those of percentiles and of goodput; a rate, a mean or a maximum has none (null).
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for run in results:
        for outcome in run["slo"]:
            key = (outcome["target"], outcome["model"])
            row = rows.setdefault(
                key, {"target": key[0], "model": key[1], "seen": [], "interval": None}
            )
            row["seen"].append(outcome["seen"])
            interval = _interval(outcome["target"], run["models"].get(outcome["model"], {}))
            if interval is not None:
                known = row["interval"] or interval
                row["interval"] = [min(known[0], interval[0]), max(known[1], interval[1])]
    return list(rows.values())


def _interval(spelled: str, model: Mapping[str, Any]) -> Sequence[float] | None:
    target = slo.parse(spelled)
    if target.metric == "goodput":
        found: Sequence[float] | None = (model.get("goodput") or {}).get("interval")
    else:
        measured = model.get(f"{target.metric}_ms") or {}
        found = measured.get("ci95", {}).get(target.statistic)
    return found
