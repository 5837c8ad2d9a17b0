"""The load page in a browser: of a real run, of many models, of a sweep, of a hostile target."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from reports.load import page as load_page
from tests.load import running
from tests.reports import load_sample as sample

from . import looking
from .conftest import Look
from .looking import Visit

MADE_UP: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "failures": lambda: sample.run(failures=3, invalid=2),
    "ten models": lambda: sample.run([f"vendor/model-{n}" for n in range(10)], seconds=40, rate=6),
    "attack": lambda: sample.run(sample.HOSTILE, failures=2, example="".join(sample.HOSTILE[:4])),
    "sweep": sample.sweep,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One page, and the results that it shows."""

    name: str
    path: Path
    results: dict[str, Any]


@pytest.fixture(scope="module", params=["run", *MADE_UP])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Each page in turn; the run is a real one."""
    folder = tmp_path_factory.mktemp("page")
    if request.param in MADE_UP:
        results = json.loads(json.dumps(MADE_UP[request.param]()))
        load_page.write(results, folder / "load.html")
        return Case(request.param, folder / "load.html", results)
    with running.reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        options = ("--model", running.MODEL, "--max-tokens", "5", "--slo", "ttft_p50<10s")
        ran = running.locust(url, folder, *options, page=True)
    assert ran.results is not None, ran.said
    assert "Page: load.html" in ran.said
    return Case(request.param, folder / "load.html", ran.results)


@pytest.fixture(scope="module")
def visit(case: Case, browser: Browser) -> Iterator[Visit]:
    """The page, loaded once and looked at from many sides."""
    with looking.visiting(browser, case.path) as found:
        yield found


def test_nothing_is_wrong_with_it(visit: Visit) -> None:
    assert looking.wrong(visit, but="nav, button, title, desc") == []


def test_it_says_all_without_scripts_and_on_paper(case: Case, visit: Visit, look: Look) -> None:
    paper = look(case.path, width=looking.PAPER, javascript=False, dark=True)
    headings = "h1, h2"
    assert paper.page.locator(headings).all_inner_texts() == (
        visit.page.locator(headings).all_inner_texts()
    )
    paper.page.emulate_media(media="print")
    # In a narrow table each figure stands under its own label, not under a heading.
    assert looking.unseen(paper, but="nav, title, desc, thead") == []
    assert looking.overflowing(paper, scrollable=False) == []
    assert looking.cut_off(paper) == []
    assert looking.faint(paper) == []
    assert looking.went_wrong(paper) == []


def test_its_text_is_large_enough_on_a_phone(case: Case, look: Look) -> None:
    phone = look(case.path, width=looking.PHONE).page
    sizes = phone.locator(".plots text").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().width)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )
    assert min(sizes) >= 7.5
    drawn = phone.locator(".plots svg").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().width).filter(w => w)"
    )
    assert 250 < min(drawn) <= max(drawn) <= 360


def test_the_command_can_be_copied_and_the_results_saved(case: Case, visit: Visit) -> None:
    looking.open_all(visit)
    button = visit.page.get_by_role("button", name=re.compile("copy", re.IGNORECASE))
    button.press("Enter")
    visit.page.wait_for_function("async () => await navigator.clipboard.readText() !== ''")
    assert visit.page.evaluate("navigator.clipboard.readText()") == case.results["command"]
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name="Save").click()
    assert json.loads(saved.value.path().read_text("utf-8")) == case.results
