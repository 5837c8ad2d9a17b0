"""The options of a run, as plain data, each mistake one line that says what to write instead.

The law: the plugin is inert unless the run is ours (`is_ours`): its options are registered, nothing
else happens in other people's test runs.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from . import bounds, requirements
from .generation import DEFAULT_EXAMPLES, DEFAULT_SEED, Amount
from .target.profile import Profile, ProfileError
from .target.reading import for_url, load
from .wire.arguments import bare, blank
from .wire.pace import Limits

PACKAGE = Path(__file__).parent
OUT = Path("reports") / "out"

DEFAULT_VARIABLE = "TARGET_API_KEY"
DEFAULT_TIMEOUT = "60"

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


def add_options(parser: pytest.Parser) -> None:
    """Registers the options in their own group of `pytest --help`."""
    # `--strict` is pytest's own option (8: strict markers; 9: strict mode), which we read too.
    group = parser.getgroup(
        "conformance",
        "conformance of an OpenAI-compatible endpoint "
        "(with --strict, a broken SHOULD fails the run like a broken MUST)",
    )
    add = group.addoption
    add(
        "--target-url",
        metavar="URL",
        help="base URL of the endpoint to judge, with /v1 (default: the embedded reference server)",
    )
    add(
        "--api-key-env",
        metavar="NAME",
        default=DEFAULT_VARIABLE,
        help="environment variable that holds the API key (default: %(default)s)",
    )
    add(
        "--api-key",
        metavar="KEY",
        help="the API key itself; until it has been read, the list of processes shows it to every "
        "user of this machine: prefer --api-key-env",
    )
    add(
        "--model",
        metavar="ID",
        action="append",
        default=[],
        help="model to judge, repeatable (default: the profile's, else the first of /models)",
    )
    add("--all-models", action="store_true", help="judge every model that /models lists")
    add(
        "--profile",
        metavar="NAME|FILE",
        help="what the target documents: ainul, openai or a TOML file (default: by URL)",
    )
    add(
        "--requirement",
        metavar="ID",
        action="append",
        default=[],
        help="judge only this requirement, repeatable; a prefix such as CC-SSE selects a chapter",
    )
    add(
        "--results",
        metavar="FILE",
        help="where to write the results as JSON (default: reports/out/results.json)",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        default=DEFAULT_TIMEOUT,
        help="seconds for one whole exchange (default: %(default)s)",
    )
    add(
        "--long-context",
        metavar="TOKENS",
        help="send a prompt of so many tokens, which is billed, to each model whose profile "
        "documents a context_tokens of that size (default: none)",
    )
    add(
        "--examples",
        metavar="N",
        default=str(DEFAULT_EXAMPLES),
        help="generate N valid requests for each model, N invalid ones and 3N/10 malformed bodies "
        "(default: %(default)s; 0: none)",
    )
    add(
        "--seed",
        metavar="N",
        default=str(DEFAULT_SEED),
        help="which requests are generated; the same seed gives the same (default: %(default)s)",
    )
    bounds.add_options(add)
    add(
        "--resume",
        metavar="FILE",
        help="go on from the results (or the page, or the journal) of a run that came to no end: "
        "what it judged is taken over",
    )
    add(
        "--no-clients",
        action="store_true",
        help="do not run the client libraries that are installed (CC-SDK)",
    )
    add(
        "--plan",
        action="store_true",
        help="print how many requests and tokens the selection may cost, and send none",
    )
    add(
        "--requirements",
        action="store_true",
        help="list the catalogue with the state of each entry, and exit (-v: whole sentences)",
    )


def is_ours(config: pytest.Config) -> bool:
    """Whether this run selects the conformance checks, or asks for them by an option."""
    if config.getoption("target_url") or config.getoption("plan"):
        return True
    here = config.invocation_params.dir
    for arg in config.args:
        name = arg.split("::")[0]
        if config.getoption("pyargs", False) and name.split(".")[0] == PACKAGE.name:
            return True
        path = (here / name).resolve()
        if path == PACKAGE or PACKAGE in path.parents or path == PACKAGE.parent:
            return True
    return False


def keep_to_checks(config: pytest.Config) -> None:
    """Judge the checks alone where pytest would collect this whole folder.

    Before it knows a plugin's options, pytest takes `--results FILE` for a path of tests if there
    is such a file; one elsewhere moves its root, and `testpaths` of this project stays unread.
    """
    nothing_named = config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR
    if nothing_named and config.invocation_params.dir.resolve() == PACKAGE.parent:
        config.args[:] = [str(PACKAGE)]


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
    return Settings(
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


def check_writable(path: Path, option: str, *, replaced: bool = False) -> None:
    """Make the folder of `path`; say what cannot be written before anything is sent.

    `replaced`: the file is put in place whole, which must not happen to a device.
    Raises `pytest.UsageError` with one line that names `option`.
    """
    obstacle = _obstacle(path, replaced)
    if obstacle is not None:
        raise pytest.UsageError(f"{option} {path} cannot be written: {obstacle}")


def _obstacle(path: Path, replaced: bool) -> str | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.TemporaryFile(dir=path.parent):
                return None
    except OSError as error:
        return error.strerror
    if path.is_dir():
        return "it is a folder"
    if replaced and not path.is_file():
        return "it is no plain file"
    return None if os.access(path, os.W_OK) else "no permission to write it"


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
