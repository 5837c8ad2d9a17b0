"""The compliance page in a browser: of real runs, of ten models, and of a target that attacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright import sync_api as playwright
from playwright.sync_api import Browser

from conformance.requirements import CHAPTERS, REQUIREMENTS
from tests.plugin import bench
from tests.reports import sample

from . import looking, pages
from .conftest import Look
from .looking import Visit

REAL: Final[dict[str, Callable[[Path], bench.Ran]]] = {
    "broken": pages.broken_run,
    "attack": pages.hostile_run,
}
MADE_UP: Final = {"ten models": sample.run, "made-up attack": sample.hostile}

WORST: Final = (
    "FAIL",
    "ERROR",
    "INCONCLUSIVE",
    "BLOCKED",
    "WARN",
    "PASS",
    "UNSUPPORTED",
    "OBSERVED",
)
"""Verdicts, those first that a reader is shown first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One page, and the results that it shows."""

    name: str
    path: Path
    results: dict[str, Any]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """One for each requirement and model."""
        found: list[dict[str, Any]] = self.results["requirements"]
        return found


@pytest.fixture(scope="module", params=[*REAL, *MADE_UP])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Each page in turn; a run is made once."""
    name: str = request.param
    folder = tmp_path_factory.mktemp("page")
    if name in MADE_UP:
        results = MADE_UP[name]()
        return Case(name, pages.made_up(results, folder / "page.html"), results)
    ran = REAL[name](folder)
    assert ran.status == 1, ran.said  # a MUST is broken
    path = folder / "reports/out/compliance.html"
    assert path.exists(), ran.said
    return Case(name, path, ran.results())


@pytest.fixture(scope="module")
def visit(case: Case, browser: Browser) -> Iterator[Visit]:
    """The page, loaded once and looked at from many sides."""
    with looking.visiting(browser, case.path) as found:
        yield found


def test_nothing_is_wrong_with_it(visit: Visit) -> None:
    assert looking.wrong(visit) == []


def test_it_says_all_without_scripts(case: Case, visit: Visit, look: Look) -> None:
    bare = look(case.path, javascript=False)
    headings = "h1, h2"
    assert bare.page.locator(headings).all_inner_texts() == (
        visit.page.locator(headings).all_inner_texts()
    )
    looking.open_all(bare)
    assert looking.unseen(bare, but="form *") == []  # a filter that does nothing
    assert looking.overflowing(bare) == []
    said = bare.page.locator("body").inner_text()
    for entry in case.entries:
        if entry["verdict"] in {"FAIL", "WARN"}:
            assert entry["id"] in said
    assert looking.went_wrong(bare) == []


def test_nothing_is_lost_on_paper(case: Case, look: Look) -> None:
    paper = look(case.path, width=looking.PAPER, javascript=False, dark=True)
    paper.page.emulate_media(media="print")
    assert looking.unseen(paper, but="nav, button, form *") == []
    assert looking.overflowing(paper, scrollable=False) == []
    assert looking.cut_off(paper) == []
    assert looking.faint(paper) == []
    ground = paper.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}  # no sheet full of ink


def test_the_copy_buttons_copy_the_commands(case: Case, visit: Visit) -> None:
    looking.open_all(visit)
    buttons = visit.page.get_by_role("button", name=re.compile("copy", re.IGNORECASE))
    copied = set()
    for button in buttons.all():
        visit.page.evaluate("navigator.clipboard.writeText('')")
        button.press("Enter")  # as by a click, without the way to it
        visit.page.wait_for_function("async () => await navigator.clipboard.readText() !== ''")
        copied.add(visit.page.evaluate("navigator.clipboard.readText()"))
    if case.name in REAL:
        broken = [entry["evidence"] for entry in case.entries if entry["verdict"] == "FAIL"]
        assert {evidence["reproduce"] for evidence in broken} <= copied
        for evidence in broken:
            assert {exchange["curl"] for exchange in evidence["exchanges"]} & copied
    assert len(copied) > 2


@pytest.mark.parametrize("case", ["broken"], indirect=True)
def test_the_line_that_offends_is_marked(visit: Visit) -> None:
    looking.open_all(visit)
    marked = visit.page.get_by_role("listitem").filter(has_text="offending line")
    assert '"delta":null' in marked.first.inner_text()


def _clauses(page: playwright.Page, level: str) -> playwright.Locator:
    """The rows of the table of all clauses that are shown, of one level."""
    row = page.locator("#clauses ~ *").get_by_role("row")
    return row.filter(has_text=re.compile(rf"^\s*CC-[A-Z]+-\d{{3}}\s+{level}"))


@pytest.mark.parametrize("case", ["broken"], indirect=True)
def test_the_filter_narrows_the_clauses_and_the_address_holds_it(case: Case, look: Look) -> None:
    page = look(case.path).page
    every = len(REQUIREMENTS)
    must = len([1 for requirement in REQUIREMENTS.values() if requirement.level == "MUST"])
    search = page.get_by_role("search")
    page.get_by_label("Level").select_option("MUST")
    playwright.expect(search).to_contain_text(f"{must} of {every} clauses")
    assert _clauses(page, "MUST").count() == must
    assert _clauses(page, "SHOULD").count() == 0
    page.get_by_label("Text").fill("usage")
    playwright.expect(search).not_to_contain_text(f"{must} of")
    left = _clauses(page, "MUST").all_inner_texts()
    assert 0 < len(left) < must

    other = look(page.url)
    assert _clauses(other.page, "MUST").all_inner_texts() == left
    assert other.page.get_by_label("Text").input_value() == "usage"
    assert other.page.get_by_label("Level").input_value() == "MUST"
    other.page.set_viewport_size({"width": looking.PHONE, "height": 900})
    assert _clauses(other.page, "MUST").count() == len(left)
    other.page.emulate_media(media="print")
    playwright.expect(other.page.get_by_role("search")).to_contain_text(f"{len(left)} of {every}")
    other.page.emulate_media(media="screen")
    other.page.get_by_role("search").get_by_role("button").click()
    assert "usage" not in other.page.url
    assert "MUST" not in other.page.url
    assert looking.went_wrong(other) == []


@pytest.mark.parametrize("case", ["broken"], indirect=True)
@pytest.mark.parametrize("fragment", ["%E0%A4%A", "nowhere", "level=NONE&q=%zz"])
def test_an_address_that_is_wrong_does_no_harm(case: Case, look: Look, fragment: str) -> None:
    visit = look(f"{case.path.as_uri()}#{fragment}")
    assert looking.went_wrong(visit) == []
    assert visit.page.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).count() > 1


def test_the_results_can_be_saved_from_the_page(case: Case, visit: Visit, tmp_path: Path) -> None:
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name=re.compile("results")).click()
    saved.value.save_as(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert found == json.loads(json.dumps(case.results))


def _columns(case: Case) -> dict[str, str | None]:
    """The model that a column of the map is about, by the end of its heading."""
    models = {model.rpartition("/")[2]: model for model in case.results["target"]["models"]}
    return {"target": None, **models}


@pytest.mark.parametrize("case", ["broken", "ten models"], indirect=True)
@pytest.mark.parametrize("javascript", [True, False])
def test_a_cell_of_the_map_leads_to_what_it_is_about(
    case: Case, look: Look, javascript: bool
) -> None:
    visit = look(case.path, javascript=javascript)
    cells = visit.page.evaluate(FOLLOW, javascript)
    assert len(cells) > 3
    for row, column, shown, told, listed in cells:
        about = _worst(case, row, column)
        assert shown, (row, column)
        assert any(clause in told for clause in about), (row, column, about)
        if javascript:  # all of them, and nothing else
            assert set(listed) == about, (row, column)
    if javascript:
        visit.page.go_back()
        visit.page.go_back()
        last = _worst(case, *cells[-3][:2])
        rows = visit.page.locator("[data-states]:visible .id")
        playwright.expect(rows).to_have_count(len(last))
        assert set(rows.all_inner_texts()) == last


def _worst(case: Case, chapter: str, column: str) -> set[str]:
    """The clauses of a cell of the map, by what its row and its column are called."""
    prefix = next(each.prefix for each in CHAPTERS if each.name == chapter)
    model = _columns(case)[column]
    here = [
        entry
        for entry in case.entries
        if entry["model"] == model and entry["id"].startswith(f"{prefix}-")
    ]
    worst = min((entry["verdict"] for entry in here), key=WORST.index)
    return {entry["id"] for entry in here if entry["verdict"] == worst}


FOLLOW: Final = """async (scripts) => {
  const table = document.querySelector("table:has(a[href^='#'])");
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.innerText.trim());
  const found = [];
  for (const row of table.tBodies[0].rows) {
    for (const cell of row.cells) {
      const link = cell.querySelector("a[href^='#']");
      if (!link) continue;
      for (const each of document.querySelectorAll("details")) each.open = false;
      const arrived = new Promise((told) => addEventListener("hashchange", told, { once: true }));
      link.click();
      if (scripts) await arrived;
      const target = scripts
        ? document.querySelector(".filters")
        : document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const box = target.getBoundingClientRect();
      const shown = target.checkVisibility() && box.top < innerHeight && box.bottom > 0;
      const listed = [...document.querySelectorAll("[data-states]")]
        .filter((each) => each.checkVisibility())
        .map((each) => each.querySelector(".id").innerText);
      const place = target.closest("article, tr, details") ?? target;
      const told = scripts ? listed.join() : place.innerText;
      const [name, model] = [row.cells[0].innerText.trim(), heads[cell.cellIndex]];
      found.push([name, model, shown, told, listed]);
    }
  }
  return found;
}"""


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_folded_opens_where_a_link_leads_into_it(
    case: Case, look: Look, javascript: bool
) -> None:
    visit = look(case.path, javascript=javascript)
    inside = visit.page.evaluate(
        "[...document.querySelectorAll('details:not([open]) [id]')].map(({id}) => id)"
    )
    assert inside != []
    linked = visit.page.evaluate("[...document.links].map((link) => link.hash.slice(1))")
    wanted = [anchor for anchor in inside if anchor in linked]
    for anchor in wanted[:3]:
        visit.page.goto(f"{visit.address}#{anchor}")
        assert visit.page.locator(f"[id='{anchor}']").is_visible()


@pytest.mark.parametrize("case", ["attack", "made-up attack"], indirect=True)
def test_what_a_target_says_is_shown_as_text(case: Case, visit: Visit) -> None:
    looking.open_all(visit)
    said = visit.page.locator("body").inner_text()
    for text in (
        (pages.SCRIPT, "javascript:alert('link')") if case.name == "attack" else sample.NASTY[:2]
    ):
        assert text in said
    assert looking.went_wrong(visit) == []
    assert looking.bad_links(visit) == []
    assert looking.unisolated(visit) == []
    assert visit.page.locator("img, iframe, object, embed, form:not(.filters)").count() == 0


@pytest.mark.parametrize("case", ["attack"], indirect=True)
def test_what_cannot_be_seen_is_shown_by_a_sign(case: Case, visit: Visit) -> None:
    looking.open_all(visit)
    said = visit.page.locator("body").inner_text()
    assert re.search(r"nul (␀|\\x00|\\u0000) bell", said)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", said)


@pytest.mark.parametrize("case", ["attack"], indirect=True)
def test_a_line_of_a_megabyte_stays_a_line(case: Case, visit: Visit) -> None:
    looking.open_all(visit)
    assert "LLLLLLLL" in visit.page.locator("body").inner_text()
    longest = max(map(len, re.findall("L+", visit.page.locator("body").inner_text())))
    assert longest < 10_000
    assert case.path.stat().st_size < 3_000_000
