"""What a sweep says: of each run in one line, and its answer. Pure.

Laws: a line of a run says what was found, then whether it held; one that failed says why, in its
own words. What a target may have sent is shown by characters that can be printed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["found", "said", "why_failed"]

LONGEST: Final = 300
"""Characters of a reason."""

ORDER: Final = ("broken", "inconclusive", "held")


def found(results: Mapping[str, Any] | None, log: str) -> str:
    """What a run found: what each target saw, or why it decides nothing."""
    if results is None:
        return why_failed(log)
    valid = results["validity"]
    if valid["reasons"]:
        return _plain("; ".join(f"{r['rule']}: {r['what']}" for r in valid["reasons"]))
    worst: dict[str, Mapping[str, Any]] = {}
    for outcome in results["slo"]:
        known = worst.get(outcome["target"])
        if known is None or _rank(outcome) < _rank(known):
            worst[outcome["target"]] = outcome
    return _plain("; ".join(map(_outcome, worst.values())))


def _rank(outcome: Mapping[str, Any]) -> tuple[int, float]:
    """Worse is less: by its verdict, then by what was seen."""
    seen = outcome["seen"] or 0.0
    return ORDER.index(outcome["verdict"]), -seen if "<" in outcome["target"] else seen


def _outcome(outcome: Mapping[str, Any]) -> str:
    if outcome["seen"] is None:
        return f"{outcome['target']}: {outcome['why'] or 'not measured'}"
    why = f" ({outcome['why']})" if outcome["why"] else ""
    return f"{outcome['target']}: seen {outcome['seen']:.4g}{why}"


def why_failed(log: str) -> str:
    """The line of a run's log that says why it failed: our own, else the last."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("load: ")]
    return _plain((own or lines or ["it said nothing"])[-1].removeprefix("load: "))


def _plain(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def said(answer: Mapping[str, Any]) -> str:
    """The answer in words."""
    lines = []
    if answer["state"] == "interrupted":
        lines.append("Interrupted: the search was not finished")
    if answer["unknown"] is not None:
        lines.append(f"Unknown: the run at {answer['unknown']:g} requests/s decides nothing")
    if answer["held"] is not None:
        lines.append(_held(answer))
        lines += _targets(answer["targets"])
    elif answer["broken"] is not None:
        lines.append("The targets hold at no rate that was tried")
    return "\n".join(lines)


def _held(answer: Mapping[str, Any]) -> str:
    sure = answer["confidence"]
    bound = "" if answer["broken"] is None else f", and not at {answer['broken']:g}"
    return (
        f"The targets hold at {answer['held']:g} requests/s{bound}: in {sure['held']} of "
        f"{sure['of']} runs, so with 95 % confidence in {sure['share'][0]:.0%} or more of such "
        f"runs of this length"
    )


def _targets(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = []
    for row in rows:
        seen = ", ".join("-" if value is None else f"{value:.4g}" for value in row["seen"])
        edges = row["interval"]
        within = f"; 95 % within {edges[0]:.4g} to {edges[1]:.4g}" if edges else ""
        lines.append(f"  {row['target']} for {row['model']}: seen {seen}{within}")
    return lines
