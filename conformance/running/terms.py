"""What the parts of one run have in common: those that differ in it are no parts of one run.

The law: whatever changes what is asked, of whom, or what is made of the answers, is a term. How
fast is none, nor how long, nor which clauses are selected: a run may go on with more of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields

from conformance import __version__
from conformance.requirements import REQUIREMENTS

from .settings import Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """What the parts of one run have in common. None: it is not known."""

    url: str | None
    """None: the embedded server, wherever it listens."""
    profile: str
    models: tuple[str, ...]
    strict: bool
    examples: int
    seed: int
    long_context: int
    clients: bool
    suite: str
    catalogue: str | None
    documented: str | None
    """What the profile says, digested."""


NAMES: Mapping[str, str] = {
    "url": "target",
    "profile": "profile",
    "models": "models",
    "strict": "--strict",
    "examples": "--examples",
    "seed": "--seed",
    "long_context": "--long-context",
    "clients": "use of client libraries",
    "suite": "version of the suite",
    "catalogue": "catalogue",
    "documented": "content of the profile",
}
"""What a user calls each of the terms."""

UNSHOWN = ("catalogue", "documented")
"""Digests, which say nothing to a reader."""


def digest(value: object) -> str:
    """A short digest of anything whose `repr` says all of it."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def terms_of(settings: Settings, models: tuple[str, ...], embedded: bool) -> Terms:
    """The terms of a run with these `settings`: the user's, before the server has an address."""
    return Terms(
        url=None if embedded else settings.target_url,
        profile=settings.profile.name,
        models=models,
        strict=settings.strict,
        examples=settings.generated.examples,
        seed=settings.generated.seed,
        long_context=settings.long_context,
        clients=settings.clients,
        suite=__version__,
        catalogue=digest(sorted(REQUIREMENTS.items())),
        documented=digest(settings.profile),  # names of secrets, not their values
    )


def differences(theirs: Terms, ours: Terms) -> list[str]:
    """In what two parts differ so that they do not make one run."""
    told = []
    for field in fields(Terms):
        there, here = getattr(theirs, field.name), getattr(ours, field.name)
        unknown = there is None and field.name in UNSHOWN
        if there == here or unknown:
            continue
        values = "" if field.name in UNSHOWN else f" ({_said(there)} there, {_said(here)} here)"
        told.append(f"another {NAMES[field.name]}{values}")
    return told


def _said(value: object) -> str:
    match value:
        case None:
            return "the embedded server"
        case bool():
            return "on" if value else "off"
        case tuple():
            shown = ", ".join(str(one) for one in value[:3])
            return f"{shown} and {len(value) - 3} more" if len(value) > 3 else shown
    return str(value)
