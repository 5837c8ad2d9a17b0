"""A browser for the tests of pages: one Chromium for each process, one context for each visit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from . import looking
from .looking import Visit

Look = Callable[..., Visit]
"""``look(place, *, width=1440, height=900, dark=False, javascript=True)``: see ``visiting``."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A running Chromium. Without one the test is skipped; in CI, where it must be, it fails."""
    executable = looking.chromium()
    if executable is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(f"{looking.ABSENT}, and CI looks at every page")
        pytest.skip(looking.ABSENT)
    with looking.started(executable) as found:
        yield found


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Opens pages, which are closed after the test; takes what ``looking.visiting`` takes."""
    with ExitStack() as visits:

        def opened(place: Path | str, **given: Any) -> Visit:
            return visits.enter_context(looking.visiting(browser, place, **given))

        yield opened
