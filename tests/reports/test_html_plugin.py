"""pytest-html, really run: what it writes, and what is left of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import embedding
from reports.plugin import mend

from . import sample

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]

CONFTEST = """
from pathlib import Path
import pytest
from reports import plugin
from tests.reports import sample

def pytest_configure(config):
    # `secret` stands for a key in what no record has redacted.
    redact = lambda text: text.replace("secret", "[redacted]")
    config.pluginmanager.register(plugin.HtmlReport(sample.run, redact))

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and "judged" in item.name:
        report.conformance = {}
    return report

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    result = yield
    plugin.mend(Path(session.config.option.htmlpath))
    return result
"""

TESTS = """
import pytest

def test_judged_and_broken():
    assert 0, "a record says it"

def test_judged_and_held():
    pass

def test_of_somebody_else():
    assert 0, "<b>secret</b>"

def test_that_passes():
    pass

@pytest.fixture
def broken():
    raise OSError("no such fixture")

def test_without_its_fixture(broken):
    pass
"""


@pytest.fixture
def html(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("BUILD_URL", "https://ci.example.com/42")
    monkeypatch.setenv("CI", "true")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    pytester.makepyfile(test_unreadable="import no_such_module_anywhere")
    ran = pytester.runpytest_subprocess(
        "--html=out/report.html", "--self-contained-html", "--continue-on-collection-errors"
    )
    ran.assert_outcomes(passed=2, failed=2, errors=2)
    return (pytester.path / "out/report.html").read_text(encoding="utf-8")


def test_the_page_is_mended(html: str) -> None:
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert "<title>Not conformant · api.example.com · 2026-11-22</title>" in html
    assert "3 of 85 MUST clauses are broken" in html


def test_what_pytest_html_wrote_reads_as_the_results(html: str) -> None:
    assert embedding.results_in(html) == sample.run()


def test_nothing_of_the_machine_is_in_it(html: str, pytester: pytest.Pytester) -> None:
    report = html.partition('id="others"')[0] + html.partition('id="failures"')[2]
    assert "ci.example.com" not in html
    assert "Platform" not in html
    assert "data-jsonblob" not in html
    assert str(pytester.path) not in report
    assert str(ROOT) not in report


def test_what_is_outside_the_catalogue_is_kept_and_redacted(html: str) -> None:
    others = html.partition('id="others"')[2].partition('id="failures"')[0]
    assert "test_of_somebody_else" in others
    assert "&lt;b&gt;[redacted]&lt;/b&gt;" in others
    assert "test_without_its_fixture (setup)" in others
    assert "no_such_module_anywhere" in others
    assert "a record says it" not in html
    assert "test_that_passes" not in html
    assert "secret" not in html


BROKEN = """
from reports.compliance import page

def broken(*_, **__):
    raise ValueError("no <such> secret\\nvalue \\x1b[31m")

page.render = broken
"""


def test_a_page_that_cannot_be_made_is_one_line_and_a_failed_suite(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(CONFTEST.replace("plugin.mend", "Path") + BROKEN)
    pytester.makepyfile("def test_that_passes(): pass")
    old = pytester.path / "out/report.html"
    old.parent.mkdir()
    old.write_text("of another run", encoding="utf-8")
    ran = pytester.runpytest_subprocess("--html=out/report.html", "--junitxml=out/junit.xml")
    assert ran.ret == 3
    said = ran.stdout.str() + ran.stderr.str()
    assert "out/report.html cannot be made: ValueError: no <such> [redacted]" in said
    assert "Traceback" not in said
    assert "secret" not in said
    assert "\x1b[31m" not in said
    assert not old.exists()
    assert (old.parent / "junit.xml").exists()


def test_a_file_without_a_report_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.html"
    path.write_text("<html>other</html>", encoding="utf-8")
    mend(path)
    assert path.read_text(encoding="utf-8") == "<html>other</html>"
