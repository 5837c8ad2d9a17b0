"""What the command line asks for, as plain data (``options`` has the options themselves).

The law: each mistake is one line that says what to write instead.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conformance import requirements
from conformance.generation import Amount
from conformance.target.profile import Profile, ProfileError
from conformance.target.reading import for_url, load
from conformance.wire.arguments import IS_SHOWN, bare, blank
from conformance.wire.pace import Limits
from conformance.wire.redact import Redactor

from . import bounds

OUT = Path("reports") / "out"

NO_LIMITS = Limits()

SMALLEST_CONTEXT = 1024
"""Tokens; a shorter prompt is no long one."""

LONGEST_TIMEOUT = 86_400.0
"""Seconds; more than a day is a slip, and far more than that no socket takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asks for. `target_url` None: the embedded reference server."""

    target_url: str | None
    key_variable: str
    key: str | None = field(repr=False)
    spare_keys: Mapping[str, str] = field(repr=False)
    """Other keys that the profile names, by environment variable."""
    models: tuple[str, ...]
    all_models: bool
    profile: Profile
    profile_given: str | None
    strict: bool
    patterns: tuple[str, ...]
    selected: frozenset[str] | None
    """Ids that `--requirement` selects; None: all."""
    results: Path
    timeout: float
    plan: bool
    generated: Amount
    clients: bool
    """Whether client libraries that are installed may run."""
    long_context: int
    """Tokens of the prompt that a model of a long documented context has to take; 0: none."""
    limits: Limits = NO_LIMITS
    """Budgets and rate; those of this process and all that it starts."""
    resume: Path | None = None
    """What an earlier run has left, which this one goes on from."""


def read(config: pytest.Config) -> Settings:
    """The settings of this run.

    Raises `pytest.UsageError` (exit status 4) with one line for an option that cannot be used.
    """
    option = config.getoption
    url: str | None = option("target_url")
    if url is not None:
        url = _checked_url(url)
    named: str | None = option("profile")
    try:
        profile = load(named) if named else (for_url(url) if url else load("ainul"))
        profile.resolved_headers()
        spare_keys = {name: key.strip() for name, key in profile.resolved_keys().items()}
    except ProfileError as error:
        raise pytest.UsageError(str(error)) from None
    patterns: list[str] = option("requirement")
    try:
        selected = frozenset(r.id for r in requirements.select(patterns)) if patterns else None
    except ValueError as error:
        raise pytest.UsageError(f"--requirement: {error}") from None
    for deviation in profile.deviations:
        if deviation.id not in requirements.REQUIREMENTS:
            raise pytest.UsageError(
                f"profile {profile.name}: deviation {deviation.id} is no requirement; "
                "pytest --requirements lists them"
            )
    if option("model") and option("all_models"):
        raise pytest.UsageError("--model and --all-models exclude each other: give one of them")
    results = option("results")
    found = Settings(
        target_url=url,
        key_variable=option("api_key_env"),
        key=_key(option("api_key"), option("api_key_env")),
        spare_keys=spare_keys,
        models=tuple(dict.fromkeys(option("model"))),
        all_models=option("all_models"),
        profile=profile,
        profile_given=named,
        strict=bool(option("strict")),
        patterns=tuple(patterns),
        selected=selected,
        results=config.invocation_params.dir / (results or OUT / "results.json"),
        timeout=_seconds(option("timeout")),
        plan=option("plan"),
        clients=not option("no_clients"),
        generated=Amount(
            bounds.whole("--examples", option("examples"), 0, MOST_EXAMPLES),
            bounds.whole("--seed", option("seed"), 0, MOST_SEED),
        ),
        long_context=_tokens(option("long_context"), profile, option("model")),
        limits=bounds.read(option),
        resume=None if option("resume") is None else _there(config, option("resume")),
    )
    _refuse_shown_secrets(found, [("-k", option("keyword")), ("-m", option("markexpr"))])
    return found


def _refuse_shown_secrets(found: Settings, more: list[tuple[str, str]]) -> None:
    """A secret that stands in what every report names cannot be kept."""
    shown = [
        ("--target-url", found.target_url or ""),
        *(("--model", model) for model in found.models),
        *((f"a model of profile {found.profile.name}", m.id) for m in found.profile.models),
        ("--results", str(found.results)),
        *more,
    ]
    known = Redactor(secrets(found))
    for where, value in shown:
        if known.holds(value):
            raise pytest.UsageError(f"{where} {IS_SHOWN}")


def _there(config: pytest.Config, given: str) -> Path:
    return config.invocation_params.dir / Path(given).expanduser()


def secrets(settings: Settings) -> list[str]:
    """All values that must never be shown."""
    return [settings.key or "", *settings.profile.secrets(), *settings.spare_keys.values()]


def _tokens(given: str | None, profile: Profile, models: list[str]) -> int:
    """`--long-context`: at most what one of the models documents."""
    if given is None:
        return 0
    known = [profile.model(name) for name in models] or profile.models
    largest = max((model.context_tokens or 0 for model in known), default=0)
    tokens = int(given) if given.isascii() and given.isdecimal() else 0
    if not largest:
        raise pytest.UsageError(
            f"--long-context {given}: profile {profile.name} documents no context_tokens for "
            "the models of this run"
        )
    if not SMALLEST_CONTEXT <= tokens <= largest:
        raise pytest.UsageError(
            f"--long-context {given}: give a number of tokens from {SMALLEST_CONTEXT} to "
            f"{largest}, the longest context that profile {profile.name} documents here"
        )
    return tokens


MOST_EXAMPLES = 100_000
MOST_SEED = 2**63


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT:  # false for "nan" too
        raise pytest.UsageError(
            f"--timeout {given}: give a number of seconds above 0, at most {LONGEST_TIMEOUT:g}"
        )
    return seconds


def _key(given: str | None, variable: str) -> str | None:
    if given:
        blank(given)
    elif not variable.strip() or not variable.isprintable() or set(variable) & set("= $"):
        raise pytest.UsageError(
            f"--api-key-env {variable!r}: give the name of an environment variable"
        )
    key = (given or os.environ.get(variable) or "").strip()
    if not key.isascii() or not key.isprintable():
        raise pytest.UsageError(
            f"the API key ({'--api-key' if given else f'in ${variable}'}) holds characters that no "
            "header may carry: copy it again"
        )
    return key or None


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise pytest.UsageError(f"--target-url {bare(url)}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = repr(bare(url))
        raise pytest.UsageError(f"--target-url {shown} is no base URL: write http(s)://HOST/v1")
    if parts.username or parts.password:
        raise pytest.UsageError("--target-url carries credentials: give the key by --api-key-env")
    if parts.query or parts.fragment:
        raise pytest.UsageError(f"--target-url {bare(url)}: leave out what follows the path")
    if parts.path.rstrip("/").endswith("/chat/completions"):
        base = url.rstrip("/").removesuffix("/chat/completions")
        raise pytest.UsageError(f"--target-url is the base URL: write {base}")
    return url.rstrip("/")


def aimed(settings: Settings, url: str, key: str | None) -> Settings:
    """The same settings, with that URL and key as the target's."""
    return replace(settings, target_url=url, key=key)
