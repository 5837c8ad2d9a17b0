"""What the page of a sweep shows, as plain data from its results (`load_sweep.schema.json`).

Laws
----
* The answer is an interval: the highest rate that held, the lowest that broke; between them nothing
  is known. It stands with how often it was seen.
* Each run is a row, be it held, broken or undecided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.signs import Sign
from reports.words import amount, duration, listed

from .axes import figure
from .head import SIGNS, Verdict, unit_of

__all__ = ["facts", "models", "rows", "targets", "verdict"]

Sweep = Mapping[str, Any]

FAILED: Final = Sign("fail", "‼", "failed")


def verdict(sweep: Sweep) -> Verdict:
    """The answer in a sentence."""
    held, broken, sure = sweep["held"], sweep["broken"], sweep["confidence"]
    if (state := sweep.get("state", "over")) != "over":
        runs = amount(len(sweep["steps"]), "run")
        lead = {"running": "The sweep goes on", "interrupted": "The sweep was interrupted"}[state]
        here = "is here" if len(sweep["steps"]) == 1 else "are here"
        return Verdict("open", f"{lead}: {runs} of it {here}.", _so_far(held, broken))
    if sweep["unknown"] is not None:
        known = "" if held is None else f" Up to {held:g} the targets held."
        lead = f"Unknown: the run at {sweep['unknown']:g} requests a second decides nothing."
        return Verdict("open", lead, known.strip())
    if held is None:
        least = min((step["rate"] for step in sweep["steps"]), default=0)
        return Verdict("fail", "The targets hold at no rate that was tried.", f"Least: {least:g}.")
    bound = f"not at {broken:g}" if broken is not None else "no higher rate was tried"
    share = f"{100 * sure['share'][0]:.0f} %"
    return Verdict(
        "pass",
        f"The targets hold at {held:g} requests a second, {bound}.",
        f"They did so in {sure['held']} of {amount(sure['of'], 'run')}: with 95 % confidence they "
        f"do in {share} or more of such runs.",
    )


def _so_far(held: float | None, broken: float | None) -> str:
    """What is known of a search that was not finished."""
    said = [] if held is None else [f"The targets held at {held:g} requests a second"]
    said += [] if broken is None else [f"they broke at {broken:g}"]
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else "No target is decided."


def targets(sweep: Sweep) -> list[tuple[str, str, str, str]]:
    """Target, model, what was seen at the highest rate that held, and within what."""
    made = []
    for row in sweep["targets"]:
        seen = listed([unit_of(row["target"], value) for value in row["seen"]])
        edges = row["interval"]
        within = "no interval" if edges is None else " to ".join(
            unit_of(row["target"], edge) for edge in edges
        )  # fmt: skip
        made.append((row["target"], row["model"], seen, within))
    return made


@dataclass(frozen=True, slots=True)
class Row:
    """A run of a sweep."""

    rate: str
    sign: Sign
    sent: str
    flight: str
    trust: Sign | None
    error: str
    failed: int
    figures: tuple[str, ...]
    why: str
    file: str


def rows(sweep: Sweep) -> list[Row]:
    """Each run, by rate."""
    ordered = sorted(sweep["steps"], key=lambda step: step["rate"])
    return [_row(sweep, step) for step in ordered]


def _row(sweep: Sweep, step: Mapping[str, Any]) -> Row:
    made = step["results"]
    sign = SIGNS.get(step["verdict"], FAILED)
    rate = f"{step['rate']:g}"
    if made is None:
        nothing = ("-",) * len(sweep["slo"])
        return Row(rate, sign, "-", "-", None, "-", 0, nothing, step["verdict"], step["file"])
    why = [f"{r['rule']}: {r['what']}" for r in made["reasons"]]
    why += dict.fromkeys(o["why"] for o in made["slo"] if o["why"] and made["validity"] == "VALID")
    error = made["error_bar_ms"]
    return Row(
        rate=rate,
        sign=sign,
        sent=figure(made["achieved_per_second"]),
        flight=figure(made["mean_in_flight"]),
        trust=SIGNS[made["validity"]],
        error="-" if error is None else f"±{figure(error)}",
        failed=sum(model["failed"] for model in made["models"].values()),
        figures=tuple(_worst(target, made) for target in sweep["slo"]),
        why="; ".join(why),
        file=step["file"],
    )


def _worst(target: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """What a target saw, of the model that is worst off."""
    seen = [o["seen"] for o in made["slo"] if o["target"] == target["target"]]
    known = [value for value in seen if value is not None]
    if not known:
        return "-"
    return unit_of(target["target"], max(known) if "<" in target["comparison"] else min(known))


def models(sweep: Sweep) -> list[str]:
    """Every model that a run asked, in order of their letters."""
    found = (step["results"] for step in sweep["steps"] if step["results"])
    return sorted({id_ for made in found for id_ in made["models"]})


def facts(sweep: Sweep) -> Sequence[tuple[str, str]]:
    """How the sweep was made."""
    search, tool = sweep["search"], sweep["tool"]
    return [
        ("Target", sweep["target"]["url"]),
        ("Started", sweep["started"]),
        ("Length", duration(sweep["duration_s"])),
        ("Each run", f"{search['seconds']} s, an open loop"),
        (
            "Search",
            f"from {search['start']:g} requests a second, doubled until a target breaks, then "
            f"halved in between to within {100 * search['precision']:g} %; none above "
            f"{search['most']:g}",
        ),
        ("Highest rate", f"run {amount(search['runs'], 'time')} in all"),
        ("Versions", f"suite {tool['version']}, Python {tool['python']}"),
    ]
