"""What the load page shows of models, as plain data from a run's results.

Laws
----
* A figure stands with what limits it: a percentile with its 95 % interval and the requests that
  failed beside it; a withheld one with the samples that it lacks.
* Nothing is computed here that the results do not say; words are chosen, figures are rounded.
* Results of an older version lack some members: what needs them is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.words import amount, number

from . import svg
from .axes import figure

__all__ = [
    "COLUMNS",
    "NAMES",
    "PERCENTS",
    "Cell",
    "Row",
    "key",
    "overview",
    "rows",
]

Results = Mapping[str, Any]

PERCENTS: Final = ("p50", "p90", "p95", "p99")
NEEDED: Final = {"p50": 11, "p90": 64, "p95": 130, "p99": 662}
"""Of results that do not say it themselves."""


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
    style = svg.style(place)
    dash = "" if style.dash == "solid" else " ".join(map(str, style.dash[1]))
    return style.letter, next(name for name, ink in svg.INK.items() if ink == style.ink), dash


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
