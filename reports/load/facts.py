"""What failed in a load run, what it watched of itself, how it was made: names and texts.

Laws: everything that a reader needs to run it again is there, but for the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reports.words import amount, duration, listed, number

from .axes import figure
from .view import NAMES

__all__ = ["definitions", "failures", "findings", "itself", "offered", "options", "run", "windows"]

Results = Mapping[str, Any]
Facts = Sequence[tuple[str, str]]


def offered(results: Results) -> Facts:
    """What load was put on the target."""
    load = results["load"]
    weights = load["weights"]
    models = listed(
        [f"{id_} ({weight:g})" if weight != 1 else id_ for id_, weight in weights.items()]
    ) if weights else ""  # fmt: skip
    if load["loop"] == "open":
        rate = load["offered_per_second"]
        how = f"open: {load['arrivals']} arrivals"
        how += "" if rate is None else f" at {rate:g} requests a second"
    else:
        how = f"closed: {amount(load['users'], 'user')}, each waits for its answer"
        how += f", then {load['think_time_s']:g} s" if load["think_time_s"] else ""
    sent = load["achieved_per_second"]
    return [
        ("Loop", how),
        ("Sent", "-" if sent is None else f"{figure(sent)} requests a second in the window"),
        ("In flight", f"{figure(load['mean_in_flight'])} in the mean"),
        ("Models", models or listed([*results["models"]]) if results["models"] else "none"),
        ("Prompts", f"{load['prompts']}, at most {load['options'].get('max-tokens')} tokens out"),
        ("Workers", str(load["workers"])),
    ]


def itself(results: Results) -> Facts:
    """What the generator watched of itself."""
    seen = results["validity"]
    late = len(seen["late_seconds"])
    bunched = seen["bunched_share"]
    return [
        ("Stamps", {"kernel": "the kernel's", None: "none read"}.get(seen["clock"], "user space")),
        ("Reads late", _late(seen["client_lag_ms"])),
        ("Event loop late", _late(seen["loop_lag_ms"])),
        *(
            [("Schedule late", _late(seen["schedule_lag_ms"]))]
            if seen["schedule_lag_ms"]["count"]
            else []
        ),
        ("Sending took", _late(seen["sending_ms"])),
        ("Garbage collection", _late(seen["gc_pause_ms"])),
        (
            "CPU",
            ", ".join(f"{who} {share:.0%} of a core" for who, share in seen["cpu"].items()) or "-",
        ),
        ("Tokens that came together", "-" if bunched is None else f"{100 * bunched:.2g} %"),
        ("Seconds with a late loop", str(late)),
        (
            "Lost",
            f"{amount(seen['lost_requests'], 'request')}, "
            f"{amount(len(seen['dead_workers']), 'worker')}",
        ),
    ]


def _late(lag: Mapping[str, Any]) -> str:
    if not lag["count"]:
        return "not measured"
    known = [f"{name} {figure(lag[name])}" for name in ("p50", "p99") if lag.get(name) is not None]
    return ", ".join([*known, f"at most {figure(lag['max'])} ms"])


def windows(results: Results) -> list[tuple[str, str, str]]:
    """The INVALID windows: when, which rule, what was measured and what that spoils."""
    began = int(datetime.fromisoformat(results["started"]).timestamp())
    return [
        (
            f"+{max(0, window['start'] - began)} s, {window['seconds']} s long",
            listed(reason["rule"] for reason in window["reasons"]),
            "; ".join(f"{r['what']} (spoils {r['spoils']})" for r in window["reasons"]),
        )
        for window in results["validity"]["windows"]
        if window["verdict"] == "INVALID"
    ]


def run(results: Results) -> Facts:
    """With what, when and how the run was made."""
    tool, options = results["tool"], results["load"]["options"]
    return [
        ("Target", results["target"]["url"]),
        ("Started", results["started"]),
        ("Length", duration(results["duration_s"])),
        ("Seed", str(options.get("load-seed", 0))),
        ("Run", f"{results['run']} (in the nonce of every request)"),
        (
            "Versions",
            f"suite {tool['version']}, Locust {tool['locust']}, Python {tool['python']}, "
            f"definitions {results['definitions']['version']}",
        ),
    ]


def definitions(results: Results) -> list[tuple[str, str]]:
    """Each metric and its definition, in the order of the tables, then those without a row."""
    known = (results["definitions"] or {"metrics": {}})["metrics"]
    order = [*NAMES]
    return sorted(known.items(), key=lambda row: order.index(row[0]) if row[0] in order else 99)


def options(results: Results) -> Iterator[tuple[str, str]]:
    """The options as they held; the key is not among them."""
    for name, value in results["load"]["options"].items():
        if value not in ("", [], False, None):
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"--{name}", told


def failures(results: Results) -> list[tuple[str, str, int, str, str]]:
    """Kind, model, count, share of what ended, example; the most frequent first."""
    found = [
        (
            kind,
            id_,
            count,
            _share(count, model["ok"] + model["failed"]),
            model["examples"].get(kind, ""),
        )
        for id_, model in results["models"].items()
        for kind, count in model["failures"].items()
    ]
    return sorted(found, key=lambda row: -row[2])


def findings(results: Results) -> list[tuple[str, str, int, str, str]]:
    """Clause, model, streams that break it, share of those judged, example."""
    return [
        (clause, id_, count, _share(count, told["checked"]), model["examples"].get(clause, ""))
        for id_, model in results["models"].items()
        for told in (model["conformance"],)
        for clause, count in sorted(told["findings"].items())
    ]


def _share(some: int, every: int) -> str:
    return f"{100 * some / every:.3g} % of {number(every)}" if every else "-"
