"""A page turned back into data: whole, whatever a target sent; and what is refused."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports import embedding, results
from reports.compliance.page import render
from reports.templates import document

from . import sample


def large() -> dict[str, Any]:
    """Every made-up run there is, on ten models, each answer longer than a page should hold."""
    made = sample.run()
    for number, entry in enumerate(made["requirements"]):
        entry["evidence"]["summary"] = f"{number} " * 200
    return made


RUNS: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: sample.run(records=[sample.record("CC-SSE-001", "PASS")]), embedding.PLAIN),
    (sample.hostile, embedding.PLAIN),
    (large, embedding.PACKED),
]


@pytest.mark.parametrize(("made", "kind"), RUNS, ids=["small", "hostile", "large"])
def test_a_page_reads_as_the_results_that_it_was_made_of(
    made: Callable[[], dict[str, Any]], kind: str, tmp_path: Path
) -> None:
    built = made()
    file, shown = tmp_path / "results.json", tmp_path / "page.html"
    results.write(built, file)
    shown.write_text(document(render(built, REQUIREMENTS, CHAPTERS)), "utf-8")
    assert f'<script type="{kind}" id="results">' in shown.read_text("utf-8")
    assert results.read(shown) == results.read(file) == built


def test_the_same_results_are_embedded_alike() -> None:
    assert embedding.element(large()) == embedding.element(dict(reversed(large().items())))


@pytest.mark.parametrize("text", sample.NASTY)
def test_nothing_ends_the_element_early(text: str) -> None:
    made = embedding.element({"a": text})
    inside = made.partition(">")[2].removesuffix("</script>")
    assert not set("<>&\u2028\u2029") & set(inside)
    assert embedding.results_in(f"<p>before</p>{made}<p>after</p>") == {"a": text}


def element(kind: str, data: str) -> str:
    return f'<html><script type="{kind}" id="results">{data}</script></html>'


def packed(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


WHOLE = gzip.compress(b'{"format": 1}')


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<html></html>", "no results are embedded in this page"),
        ("  <!doctype html>\n<p>{}</p>", "no results are embedded in this page"),
        (element(embedding.PLAIN, '{"format": 1'), "are damaged: Expecting"),
        (element(embedding.PLAIN, "[" * 100_000), "are damaged: .*recursion"),
        (element(embedding.PACKED, "%%%"), "are damaged: .*base64"),
        (element(embedding.PACKED, packed(b"no gzip")), "are damaged: .*header"),
        (element(embedding.PACKED, packed(WHOLE[:-9])), "are damaged: cut off"),
        (element(embedding.PACKED, packed(WHOLE[:-8] + b"\0" * 8)), "are damaged: .*check"),
        (element("text/plain", "{}"), "of a type that is not known: 'text/plain'"),
        (element(embedding.PLAIN, "[]"), "no `format`"),
        (element(embedding.PLAIN, '{"format": 99}'), "format 99, this version reads 1"),
        (element(embedding.PACKED, packed(WHOLE)), "not a results file: \\$"),
    ],
)
def test_a_page_that_holds_no_results_is_refused_in_one_line(
    content: str, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.html"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=why) as refused:
        results.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_data_that_unfolds_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "LARGEST", 1000)
    bomb = packed(gzip.compress(json.dumps("a" * 2000).encode()))
    with pytest.raises(ValueError, match="damaged: too large"):
        embedding.results_in(element(embedding.PACKED, bomb))
