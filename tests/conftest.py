"""What holds for the tests of the suite, and not for its users' runs."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """A warning is an error here. In a user's ini file, others' warnings would end their run."""
    config.addinivalue_line("filterwarnings", "error")
