"""The live view in Locust's web page, in a browser, while a real run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Look
from tests.browser.looking import (
    PHONE,
    Visit,
    accessibility,
    bad_links,
    broken_anchors,
    external,
    faint,
    overflowing,
    went_wrong,
)
from tests.load.running import MODEL, reference
from tests.load.test_web import browsing

pytestmark = pytest.mark.slow

HOSTILE = '<img src=x onerror=alert(1)>\u202e"</script>'
SHOWN = HOSTILE.replace("\u202e", "\\u202e")
PATIENCE = 30_000
"""Milliseconds that a page may take to show something."""


@dataclass(frozen=True, slots=True)
class Going:
    """A run that goes on, until it is told to stop: its Locust, and where that was started."""

    client: httpx.Client
    folder: Path

    @property
    def base(self) -> str:
        """The address of Locust's page."""
        return str(self.client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def going(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Going]:
    """One run for all tests: a model that answers, and one that the target does not have."""
    folder = tmp_path_factory.mktemp("live")
    load = ("--autostart", "-u", "6", "-r", "6", "--max-tokens", "20", "--goodput", "ttft<1s")
    models = ("--model", MODEL, "--model", HOSTILE, "--slo", "failures<1%")
    with (
        reference("--ttft-ms", "20", "--itl-ms", "2") as url,
        browsing(folder, url, *load, *models, "--think-time", "0.2") as client,
    ):
        yield Going(client, folder)


def shown(place: Page | Frame) -> None:
    """Wait until the view has figures, and charts of them."""
    expect(place.locator("#verdict")).to_contain_text("VALID", timeout=PATIENCE)
    expect(place.locator("#charts canvas")).to_have_count(6, timeout=PATIENCE)


def tab(visit: Visit) -> Frame:
    """The frame in Locust's tab."""
    frame = visit.page.locator("iframe[title='Load per model, live']")
    frame.wait_for(timeout=PATIENCE)
    found = frame.element_handle().content_frame()
    assert found is not None
    return found


def requests(place: Page | Frame) -> int:
    """How many requests the row of ``MODEL`` tells of."""
    row = place.locator("#models tbody tr", has_text=MODEL)
    return int(row.locator("td").first.inner_text().replace(",", ""))


def inked(place: Page | Frame) -> int:
    """Charts with more on their canvas than shades and axes: a pixel of a strong colour."""
    found: int = place.evaluate(
        """() => [...document.querySelectorAll('#charts canvas')].filter((canvas) => {
            const { data } = canvas.getContext('2d')
                .getImageData(0, 0, canvas.width, canvas.height);
            for (let at = 0; at < data.length; at += 4) {
                const [r, g, b, a] = data.subarray(at, at + 4);
                if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 90) return true;
            }
            return false;
        }).length"""
    )
    return found


def test_the_tab_shows_the_run_and_follows_it(going: Going, look: Look) -> None:
    visit: Visit = look(f"{going.base}/")
    visit.page.get_by_role("tab", name="Models").click(timeout=PATIENCE)
    frame = tab(visit)
    shown(frame)
    before = requests(frame)
    frame.wait_for_function(
        "(before) => [...document.querySelectorAll('#models tbody tr')].some((row) =>"
        f" row.textContent.includes({json.dumps(MODEL)}) &&"
        " Number(row.querySelector('td').textContent.replace(',', '')) > before)",
        arg=before,
        timeout=PATIENCE,
    )
    assert inked(frame) >= 3  # tokens, in flight and failures at least; percentiles need samples
    # What the target sent, and what a model is called, is text.
    names = frame.locator("#models tbody th").all_inner_texts()
    assert sorted(names) == sorted([MODEL, SHOWN])
    expect(frame.locator("#failures tbody")).to_contain_text("status_4xx")
    # The tab goes with Locust's theme, is put away with its tab, and comes back.
    assert frame.evaluate("document.documentElement.dataset.theme") == "light"
    visit.page.evaluate("document.body.style.backgroundColor = 'rgb(18, 18, 18)'")
    frame.locator(":root[data-theme='dark']").wait_for(timeout=PATIENCE)
    visit.page.get_by_role("tab", name="Charts").click()
    expect(visit.page.locator("iframe")).to_be_hidden()
    visit.page.get_by_role("tab", name="Models").click()
    expect(visit.page.locator("iframe")).to_be_visible()
    assert (went_wrong(visit), external(visit)) == ([], [])


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_stands_alone_at_any_width(going: Going, look: Look, dark: bool) -> None:
    visit: Visit = look(f"{going.base}/chat/", width=PHONE, dark=dark)
    shown(visit.page)
    assert overflowing(visit) == []
    assert faint(visit) == []
    assert (broken_anchors(visit), bad_links(visit)) == ([], [])
    visit.page.set_viewport_size({"width": 1440, "height": 900})
    assert overflowing(visit) == []
    assert accessibility(visit) == []
    assert (went_wrong(visit), external(visit)) == ([], [])


def test_a_model_can_be_taken_out_of_the_charts(going: Going, look: Look) -> None:
    visit: Visit = look(f"{going.base}/chat/")
    shown(visit.page)
    button = visit.page.locator("#legend button", has_text=SHOWN)
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    visit.page.locator("#charts .u-over").last.hover()
    tip = visit.page.locator("#charts .tip:visible")
    expect(tip).to_contain_text(MODEL)
    assert went_wrong(visit) == []


def test_when_the_run_is_over_its_report_can_be_downloaded(going: Going, look: Look) -> None:
    visit: Visit = look(f"{going.base}/chat/")
    shown(visit.page)
    expect(visit.page.locator("#files")).to_contain_text("when the run has ended")
    going.client.post("/stop").raise_for_status()
    links = visit.page.locator("#files a")
    expect(links).to_have_text(
        ["Report (HTML)", "Results (JSON)", "Per second (CSV)"], timeout=PATIENCE
    )
    with visit.page.expect_download(timeout=PATIENCE) as download:
        links.nth(1).click()
    results = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert results == json.loads((going.folder / "load.json").read_text("utf-8"))
    assert requests(visit.page) == results["models"][MODEL]["requests"]
    with visit.page.expect_download(timeout=PATIENCE) as download:
        links.nth(0).click()
    assert MODEL in Path(download.value.path()).read_text("utf-8")
    assert download.value.suggested_filename == f"{results['run']}-load.html"
    assert (went_wrong(visit), external(visit)) == ([], [])
