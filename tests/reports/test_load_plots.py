"""The plots of a load page: each is told, each is seen without colour, and none is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import schemas
from reports.__main__ import main as reports
from reports.load import axes, plots, svg
from reports.load import page as load_page

from . import load_sample as sample
from .reading import Page

LABELLED = ("svg", "aria-labelledby")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return sample.run(failures=3, invalid=2)


@pytest.fixture(scope="module")
def page(made: dict[str, Any]) -> str:
    return load_page.render(made)


def test_every_plot_is_told_and_has_the_colours_of_the_page(page: str) -> None:
    read = Page(page)
    told = [value for tag, name, value in read.attributes if (tag, name) == LABELLED]
    assert len(told) == 2 * 6 + 2 + 3 + 3
    assert set(" ".join(told).split()) <= set(read.all("id"))
    assert read.attributes.count(("svg", "role", "img")) == len(told)
    pictures = re.findall(r'<svg viewBox="0 0 380.*?</svg>', page, re.S)
    assert len(pictures) == len(told)
    for picture in pictures:
        assert not re.search(r"#[0-9a-fA-F]{6}\b", picture)
        assert "font-family" not in picture
        assert len(picture) < 40_000
        said = re.search(r"<desc[^>]*>([^<]+)</desc>", picture)
        assert said is not None
        assert re.search(r"\d", said[1])


def test_invalid_windows_and_the_opening_are_marked(made: dict[str, Any]) -> None:
    on = axes.scene(made)
    assert on is not None
    assert [*on.invalid] == [(20, 30)]  # two windows that touch
    assert [*on.measured] == [3, 60]
    [first, *_] = plots.of_model(made, "vendor/one", "m0", on)
    assert ">INVALID</text>" in first.svg
    assert "var(--failbg)" in first.svg
    assert "<pattern" in first.svg  # seen without colour
    calm = sample.run(invalid=0)
    still = axes.scene(calm)
    assert still is not None
    assert "INVALID" not in plots.of_model(calm, "vendor/one", "m0", still)[0].svg


def test_styles_differ_without_their_colour() -> None:
    known = [svg.style(number) for number in range(30)]
    assert len({style.letter for style in known}) == 30
    assert known[26].letter == "AA"
    assert len({(str(style.dash), style.marker) for style in known}) == 30


def test_a_distribution_on_its_axis_begins_where_its_samples_do(made: dict[str, Any]) -> None:
    for plot in plots.side_by_side(made):
        for letter in "AB":
            assert f">{letter}</text>" in plot.svg


def test_a_page_without_matplotlib_has_tables_and_one_line(
    made: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(svg, "find_spec", lambda name: None)
    read = Page(load_page.render(made))
    assert read.tags["figure"] == 0
    assert load_page.INSTALL in read.words
    assert "withheld" in read.words or "time to first token" in read.words
    (tmp_path / "r.json").write_text(json.dumps(made), "utf-8")
    assert reports(["load", str(tmp_path / "r.json")]) == 0
    assert load_page.INSTALL in capsys.readouterr().err
    assert (tmp_path / "r.html").exists()


def test_results_of_an_older_version_have_a_page_without_plots(made: dict[str, Any]) -> None:
    old = json.loads(json.dumps(made))
    for name in ("series", "command"):
        del old[name]
    del old["window"]["start"], old["definitions"]["samples_needed"]
    for model in old["models"].values():
        del model["series"], model["distributions"]
    assert schemas.violations("load_results", old) == []
    text = Page(load_page.render(old)).words
    assert "They were written by a version that kept no series" in text
    assert "The results do not hold the command line" in text
