"""What a target's documentation declares, read from TOML.

The laws:

1. A profile is data. What it does not declare is probed (`capabilities`), never guessed.
2. A mistake in a profile is one line that names the file, the key and what to write.
3. Keys, and header values of the form `$NAME`, come from the environment; they are sent, never
   shown. Nor is a value that the file spells out for a header that carries credentials.
"""

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from conformance.wire.redact import SECRET_HEADERS, mask

Auth = Literal["bearer", "none", "probe"]

SHIPPED = ("ainul", "openai")

LARGEST = 1_000_000
"""Bytes of a profile at most."""


class ProfileError(ValueError):
    """A profile cannot be used; the message is one line that says what to change."""


@dataclass(frozen=True, slots=True)
class Model:
    """A documented model."""

    id: str
    name: str = ""
    status: str = ""
    description: str = ""
    traits: tuple[str, ...] = ()
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A documented request parameter."""

    name: str
    type: str
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """The documented body of an error: `type`, `param` and `code` as they must appear.

    `"null"` in the file stands for JSON null, which TOML lacks.
    """

    status: int
    type: str | None
    param: str | None
    code: str | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """An example that the documentation shows: `key` is how it spells the reader's key.

    `language` is `curl` (a POSIX shell runs it) or `python`.
    """

    language: str
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A known deviation: accepted until `expires`, with the reason why."""

    id: str
    reason: str
    expires: dt.date
    models: tuple[str, ...] = ()

    def covers(self, requirement: str, model: str | None) -> bool:
        """Whether it speaks of `requirement` for `model`."""
        return self.id == requirement and (not self.models or model in self.models)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the clauses call late, in seconds, and large, in MB; a target may be given others."""

    held_open_s: float = 5.0
    """CC-SSE-007, CC-SERR-005: from the last event to the end of the body."""
    held_open_warning_s: float = 1.0
    silence_s: float = 30.0
    """CC-SSE-025: the longest gap between bytes."""
    silence_warning_s: float = 15.0
    large_body_mb: float = 50.0
    """CC-HTTP-020: the size of a body that is to be refused (10**6 bytes each)."""
    slow_reader_s: float = 10.0
    """CC-CONC-003: for how long a stream is left unread."""
    busy_s: float = 5.0
    """CC-CONC-003, CC-CONC-004: how much later than twice its usual time a call may end."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A target as documented."""

    name: str
    title: str = ""
    base_url: str | None = None
    documentation: str = ""
    auth: Auth = "probe"
    models: tuple[Model, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    unauthorized: DocumentedError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()
    limits: Limits = Limits()
    triggers: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """What other keys are for (`limited`, `exhausted`, `restricted`), and the name of the
    environment variable that holds each."""
    examples: tuple[Example, ...] = ()

    def model(self, model_id: str) -> Model:
        """The documented model of that id, or a bare one."""
        return next((m for m in self.models if m.id == model_id), Model(model_id))

    def resolved_headers(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The extra headers with `$NAME` values read from `environ`.

        Raises `ProfileError` when a variable is not set.
        """
        return {
            name: self._variable(f"header {name}", value[1:], environ)
            if value.startswith("$")
            else value
            for name, value in self.headers.items()
        }

    def shown_headers(self) -> dict[str, str]:
        """The extra headers as they may be shown: `$NAME` for what the environment holds."""
        return {
            name: mask(len(value))
            if name.lower() in SECRET_HEADERS and not value.startswith("$")
            else value
            for name, value in self.headers.items()
        }

    def secrets(self, environ: Mapping[str, str] = os.environ) -> list[str]:
        """The values of extra headers that are never shown.

        Raises `ProfileError` when a variable is not set.
        """
        shown = self.shown_headers()
        sent = self.resolved_headers(environ)
        return [value for name, value in sent.items() if shown[name] != value]

    def resolved_keys(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The other keys by the names of their variables, read from `environ`.

        Raises `ProfileError` when a variable is not set.
        """
        return {
            name: self._variable(f"key {purpose}", name, environ)
            for purpose, name in self.keys.items()
        }

    def _variable(self, what: str, name: str, environ: Mapping[str, str]) -> str:
        if name not in environ:
            raise ProfileError(
                f"profile {self.name}: {what} needs the environment variable {name}, which is not "
                "set"
            )
        return environ[name]


_TEXT: Mapping[str, type] = dict.fromkeys(("name", "title", "documentation", "description"), str)

_KEYS: Mapping[str, Mapping[str, type]] = {
    "": {
        **_TEXT,
        "base_url": str,
        "auth": str,
        **dict.fromkeys(("capabilities", "errors", "headers", "keys", "limits", "triggers"), dict),
        **dict.fromkeys(("parameters", "models", "deviations", "examples"), list),
    },
    "models": {**_TEXT, "id": str, "status": str, "traits": list, "context_tokens": int},
    "parameters": {**_TEXT, "type": str, "required": bool},
    "deviations": {"id": str, "models": list, "reason": str, "expires": dt.date},
    "errors": {"unauthorized": dict},
    "errors.unauthorized": {
        "status": int,
        **dict.fromkeys(("type", "param", "code", "message"), str),
    },
    "limits": dict.fromkeys(Limits.__dataclass_fields__, float),
    "triggers": dict.fromkeys(("stream_error", "filter"), str),
    "keys": dict.fromkeys(("limited", "exhausted", "restricted"), str),
    "examples": dict.fromkeys(("language", "text", "key"), str),
}
"""What may stand in each table, and of which type."""

_WRITTEN: Mapping[type, str] = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table of keys and values",
    dt.date: "a date such as 2027-03-31",
}


def _is(value: Any, kind: type) -> bool:
    if kind in (int, float):
        numbers = (int, float) if kind is float else int
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, kind)


def _known(where: str, table: str, value: Any) -> dict[str, Any]:
    """`value`, a table whose keys are known and hold what they may hold."""
    if not isinstance(value, dict):
        raise ProfileError(f"{where}: [{table}] is a table of keys and values")
    for key, held in value.items():
        if key not in _KEYS[table]:
            names = ", ".join(sorted(_KEYS[table]))
            raise ProfileError(f"{where}: unknown key {key!r} in [{table or 'top level'}]; {names}")
        kind = _KEYS[table][key]
        if not _is(held, kind):
            raise ProfileError(f"{where}: {key} is {_WRITTEN[kind]}, not {held!r}")
    return value


def _rows(where: str, data: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    rows = data.get(table, [])
    if not isinstance(rows, list):
        raise ProfileError(f"{where}: write each entry as [[{table}]]")
    return [_known(where, table, row) for row in rows]


def _null(value: Any) -> str | None:
    return None if value in (None, "null") else str(value)


def parse(data: Mapping[str, Any], where: str = "profile") -> Profile:
    """The profile that a TOML document declares.

    Raises `ProfileError` for an unknown key, a missing one, or a value of the wrong form.
    """
    _known(where, "", data)
    if data.get("auth", "probe") not in ("bearer", "none", "probe"):
        raise ProfileError(f'{where}: auth is "bearer", "none" or "probe", not {data["auth"]!r}')
    try:
        errors = _known(where, "errors", data.get("errors", {}))
        unauthorized = errors.get("unauthorized")
        if unauthorized is not None:
            _known(where, "errors.unauthorized", unauthorized)
            unauthorized = DocumentedError(
                status=int(unauthorized.get("status", 401)),
                type=_null(unauthorized.get("type")),
                param=_null(unauthorized.get("param")),
                code=_null(unauthorized.get("code")),
                message=str(unauthorized.get("message", "")),
            )
        deviations = tuple(
            Deviation(
                id=row["id"],
                reason=row["reason"],
                expires=_date(row["expires"]),
                models=tuple(row.get("models", ())),
            )
            for row in _rows(where, data, "deviations")
        )
        return Profile(
            name=str(data["name"]),
            title=str(data.get("title", data["name"])),
            base_url=data.get("base_url"),
            documentation=str(data.get("documentation", "")),
            auth=data.get("auth", "probe"),
            models=tuple(
                Model(**{**row, "id": row["id"], "traits": tuple(row.get("traits", ()))})
                for row in _rows(where, data, "models")
            ),
            parameters=tuple(
                Parameter(**{**row, "name": row["name"], "type": row["type"]})
                for row in _rows(where, data, "parameters")
            ),
            capabilities=_flags(where, data.get("capabilities", {})),
            unauthorized=unauthorized,
            headers={str(k): str(v) for k, v in dict(data.get("headers", {})).items()},
            deviations=deviations,
            limits=replace(Limits(), **_known(where, "limits", data.get("limits", {}))),
            triggers=_known(where, "triggers", data.get("triggers", {})),
            keys=_names(where, _known(where, "keys", data.get("keys", {}))),
            examples=tuple(Example(**row) for row in _rows(where, data, "examples")),
        )
    except KeyError as missing:
        raise ProfileError(f"{where}: the key {missing} is missing") from None
    except TypeError as error:
        raise ProfileError(f"{where}: {error}") from None


def _date(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _names(where: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold other keys, as `$NAME` in the file; a key itself is not for files."""
    for purpose, value in keys.items():
        if not (value.startswith("$") and value[1:].isidentifier()):
            raise ProfileError(
                f"{where}: {purpose} in [keys] is the name of an environment variable, as in "
                f'"${purpose.upper()}_KEY"'
            )
    return {purpose: value[1:] for purpose, value in keys.items()}


def _flags(where: str, value: Any) -> dict[str, bool]:
    if not isinstance(value, dict) or not all(isinstance(v, bool) for v in value.values()):
        raise ProfileError(f"{where}: each entry of [capabilities] is true or false")
    return dict(value)


def load(name_or_file: str) -> Profile:
    """The shipped profile of that name, or the one that a TOML file declares.

    Raises `ProfileError` with one line when there is none or it cannot be read.
    """
    if name_or_file in SHIPPED:
        text = (files(__package__) / "profiles" / f"{name_or_file}.toml").read_text("utf-8")
        return parse(tomllib.loads(text), name_or_file)
    path = Path(name_or_file)
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
        if len(octets) > LARGEST:
            raise ProfileError(f"{path}: larger than {LARGEST:,} bytes, which no profile is")
        return parse(tomllib.loads(octets.decode("utf-8")), str(path))
    except FileNotFoundError:
        raise ProfileError(
            f"no profile {name_or_file!r}: give {' or '.join(SHIPPED)}, or a TOML file"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{path}: {error}") from None


def for_url(url: str) -> Profile:
    """The profile whose base URL has the host of `url`; `openai` when none has."""
    host = urlsplit(url).hostname
    for name in SHIPPED:
        profile = load(name)
        if profile.base_url and urlsplit(profile.base_url).hostname == host:
            return profile
    return load("openai")
