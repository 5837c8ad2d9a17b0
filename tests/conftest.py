"""What holds for the tests of the suite, and not for its users' runs."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

FIRST = ("test_real_servers.py", "test_faults.py")
"""The two longest files: what others wrote is installed, and a run is made for every fault."""

WAITING = frozenset({"browser", "clients", "hostile", "load", "plugin", "secrets", "wire"})
"""Folders whose tests wait for other processes, for time-outs, for a pace."""


def pytest_configure(config: pytest.Config) -> None:
    """A warning is an error here. In a user's ini file, others' warnings would end their run."""
    config.addinivalue_line("filterwarnings", "error")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first where processes share the tests, so that none is alone at the end."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: place(item.path, slow))


def place(path: Path, slow: Container[Path]) -> int:
    """When a file's turn comes: slow, waiting (while the faults are at work), dialects, the rest.

    A file of dialects keeps two processes busy, as that of the faults does.
    """
    folder = path.parent.name
    turns = (
        path.name == FIRST[0],
        path == TESTS / FIRST[1],
        path in slow and folder != "dialects",
        folder in WAITING,
        folder == "dialects",
    )
    return (*turns, True).index(True)
