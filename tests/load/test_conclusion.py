"""The end of a run: what is written, and what is said where something cannot be."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from conformance.wire.redact import Redactor
from load.command import command_line
from load.conclusion import conclude
from reports import embedding
from reports.load import page as load_page
from tests.load.test_gather import book, facts, settings


def concluded(folder: Path, **options: object) -> str:
    given = settings(**{"load_results": str(folder / "out" / "run.json"), **options})
    return conclude(facts(book(50), settings=given, command="locust")).text


def test_a_run_leaves_results_intervals_and_a_page(tmp_path: Path) -> None:
    said = concluded(tmp_path)
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {"run.json", "run.csv", "run.html"}
    page = (out / "run.html").read_text("utf-8")
    assert embedding.results_in(page) == json.loads((out / "run.json").read_text("utf-8"))
    assert f"Results: {out / 'run.json'}\nPage: {out / 'run.html'}\n" in said


def test_a_page_never_takes_the_place_of_results(tmp_path: Path) -> None:
    concluded(tmp_path, load_results=str(tmp_path / "r.html"))
    assert json.loads((tmp_path / "r.html").read_text("utf-8"))["run"] == "00c0ffee"
    assert (tmp_path / "r.html.html").read_text("utf-8").startswith("<!doctype html>")


def test_no_page_is_written_where_none_is_wanted(tmp_path: Path) -> None:
    assert "Page: " not in concluded(tmp_path, no_page=True)
    assert not (tmp_path / "out" / "run.html").exists()


@pytest.mark.parametrize("error", [RuntimeError("no font"), OSError(28, "no space"), KeyError("x")])
def test_a_page_that_cannot_be_drawn_costs_one_line(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(load_page, "write", fails)
    said = concluded(tmp_path)
    [line] = [line for line in said.splitlines() if line.startswith("load: ")]
    assert "run.html cannot be written" in line
    assert type(error).__name__ in line
    assert (tmp_path / "out" / "run.json").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["/v/bin/locust", "-u", "5", "--api-key", "sk-1234"], "locust -u 5"),
        (["/l/locust/__main__.py", "--api-key=sk-1234", "-t", "5s"], "python -m locust -t 5s"),
        (["locust", "-f", "/w/load/chat.py"], "locust -f load/chat.py"),
        (["locust", "--slo", "ttft_p95<1s", "--prompt", "it's"], None),
        (["locust", "--host", "http://me:pw@h/v1?key=1"], "locust --host 'http://…@h/v1'"),
        (["locust", "--prompt", "say sk-1234"], "locust --prompt 'say [redact'"),
        ([], ""),
    ],
)
def test_the_command_line_runs_again_and_holds_no_key(
    arguments: list[str], line: str | None
) -> None:
    made = command_line(arguments, Redactor(["sk-1234"]), Path("/w"))
    assert shlex.split(made) == arguments if line is None else made == line
    assert "sk-1234" not in made
    assert "pw" not in made
