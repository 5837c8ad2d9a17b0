"""The types hold: mypy has nothing to say, of the suite and of its tests.

A test, so that it runs beside the others: in a fresh clone it takes a minute of one processor.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_mypy_finds_nothing() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "mypy"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout
