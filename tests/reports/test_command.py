"""``python -m reports``."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import schemas
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
    assert capsys.readouterr().out == f"written     {first}\nwritten     {second}\n"
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


# --- comparing and telling ------------------------------------------------------------------------

CLAUSE = "CC-SSE-005"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., str]:
    """Saves a run in which one clause got a verdict, and returns its path."""

    def made(name: str, verdict: str, url: str = sample.URL, *, page: bool = False) -> str:
        target = {"url": url, "profile": "example", "models": [sample.MODELS[0]]}
        rows = [sample.record(CLAUSE, verdict)]
        run = sample.run(records=rows, target=target, profile_deviations=())
        path = tmp_path / f"{name}.json"
        results.write(run, path)
        if page:
            assert main(["page", str(path), "--html", str(path.with_suffix(".html"))]) == 0
            path = path.with_suffix(".html")
        return str(path)

    return made


@pytest.mark.parametrize(
    ("verdicts", "status", "told"),
    [
        ("PASS FAIL", 1, "Something newly broke: 1 clause that was not known to be broken."),
        ("INCONCLUSIVE FAIL", 1, "Something newly broke: 1 clause"),
        ("FAIL FAIL", 0, "Nothing newly broke. By clause: 1 still broken."),
        ("FAIL PASS", 0, "Nothing newly broke. By clause: 1 newly fixed."),
        ("FAIL INCONCLUSIVE", 0, "Nothing newly broke. By clause: 1 no longer judged."),
        ("PASS PASS", 0, "Nothing newly broke. Nothing else changed."),
    ],
)
def test_a_diff_fails_where_something_newly_broke(
    verdicts: str,
    status: int,
    told: str,
    make: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = map(make, ("old", "new"), verdicts.split())
    assert main(["diff", old, new]) == status
    first = " ".join(capsys.readouterr().out.split())
    assert told in first
    # Two runs of one target are compared in time.
    assert main(["compare", old, new]) == status
    assert told in " ".join(capsys.readouterr().out.split())


def test_pages_and_results_are_compared_side_by_side(
    make: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [make("a", "PASS"), make("b", "FAIL", "https://b.example/v1", page=True)]
    html, data = tmp_path / "deep" / "m.html", tmp_path / "m.json"
    assert main(["compare", *files]) == 0
    assert "CC-SSE-005     MUST   held     fail" in capsys.readouterr().out
    names = ["--names", "one, two"]
    assert main(["compare", *files, *names, "--html", str(html), "--json", str(data)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 of 2 targets were found conformant. "
        "They differ on 1 of 1 clause that two or more were judged on.",
        f"written     {html}",
        f"written     {data}",
    ]
    read = json.loads(data.read_text(encoding="utf-8"))
    assert [target["name"] for target in read["targets"]] == ["one", "two"]
    assert [cell["verdict"] for cell in read["clauses"][0]["cells"]] == ["PASS", "FAIL"]
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_one_target_is_put_side_by_side_on_demand(
    make: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [make("old", "PASS"), make("new", "FAIL")]
    assert main(["compare", "--matrix", *files]) == 0
    out = capsys.readouterr().out
    assert "note: A and B are the same target." in out
    assert "A  api.example.com (old)" in out
    # Three runs have no old and new.
    assert main(["compare", *files, make("third", "PASS")]) == 0
    assert "They differ on 1 of 1 clause" in capsys.readouterr().out


def test_a_diff_is_written_as_page_and_data(make: Callable[..., str], tmp_path: Path) -> None:
    html, data = tmp_path / "d.html", tmp_path / "d.json"
    given = ["diff", make("old", "PASS"), make("new", "FAIL")]
    assert main([*given, "--html", str(html), "--json", str(data)]) == 1
    assert "Something newly broke: 1 clause" in html.read_text(encoding="utf-8")
    read = json.loads(data.read_text(encoding="utf-8"))
    assert (read["newly_broke"], read["changes"][0]["change"]) == (True, "newly broken")
    assert [target["letter"] for target in read["targets"]] == ["old", "new"]
    assert schemas.violations("comparison", read) == []


def test_results_come_from_the_standard_input_and_go_to_the_standard_output(
    make: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = make("old", "PASS"), make("new", "FAIL", page=True)

    def piped(path: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(path).read_bytes())))

    capsys.readouterr()
    piped(new)
    assert main(["diff", old, "-", "--html", "-", "--json", str(tmp_path / "d.json")]) == 1
    html = capsys.readouterr().out
    assert html.startswith("<!doctype html>")  # and nothing else stands there
    assert html.endswith("</html>\n")
    assert json.loads((tmp_path / "d.json").read_bytes())["newly_broke"] is True
    piped(old)
    assert main(["page", "-", "--html", "-"]) == 0
    assert '<main class="cc"' in capsys.readouterr().out
    piped(str(tmp_path / "d.json"))
    assert main(["show", "-"]) == 4
    assert "the standard input: not a results file but a comparison" in capsys.readouterr().err


def test_only_files_are_replaced(make: Callable[..., str], tmp_path: Path) -> None:
    link, kept = tmp_path / "link.svg", tmp_path / "kept.svg"
    kept.write_text("old", encoding="utf-8")
    link.symlink_to(kept)
    assert main(["badge", make("a", "PASS"), "--out", str(link)]) == 0
    assert link.is_symlink()
    assert kept.read_text(encoding="utf-8").startswith("<svg ")
    assert main(["badge", make("a", "PASS"), "--out", os.devnull]) == 0
    assert Path(os.devnull).is_char_device()


def test_a_badge_and_a_summary_are_printed_or_written(
    make: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = make("a", "FAIL"), tmp_path / "badges" / "a.svg"
    assert main(["badge", run]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("<svg ")
    assert main(["badge", run, "--out", str(out), "--label", "mine"]) == 0
    assert 'aria-label="mine: not conformant' in out.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["summary", run]) == 0
    assert capsys.readouterr().out.startswith("## ❌ Not conformant\n")


def test_one_run_twice_is_told(
    make: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make("a", "FAIL")
    marked = tmp_path / "marked.json"
    marked.write_bytes(b"\xef\xbb\xbf" + Path(run).read_bytes())  # as other systems save it
    assert main(["diff", run, str(marked)]) == 0
    assert (
        "note: Both files hold the same run: nothing can have changed." in capsys.readouterr().out
    )
    (third := tmp_path / "third.json").write_bytes(Path(run).read_bytes())
    assert main(["compare", run, str(third), str(marked)]) == 0
    assert capsys.readouterr().out.count("note: A, B and C are the same run.") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compare", "A"], "compare takes two results or more; `show` tells of one"),
        (["compare", "A", "none.json"], "none.json: No such file"),
        (["compare", "A", "bad.json"], "bad.json: not a results file"),
        (["compare", "A", "B", "--names", "x"], "--names: 1 name for 2 files"),
        (["compare", "A", "B", "--names", "x,x"], "--names: 'x' stands for two files"),
        (["compare", "A", "B", "--html", "."], ": Is a directory"),
        (["diff", "A", "bad.json"], "bad.json: not a results file"),
        (["badge", "bad.json"], "bad.json: not a results file"),
        (["summary", "bad.json"], "bad.json: not a results file"),
        (["compare", "A", "load.json"], "load.json: not a results file but the results of a load"),
        (["diff", "sweep.json", "A"], "`python -m reports load` shows them"),
        (["show", "matrix.json"], "not a results file but a comparison"),
        (["load", "A"], "no load results but the results of a conformance run: `python -m reports"),
        (["load", "."], ": Is a directory"),
        (["compare", "A", "B", "--html", "B"], ": would take the place of "),
        (["diff", "A", "B", "--html", "new", "--json", "new"], ": would take the place of "),
        (["badge", "A", "--out", "A"], ": would take the place of "),
        (["diff", "A", "A"], "a.json: given twice; a run is compared with others"),
        (["compare", "A", "B", "B"], "b.json: given twice"),
        (["diff", "-", "-"], "the standard input: given twice"),
        (
            ["compare", "A", "B", "--html", "-", "--json", "-"],
            "--json -: would take the place of -",
        ),
        (["badge", "A", "--out", "/dev/full"], "/dev/full: No space left on device"),
        (["show", "."], ": Is a directory"),
        (["show", "empty.json"], "empty.json: not a results file: the file is empty"),
        (["show", "cut.json"], "cut.json: not a results file: it is cut off in line 2"),
        (
            ["show", "wrong.json"],
            "it is no JSON: Expecting property name enclosed in double quotes",
        ),
        (["show", "newer.json"], "format 2, this version reads 1: a newer suite wrote it"),
        (["show", "other.json"], "not a results file: no `format`"),
        (["show", "page.html"], "no results are embedded in this page: is it whole, and one of a"),
        (["show", "junit.xml"], "it is XML; the results are the JSON file beside it, or the page"),
        (["show", "journal"], "the journal of a run that came to no end: `pytest --resume`"),
        (["show", "binary"], "it is no text in UTF-8, from byte 0 on"),
        (["show", "huge.json"], "huge.json: not a results file: it is larger than 150 MB"),
        (["load", "huge.json"], "huge.json: no load results: it is larger than 150 MB"),
        (["load", "-"], "--html FILE: where to, as the results come from the standard input"),
    ],
)
def test_bad_input_is_one_line_and_exit_4(
    arguments: list[str],
    told: str,
    make: Callable[..., str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    others = {
        "bad.json": "[]",
        "load.json": '{"format": 1, "models": {}, "slo": []}',
        "sweep.json": '{"format": 1, "steps": []}',
        "matrix.json": '{"format": 1, "kind": "matrix", "targets": []}',
        "empty.json": "",
        "cut.json": '{"format": 1,\n "requirements": [{"id": "CC-',
        "wrong.json": "{format: 1, requirements: []}",
        "newer.json": '{"format": 2, "requirements": []}',
        "other.json": '{"tests": [], "summary": {}}',
        "page.html": "<!doctype html><title>x</title>",
        "junit.xml": '<?xml version="1.0"?><testsuites/>',
        "journal": '{"journal":1,"terms":{}}\n{"at":1}\n',
        "binary": "\udcff\udcfe",
        "huge.json": "",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    os.truncate(tmp_path / "huge.json", 200_000_000)  # a hole: it takes no room
    names = {"A": make("a", "PASS"), "B": make("b", "PASS", "https://b.example/v1")}
    names |= {name: str(tmp_path / name) for name in (*others, "none.json", "new", ".")}
    before = Path(names["A"]).read_bytes(), Path(names["B"]).read_bytes()
    assert main([names.get(each, each) for each in arguments]) == 4
    assert (Path(names["A"]).read_bytes(), Path(names["B"]).read_bytes()) == before
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["diff", "one"], ["badge"], ["compare"], ["load"]]
)
def test_a_bad_command_line_is_one_line_and_exit_4(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 4
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "-h tells what is taken" in err


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


def test_a_disk_that_is_full_is_one_line(saved: Path) -> None:
    with open("/dev/full", "w", encoding="ascii") as full:  # noqa: PTH123  # no file of ours
        ran = subprocess.run(
            [sys.executable, "-m", "reports", "show", str(saved)],
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 4
    assert ran.stderr == "python -m reports: the standard output: No space left on device\n"
