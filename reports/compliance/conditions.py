"""Under what conditions a run judged: what it was asked, what it knew, what it cost; as rows.

The laws: what the results do not tell has no row, and nothing here is HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports import words
from reports.text import cost, tokens_told

__all__ = ["Capability", "capabilities", "conditions"]

_UNITS: Final[Mapping[str, str]] = {"_s": "s", "_mb": "MB"}


def conditions(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``(what, how)``, in the order in which a reader asks."""
    strict = results["strict"]
    rows = [
        ("Strictness", f"a broken SHOULD is a {'failure' if strict else 'warning'}"),
        ("Selection", _selection(results["configuration"])),
        ("Generated", _generated(results["configuration"])),
        ("Long prompt", _long(results["configuration"])),
        ("Client libraries", _clients(results["configuration"])),
        ("Key", _key(results["configuration"])),
        ("Timeout", _timeout(results["configuration"])),
        ("Thresholds", _limits(results["configuration"])),
        ("Cost", f"{cost(results)}{_processes(results['configuration'])}"),
        ("Tokens", _tokens(results["tokens"])),
        ("Tokens told", tokens_told(results)),
        ("End", "interrupted before the last check" if results["interrupted"] else ""),
    ]
    return [(what, how) for what, how in rows if how]


_Given = Mapping[str, Any] | None


def _selection(given: _Given) -> str:
    if given is None:
        return ""
    parts = [*given["requirements"]]
    parts += [f"-k {given['keyword']}"] if given["keyword"] else []
    parts += [f"-m {given['markers']}"] if given["markers"] else []
    return ", ".join(parts) or "every check"


def _generated(given: _Given) -> str:
    if given is None:
        return ""
    if not given["examples"]:
        return "no requests"
    amount = words.amount(given["examples"], "request")
    return f"{amount} of each kind for each model, from seed {given['seed']}"


def _long(given: _Given) -> str:
    if given is None or not given["long_context"]:
        return ""
    return f"{words.number(given['long_context'])} tokens, to each model that documents as many"


def _clients(given: _Given) -> str:
    if given is None:
        return ""
    return "those that are installed" if given["clients"] else "none were to run"


def _key(given: _Given) -> str:
    if given is None:
        return ""
    headers = given["headers"]
    key = f"from ${given['key']}" if given["key"] else "none was sent"
    more = f"{words.amount(len(headers), 'more header')}: {', '.join(headers)}" if headers else ""
    return "; ".join(filter(None, [key, more]))


def _timeout(given: _Given) -> str:
    return "" if given is None else f"{given['timeout_s']:g} s for one exchange"


def _limits(given: _Given) -> str:
    """``held open 5 s, silence 30 s``: the names carry their units."""
    told = []
    for name, value in sorted((given or {"limits": {}})["limits"].items()):
        ending = next((ending for ending in _UNITS if name.endswith(ending)), "")
        unit = _UNITS.get(ending, "")
        told.append(f"{name.removesuffix(ending).replace('_', ' ')} {value:g} {unit}".rstrip())
    return ", ".join(told)


def _processes(given: _Given) -> str:
    if given is None or given["processes"] == 1:
        return ""
    return f", in {given['processes']} processes"


def _tokens(spent: Mapping[str, Any] | None) -> str:
    if spent is None:
        return ""
    told = (
        f"{words.amount(spent['answered'], 'answer')}: about {words.number(spent['input_about'])} "
        f"tokens read, at most {words.number(spent['output_at_most'])} written"
    )
    if unbounded := spent["unbounded"]:
        told += f", beside {words.amount(unbounded, 'short answer')} without a bound"
    return told


# --- capabilities -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capability:
    """What is known of one capability, for the models of which the same is known."""

    name: str
    """Set on the first row of a capability only."""
    present: bool
    because: str
    models: tuple[str, ...]


def capabilities(results: Mapping[str, Any]) -> list[Capability]:
    """What the target can do, as it was declared or probed; by name."""
    given: _Given = results["configuration"]
    rows: list[Capability] = []
    met: set[str] = set()
    for row in (given or {"capabilities": ()})["capabilities"]:
        flag = row["flag"]
        name = "" if flag in met else flag.replace("_", " ")
        met.add(flag)
        models = tuple(row["models"])
        rows.append(Capability(name, row["state"] == "present", row["because"], models))
    return rows
