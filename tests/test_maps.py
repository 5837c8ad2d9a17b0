"""The maps: each package that has one, in the docstring of its ``__init__``, names all it holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAPPED = (
    "conformance",
    "conformance/asking",
    "conformance/generation",
    "conformance/protocol",
    "conformance/reference",
    "conformance/running",
    "conformance/target",
    "conformance/wire",
    "load",
    "reports",
)


def held(package: Path) -> Iterator[str]:
    """The modules and packages of `package`; a family of checks stands in one row."""
    for path in sorted(package.iterdir()):
        module = path.suffix == ".py" and not path.stem.startswith(("__", "test_"))
        if module or (path / "__init__.py").exists():
            yield path.stem


def named(package: Path) -> set[str]:
    """What the map names: in backquotes, or in the column at the start of a line."""
    told = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    quoted = re.findall(r"`+([^`]+)`+", told)
    first = re.findall(r"^ *([\w ]+?)/?  ", told, re.M)
    return set(re.findall(r"\w+", " ".join([*quoted, *first])))


@pytest.mark.parametrize("package", MAPPED)
def test_a_map_names_every_module(package: str) -> None:
    modules = set(held(ROOT / package))
    assert len(modules) > 2
    assert modules - named(ROOT / package) == set()
