"""``python -m reports``."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reports import results
from reports.__main__ import main

from . import sample

ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    results.write(sample.run(), path)
    return path


def test_a_page_is_made_of_saved_results(saved: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    assert main(["page", str(saved), "--html", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="en">')


def test_a_page_serves_as_well_as_the_results_file(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    assert main(["page", str(saved), "--html", str(first)]) == 0
    assert main(["page", str(first), "--html", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert [main(["show", str(path)]) for path in (saved, first)] == [0, 0]
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]


def test_hostile_results_make_a_page_and_a_text(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.write(sample.hostile(), path)
    assert main(["page", str(path), "--html", str(tmp_path / "page.html")]) == 0
    assert main(["show", str(path)]) == 0


def test_saved_results_are_shown(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(saved)]) == 0
    out = capsys.readouterr().out
    assert out.index("CC-ERR-009 (SHOULD)") < out.index("CC-SSE-005 (MUST)")
    assert "\nNot conformant: 3 of 85 MUST clauses are broken on 10 of 10 models.\n" in out


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1}'])
def test_a_bad_file_is_one_line_and_exit_4(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    assert main(["show", str(path)]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_file_is_one_line_and_exit_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(tmp_path / "none.json")]) == 4
    assert "No such file" in capsys.readouterr().err


def test_a_reader_that_stops_early_is_no_error(saved: Path) -> None:
    ran = subprocess.run(
        f"{shlex.quote(sys.executable)} -m reports show {shlex.quote(str(saved))} | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stderr == ""
    assert ran.stdout.count("\n") == 1
