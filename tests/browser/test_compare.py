"""Comparisons in a browser: filters that the address holds, and everything else without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from reports import results
from reports.__main__ import main
from tests.plugin import bench
from tests.reports import sample

from . import looking, pages
from .conftest import Look
from .looking import Visit

BROKEN = pages.BROKEN
CLAUSES = sorted(c for c in sample.checked() if c.startswith(("CC-STREAM", "CC-FIN", "CC-AUTH")))
PAGES = ("matrix", "hostile", "changes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of each kind, as the command line writes them of saved runs.

    The matrix has a real run, read off its compliance page, beside five that are made up.
    """
    here = tmp_path_factory.mktemp("compare")
    with bench.reference() as address:
        url = f"{address}/fault/{pages.FAULT}/v1"
        wanted = ("--model", bench.MODEL, *pages.CHEAP, "--requirement", "CC-STREAM")
        ran = bench.run(here, "--target-url", url, *wanted)
    real = here / "reports/out/compliance.html"
    assert ran.status == 1, ran.said
    few = [record for record in sample.records() if record["id"] in CLAUSES]
    saved = {"ten": sample.run(records=few), "attack": sample.hostile()}
    for number in range(4):
        rows = [sample.record(clause, "PASS") for clause in CLAUSES]
        rows[number] = sample.record(rows[number]["id"], ("FAIL", "WARN")[number % 2])
        target = {"url": f"https://h{number}.example/v1", "profile": "x", "models": ["m"]}
        saved[f"other{number}"] = sample.run(
            records=[{**row, "model": "m"} for row in rows], target=target, profile_deviations=()
        )
    files = {name: here / f"{name}.json" for name in saved}
    for name, made in saved.items():
        results.write(made, files[name])
    others = [str(files[f"other{number}"]) for number in range(4)]
    told = (
        ["compare", str(real), str(files["ten"]), *others],
        ["compare", str(files["attack"]), str(files["ten"]), "--names", f"{pages.SCRIPT},\u202eb"],
        ["diff", str(real), str(files["attack"])],
    )
    for name, arguments in zip(PAGES, told, strict=True):
        assert main([*arguments, "--html", str(here / f"{name}.html")]) == int(name == "changes")
    return here


@pytest.fixture(scope="module", params=PAGES)
def path(request: pytest.FixtureRequest, folder: Path) -> Path:
    """Each page in turn."""
    return folder / f"{request.param}.html"


@pytest.fixture(scope="module")
def visit(path: Path, browser: Browser) -> Iterator[Visit]:
    """The page, loaded once and looked at from many sides."""
    with looking.visiting(browser, path) as found:
        yield found


# --- what holds of every page ---------------------------------------------------------------------


def test_nothing_is_wrong_with_it(visit: Visit) -> None:
    assert looking.wrong(visit, but="nav, button, form *") == []


def test_it_says_all_without_scripts(visit: Visit, path: Path, look: Look) -> None:
    bare = look(path, javascript=False)
    looking.open_all(bare)
    assert looking.unseen(bare, but="form *") == []
    assert bare.page.locator("h1, h2").all_inner_texts() == (
        visit.page.locator("h1, h2").all_inner_texts()
    )
    assert bare.page.locator("form:visible").count() == 0  # a filter that does nothing


def test_paper_has_what_matters(path: Path, look: Look) -> None:
    paper = look(path, width=looking.PAPER, javascript=False, dark=True)
    paper.page.emulate_media(media="print")
    assert looking.overflowing(paper, scrollable=False) == []
    assert looking.cut_off(paper) == []
    assert looking.faint(paper) == []
    for each in paper.page.locator("[data-kind=differ] .what").all():
        assert each.is_visible()


# --- the matrix -----------------------------------------------------------------------------------


@pytest.fixture
def page(folder: Path, look: Look) -> Page:
    """The matrix, fresh."""
    return look(folder / "matrix.html").page


def rows(page: Page) -> list[str]:
    """Ids of the clauses that are shown, from the top."""
    shown = page.locator("details.line:visible")
    return [str(each.get_attribute("id")) for each in shown.all()]


def test_what_differs_is_on_top_and_opens_to_what_was_seen(page: Page) -> None:
    first = page.locator("details.line").first
    assert first.locator("xpath=..").get_attribute("data-kind") == "differ"
    line = page.locator(f"#{BROKEN}")
    assert line.locator(".what").is_hidden()
    line.locator("summary").click()
    expect(line.locator(".what")).to_contain_text("chunk 13 $.choices[0].delta: null")
    # The keyboard does it too.
    line.locator("summary").press("Enter")
    assert line.locator(".what").is_hidden()


def test_filters_narrow_the_rows_and_say_how_many_are_left(page: Page) -> None:
    every = len(rows(page))
    said = page.locator("form output")
    expect(said).to_have_text(f"{every} clauses")
    page.get_by_label("Chapter").select_option("CC-STREAM")
    page.get_by_label("Level").select_option("MUST")
    left = rows(page)
    assert 0 < len(left) < every
    assert all(clause.startswith("CC-STREAM") for clause in left)
    expect(said).to_have_text(f"{len(left)} of {every} clauses")
    page.get_by_label("Verdict").select_option("FAIL")
    page.locator("form").get_by_label("Target").select_option("A")
    assert rows(page) == [BROKEN]
    page.get_by_label("Text").fill("no such words")
    assert rows(page) == []
    page.get_by_role("button", name="Clear").click()
    expect(said).to_have_text(f"{every} clauses")


def test_the_address_holds_the_filters(page: Page, look: Look) -> None:
    page.get_by_label("only what differs").check()
    page.get_by_label("Text").fill("stream")
    left = rows(page)
    assert page.url.endswith("#q=stream&differ=1")
    # A link shows what its sender saw.
    other = look(page.url).page
    assert rows(other) == left
    assert other.get_by_label("Text").input_value() == "stream"
    assert other.get_by_label("only what differs").is_checked()


def test_the_back_button_undoes_a_filter(page: Page) -> None:
    every = rows(page)
    page.get_by_label("Level").select_option("SHOULD")
    should = rows(page)
    page.get_by_label("Verdict").select_option("WARN")
    warned = rows(page)
    assert len(warned) < len(should) < len(every)
    page.go_back()
    assert rows(page) == should
    page.go_back()
    assert rows(page) == every
    page.go_forward()
    assert rows(page) == should


def test_a_link_to_a_clause_opens_it_whatever_is_filtered(page: Page) -> None:
    page.get_by_label("Level").select_option("SHOULD")
    assert page.locator(f"#{BROKEN}").is_hidden()
    page.evaluate(f"location.hash = '{BROKEN}'")
    expect(page.locator(f"#{BROKEN} .what")).to_be_visible()
    expect(page.locator(f"#{BROKEN}")).to_be_in_viewport()


@pytest.mark.parametrize("wrong", ["chapter=CC-NONE", "level=x&verdict=y&on=Z", "%E0%A4%A", "=&=="])
def test_an_address_of_another_version_filters_nothing(
    folder: Path, look: Look, wrong: str
) -> None:
    visit = look(f"{(folder / 'matrix.html').as_uri()}#{wrong}")
    said = visit.page.locator("form output").inner_text()
    assert re.fullmatch(r"\d+ clauses", said)
    assert looking.went_wrong(visit) == []


def test_the_heads_stay_in_sight(page: Page) -> None:
    for width in (looking.PHONE, looking.WIDE):
        page.set_viewport_size({"width": width, "height": 700})
        page.locator("details.line").nth(40).scroll_into_view_if_needed()
        page.locator("[class=frame]").evaluate("frame => frame.scrollBy(120, 0)")
        head, row = (
            page.locator(selector).bounding_box()
            for selector in (".row.head", "details.line:nth-of-type(10) .clause")
        )
        assert head is not None
        assert row is not None
        assert 0 <= head["y"] < 700
        assert row["x"] >= 0


# --- changes --------------------------------------------------------------------------------------


def test_changes_are_narrowed_by_the_same_filters(folder: Path, look: Look) -> None:
    page = look(folder / "changes.html").page
    every = page.locator("[data-states]").count()
    of = len(set(page.locator("[data-states] .id").all_text_contents()))
    said = page.locator("form output")
    expect(said).to_have_text(f"{of} clauses")
    page.get_by_label("Change").select_option("broke")
    found = page.locator("[data-states]:visible")
    assert 0 < found.count() < every
    assert page.locator("h2:visible").count() == 1
    expect(page.locator("h2:visible")).to_contain_text("Newly broken")
    broke = found.all_inner_texts()
    page.get_by_label("Text").fill(sample.NASTY[0])
    left = found.all_inner_texts()
    assert 0 < len(left) < len(broke)
    other = look(page.url)
    assert other.page.locator("[data-states]:visible").all_inner_texts() == left
    other.page.get_by_role("button", name="Clear").click()
    expect(other.page.locator("form output")).to_have_text(f"{of} clauses")
    assert looking.went_wrong(other) == []


# --- hostile --------------------------------------------------------------------------------------


def test_what_a_target_says_is_shown_as_text(folder: Path, look: Look) -> None:
    for name in ("hostile", "changes"):
        visit = look(folder / f"{name}.html")
        looking.open_all(visit)
        said = visit.page.locator("body").inner_text()
        assert sample.NASTY[0] in said
        assert "\\u202eesrever" in said
        assert visit.page.locator("img, iframe, object, embed").count() == 0
        assert looking.went_wrong(visit) == []
