"""The load page: every figure with its limits, nothing hostile, nothing lost."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import schemas
from reports import embedding
from reports.__main__ import main as reports
from reports.load import axes, facts, head, view
from reports.load import page as load_page

from . import load_sample as sample
from .reading import Page


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return sample.run(failures=3, invalid=2)


@pytest.fixture(scope="module")
def page(made: dict[str, Any]) -> str:
    return load_page.render(made)


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    return sample.sweep()


def test_the_samples_are_what_a_run_writes(made: dict[str, Any], swept: dict[str, Any]) -> None:
    for name, data in (("load_results", made), ("load_sweep", swept)):
        assert schemas.violations(name, json.loads(json.dumps(data))) == []


def test_a_page_is_whole_and_refers_to_itself_alone(page: str) -> None:
    read = Page(page)
    assert {tag: n for tag, n in Counter(read.all("id")).items() if n > 1} == {}
    assert read.refers()
    for place in read.refers():
        assert place.startswith("#"), place
        assert place[1:] in read.all("id"), place
    assert read.tags["script"] == 2
    assert not {"iframe", "object", "embed", "link", "image", "img"} & set(read.tags)
    assert "http://www.w3.org" not in page
    assert "@import" not in page


def test_a_page_gives_its_results_back(made: dict[str, Any], page: str, tmp_path: Path) -> None:
    assert embedding.results_in(page) == json.loads(json.dumps(made))
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    first.write_text(page, "utf-8")
    assert reports(["load", str(first), "--html", str(second)]) == 0
    assert second.read_text("utf-8") == page
    assert load_page.read(second) == json.loads(json.dumps(made))


def test_the_same_results_give_the_same_page(made: dict[str, Any], page: str) -> None:
    assert load_page.render(json.loads(json.dumps(made))) == page


def test_a_run_that_sent_nothing_has_a_page() -> None:
    made = sample.run([])
    assert made["models"] == {}
    text = Page(load_page.render(made)).words
    assert "No request was sent" in text


def test_a_page_says_first_what_came_of_it(made: dict[str, Any], page: str) -> None:
    text = Page(page).words
    sentence = head.verdict(made)
    assert f"{sentence.lead} {sentence.rest}" in text
    assert text.index(sentence.lead) < text.index("requests succeeded") < text.index("Definitions")
    for outcome in made["slo"]:
        assert outcome["target"] in text
    for words in ("2 of 12 windows of 5 s are INVALID", "INVALID windows hatched", "stall"):
        assert words in text
    assert html.escape(made["command"]) in page
    for key, said in made["definitions"]["metrics"].items():
        assert f"<code>{key}</code>" in page
        assert " ".join(said.split()) in text


def test_failures_and_intervals_stand_beside_every_percentile(made: dict[str, Any]) -> None:
    model = made["models"]["vendor/one"]
    rows = {row.key: row for row in view.rows(made, model)}
    assert rows["ttft"].failed == model["failed"] > 0
    for percent, cell in rows["ttft"].cells:
        low, high = model["ttft_ms"]["ci95"][percent]
        assert cell.value == axes.figure(model["ttft_ms"][percent])
        assert cell.interval in (
            f"{axes.figure(low)} to {axes.figure(high)}",
            axes.figure(low),
        )
    assert "tls" not in rows  # no sample


def test_what_is_withheld_says_what_it_lacks() -> None:
    made = sample.run(["m"], seconds=10, rate=6)
    count = made["models"]["m"]["ttft_ms"]["count"]
    cells = dict(view.rows(made, made["models"]["m"])[0].cells)
    assert cells["p50"].withheld == ""
    assert cells["p99"].withheld == f"{count} of 662 samples"
    assert f"withheld: {count} of 662 samples" in load_page.render(made)


@pytest.mark.parametrize(
    ("given", "css", "words"),
    [
        ({"targets": ()}, "pass", "VALID. Measuring shifts a latency by at most"),
        ({"targets": ["failures<50%"]}, "pass", "The target held. The run is VALID"),
        ({}, "fail", "1 of 3 targets is broken. The run is VALID"),
        ({"targets": ["ttft_p95@x<1s"]}, "open", "The target is inconclusive."),
        ({"invalid": 9}, "fail", "This run is INVALID. Not to be relied on: everything. No"),
    ],
)
def test_the_first_sentence(given: dict[str, Any], css: str, words: str) -> None:
    said = head.verdict(sample.run(**given))
    assert said.css == css
    assert f"{said.lead} {said.rest}".startswith(words)


@pytest.mark.parametrize(
    ("spoils", "words"),
    [
        ((), "No target is decided."),
        (("everything",), "Not to be relied on: everything. No target is decided."),
        (
            ("the offered load, and ttft against ttft_sched", "itl, stall", "itl, stall"),
            "Not to be relied on: the offered load, and ttft against ttft_sched; itl, stall. "
            "No target is decided.",
        ),
        # One latency goes without saying where all of them are spoilt.
        (
            ("all latencies: TCP may have waited", "itl, stall", "the error bar"),
            "Not to be relied on: all latencies; the error bar. No target is decided.",
        ),
    ],
)
def test_what_is_spoilt_is_listed(spoils: tuple[str, ...], words: str) -> None:
    made = sample.run()
    reasons = [{"rule": "r", "what": "w", "spoils": what} for what in spoils]
    made["validity"] |= {"verdict": "INVALID", "reasons": reasons}
    assert head.verdict(made).rest == words


def test_windows_are_told_in_seconds_since_the_start_as_the_plots_have_them() -> None:
    made = sample.run(invalid=1)
    [(when, rule, _)] = facts.windows(made)
    on = axes.scene(made)
    assert on is not None
    assert (when, rule) == (f"+{on.invalid[0][0]:.0f} s, 5 s long", "sending")


def test_failures_count_for_targets() -> None:
    told = "a failed request is infinitely slow"
    assert told in " ".join(head.caveats(sample.run(failures=2)))
    assert told not in " ".join(head.caveats(sample.run(failures=2, targets=())))
    assert told not in " ".join(head.caveats(sample.run()))


# --- hostile, large ------------------------------------------------------------------------------


def test_nothing_that_a_target_sent_is_more_than_text() -> None:
    made = sample.run(sample.HOSTILE, failures=2, example="".join(sample.HOSTILE[:4]))
    page = load_page.render(made)
    read = Page(page)
    assert read.tags["script"] == 2
    assert "alert(1)" in read.words
    assert all(place.startswith("#") for place in read.refers())
    assert not {"\x00", "\x07", "\u202e"} & set(read.words)
    assert "\\u202e$x_1$\\x00" in read.words
    assert len(page) < 3_000_000
    assert embedding.results_in(page) == json.loads(json.dumps(made))
    swept = Page(load_page.render(sample.sweep(sample.HOSTILE)))
    assert swept.tags["script"] == 2


def test_ten_models_and_an_hour_make_a_page_below_three_megabytes() -> None:
    made = sample.run(
        [f"vendor/model-{n}" for n in range(10)], seconds=3600, rate=2, failures=1, gaps=1
    )
    page = load_page.render(made)
    assert len(page.encode()) < 3_000_000
    assert Page(page).tags["figure"] == 10 * 6 + 2 + 3 + 3
    assert "<details" in page
    assert not re.search(r"model-card[^>]* open", page)  # ten are closed at first


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "no load results: it is cut off"),
        ("[]", "no load results: no `models`"),
        ("<html></html>", "no results are embedded in this page"),
        ('{"models": {}, "slo": [], "format": 9}', "format 9, this version reads 1"),
        ('{"models": {}, "slo": [], "format": 1}', "no load results: $: "),
        ('{"steps": [], "format": 1}', "no load results: $: "),
    ],
)
def test_a_bad_file_is_one_line(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad"
    path.write_text(content, "utf-8")
    assert reports(["load", str(path), "--html", str(tmp_path / "o.html")]) == 4
    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert not (tmp_path / "o.html").exists()


def test_a_file_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reports(["load", str(tmp_path / "none.json")]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_reports_load_writes_the_page(made: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "load.json").write_text(json.dumps(made), "utf-8")
    assert reports(["load", str(tmp_path / "load.json")]) == 0
    assert (tmp_path / "load.html").read_text("utf-8").startswith("<!doctype html>")
