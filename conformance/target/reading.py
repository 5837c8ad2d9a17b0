"""A profile, read from TOML.

The law: a mistake in a profile is one line that names the file, the key and what to write.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .profile import (
    Deviation,
    DocumentedError,
    Example,
    Limits,
    Model,
    Parameter,
    Profile,
    ProfileError,
)

SHIPPED = ("ainul", "openai")

LARGEST = 1_000_000
"""Bytes of a profile at most."""

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
