"""What a target's documentation declares, as plain data.

The laws:

1. What a profile does not declare is probed (`capabilities`), never guessed.
2. Keys, and header values of the form `$NAME`, come from the environment; they are sent, never
   shown. Nor is a value that the file spells out for a header that carries credentials.
"""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from conformance.wire.redact import SECRET_HEADERS, mask

Auth = Literal["bearer", "none", "probe"]


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
