"""What the load page shows, as plain data from a run's results (`load_results.schema.json`).

Laws
----
* A figure stands with what limits it: a percentile with its 95 % interval and the requests that
  failed beside it; a withheld one with the samples that it lacks; a rate with its window.
* Nothing is computed here that the results do not say; words are chosen, figures are rounded.
* Results of an older version lack some members: what needs them is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import plots
from .load_axes import figure
from .words import amount, duration, listed, number

__all__ = [
    "COLUMNS",
    "NAMES",
    "PERCENTS",
    "SIGNS",
    "Cell",
    "Row",
    "Sign",
    "Told",
    "Verdict",
    "caveats",
    "key",
    "overview",
    "rows",
    "targets",
    "tiles",
    "unit_of",
    "verdict",
]

Results = Mapping[str, Any]

PERCENTS: Final = ("p50", "p90", "p95", "p99")
NEEDED: Final = {"p50": 11, "p90": 64, "p95": 130, "p99": 662}
"""Of results that do not say it themselves."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A verdict as icon and word; ``css`` is the class that colours it."""

    css: str
    icon: str
    word: str


SIGNS: Final[Mapping[str, Sign]] = {
    "VALID": Sign("pass", "✓", "VALID"),
    "INVALID": Sign("fail", "✕", "INVALID"),
    "held": Sign("pass", "✓", "held"),
    "broken": Sign("fail", "✕", "broken"),
    "inconclusive": Sign("open", "?", "inconclusive"),
}

COLUMNS: Final = (
    ("TTFT", "ttft_ms", "p50"),
    ("TTFT", "ttft_ms", "p95"),
    ("TTFT", "ttft_ms", "p99"),
    ("ITL", "itl_ms", "p50"),
    ("ITL", "itl_ms", "p99"),
    ("E2E", "e2e_ms", "p50"),
    ("E2E", "e2e_ms", "p95"),
)
"""The latencies of the first table."""

NAMES: Final[Mapping[str, str]] = {
    "ttft": "time to first token",
    "ttft_sched": "the same, from when it was due",
    "ttfvt": "time to first visible token",
    "ttfe": "time to first event",
    "itl": "gap between tokens",
    "stall": "longest gap of a stream",
    "tpot": "time per output token",
    "e2e": "time to last token",
    "e2e_sched": "the same, from when it was due",
    "close": "last token to end of reply",
    "headers": "time to the reply's head",
    "dns": "name resolution",
    "connect": "TCP connection",
    "tls": "TLS handshake",
}
"""Every metric that has a row, in the order of the rows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first sentence of the page: its colour, what stands out, and the rest."""

    css: str
    lead: str
    rest: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A percentile: its value and interval in ms as text, or why it is withheld."""

    value: str
    interval: str = ""
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of a model."""

    key: str
    name: str
    count: str
    failed: int
    mean: str
    cells: tuple[tuple[str, Cell], ...]
    least: str
    most: str


# --- the top --------------------------------------------------------------------------------------


def verdict(results: Results) -> Verdict:
    """What the run says of itself, and what became of its targets."""
    error = results["validity"]["error_bar_ms"]
    good = "by an unknown amount" if error is None else f"by at most {figure(error)} ms"
    if results["validity"]["verdict"] != "VALID":
        spoilt = dict.fromkeys(reason["spoils"] for reason in results["validity"]["reasons"])
        undecided = " No target is decided." if results["slo"] else ""
        rest = f"Do not rely on {listed(spoilt) if spoilt else 'it'}.{undecided}"
        return Verdict("fail", "This run is INVALID.", rest)
    trust = f"The run is VALID: measuring shifts a latency {good}."
    verdicts: dict[str, set[str]] = {}
    for outcome in results["slo"]:
        verdicts.setdefault(outcome["target"], set()).add(outcome["verdict"])
    broken = sum("broken" in found for found in verdicts.values())
    unknown = sum("broken" not in found and "inconclusive" in found for found in verdicts.values())
    if broken:
        return Verdict("fail", f"{_of(broken, len(verdicts))} broken.", trust)
    if unknown:
        return Verdict("open", f"{_of(unknown, len(verdicts))} inconclusive.", trust)
    if verdicts:
        held = "The target held" if len(verdicts) == 1 else f"All {len(verdicts)} targets held"
        return Verdict("pass", f"{held}.", trust)
    return Verdict("pass", "VALID.", f"Measuring shifts a latency {good}; no target was set.")


def _of(some: int, every: int) -> str:
    if every == 1:
        return "The target is"
    return f"{some} of {every} targets {_are(some)}"


def _are(some: int) -> str:
    return "is" if some == 1 else "are"


@dataclass(frozen=True, slots=True)
class Told:
    """A target with a verdict: of which models, and what was seen of each; from where to where."""

    sign: Sign
    target: str
    models: tuple[tuple[str, str], ...]
    span: str


def targets(results: Results) -> list[Told]:
    """Each target once for each verdict, the broken ones first."""
    order = ("broken", "inconclusive", "held")
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for outcome in sorted(results["slo"], key=lambda outcome: order.index(outcome["verdict"])):
        found.setdefault((outcome["verdict"], outcome["target"]), []).append(outcome)
    valid = results["validity"]["verdict"] == "VALID"  # if not, the first sentence says so
    return [
        Told(
            sign=SIGNS[verdict],
            target=target,
            models=tuple((o["model"], _seen(o, why=valid)) for o in outcomes),
            span=_span(target, outcomes),
        )
        for (verdict, target), outcomes in found.items()
    ]


def _span(target: str, outcomes: Sequence[Mapping[str, Any]]) -> str:
    """From the least to the most that was seen."""
    seen = [outcome["seen"] for outcome in outcomes if outcome["seen"] is not None]
    if not seen:
        return "not measured"
    low, high = unit_of(target, min(seen)), unit_of(target, max(seen))
    return low if low == high else f"{low} to {high}"


def _seen(outcome: Mapping[str, Any], *, why: bool) -> str:
    if outcome["seen"] is None:
        return outcome["why"].replace(";", ",") or "not measured"
    said = unit_of(outcome["target"], outcome["seen"])
    return said + (f", {outcome['why']}" if why and outcome["why"] else "")


def unit_of(target: str, value: float | None) -> str:
    """What a target speaks of, with its unit.

    >>> unit_of("ttft_p95<500ms", 86.4), unit_of("failures<1%", 0.005)
    ('86.4 ms', '0.5 %')
    """
    if value is None:
        return "not measured"
    if target.startswith(("failures", "goodput")):
        return f"{100 * value:.3g} %"
    if target.startswith(("tokens_per", "requests_per")):
        return f"{figure(value)} a second"
    return f"{figure(value)} ms"


def tiles(results: Results) -> list[tuple[str, str, str]]:
    """Class, figure and label of each."""
    models = results["models"].values()
    ok, failed = (sum(model[name] for model in models) for name in ("ok", "failed"))
    rates = [m["tokens_per_second"] for m in models if m["tokens_per_second"] is not None]
    firsts = [m["ttft_ms"]["p50"] for m in models if m["ttft_ms"]["p50"] is not None]
    load, error = results["load"], results["validity"]["error_bar_ms"]
    spread = figure(min(firsts, default=None))
    if firsts and figure(max(firsts)) != spread:
        spread += f" to {figure(max(firsts))}"
    share = f", {100 * failed / (ok + failed):.2g} %" if failed else ""
    cpu = max(results["validity"]["cpu"].values(), default=0.0)
    return [
        ("", number(ok), "requests succeeded"),
        ("fail" if failed else "", number(failed), f"failed{share}"),
        ("", f"{spread} ms" if firsts else "-", "TTFT, median"),
        ("", figure(sum(rates)) if rates else "-", "tokens a second arrived"),
        ("", figure(load["mean_in_flight"]), "requests in flight, mean"),
        ("", "-" if error is None else f"±{figure(error)} ms", f"error bar; CPU {cpu:.0%}"),
    ]


def caveats(results: Results) -> list[str]:
    """What a reader is to know before any figure."""
    window = results["window"]
    if window["phase"] != "steady":
        phase = "all of the run, its opening included: no steady phase was reached"
    elif window["left_out"]:
        left = amount(window["left_out"], "request")
        phase = f"the steady phase; {left} of the opening {_are(window['left_out'])} left out"
    else:
        phase = "the steady phase"
    said = [f"Percentiles and rates are those of {duration(window['seconds'])}, {phase}."]
    marked = [w for w in results["validity"]["windows"] if w["verdict"] == "INVALID"]
    if marked:
        every = results["validity"]["windows"]
        said.append(
            f"{len(marked)} of {amount(len(every), 'window')} of {every[0]['seconds']} s "
            f"{_are(len(marked))} INVALID: hatched in the plots, listed below."
        )
    cut = sum(model["cancelled"] for model in results["models"].values())
    if cut:
        said.append(
            f"The end of the run cut off {amount(cut, 'request')}: neither succeeded nor failed."
        )
    return said


# --- models ---------------------------------------------------------------------------------------


def overview(results: Results) -> list[dict[str, Any]]:
    """A row of each model: its letter and line, counts, and the figures most looked at."""
    made = []
    for place, (id_, model) in enumerate(results["models"].items()):
        letter, ink, dash = key(place)
        cells = [
            (f"{name} {percent}", _cell(results, model[metric], percent))
            for name, metric, percent in COLUMNS
        ]
        made.append(
            {
                "id": id_,
                "letter": letter,
                "ink": ink,
                "dash": dash,
                "ok": number(model["ok"]),
                "failed": model["failed"],
                "cells": cells,
                "tokens": figure(model["tokens_per_second"]),
                "notes": _notes(model),
            }
        )
    return made


def key(place: int) -> tuple[str, str, str]:
    """The letter of the model at a place, the variable of its ink, and its dashes in SVG."""
    style = plots.style(place)
    dash = "" if style.dash == "solid" else " ".join(map(str, style.dash[1]))
    return style.letter, next(name for name, ink in plots.INK.items() if ink == style.ink), dash


def _notes(model: Mapping[str, Any]) -> list[str]:
    """What qualifies the figures of a model."""
    said = []
    if model["tokens_by"] not in (None, "usage"):
        said.append(f"tokens are counted by {model['tokens_by']}, not by usage")
    if model["answered_as_another_model"]:
        said.append(f"{number(model['answered_as_another_model'])} answered as another model")
    if model["cut_by_length"]:
        said.append(f"{number(model['cut_by_length'])} of {number(model['ok'])} cut by max_tokens")
    if model["bunched_reads"]:
        share = model["bunched_reads"] / model["reads"]
        said.append(f"{100 * share:.2g} % of the reads brought several tokens at once")
    if good := model["goodput"]:
        low, high = good["interval"] or (0.0, 1.0)
        said.append(
            f"good: {number(good['good'])} of {number(good['of'])} "
            f"(95 % within {100 * low:.1f} and {100 * high:.1f} %)"
        )
    pace = model["tokens_per_second_of_a_request"]
    if pace["p50"] is not None:
        said.append(f"a request has {figure(pace['p50'])} tokens a second, in the median")
    valid = model["valid_windows"]
    if valid is not None and valid["windows"] < valid["of"]:
        said.append(
            f"over {amount(valid['windows'], 'VALID window')} alone: TTFT p50 "
            f"{figure(valid['ttft_ms']['p50'])}, p95 {figure(valid['ttft_ms']['p95'])}, "
            f"ITL p50 {figure(valid['itl_ms']['p50'])}, p99 {figure(valid['itl_ms']['p99'])} ms, "
            f"{figure(valid['tokens_per_second'])} tokens a second"
        )
    return said


def rows(results: Results, model: Mapping[str, Any]) -> list[Row]:
    """Every metric of a model that has samples, or failures in their place."""
    made = []
    for key, name in NAMES.items():
        measured = model[f"{key}_ms"]
        if not measured["count"] and key not in ("ttft", "itl", "e2e"):
            continue
        made.append(
            Row(
                key=key,
                name=name,
                count=number(measured["count"]),
                failed=measured["failed"],
                mean=figure(measured["mean"]),
                cells=tuple((percent, _cell(results, measured, percent)) for percent in PERCENTS),
                least=figure(measured["min"]),
                most=figure(measured["max"]),
            )
        )
    return made


def _cell(results: Results, measured: Mapping[str, Any], percent: str) -> Cell:
    value, interval = measured[percent], measured["ci95"][percent]
    if value is None:
        needed = results["definitions"].get("samples_needed", NEEDED).get(percent, NEEDED[percent])
        return Cell("withheld", withheld=f"{number(measured['count'])} of {needed} samples")
    if interval is None:
        return Cell(figure(value))
    low, high = map(figure, interval)
    return Cell(figure(value), low if low == high else f"{low} to {high}")
