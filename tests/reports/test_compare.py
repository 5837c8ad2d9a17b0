"""The matrix: decided by tables of verdicts, told in a terminal, on a page and to a program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import schemas
from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports.comparison import columns, exports, matrix, pages, tables

from . import sample

Results = Mapping[str, Any]
ONE, TWO, THREE = sample.MODELS[:3]
MUST, OTHER, SHOULD, INFO = "CC-SSE-005", "CC-STREAM-002", "CC-ERR-009", "CC-FIN-006"


def run(verdicts: Mapping[str, str | Mapping[str, str]], url: str = "", **changes: Any) -> Results:
    """A run of one model, ``{clause: verdict}``, or of several, ``{clause: {model: verdict}}``."""
    rows: list[Any] = []
    models: dict[str, None] = {ONE: None}
    for clause, given in verdicts.items():
        by_model = {ONE: given} if isinstance(given, str) else given
        models |= dict.fromkeys(by_model)
        for model, verdict in by_model.items():
            rows.append(sample.record(clause, verdict, model, summary=f"{verdict} on {model}"))
    target = {"url": url or sample.URL, "profile": "example", "models": list(models)}
    return sample.run(**{"records": rows, "target": target, "profile_deviations": ()} | changes)


def side_by_side(*verdicts: str, clause: str = MUST) -> matrix.Matrix:
    """One clause, one verdict for each target; ``-`` was not run."""
    runs = [run({clause: verdict} if verdict != "-" else {OTHER: "PASS"}) for verdict in verdicts]
    return matrix.matrix(runs, REQUIREMENTS)


def row(found: matrix.Matrix, clause: str = MUST) -> matrix.Row:
    return next(row for row in found.rows if row.id == clause)


# --- decisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "kind", "spread", "pairs"),
    [
        ("PASS PASS", "agree", 0, 0),
        ("FAIL FAIL", "agree", 0, 0),
        ("PASS FAIL", "differ", 3, 1),
        ("PASS WARN", "differ", 2, 1),
        ("PASS UNSUPPORTED", "differ", 1, 1),
        ("UNSUPPORTED WARN", "differ", 1, 1),
        ("WARN FAIL", "differ", 1, 1),
        ("PASS PASS FAIL", "differ", 3, 2),
        ("PASS WARN FAIL", "differ", 3, 3),
        ("PASS PASS FAIL FAIL", "differ", 3, 4),
        # Who has not judged has no opinion.
        ("PASS INCONCLUSIVE", "open", 0, 0),
        ("FAIL BLOCKED", "open", 0, 0),
        ("FAIL ERROR", "open", 0, 0),
        ("FAIL -", "open", 0, 0),
        ("PASS PASS BLOCKED", "agree", 0, 0),
        ("PASS FAIL BLOCKED -", "differ", 3, 1),
        ("BLOCKED INCONCLUSIVE", "open", 0, 0),
        ("OBSERVED OBSERVED", "told", 0, 0),
        ("OBSERVED -", "told", 0, 0),
    ],
)
def test_a_row_is_decided_by_opinions(verdicts: str, kind: str, spread: int, pairs: int) -> None:
    found = row(side_by_side(*verdicts.split()))
    assert (found.kind, found.spread, found.pairs) == (kind, spread, pairs)


def test_what_differs_comes_first_by_level_and_by_how_much() -> None:
    left = {"CC-ERR-001": "PASS", MUST: "WARN", OTHER: "PASS", SHOULD: "PASS", "CC-ERR-007": "FAIL"}
    right = {**left, MUST: "FAIL", OTHER: "FAIL", SHOULD: "WARN"}
    found = matrix.matrix([run(left), run(right)], REQUIREMENTS)
    assert [row.id for row in found.rows] == [OTHER, MUST, SHOULD, "CC-ERR-007", "CC-ERR-001"]


def test_what_agrees_has_the_broken_first_and_gaps_before_what_all_judged() -> None:
    left = {"CC-ERR-001": "PASS", "CC-ERR-002": "PASS", MUST: "UNSUPPORTED", "CC-ERR-007": "FAIL"}
    third = {**left, "CC-ERR-002": "INCONCLUSIVE"}
    found = matrix.matrix([run(left), run(left), run(third)], REQUIREMENTS)
    assert [row.id for row in found.rows] == ["CC-ERR-007", "CC-ERR-002", "CC-ERR-001", MUST]


def test_models_are_folded_by_the_worst_and_stay_in_the_cell() -> None:
    split = run({MUST: {ONE: "PASS", TWO: "FAIL", THREE: "FAIL"}})
    cell = row(matrix.matrix([split, run({MUST: "PASS"})], REQUIREMENTS)).cells[0]
    assert (cell.verdict, cell.same, cell.of) == ("FAIL", 2, 3)
    assert {model: group.verdict for group in cell.seen for model in group.models} == {
        TWO: "FAIL",
        THREE: "FAIL",
        ONE: "PASS",
    }


def test_strictness_is_no_disagreement() -> None:
    strict = run({SHOULD: "FAIL", MUST: "FAIL"}, strict=True)
    usual = run({SHOULD: "WARN", MUST: "FAIL"})
    mixed = matrix.matrix([strict, usual], REQUIREMENTS)
    assert [row.kind for row in mixed.rows] == ["agree", "agree"]
    assert [cell.verdict for cell in row(mixed, SHOULD).cells] == ["WARN", "WARN"]
    # Two strict runs say what they say.
    alike = matrix.matrix([strict, strict], REQUIREMENTS)
    assert [cell.verdict for cell in row(alike, SHOULD).cells] == ["FAIL", "FAIL"]


def test_who_disagrees_is_counted_where_targets_differ() -> None:
    runs = [
        run({MUST: "FAIL", OTHER: "PASS", SHOULD: "PASS"}),
        run({MUST: "PASS", OTHER: "PASS", SHOULD: "WARN"}),
        run({MUST: "PASS", OTHER: "BLOCKED", SHOULD: "UNSUPPORTED"}),
    ]
    found = matrix.matrix(runs, REQUIREMENTS)
    assert found.dissent == (
        matrix.Dissent(differs=2, alone=1, worse=1, lacks=0),
        matrix.Dissent(differs=2, alone=0, worse=1, lacks=0),
        # What is cleanly refused is no fault, though another target has it.
        matrix.Dissent(differs=2, alone=0, worse=0, lacks=1),
    )
    assert found.pairs == {
        (0, 1): matrix.Pair(differ=2, both=3),
        (0, 2): matrix.Pair(differ=2, both=2),
        (1, 2): matrix.Pair(differ=1, both=2),
    }


def test_a_clause_of_another_version_is_shown_without_its_sentence() -> None:
    later = run({MUST: "PASS"})
    later = {**later, "requirements": [{**e, "id": "CC-LATER-001"} for e in later["requirements"]]}
    found = matrix.matrix([later, run({MUST: "FAIL"})], REQUIREMENTS)
    assert {row.id: row.requirement is None for row in found.rows} == {
        MUST: False,
        "CC-LATER-001": True,
    }
    shown = columns.columns([later, run({})], [Path("a"), Path("b")])
    assert "A names CC-LATER-001, unknown to the catalogue of this version." in columns.notes(
        shown, REQUIREMENTS
    )
    html = pages.matrix_page(found, shown, [], CHAPTERS)
    assert "The catalogue of this version has no CC-LATER-001." in html


# --- names and notes ------------------------------------------------------------------------------


HOST = "https://a.example/v1"


@pytest.mark.parametrize(
    ("urls", "files", "names"),
    [
        ([HOST, "https://b.example/v1"], "x y", ["a.example", "b.example"]),
        ([HOST, "https://a.example/v2"], "x y", ["a.example/v1", "a.example/v2"]),
        (["http://h:1/v1", "http://h:2/v1"], "x y", ["h:1", "h:2"]),
        ([HOST, HOST], "x.json y.json", ["a.example (x)", "a.example (y)"]),
        ([HOST, HOST], "1/r.json 2/r.json", ["a.example (1/r.json)", "a.example (2/r.json)"]),
        ([HOST, HOST], "r r", ["a.example (run 1)", "a.example (run 2)"]),
        ([HOST, HOST, "https://b/v1"], "x y z", ["a.example (x)", "a.example (y)", "b"]),
        (["https://[x", ""], "x y", ["https://[x", "?"]),
    ],
)
def test_columns_have_names_that_differ(
    urls: Sequence[str], files: str, names: Sequence[str]
) -> None:
    runs = [run({MUST: "PASS"}) for _ in urls]
    runs = [{**r, "target": {**r["target"], "url": u}} for r, u in zip(runs, urls, strict=True)]
    shown = columns.columns(runs, [Path(name) for name in files.split()])
    assert [column.name for column in shown] == names


def test_runs_of_one_target_are_told_apart_by_their_time() -> None:
    runs = [run({MUST: "PASS"}), {**run({MUST: "PASS"}), "started": "2026-11-23T09:00:00+00:00"}]
    shown = columns.columns(runs, [Path("x"), Path("x")])
    assert [column.name for column in shown] == [
        "api.example.com 2026-11-22 14:02",
        "api.example.com 2026-11-23 09:00",
    ]


def test_many_columns_have_letters() -> None:
    shown = columns.columns([run({MUST: "PASS"})] * 28, [Path(str(n)) for n in range(28)])
    assert [shown[at].letter for at in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]
    assert len({column.name for column in shown}) == 28


@pytest.mark.parametrize(
    ("names", "told"), [(["a"], "1 name for 2 files"), (["a", "a"], "'a' stands for two files")]
)
def test_names_must_fit_the_files(names: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        columns.columns([run({}), run({})], [Path("x"), Path("y")], names)


def test_what_makes_runs_less_comparable_is_told() -> None:
    whole = run({MUST: "PASS"}, "https://a/v1", judged=[MUST])
    other = run({MUST: "WARN"}, "https://b/v1", strict=True, interrupted=True, judged=[MUST, OTHER])
    other = {
        **other,
        "suite": {**other["suite"], "version": "0.2.0"},
        "catalogue": {**other["catalogue"], "entries": 330},
        "requirements": [{**entry, "level": "SHOULD"} for entry in other["requirements"]],
    }
    shown = columns.columns([whole, other, whole], [Path("x"), Path("y"), Path("z")])
    assert columns.notes(shown, REQUIREMENTS) == [
        "The suite's version differs: 0.1.0 in A and C and 0.2.0 in B.",
        "The number of clauses in the catalogue differs: 326 in A and C and 330 in B.",
        "CC-SSE-005 is MUST in A and C and SHOULD in B.",
        "B ran under --strict; here a broken SHOULD is a warning everywhere.",
        "B was interrupted before its end.",
        "B ran 1 of 2 clauses that have a check.",
        "A and C are the same run.",
    ]


# --- telling --------------------------------------------------------------------------------------


def broken_differently(count: int) -> list[Results]:
    """So many targets, each with a breach of its own and one that all have."""
    clauses = sorted(clause for clause in sample.checked() if clause.startswith("CC-STREAM"))
    return [
        run(
            dict.fromkeys(clauses, "PASS") | {clauses[at]: "FAIL", MUST: "FAIL", SHOULD: "PASS"},
            f"https://host{at}.example/v1",
        )
        for at in range(count)
    ]


def told(runs: Sequence[Results]) -> tuple[list[str], str]:
    """The lines of the terminal, and the page."""
    found = matrix.matrix(runs, REQUIREMENTS)
    shown = columns.columns(runs, [Path(f"{n}.json") for n in range(len(runs))])
    noted = columns.notes(shown, REQUIREMENTS)
    assert schemas.violations("comparison", exports.matrix_data(found, shown, noted)) == []
    lines = list(tables.matrix_lines(found, shown, noted))
    return lines, pages.matrix_page(found, shown, noted, CHAPTERS)


@pytest.mark.parametrize("count", [2, 6, 12])
def test_a_terminal_of_100_columns_is_wide_enough(count: int) -> None:
    lines, _ = told(broken_differently(count))
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    head = f"0 of {count} targets were found conformant. They differ on {count} of "
    assert head in " ".join(lines)
    word, none = ("fail", "held") if count < 9 else ("F", "+")
    each = 9 if count < 9 else 3
    first = next(line for line in lines if line.startswith("CC-STREAM-001"))
    cells = [first[22 + each * at :].split()[0] for at in range(count)]
    assert cells == [word, *[none] * (count - 1)]
    at = lines.index(first)
    assert f"A  FAIL on {ONE}" in "".join(lines[at : at + 3])
    assert text.index("Different (") < text.index("wherever it was judged (1 clause)")


def test_the_page_has_every_clause_once_what_differs_first() -> None:
    _, html = told(broken_differently(3))
    ids = re.findall(r'<details class="line" id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 20
    assert ids[:3] == ["CC-STREAM-001", "CC-STREAM-002", "CC-STREAM-003"]
    assert html.index('id="group-differ"') < html.index(ids[0]) < html.index('id="group-agree"')
    assert "They differ on 3 of " in html
    assert f"FAIL on {ONE}" in html


@pytest.fixture(scope="module")
def hostile() -> tuple[list[str], str]:
    rows = [sample.record("CC-STREAM-001", "PASS", "\x1b[31m")]
    return told([sample.hostile(), sample.run(records=rows)])


def test_no_string_of_a_target_acts_in_a_terminal(hostile: tuple[list[str], str]) -> None:
    text = "\n".join(hostile[0])
    assert [c for c in text if c != "\n" and not c.isprintable()] == []
    assert "<script>alert(1)</script>" in text


def test_every_string_of_a_target_is_text_on_the_page(hostile: tuple[list[str], str]) -> None:
    html = hostile[1]
    harm = ("<script>alert", "<img", "<svg", 'href="javascript', "<!-- ]]>")
    assert [each for each in harm if each in html] == []
    assert html.count("<script>") == html.count("</script>") == 1
    shown = "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert shown


def test_ten_targets_with_ten_models_and_long_findings_keep_the_bound() -> None:
    long = "W" * 4000
    broken = [
        sample.record(clause, "FAIL", model, summary=f"{clause} on {model}: {long}")
        for clause in sorted(sample.checked())[:100]
        for model in sample.MODELS
    ]
    runs = [sample.run(records=broken)] * 10
    found = matrix.matrix(runs, REQUIREMENTS)
    shown = columns.columns(runs, [Path("x")] * 10)
    size = len(pages.matrix_page(found, shown, [], CHAPTERS).encode())
    assert 500_000 < size <= pages.BOUND


def test_runs_that_judged_nothing_are_told_as_such() -> None:
    runs = [run({}, "https://a/v1", reached=False), run({}, "https://b/v1", interrupted=True)]
    lines, html = told(runs)
    said = "0 of 2 targets were found conformant. No clause was judged on two of them."
    assert said in lines
    assert "   Error: the target was never reached." in lines
    assert "118 not run" in html


def test_the_same_words_below_a_row_are_said_once() -> None:
    found = side_by_side("PASS", "FAIL", "PASS", "-")
    shown = columns.columns([run({})] * 4, [Path("x")] * 4)
    assert [(line.letters, line.verdict) for line in pages.lines(row(found), shown)] == [
        (("A", "C"), "PASS"),
        (("B",), "FAIL"),
        (("D",), None),
    ]
    found = matrix.matrix(
        [run({MUST: verdict}) for verdict in ("FAIL", "PASS", "FAIL")], REQUIREMENTS
    )
    said = f"FAIL on {ONE}"
    assert [(line.letters, line.told) for line in pages.lines(row(found), shown[:3])] == [
        (("A", "C"), said),
        (("B",), ""),
    ]
