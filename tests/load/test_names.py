"""Modules of `load`: their names hide nothing, and they import what they may."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import load

FOLDER = Path(load.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
LOCUST = {"hooks", "web", "user", "shapes", "chat", "mixed", "ramp", "steps", "spike", "soak"}
LOCUST |= {"parting"}
GEVENT = {*LOCUST, "engine", "reporting", "dispatch", "backlog", "monitor", "dial", "stream"}
GEVENT |= {"dictation", "early", "joining"}
MAY_IMPORT = (
    *("conformance.protocol", "conformance.target", "schemas"),
    *("conformance.wire.arguments", "conformance.wire.redact"),
)
"""What of ours `load` may import, beside itself."""
PAGES = {"conclusion", "web"}
"""What may import `reports` as well: it hands out the page of a run."""


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_hides_no_other(path: Path) -> None:
    # Locust puts the folder of a locustfile first on sys.path.
    assert path.stem not in sys.stdlib_module_names
    assert path.stem not in packages_distributions().keys() - {"load"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_only_the_rim_imports_gevent_and_locust(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert "locust" not in tops or path.stem in LOCUST
    assert "gevent" not in tops or path.stem in GEVENT


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_of_ours_only_what_the_import_law_allows(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in ("conformance", "reports")}
    allowed = (*MAY_IMPORT, "reports") if path.stem in PAGES else MAY_IMPORT
    assert all(name.startswith(allowed) for name in ours), ours


def test_every_module_is_on_the_map() -> None:
    table = (load.__doc__ or "").split("Map\n---")[1]
    for path in MODULES:
        if path.stem not in ("__init__", "__main__"):
            assert path.stem in table, path.stem
