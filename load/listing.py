"""GET /models, where a run is not told which models to ask.

Laws: nothing of the reply but the ids is shown; an id that holds a secret is none.
"""

from __future__ import annotations

import json
from contextlib import suppress

from conformance.wire.redact import Redactor
from load.dial import dialer
from load.exchange import Exchange
from load.options import Settings, SettingsError
from load.place import get
from load.stream import Connection

__all__ = ["first_model", "list_models"]


def first_model(settings: Settings) -> list[str]:
    """The first model that the target lists, alone. Raises SettingsError where there is none."""
    listed, seen = list_models(settings)
    if not listed:
        raise SettingsError(f"no model is known: give --model ID (GET /models: {seen})")
    return listed[:1]


def list_models(settings: Settings) -> tuple[list[str], str]:
    """The ids of GET /models, and in a word how it was answered. Raises OSError, as `dialer`."""
    connection = Connection(dialer(settings), settings.limits)
    into = Exchange()
    connection.exchange(get(settings.to, "/models", settings.key, settings.headers), into)
    connection.close()
    if into.failure is not None:
        return [], str(into.failure.kind)
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        listed = [str(row["id"]) for row in json.loads(bytes(into.body))["data"]]
        mask = Redactor(settings.secrets)
        fit = [name for name in listed if name.isprintable() and mask.text(name) == name]
        return fit, "answered"
    return [], f"status {into.status}"
