"""The options of a run: one table, read by Locust's command line and by its web form alike.

Laws
----
* Every option is a row of ``OPTIONS``; the web form shows them all, the key as a password field
  that is never filled in. A key on the command line does not stay among the parsed options, so
  that no page, report or message of Locust's can show it; nor on the command line, whose copies
  the processes of ``--processes`` are; and no process is started with one. One that stands where
  none belongs (``--apikey``) is refused by name, and not quoted.
* A mistake is one line that says what to write instead, before anything is sent.
* The web form returns texts; `read` takes them as it takes the command line's values.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conformance.target.profile import Profile, ProfileError
from conformance.target.reading import for_url, load
from conformance.wire.arguments import IS_SHOWN
from conformance.wire.redact import Redactor
from load import arrivals, prompts, slo
from load.exchange import LARGEST, Limits
from load.keys import ENVIRONMENT, Hide, given_key, refuse_misplaced_keys
from load.place import Place, place
from load.writing import unwritable

__all__ = ["OPTIONS", "Settings", "SettingsError", "add_options", "read"]

BYTES_PER_TOKEN: Final = 1024
"""Of a stream, at most: a chunk has some 250, or twice as many with what servers add to it."""

RESULTS: Final = "reports/out/load.json"


class SettingsError(ValueError):
    """An option cannot be used; the message is one line that says what to write."""


@dataclass(frozen=True, slots=True)
class Option:
    """One row: a list default makes it repeatable, a bool default a switch."""

    name: str
    default: Any
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    secret: bool = False


OPTIONS: Final = (
    Option("model", [], "model to ask, repeatable; WEIGHT shares out the load", "ID[=WEIGHT]"),
    Option("target-profile", "", "what the target documents: ainul, openai or a file", "NAME|FILE"),
    Option("api-key-env", ENVIRONMENT, "environment variable that holds the key", "NAME"),
    Option("api-key", "", "the key itself; until it has been read, the list of processes shows it "
           "to every user of this machine: prefer --api-key-env", "KEY", secret=True),
    Option("prompt", "", "a fixed prompt (default: count from 1 to 300)", "TEXT"),
    Option("prompt-words", "", "prompts of this many words: 200, normal:200,50, …", "LENGTH"),
    Option("prompt-file", "", "prompts from a JSONL file, in turn", "FILE"),
    Option("turns", 1, "user messages per conversation", "N"),
    Option("shared-prompts", False, "no nonce: let prefix caches serve the prompts"),
    Option("max-tokens", 256, "bound on the output of a request", "N"),
    Option("temperature", "", "temperature to ask for", "NUMBER"),
    Option("extra-body", "", "further members of each request, a JSON object", "JSON"),
    Option("no-usage", False, "do not ask for usage in streams: tokens are then chunks"),
    Option("think-time", 0.0, "seconds between a user's requests (closed loop)", "SECONDS"),
    Option("rate", 0.0, "requests per second, an open loop; 0: users, a closed loop", "NUMBER"),
    Option("arrivals", "poisson", "how an open loop's requests arrive", None, arrivals.PROCESSES),
    Option("burstiness", 1.0, "shape of gamma arrivals: below 1 is burstier than Poisson", "K"),
    Option("trace", "", "moments of arrival, one a line; --rate speeds it up", "FILE"),
    Option("load-seed", 0, "seed of arrivals and prompts", "N"),
    Option("max-in-flight", 5000, "open loop: hold back what is due beyond so many", "N"),
    Option("warm-up", 0.0, "least seconds that are left out at the start", "SECONDS"),
    Option("connect-timeout", 10.0, "to open a connection", "SECONDS"),
    Option("stall-timeout", 30.0, "longest silence after the first token", "SECONDS"),
    Option("total-timeout", 300.0, "for a whole request", "SECONDS"),
    Option("on-429", "count", "429: go on, or wait for Retry-After", None, ("count", "wait")),
    Option("slo", [], "target that decides the exit status, repeatable: ttft_p95<500ms", "TARGET"),
    Option("goodput", [], "what makes a request good, repeatable: ttft<500ms", "TARGET"),
    Option("budget-requests", 0, "stop after so many requests of all workers; 0: never", "N"),
    Option("budget-tokens", 0, "stop before more tokens than this, prompts included", "N"),
    Option("check", "auto", "streams that the conformance suite's machine judges; auto: as many as "
           "a twentieth of the time allows", None, ("auto", "all", "none")),
    Option("load-results", RESULTS, "where to write results as JSON, and CSV beside it", "FILE"),
    Option("no-page", False, "write no page (HTML) beside the results"),
    Option("load-raw", "", "one JSON line per request, from which all can be recomputed", "FILE"),
    Option("page-every", 60.0, "write results and page while the run goes; 0: at its end alone",
           "SECONDS"),
    Option("tls-insecure", False, "do not verify the target's certificate"),
    Option("tls-ca", "", "trust these certificate authorities instead of the system's", "FILE"),
)  # fmt: skip
"""Every option of ours."""


def add_options(parser: Any) -> None:
    """Register the options in a group of their own; ``parser`` is Locust's."""
    group = parser.add_argument_group(
        "Chat completions", "--host is the base URL with /v1, for example http://127.0.0.1:8080/v1"
    )
    for option in OPTIONS:
        more: dict[str, Any] = {"default": option.default, "help": option.help}
        if isinstance(option.default, bool):
            more["action"] = "store_true"
        else:
            more["metavar"] = option.metavar
            more["choices"] = option.choices
            if isinstance(option.default, list):
                # Not []: Locust's web form would read its texts as integers.
                more |= {"action": "append", "default": None}
            elif not isinstance(option.default, str):
                more["type"] = type(option.default)
        action = group.add_argument(
            f"--{option.name}", **more, **({"action": Hide} if option.secret else {})
        )
        # What Locust's own add_argument sets, which a group's lacks.
        action.include_in_web_ui = True
        action.is_secret = option.secret
        action.is_required = action.is_multiple = False
    refuse_misplaced_keys(parser)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is asked to do, read and checked."""

    to: Place
    profile: Profile
    models: tuple[tuple[str, float], ...]
    """(id, weight); empty: ask the target for its list."""
    key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    limits: Limits
    options: Mapping[str, Any]
    """The plain options by name, without the key: what results may show."""
    file: tuple[tuple[list[dict[str, Any]], dict[str, Any]], ...] = field(repr=False)
    trace: tuple[int, ...] = field(repr=False)
    extra: Mapping[str, Any]
    targets: tuple[slo.Target, ...]
    good: tuple[slo.Target, ...]

    def __getitem__(self, name: str) -> Any:
        return self.options[name]

    @property
    def secrets(self) -> list[str]:
        """All values that must never be shown."""
        return [self.key or "", *self.profile.secrets()]

    @property
    def open_loop(self) -> bool:
        """Whether requests leave on a schedule, not when a user is free."""
        return self.options["rate"] > 0 or bool(self.trace)


def read(parsed: argparse.Namespace, host: str | None) -> Settings:
    """The settings of a run. Raises SettingsError."""
    try:
        return _read({option.name: _value(option, parsed) for option in OPTIONS}, host)
    except (ProfileError, ValueError) as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        what = error.filename or f"--tls-ca {getattr(parsed, 'tls_ca', '')}"
        raise SettingsError(f"{what}: {error.strerror or error}") from None


def _value(option: Option, parsed: argparse.Namespace) -> Any:
    given = getattr(parsed, option.name.replace("-", "_"), option.default)
    if isinstance(option.default, list):
        listed = given.split(",") if isinstance(given, str) else given or []
        return [text.strip() for text in listed if text.strip()]
    if isinstance(option.default, bool):
        return given is True or given == "true"
    kind = type(option.default)
    try:
        value = kind(given if given is not None else option.default)
    except ValueError:
        raise SettingsError(f"--{option.name} {given!r}: write a number") from None
    if kind in (int, float) and not 0 <= value < 1e12:  # false for nan too
        raise SettingsError(f"--{option.name} {given}: write a number of 0 or more")
    if option.choices and value not in option.choices:
        raise SettingsError(f"--{option.name} {value}: write one of {', '.join(option.choices)}")
    return value


def _read(options: dict[str, Any], host: str | None) -> Settings:
    if not host:
        raise SettingsError("give the base URL of the target: --host http(s)://HOST/v1")
    to = place(host)
    named = options["target-profile"]
    profile = load(named) if named else for_url(to.url)
    models = tuple(map(_model, options["model"])) or tuple((m.id, 1.0) for m in profile.models)
    for name in ("turns", "max-tokens", "burstiness", "max-in-flight", "total-timeout"):
        if not options[name]:
            raise SettingsError(f"--{name}: write a number above 0")
    if options["prompt-words"]:
        prompts.lengths(options["prompt-words"])
    if options["arrivals"] == "trace" and not options["trace"]:
        raise SettingsError("--arrivals trace needs --trace FILE")
    if options["tls-ca"]:
        ssl.create_default_context(cafile=options["tls-ca"])
    for name in ("load-results", "load-raw"):
        if options[name] and (obstacle := unwritable(Path(options[name]))):
            raise SettingsError(f"--{name} {options[name]} cannot be written: {obstacle}")
    trace = arrivals.read_trace(Path(options["trace"])) if options["trace"] else []
    file = prompts.read_file(Path(options["prompt-file"])) if options["prompt-file"] else []
    seconds = (options["connect-timeout"], options["stall-timeout"], options["total-timeout"])
    key = options.pop("api-key") or given_key() or os.environ.get(options["api-key-env"], "")
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise SettingsError("the API key holds characters that no header may carry: copy it again")
    headers, hidden = profile.resolved_headers(), [key, *profile.secrets()]
    shown = [("--host", to.url), *(("--model", model) for model, _ in models)]
    shown += [(f"--{name}", options[name]) for name in ("load-results", "load-raw")]
    for where, value in shown:
        if Redactor(hidden).holds(value):
            raise SettingsError(f"{where} {IS_SHOWN}")
    return Settings(
        to=to,
        profile=profile,
        models=models,
        key=key or None,
        headers=headers,
        limits=Limits(*seconds, body=max(LARGEST, BYTES_PER_TOKEN * options["max-tokens"])),
        options=options,
        file=tuple(file),
        trace=tuple(trace),
        extra=_extra(options),
        targets=tuple(map(slo.parse, options["slo"])),
        good=tuple(map(slo.parse_request_target, options["goodput"])),
    )


def _model(spelled: str) -> tuple[str, float]:
    id_, equals, weight = spelled.rpartition("=")
    try:
        share = float(weight)
    except ValueError:
        equals = ""
    if not equals:
        return spelled, 1.0
    if not 0 < share < 1e9:
        raise SettingsError(f"--model {spelled}: write a weight above 0")
    return id_, share


def _extra(options: Mapping[str, Any]) -> dict[str, Any]:
    """Members of every request, from --extra-body and --temperature."""
    extra: dict[str, Any] = {}
    if options["extra-body"]:
        try:
            extra = json.loads(options["extra-body"])
        except ValueError as error:
            raise SettingsError(f"--extra-body is no JSON: {error}") from None
        if not isinstance(extra, dict):
            raise SettingsError("--extra-body: write a JSON object")
    if options["temperature"]:
        try:
            extra["temperature"] = float(options["temperature"])
        except ValueError:
            raise SettingsError(f"--temperature {options['temperature']}: write a number") from None
    return extra
