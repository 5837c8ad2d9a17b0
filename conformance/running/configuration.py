"""What a run was asked to do and what it could know, as data: so that it can be run again.

The laws:

1. Names, never values, of what may be secret: of the key's variable, of the headers that a profile
   adds.
2. What is told runs as pasted, and gives the same requests again.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from conformance.generation import DEFAULT_EXAMPLES, DEFAULT_SEED
from conformance.options import DEFAULT_TIMEOUT, DEFAULT_VARIABLE
from conformance.target.capabilities import Capability
from conformance.wire.transcript import printable

from .settings import Settings

Known = Mapping[str, Sequence[Capability]]
"""The capabilities that were asked about, by model."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What pytest's own options leave of the checks, and how many processes judge."""

    keyword: str = ""
    """`-k`."""
    markers: str = ""
    """`-m`."""
    processes: int = 1


def command(
    settings: Settings,
    embedded: bool,
    *,
    requirements: Iterable[str],
    models: Iterable[str],
    selection: Selection = Selection(),
) -> str:
    """The command that judges these requirements (patterns, too; none: all) on these models."""
    amount = settings.generated
    given: list[tuple[str, str, str]] = [
        # option, value, the value that goes without saying
        ("--target-url", "" if embedded else settings.target_url or "", ""),
        ("--api-key-env", settings.key_variable, DEFAULT_VARIABLE),
        ("--profile", settings.profile_given or "", ""),
        *(("--requirement", pattern, "") for pattern in requirements),
        *(("--model", model, "") for model in models),
        ("--long-context", str(settings.long_context), "0"),
        ("--examples", str(amount.examples), str(DEFAULT_EXAMPLES)),
        ("--seed", str(amount.seed), str(DEFAULT_SEED)),
        ("--timeout", f"{settings.timeout:g}", DEFAULT_TIMEOUT),
        ("-k", selection.keyword, ""),
        ("-m", selection.markers, ""),
        ("-n", str(selection.processes), "1"),
        ("--rate", str(settings.limits.rate or ""), ""),
    ]
    switches = [("--strict", settings.strict), ("--no-clients", not settings.clients)]
    words = ["pytest", "--pyargs", "conformance"]
    words += [word for option, value, usual in given if value != usual for word in (option, value)]
    words += [option for option, on in switches if on]
    return shlex.join(words)


def configuration(
    settings: Settings,
    *,
    embedded: bool,
    models: Sequence[str],
    known: Known,
    selection: Selection,
) -> dict[str, Any]:
    """The `configuration` of `schemas/results.schema.json`.

    `settings` are those of the run itself: the target's URL and key as they were used. What is
    `known` is told of `models`, in their order, however many processes found it out.
    """
    profile = settings.profile
    return {
        "command": command(
            settings,
            embedded,
            requirements=settings.patterns,
            models=models,
            selection=selection,
        ),
        "requirements": list(settings.patterns),
        "keyword": selection.keyword,
        "markers": selection.markers,
        "processes": selection.processes,
        "examples": settings.generated.examples,
        "seed": settings.generated.seed,
        "timeout_s": settings.timeout,
        "long_context": settings.long_context,
        "clients": settings.clients,
        "key": settings.key_variable if settings.key else None,
        "headers": sorted(profile.headers),
        "limits": asdict(profile.limits),
        "capabilities": _capabilities({model: known.get(model, ()) for model in models}),
    }


def plain(known: Known) -> dict[str, list[tuple[str, str, str]]]:
    """The same in lists and strings, for JSON and for another process."""
    return {model: [astuple(one) for one in found] for model, found in known.items() if found}


def known(told: Mapping[str, Iterable[Sequence[Any]]]) -> Known:
    """What `plain` has told."""
    return {model: [Capability(*one) for one in found] for model, found in told.items()}


def merged(one: Known, other: Known) -> Known:
    """What two processes know; where both know a capability, it is told once, as `other` does."""
    flags = {
        model: {c.flag: c for c in (*one.get(model, ()), *other.get(model, ()))}
        for model in (*one, *other)
    }
    return {model: tuple(found.values()) for model, found in flags.items()}


def _capabilities(known: Known) -> list[dict[str, Any]]:
    """One row for each flag and answer, with the models for which it is the same."""
    rows: dict[Capability, list[str]] = {}
    for model, found in known.items():
        for capability in found:
            rows.setdefault(capability, []).append(model)
    return [
        {
            "flag": capability.flag,
            "state": capability.state,
            "because": printable(capability.because.encode("utf-8", "backslashreplace")),
            "models": models,
        }
        for capability, models in sorted(rows.items(), key=lambda row: (row[0].flag, row[1]))
    ]
