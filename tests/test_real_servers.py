"""Servers that others wrote, judged as a user would judge them, against verdicts on record.

What the verdicts mean, and who is right where one is not PASS: docs/servers.md. After a change of
a check or of a server's version: `make servers`, which judges those too that are too large or too
many for every commit, and look at the difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.checks import judged
from conformance.requirements import REQUIREMENTS
from conformance.target.reading import load
from reports.verdict import Verdict
from tests.servers.judging import (
    ARTEFACTS,
    CASES,
    EVERY_COMMIT,
    OUT,
    VERDICTS,
    Difference,
    Judgement,
    Record,
    counts_table,
    differences,
    judge,
    label,
    profile,
    read_record,
    read_records,
    record_path,
    recorded,
    table,
    write_record,
)
from tests.servers.recipes import RECIPES
from tests.servers.record import MATRIX, PAGE, with_counts
from tests.servers.serving import Server, running

MOST_REQUESTS = 900
"""For one model, generated requests and all: a run must stay cheap where tokens cost money. These
break much, and each breach is asked for again, and in ever simpler requests."""


FEW = ("--examples", "4")
"""Generated requests on every commit; `make servers` sends five times as many."""


LARGE = frozenset({"litellm"})
"""A hundred packages to install: judged by `make thorough`."""

TRIED = [
    pytest.param(case, id="-".join(case), marks=pytest.mark.thorough if case[0] in LARGE else ())
    for case in EVERY_COMMIT
]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[tuple[str, str], Future[Judgement]]]:
    """The runs that judge a model each, side by side: they wait more than they work."""
    told = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [spec.params.get("case") for spec in told if spec is not None]
    with ThreadPoolExecutor(len(EVERY_COMMIT)) as pool:
        yield {
            (name, model): pool.submit(judged_by, name, model, tmp_path_factory.mktemp(name))
            for name, model in EVERY_COMMIT
            if (name, model) in asked
        }


def judged_by(name: str, model: str, folder: Path) -> Judgement:
    """One run against a server of its own."""
    with running(RECIPES[name]) as server:
        return judge(server, model, folder, *FEW)


@pytest.fixture(scope="module", params=TRIED)
def case(
    request: pytest.FixtureRequest, runs: Mapping[tuple[str, str], Future[Judgement]]
) -> tuple[str, str, Judgement]:
    """The server's name, the model, and the one run that judges it."""
    name, model = request.param
    return name, model, runs[name, model].result()


@pytest.mark.real_server
def test_the_verdicts_are_those_on_record(case: tuple[str, str, Judgement]) -> None:
    name, model, judgement = case
    record = read_record(record_path(RECIPES[name], model))

    found = [one for one in differences(record, judgement) if not few_may_miss(one)]
    if found:  # the table alone is what there is to read
        pytest.fail(f"{name} {model}: not on record\n\n{table(found)}\n", pytrace=False)
    assert judgement.exit_status == record.exit_status, judgement.output


def few_may_miss(one: Difference) -> bool:
    """Whether it takes more generated requests to see what is on record."""
    generated = any(check.file.startswith("test_generated") for check in judged().get(one.id, ()))
    return generated and one.seen in {"PASS", "UNSUPPORTED"}


@pytest.mark.real_server
def test_no_check_of_ours_fails_and_a_run_stays_cheap(case: tuple[str, str, Judgement]) -> None:
    _, _, judgement = case

    assert [entry for entry in judgement.entries if entry["verdict"] == "ERROR"] == []
    assert 0 < judgement.results["requests"] <= MOST_REQUESTS
    assert set(judgement.verdicts) == set(judged())


@pytest.mark.real_server
def test_what_is_blocked_is_blocked_by_what_is_broken(case: tuple[str, str, Judgement]) -> None:
    _, _, judgement = case

    assert judgement.unaccounted == {}


@pytest.mark.real_server
def test_every_artefact_is_there_and_none_holds_the_key(case: tuple[str, str, Judgement]) -> None:
    name, _, judgement = case
    key = RECIPES[name].key.encode()

    for artefact in ARTEFACTS:
        assert (judgement.folder / OUT / artefact).stat().st_size > 1000, artefact
    assert [path for path in judgement.files() if key in path.read_bytes()] == []


# --- the records themselves ---------------------------------------------------------------------


def test_every_model_of_every_server_is_on_record_and_nothing_else() -> None:
    wanted = {record_path(RECIPES[name], model) for name, model in CASES}

    assert set(VERDICTS.glob("*")) == wanted


@pytest.mark.parametrize(("name", "model"), CASES)
def test_a_record_gives_a_reason_wherever_chance_decides(name: str, model: str) -> None:
    record = read_record(record_path(RECIPES[name], model))

    assert set(record.verdicts) <= set(REQUIREMENTS)
    assert {v for given in record.verdicts.values() for v in given} <= set(Verdict) - {"ERROR"}
    assert all(given == tuple(sorted(set(given))) for given in record.verdicts.values())
    assert {n for n, given in record.verdicts.items() if len(given) != 1} == set(record.chance)
    assert all(len(reason) > 20 for reason in record.chance.values())


# --- the page ---


def test_the_page_counts_what_is_on_record() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_counts(page, counts_table(read_records())) == page


def test_the_matrix_shows_every_model() -> None:
    matrix = MATRIX.read_text(encoding="utf-8")

    assert [label(*case) for case in CASES if f"<bdi>{label(*case)}</bdi>" not in matrix] == []


@pytest.mark.parametrize("name", RECIPES)
def test_the_page_explains_every_verdict_that_blames(name: str) -> None:
    """And where a server is judged on every commit, whatever else is not PASS."""
    records = [read_record(record_path(RECIPES[name], model)) for model in RECIPES[name].models]
    given = [(i, verdicts) for record in records for i, verdicts in record.verdicts.items()]
    blamed = {i for i, verdicts in given if {"FAIL", "WARN"} & set(verdicts)}
    not_passed = {i for i, verdicts in given if verdicts not in {("PASS",), ("OBSERVED",)}}
    told = explained(PAGE.read_text(encoding="utf-8"), name)

    assert (not_passed if RECIPES[name].every_commit else blamed) - told == set()
    assert told - not_passed == set()


def explained(page: str, server: str) -> set[str]:
    """The requirements that open a row of a table in the server's section."""
    section = page.partition(f"\n## {server}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (CC-[^|]*) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"CC-[A-Z]+-\d{3}", cell)}


# --- the run ---


def test_a_gateway_is_judged_with_a_profile_that_holds_its_headers(tmp_path: Path) -> None:
    headers = {"x-provider": "openai", "x-host": 'http://127.0.0.1:1/"v1"'}
    server = Server("http://127.0.0.1:1/v1", "k", "m", tmp_path / "log", 1, headers)

    option, path = profile(server, tmp_path)

    assert option == "--profile"
    assert load(path).resolved_headers({}) == headers
    assert profile(replace(server, headers={}), tmp_path) == []


# --- the comparison -----------------------------------------------------------------------------


def judgement(**verdicts: str) -> Judgement:
    """A run with these verdicts, `CC_X_001="PASS"`, and nothing else."""
    entries = [
        {"id": name.replace("_", "-"), "verdict": verdict, "evidence": {"summary": f"{name} saw"}}
        for name, verdict in verdicts.items()
    ]
    return Judgement(Path(), 0, "", {"requirements": entries})


def test_a_verdict_on_record_is_no_difference() -> None:
    record = Record(0, {"CC-A-001": ("PASS",), "CC-A-002": ("INCONCLUSIVE", "PASS")})

    assert differences(record, judgement(CC_A_001="PASS", CC_A_002="PASS")) == []


def test_a_block_by_a_clause_that_is_kept_is_seen() -> None:
    run = judgement(CC_A_001="FAIL", CC_A_002="PASS", CC_B_001="BLOCKED", CC_B_002="BLOCKED")
    for entry, by in zip(run.entries[2:], ("CC-A-001", "CC-A-002"), strict=True):
        entry["evidence"]["by"] = by

    assert run.unaccounted == {"CC-B-002": "CC-A-002"}


def test_what_is_new_missing_or_other_is_a_difference() -> None:
    record = Record(0, {"CC-A-001": ("PASS",), "CC-A-002": ("PASS",)})

    assert differences(record, judgement(CC_A_001="FAIL", CC_A_003="WARN")) == [
        Difference("CC-A-001", ("PASS",), "FAIL", "CC_A_001 saw"),
        Difference("CC-A-002", ("PASS",), None, ""),
        Difference("CC-A-003", (), "WARN", "CC_A_003 saw"),
    ]


def test_differences_are_shown_as_one_table() -> None:
    shown = table(
        [
            Difference("CC-A-001", ("INCONCLUSIVE", "PASS"), "FAIL", "status 500"),
            Difference("CC-A-002", (), None, ""),
        ]
    )

    assert shown.splitlines() == [
        "requirement  recorded           seen        evidence",
        "CC-A-001     INCONCLUSIVE/PASS  FAIL        status 500",
        "CC-A-002     not judged         not judged",
    ]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        1, {"CC-A-001": ("PASS",), "CC-A-002": ("FAIL", "PASS")}, {"CC-A-002": "the dice"}
    )
    path = tmp_path / "server-1-model.json"

    write_record(path, record)

    assert read_record(path) == record
    assert json.loads(path.read_text())["verdicts"]["CC-A-001"] == ["PASS"]


def test_several_runs_make_one_record_and_known_chance_stays() -> None:
    before = Record(1, {"CC-A-002": ("INCONCLUSIVE", "PASS")}, {"CC-A-002": "the dice"})

    new = recorded([judgement(CC_A_001="FAIL", CC_A_002="PASS")] * 2, before)

    assert new.verdicts == {"CC-A-001": ("FAIL",), "CC-A-002": ("INCONCLUSIVE", "PASS")}
    assert new.chance == {"CC-A-002": "the dice"}


def test_chance_without_a_reason_is_not_recorded() -> None:
    with pytest.raises(ValueError, match=r"CC-A-001 \(FAIL/PASS\)"):
        recorded([judgement(CC_A_001="FAIL"), judgement(CC_A_001="PASS")], None)
