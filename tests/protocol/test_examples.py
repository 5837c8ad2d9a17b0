"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import conformance.protocol

MODULES = [module.name for module in pkgutil.iter_modules(conformance.protocol.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    module = importlib.import_module(f"conformance.protocol.{name}")

    assert doctest.testmod(module).failed == 0


def test_the_map_names_every_module() -> None:
    assert conformance.protocol.__doc__ is not None
    listed = conformance.protocol.__doc__.partition("Map\n---\n")[2]

    assert sorted(line.split()[0] for line in listed.splitlines() if line) == MODULES
