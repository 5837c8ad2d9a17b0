"""The only place that knows pytest-html (4.2): the page goes into its file, and the file is mended.

Laws
----
* No machine path and no variable of the environment gets into the page.
* A check of the catalogue is shown by the page, once; anything else that went wrong (a file that
  does not import, a test of somebody's own) is shown too, so that nothing is lost.
* When pytest-html's own page changes, ours stays whole.
* A page that cannot be made is one line and the exit status of a failed suite; there is no half of
  one, and the results, which are written before, stay.

Theory
------
pytest-html shows its table by JavaScript, one row per check, from a blob that also holds the
environment; it has no ``lang`` and no viewport. So ``HtmlReport`` empties the environment, takes
every row out (its content is in our page already, or collected here) and puts the report into the
summary; when the file is written, ``mend`` keeps our part of it in a page of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from conformance.requirements import CHAPTERS, REQUIREMENTS

from . import words
from .compliance import page
from .templates import document
from .told import printable

__all__ = ["HtmlReport", "mend"]

NAME: Final = "Conformance report"

SUITE_FAILED: Final = 3
"""The exit status of a run that failed by itself."""


class _ReportData(Protocol):
    """What of pytest-html's ``ReportData`` is used here."""

    title: str

    def set_data(self, key: str, value: object) -> None: ...


class HtmlReport:
    """Hooks of pytest-html; register it where pytest-html writes (not in an xdist worker).

    Args:
        results: returns the results once they are built; empty: there is no report.
        redact: masks secrets in what did not come from a record.
    """

    def __init__(
        self,
        results: Callable[[], Mapping[str, Any]],
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._results = results
        self._redact = redact
        self._others: list[tuple[str, str]] = []
        self._fault = ""

    def pytest_html_report_title(self, report: _ReportData) -> None:
        """Name the page, and forget the environment that has just been gathered."""
        report.title = NAME
        report.set_data("environment", {})

    def pytest_html_results_table_row(
        self, report: pytest.TestReport | pytest.CollectReport, cells: list[str]
    ) -> None:
        """Take the row out; what has no record and went wrong is kept for the page."""
        cells.clear()
        if report.failed and not hasattr(report, "conformance"):
            when = "" if report.when == "call" else f" ({report.when})"
            self._others.append((f"{report.nodeid}{when}", self._redact(report.longreprtext)))

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the report where pytest-html's summary begins."""
        results = self._results()
        if results:
            prefix.append(page.render(results, REQUIREMENTS, CHAPTERS, others=self._others))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Whatever keeps the page from being made keeps nothing else."""
        try:
            return (yield)
        except Exception as error:  # a fault of ours or of pytest-html, or a disk that is full
            told = words.short(printable(self._redact(f"{type(error).__name__}: {error}")), 300)
            self._fault = f"the page {session.config.option.htmlpath} cannot be made: {told}"
            session.exitstatus = SUITE_FAILED
            written = Path(session.config.option.htmlpath)
            if written.is_file():
                written.unlink()  # it is not this run's
            return None

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say so, after all else."""
        if self._fault:
            terminalreporter.write_line(self._fault, red=True)


def mend(path: Path) -> None:
    """Keep of the file that pytest-html wrote our report, as a page of its own.

    A file without a report stays as it is.

    Raises:
        OSError: the file cannot be read or written.
    """
    fragment = page.fragment_of(path.read_text(encoding="utf-8"))
    if fragment is not None:
        path.write_text(document(fragment), encoding="utf-8")
