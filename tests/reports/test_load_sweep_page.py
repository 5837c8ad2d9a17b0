"""The page of a sweep: its answer first, each run a row."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reports import embedding
from reports.load import page as load_page
from reports.load import sweep_view

from . import load_sample as sample
from .reading import Page


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    return sample.sweep()


def test_the_page_of_a_sweep(swept: dict[str, Any]) -> None:
    page = load_page.render(swept)
    read = Page(page)
    assert all(place.startswith("#") and place[1:] in read.all("id") for place in read.refers())
    text = read.words
    assert "The targets hold at 12 requests a second, not at 13." in text
    assert "They did so in 2 of 2 runs: with 95 % confidence they do in 34 % or more" in text
    assert text.count("vendor/one") > 1
    for word in ("failed with status 2", "sweep-9.json", "ttft p95 (ms) against"):
        assert word in text
    assert embedding.results_in(page) == json.loads(json.dumps(swept))
    first = re.search(r'<svg viewBox="0 0 380.*?</svg>', page, re.S)
    assert first is not None
    for said in ("held 12", "broke 13", ">limit</text>"):
        assert said in first[0]
    assert read.tags["figure"] == 5


def test_each_run_of_a_sweep_is_a_row_by_rate(swept: dict[str, Any]) -> None:
    rows = sweep_view.rows(swept)
    assert [row.rate for row in rows] == ["8", "12", "12", "13", "15", "16"]
    assert [row.sign.word for row in rows] == ["held"] * 3 + ["broken", "failed", "broken"]
    assert rows[0].figures == ("320 ms", "-")


@pytest.mark.parametrize(
    ("answer", "css", "words"),
    [
        ({"held": None, "broken": 8.0}, "fail", "The targets hold at no rate that was tried."),
        ({"unknown": 13.0}, "open", "Unknown: the run at 13 requests a second decides nothing."),
        ({"broken": None}, "pass", "The targets hold at 12 requests a second, no higher rate"),
        ({"state": "interrupted"}, "open", "The sweep was interrupted: 6 runs of it are here."),
        (
            {"state": "running"},
            "open",
            "The sweep goes on: 6 runs of it are here.",
        ),
    ],
)
def test_the_answer_of_a_sweep(
    swept: dict[str, Any], answer: dict[str, Any], css: str, words: str
) -> None:
    said = sweep_view.verdict({**swept, **answer})
    assert (said.css, said.lead[: len(words)]) == (css, words)
    load_page.render({**swept, **answer})
