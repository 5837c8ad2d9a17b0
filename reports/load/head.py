"""The top of the load page: what the run says of itself, of its targets, and in a few figures.

Laws: the verdict on the run comes before any figure; a rate stands with its window. Nothing is
computed here that the results do not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.signs import Sign
from reports.words import amount, duration, number

from .axes import figure

__all__ = [
    "SIGNS",
    "Told",
    "Verdict",
    "caveats",
    "targets",
    "tiles",
    "unit_of",
    "verdict",
]

Results = Mapping[str, Any]


SIGNS: Final[Mapping[str, Sign]] = {
    "VALID": Sign("pass", "✓", "VALID"),
    "INVALID": Sign("fail", "✕", "INVALID"),
    "held": Sign("pass", "✓", "held"),
    "broken": Sign("fail", "✕", "broken"),
    "inconclusive": Sign("open", "?", "inconclusive"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first sentence of the page: its colour, what stands out, and the rest."""

    css: str
    lead: str
    rest: str


def verdict(results: Results) -> Verdict:
    """What the run says of itself, and what became of its targets."""
    if results.get("state", "over") != "over":
        return _unfinished(results)
    error = results["validity"]["error_bar_ms"]
    good = "by an unknown amount" if error is None else f"by at most {figure(error)} ms"
    if results["validity"]["verdict"] != "VALID":
        spoilt = _spoilt(reason["spoils"] for reason in results["validity"]["reasons"])
        told = [f"Not to be relied on: {'; '.join(spoilt)}."] if spoilt else []
        undecided = ["No target is decided."] if results["slo"] else []
        return Verdict("fail", "This run is INVALID.", " ".join([*told, *undecided]))
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


def _unfinished(results: Results) -> Verdict:
    """Of a run that goes on, or whose process ended without a last word."""
    so_far = f"What it had reported after {duration(results['duration_s'])} is here"
    trust = f"up to then it is {results['validity']['verdict']}."
    undecided = " No target is decided." if results["slo"] else ""
    lead = "This run was cut off." if results["state"] == "cut off" else "This run goes on."
    return Verdict("open", lead, f"{so_far}; {trust}{undecided}")


def _spoilt(reasons: Iterable[str]) -> list[str]:
    """What is spoilt, each once; what goes without saying beside the rest is left out.

    >>> _spoilt(["itl, stall", "the offered load", "all latencies: TCP may have waited"])
    ['the offered load', 'all latencies']
    """
    found = list(dict.fromkeys(reason.partition(":")[0] for reason in reasons))
    if "everything" in found:
        return ["everything"]
    if "all latencies" not in found:
        return found
    return [what for what in found if what.partition(",")[0] not in ("itl", "ttft", "e2e")]


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
    if results["slo"] and any(model["failed"] for model in results["models"].values()):
        said.append(
            "To a target a failed request is infinitely slow: it may see more than the percentile "
            "of those that succeeded, which the tables have."
        )
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
