"""A run that is cut short goes on: what was judged stands, and the end is that of a whole run."""

import json
import re
import signal
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import reports.results
from conformance.running.journal import JournalError, is_journal, read
from tests.plugin.batch import run_all
from tests.plugin.bench import MODEL, Ran, interrupted, run
from tests.plugin.relay import Relay, relay

OTHER = "google/gemma-3-27b-it"
FAULT = "calls_itself_text_completion"
"""Breaks CC-RESP-002, a MUST, alone."""
CHOSEN = (
    *("--requirement", "CC-AUTH", "--requirement", "CC-RESP", "--requirement", "CC-USAGE-008"),
    *("--examples", "0"),
)
"""The first chapter is judged by few requests, the second by some twenty in its first check."""
BOTH = ("--model", MODEL, "--model", OTHER)

VARIES = ("started", "finished", "duration_s", "requests", "repeated", "tokens", "parts")


def comparable(results: dict[str, Any]) -> dict[str, Any]:
    """Results without times, counts and what the target makes anew for each reply."""
    kept = {name: deepcopy(value) for name, value in results.items() if name not in VARIES}
    kept["configuration"] = {**kept["configuration"], "processes": 0, "command": ""}
    for entry in kept["requirements"]:
        told = entry["evidence"]
        for name in ("duration_s", "seen_in"):
            told.pop(name, None)
        told["summary"] = re.sub(r"held in \d+ repl(y|ies)", "held", told["summary"])
        told["exchanges"] = [shown["request"]["body"] for shown in told.get("exchanges", ())]
        told["findings"] = [{**one, "reply": ""} for one in told.get("findings", ())]
    return kept


@pytest.fixture(scope="module")
def passing(address: str) -> Iterator[Relay]:
    with relay(f"{address}/fault/{FAULT}/v1") as found:
        yield found


@pytest.fixture(scope="module")
def whole(passing: Relay, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    return run(folder, "--target-url", passing.url, *BOTH, *CHOSEN)


def cut_short(passing: Relay, folder: Path, calls: int, by: signal.Signals, *more: str) -> Ran:
    """A run that ends by a signal while its request number `calls` + 1 is under way."""
    passing.limit, passing.calls = calls, 0
    passing.reached.clear()
    arguments = ("--target-url", passing.url, *BOTH, *CHOSEN, *more)
    try:
        return interrupted(folder, lambda: passing.reached.wait(60), *arguments, by=by)
    finally:
        passing.limit = None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), id="alone"),
        pytest.param(("-n", "2"), id="workers", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_killed_goes_on_to_the_same_end(
    more: tuple[str, ...], passing: Relay, whole: Ran, tmp_path: Path
) -> None:
    killed = cut_short(passing, tmp_path, 40, signal.SIGKILL, *more)
    assert killed.status == -signal.SIGKILL
    journal = tmp_path / "reports/out/results.json.journal"
    left = read(journal.read_bytes())
    results = tmp_path / "reports/out/results.json"
    assert left.records
    assert not results.exists()
    with journal.open("ab") as file:  # as if it had been killed while it wrote
        file.write(b'{"record":{"id":"CC-RE')
    passing.calls = 0
    arguments = ("--target-url", passing.url, *BOTH, *CHOSEN, *more)
    ran = run(tmp_path, *arguments, "--resume", str(results))
    found = ran.results()
    assert ran.status == whole.status == 1
    assert comparable(found) == comparable(whole.results())
    assert found["parts"] == 2
    assert ", in 2 parts" in ran.out
    assert found["requests"] == left.earlier.cost.requests + passing.calls
    assert found["tokens"]["told"]["answers"] > left.earlier.cost.told > 0
    assert not journal.exists()
    assert reports.results.read(tmp_path / "reports/out/compliance.html") == found
    broken = [entry["evidence"] for entry in found["requirements"] if entry["verdict"] == "FAIL"]
    assert len(broken) == 2
    assert all(told["exchanges"] for told in broken)  # what is taken over has its evidence


def test_sigterm_leaves_a_page_to_go_on_from(passing: Relay, whole: Ran, tmp_path: Path) -> None:
    ran = cut_short(passing, tmp_path, 20, signal.SIGTERM)
    assert ran.status == 2
    assert ran.results()["interrupted"] is True
    assert "PASS" in ran.verdicts().values()
    assert "go on with --resume" in ran.out
    place = tmp_path / "reports/out"
    (place / "results.json.journal").unlink()  # what several checks judge is judged again
    page = str(place / "compliance.html")
    again = run(tmp_path, "--target-url", passing.url, *BOTH, *CHOSEN, "--resume", page)
    assert again.status == 1
    assert comparable(again.results()) == comparable(whole.results())
    assert again.results()["parts"] == 2


def test_only_the_same_run_goes_on(passing: Relay, whole: Ran) -> None:
    """Each line is refused in one line, and nothing is sent but the preflight."""
    torn = whole.folder / "torn.journal"
    torn.write_bytes(b'{"journal":1,"te')
    (whole.folder / "old.journal").write_bytes(b'{"journal":0}\n')
    (whole.folder / "no.json").write_text("[]")
    same = ("--target-url", passing.url, *CHOSEN)
    resumed = (*same, *BOTH, "--resume", "reports/out/results.json")
    table: dict[str, tuple[tuple[str, ...], str]] = {
        "target": (
            ("--target-url", passing.url.replace(FAULT, "no_usage"), *resumed[2:]),
            "target",
        ),
        "models": ((*same, "--model", OTHER, *resumed[-2:]), "another models"),
        "strict": ((*resumed, "--strict"), "another --strict (off there, on here)"),
        "seed": ((*resumed, "--seed", "9"), "another --seed (0 there, 9 here)"),
        "examples": ((*resumed, "--examples", "1"), "another --examples (0 there, 1 here)"),
        "profile": ((*resumed, "--profile", "ainul"), "another profile (openai there, ainul"),
        "no file": ((*same, "--resume", "gone.json"), "gone.json: No such file"),
        "no results": ((*same, "--resume", "no.json"), "no.json: not a results file"),
        "torn": ((*same, "--resume", "torn.journal"), "it is cut off in its first line"),
        "format": ((*same, "--resume", "old.journal"), "journal format 0, this version reads 1"),
    }
    ended = run_all(whole.folder, {name: line for name, (line, _) in table.items()})
    for name, (_, said) in table.items():
        assert ended[name].status == 4, (name, ended[name])
        assert said in ended[name].complaint


def test_a_journal_is_read_as_far_as_it_is_whole() -> None:
    terms = {
        **dict.fromkeys(("url", "catalogue", "documented")),
        "profile": "x",
        "models": ["m"],
        "strict": False,
        "examples": 0,
        "seed": 0,
        "long_context": 0,
        "clients": False,
        "suite": "1",
    }
    started = "2026-08-21T09:30:00+00:00"
    earlier = {"parts": 1, "started": started, "seconds": 2.0, "cost": [5, 0, 0, 0, 0, 0]}
    record = {"id": "CC-RESP-001", "model": "m", "verdict": "PASS", "nodeid": "a.py::b[m]"}
    lines = [
        {"journal": 1, "terms": terms, "earlier": earlier, "known": {}},
        {"taken": {**record, "evidence": {"summary": "held"}}},
        {"at": 1.5, "cost": [2, 1, 0, 0, 0, 1], "known": {"m": [["tools", "absent", "so"]]}},
    ]
    octets = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    assert is_journal(json.dumps(lines[0], separators=(",", ":")).encode())
    taken = read(octets + b'{"at":')
    assert [r["id"] for r in taken.records] == ["CC-RESP-001"]
    assert (taken.earlier.parts, taken.earlier.seconds) == (2, 3.5)
    assert (taken.earlier.cost.requests, taken.earlier.cost.repeated) == (7, 1)
    assert taken.known["m"][0].flag == "tools"
    with pytest.raises(JournalError, match="line 2 is damaged"):
        read(octets.replace(b'{"taken"', b'{"taken'))
    with pytest.raises(JournalError, match="it is damaged: KeyError"):
        read(octets.replace(b'"evidence"', b'"evidense"'))
