"""The results file: its form, its bytes, and what is refused when it is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import schemas
from conformance.requirements import REQUIREMENTS
from reports import results
from reports.verdict import fold

from . import sample


@pytest.mark.parametrize("made", [sample.run, sample.hostile])
def test_what_is_built_fits_the_schema(made: Any) -> None:
    assert schemas.violations("results", made()) == []


def test_entries_stand_in_the_order_of_catalogue_and_profile() -> None:
    entries = sample.run(records=reversed(list(sample.records())))["requirements"]
    assert entries[0]["id"] == "CC-HTTP-001"
    assert [e["model"] for e in entries[:10]] == list(sample.MODELS)
    assert next(e for e in entries if e["id"] == "CC-AUTH-001")["model"] is None


def test_the_order_of_the_records_changes_nothing() -> None:
    forwards = sample.run()
    backwards = sample.run(records=reversed(list(sample.records())))
    assert results.dump(forwards) == results.dump(backwards)


def test_a_blocked_entry_names_what_blocks_it() -> None:
    rows = [
        sample.record("CC-SSE-002", "BLOCKED", by="CC-SSE-001", reason="no stream"),
        sample.record("CC-SSE-003", "BLOCKED", by="CC-SSE-001", reason="CC-SSE-001 is broken"),
        sample.record("CC-SSE-004", "BLOCKED", by="CC-SSE-001"),
    ]
    entries = sample.run(records=rows)["requirements"]
    assert [entry["evidence"]["reason"] for entry in entries] == [
        "CC-SSE-001: no stream",
        "CC-SSE-001 is broken",
        "CC-SSE-001",
    ]


def test_trials_keep_what_the_schema_has() -> None:
    trials = {"passed": 2, "counted": 3, "needed": 2, "of": 5}
    row = sample.record("CC-FIN-003", "PASS", trials=trials)
    entry = sample.run(records=[row])["requirements"][0]
    assert entry["evidence"]["trials"] == {"passed": 2, "counted": 3, "of": 5}


def test_an_interrupted_run_is_never_conformant() -> None:
    rows = [sample.record("CC-SSE-001", "PASS")]
    assert sample.run(records=rows)["verdict"] == "conformant"
    assert sample.run(records=rows, interrupted=True)["verdict"] == "inconclusive"
    rows = [sample.record("CC-SSE-001", "FAIL")]
    assert sample.run(records=rows, interrupted=True)["verdict"] == "not conformant"


def test_the_catalogue_counts_checks_not_verdicts() -> None:
    built = sample.run(records=[sample.record("CC-SSE-001", "PASS")])
    assert {**built["catalogue"], "unjudgeable": []} == {
        "entries": 326,
        "judged": {"MUST": 87, "SHOULD": 116, "MAY": 0, "INFO": 0},
        "total": {"MUST": 118, "SHOULD": 173, "MAY": 25, "INFO": 10},
        "unjudgeable": [],
    }


def test_what_no_test_can_judge_is_named_with_its_reason() -> None:
    beyond = replace(REQUIREMENTS["CC-TOOL-001"], unjudged="nothing shows it outside")
    catalogue = {**REQUIREMENTS, beyond.id: beyond}
    row = {"id": beyond.id, "level": beyond.level, "reason": "nothing shows it outside"}
    assert row in sample.run(catalogue=catalogue)["catalogue"]["unjudgeable"]
    judged = sample.run(catalogue=catalogue, judged={beyond.id})
    assert row not in judged["catalogue"]["unjudgeable"]


@pytest.mark.parametrize("made", [sample.run, sample.hostile])
def test_what_is_written_reads_back(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "results.json"
    built = made()
    results.write(built, path)
    assert results.read(path) == built
    assert [file.name for file in path.parent.iterdir()] == ["results.json"]


def test_the_same_results_are_the_same_bytes() -> None:
    built = sample.run()
    shuffled = dict(reversed(built.items()))
    assert results.dump(built) == results.dump(shuffled)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.write(sample.run(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        results.write(sample.run() | {"duration_s": float("nan")}, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"{", "it is cut off in line 1: was it copied whole"),
        (b"\xff\xfe", "it is no text in UTF-8, from byte 0 on"),
        (b"[]", "no `format`"),
        (b"{}", "no `format`"),
        (b'{"format": 2}', "format 2, this version reads 1: a newer suite wrote it"),
        (b'{"format": 1}', "not a results file: \\$"),
    ],
)
def test_what_is_not_a_results_file_is_refused_in_one_line(
    content: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why) as refused:
        results.read(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_records_are_left_as_they_are() -> None:
    records = list(sample.records())
    before = json.dumps(records)
    sample.run(records=records)
    fold(records)
    assert json.dumps(records) == before
