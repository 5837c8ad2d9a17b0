"""`make servers`: one server that fails stops no other, and what differs is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import judging, record
from tests.servers.judging import OUT, Judgement, Record, read_record, record_path, write_record
from tests.servers.recipes import ALL, RECIPES, Recipe
from tests.servers.serving import ServerError

LLAMA = RECIPES["llama.cpp"]
MODEL = LLAMA.model


@pytest.fixture
def told() -> list[str]:
    """What a run has said."""
    return []


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the next run finds; no server is started, and nothing is written outside `tmp_path`."""
    found: dict[str, str] = {}

    @contextmanager
    def running(recipe: Recipe) -> Iterator[str]:
        if not found:
            raise ServerError(f"{recipe.name}: pip exits with 1: no such version [install.log]")
        yield recipe.name

    def judge(server: str, model: str, folder: Path) -> Judgement:
        entries = [
            {"id": name, "verdict": verdict, "evidence": {"summary": f"seen by {server} {model}"}}
            for name, verdict in found.items()
        ]
        (folder / OUT).mkdir(parents=True)
        (folder / OUT / "results.json").write_text(json.dumps(entries), encoding="utf-8")
        return Judgement(folder, 1, "", {"requirements": entries})

    monkeypatch.setattr(record, "running", running)
    monkeypatch.setattr(record, "judge", judge)
    monkeypatch.setattr(judging, "VERDICTS", tmp_path / "verdicts")
    monkeypatch.setenv("CONFORMANCE_SERVERS", str(tmp_path / "servers"))
    return found


def test_a_server_that_cannot_be_installed_is_named(
    verdicts: dict[str, str], told: list[str]
) -> None:
    assert verdicts == {}

    assert record.one_server(LLAMA, 1, told.append) == [
        "llama.cpp tiny: not judged: llama.cpp: pip exits with 1: no such version [install.log]"
    ]
    assert not record_path(LLAMA, MODEL).exists()


def test_a_model_that_is_new_is_recorded(verdicts: dict[str, str], told: list[str]) -> None:
    verdicts["CC-RESP-002"] = "FAIL"

    assert record.one_server(LLAMA, 2, told.append) == []
    assert read_record(record_path(LLAMA, MODEL)) == Record(1, {"CC-RESP-002": ("FAIL",)})
    assert record.results_path(LLAMA, MODEL).exists()
    assert told[-1].startswith("tiny: run 2 of 2: 1 FAIL; ")


def test_what_differs_from_the_record_is_shown_and_written(
    verdicts: dict[str, str], told: list[str]
) -> None:
    write_record(record_path(LLAMA, MODEL), Record(1, {"CC-RESP-002": ("PASS",)}))
    verdicts["CC-RESP-002"] = "FAIL"

    assert record.one_server(LLAMA, 1, told.append) == [
        "llama.cpp tiny: 1 verdicts are not those on record"
    ]
    assert "CC-RESP-002  PASS      FAIL  seen by llama.cpp tiny" in told[-1]
    assert read_record(record_path(LLAMA, MODEL)).verdicts == {"CC-RESP-002": ("FAIL",)}


def test_the_matrix_waits_until_every_model_was_judged(
    verdicts: dict[str, str], told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MATRIX", tmp_path / "matrix.html")
    verdicts["CC-RESP-002"] = "PASS"
    record.one_server(LLAMA, 1, told.append)

    said = record.compared()

    assert "not judged on this machine: llama-cpp-python" in said
    assert "llama.cpp" not in said
    assert not (tmp_path / "matrix.html").exists()


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_whatever_a_recipe_installs_is_pinned(recipe: Recipe) -> None:
    """And nothing is installed that is not: a new version is a new record."""
    found = recipe.constraints.exists()
    lines = recipe.constraints.read_text(encoding="utf-8").split() if found else []
    if recipe.registry == "npm":
        assert all(one.rpartition("@")[2][0].isdigit() for one in (*recipe.requirements, *lines))
        return
    names = [line.partition("==")[0].lower() for line in lines]
    assert all("==" in line and "+" not in line for line in lines)
    assert names == sorted(names)
    for requirement in recipe.requirements:
        name, _, version = requirement.partition("==")
        assert f"{name.partition('[')[0]}=={version}" in lines
    assert set(recipe.every_commit) <= set(recipe.models)
