"""A model that client libraries are to be driven against, and a folder that holds none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.chat import Chat
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from tests.clients.scripted import ABLE, KEY, NOWHERE


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A model of a target that can do everything, and is never asked."""
    client = Client(Endpoint(NOWHERE, KEY, timeout=5), "test")
    yield Chat(client, Profile(name="able", capabilities=ABLE), "vendor/model")
    client.close()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of client libraries that holds none."""
    monkeypatch.setenv("CONFORMANCE_CLIENTS", str(tmp_path))
    return tmp_path
