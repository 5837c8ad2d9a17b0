"""What each option does, seen from outside."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import schemas
from tests.plugin.bench import LONGEST, MODEL, ROOT, Ran, environment, run
from tests.wire.tiny import answer, replies, serve

ONE = ("--requirement", "CC-RESP-002")
FAULT = "calls_itself_text_completion"
"""Breaks CC-RESP-002, a MUST, alone."""
SHOULD, SHOULD_FAULT = "CC-RESP-011", "puts_a_delta_beside_the_message"


def test_a_requirement_is_selected_by_id_and_by_prefix(url: str, tmp_path: Path) -> None:
    selected = ("--requirement", "CC-RESP-001", "--requirement", "CC-USAGE")
    ran = run(tmp_path, "--target-url", url, *selected, *ONE)
    ids = {i for i, _ in ran.verdicts()}
    assert ran.status == 0
    usage = {i for i in ids if i.startswith("CC-USAGE-")}
    assert len(usage) > 5
    assert ids - usage == {"CC-RESP-001", "CC-RESP-002"}
    assert {model for _, model in ran.verdicts()} == {MODEL}  # the first that /models lists


def test_k_selects_by_title(url: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", url, "-k", "every_reply_has_an_id_of_its_own")
    assert {i for i, _ in ran.verdicts()} == {"CC-RESP-001"}
    assert ran.status == 0


def test_a_failure_says_all_that_is_needed(address: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", f"{address}/fault/{FAULT}/v1", *ONE)
    assert ran.status == 1
    assert ran.verdicts() == {("CC-RESP-002", MODEL): "FAIL"}
    for word in ("required", "seen", "source", "reproduce", "re-run", "curl -sS", f"· {MODEL}"):
        assert word in ran.out
    assert "Traceback" not in ran.said
    assert "conformance/test_" not in ran.out.partition("short test summary")[0]
    assert not schemas.violations("results", ran.results())


def test_x_stops_at_the_first_failure(address: str, tmp_path: Path) -> None:
    base = f"{address}/fault/{FAULT}/v1"
    ran = run(tmp_path, "--target-url", base, "-x", "--requirement", "CC-RESP")
    found = ran.verdicts()
    assert ran.status == 1
    assert list(found.values()).count("FAIL") == 1
    assert "CC-RESP-011" not in {i for i, _ in found}


def test_workers_come_to_the_same_verdicts(address: str, tmp_path: Path) -> None:
    base = f"{address}/fault/{FAULT}/v1"
    several = ("--all-models", *ONE, "--requirement", "CC-MODEL-001")
    (tmp_path / "two").mkdir()
    alone = run(tmp_path, "--target-url", base, *several)
    two = run(tmp_path / "two", "--target-url", base, *several, "-n", "2", "-v")
    assert alone.status == two.status == 1
    assert alone.verdicts() == two.verdicts()
    told, told_by_two = (ran.results()["configuration"] for ran in (alone, two))
    assert told["capabilities"] == told_by_two["capabilities"] != []
    assert (told["processes"], told_by_two["processes"]) == (1, 2)
    assert told_by_two["command"].endswith(" -n 2")
    assert len({model for _, model in alone.verdicts() if model}) == 10
    workers: dict[str, set[str]] = {}
    for line in two.out.splitlines():
        if line.startswith("[gw") and "CC-" not in line and "[" in line[5:]:
            node = line.rpartition("[")[2].rstrip("] ")
            workers.setdefault(node, set()).add(line[:5])
    assert len(workers) == 11
    assert all(len(found) == 1 for found in workers.values())


def test_artefacts_go_where_they_are_told(url: str, tmp_path: Path) -> None:
    places = ("--results", "a/r.json", "--junitxml", "b/j.xml", "--html", "c/h.html")
    ran = run(tmp_path, "--target-url", url, *ONE, *places)
    assert ran.status == 0
    assert not (tmp_path / "reports").exists()
    assert ran.results("a/r.json")["verdict"] == "conformant"
    case = ET.parse(tmp_path / "b/j.xml").find(".//testcase")
    assert case is not None
    named = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert named == {
        "requirement": "CC-RESP-002",
        "level": "MUST",
        "verdict": "PASS",
        "model": MODEL,
    }
    assert (tmp_path / "c/h.html").read_text("utf-8").startswith("<!doctype html>")
    for path in places[1::2]:
        assert f"{tmp_path / path}" in ran.out


def test_results_of_an_earlier_run_elsewhere_do_not_move_the_root(tmp_path: Path) -> None:
    earlier = tmp_path / "results.json"
    earlier.write_text("{}", "utf-8")

    words = ["--collect-only", "-q", "--results", str(earlier)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env=environment(None, {}),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )

    files = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert done.returncode == 0, done.stdout + done.stderr
    assert {Path(file).name for file in files} >= {"test_response.py", "test_finish.py"}
    assert "test_options.py" not in {Path(file).name for file in files}


@pytest.mark.parametrize(
    "without", [("-p", "no:xdist"), ("-p", "no:html", "-p", "no:junitxml", "-p", "no:terminal")]
)
def test_other_plugins_can_be_switched_off(
    without: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    ran = run(tmp_path, "--target-url", url, *ONE, *without)
    assert ran.status == 0
    assert ran.results()["verdict"] == "conformant"


def a_broken_should(address: str, folder: Path, *extra: str) -> Ran:
    """A run against a fault that breaks a SHOULD and nothing else."""
    base = f"{address}/fault/{SHOULD_FAULT}/v1"
    return run(folder, "--target-url", base, "--requirement", SHOULD, *extra)


def test_a_broken_should_is_a_warning_and_strict_makes_it_fail(
    address: str, tmp_path: Path
) -> None:
    lax = a_broken_should(address, tmp_path)
    assert (lax.status, set(lax.verdicts().values())) == (0, {"WARN"})
    assert lax.results()["verdict"] == "conformant"
    assert f"{SHOULD} · {MODEL}" in lax.out
    strict = a_broken_should(address, tmp_path, "--strict")
    assert (strict.status, set(strict.verdicts().values())) == (1, {"FAIL"})
    assert strict.results()["strict"] is True


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_a_plan_sends_nothing_to_the_target(workers: tuple[str, ...], tmp_path: Path) -> None:
    arguments = ("--plan", "--model", "a", "--model", "b", *ONE, *workers)
    with serve(replies(answer())) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, *arguments)
        assert tiny.connections == 0
    plan = ran.out.partition(" plan ")[2]
    assert ran.status == 0
    assert f"{tiny.url} (nothing was sent to it)" in plan
    assert "2: a, b" in plan
    requests, answered = plan.partition("requests ")[2].split(" in all, ")
    assert int(requests) >= int(answered.split()[0]) >= 3  # the preflight, and one for each model
    assert int(plan.partition("at most ")[2].split()[0].replace(",", "")) >= 2 * 64
    assert not (tmp_path / "reports").exists()


def test_the_catalogue_is_listed_with_its_state(tmp_path: Path) -> None:
    narrow = {"PYTHONIOENCODING": "ascii"}  # a terminal that lacks characters of the catalogue
    ran = run(tmp_path, "--requirements", "-v", "--target-url", "http://127.0.0.1:1/v1", env=narrow)
    lines = ran.out.splitlines()
    entries = [line for line in lines if line.startswith("  CC-")]
    totals = {line.split()[0]: line for line in lines if line.endswith(" in all")}
    assert ran.status == 0
    assert len({line.split()[0] for line in entries}) == len(entries) == 326
    counted = [int(totals[level].split(", ")[-1].split()[0]) for level in totals]
    assert sum(counted) == 326
    for level, line in totals.items():
        states = [part.partition(" ") for part in line.removeprefix(level).strip().split(", ")]
        for count, _, state in states[:-1]:
            listed = [entry for entry in entries if entry.split()[1] == level]
            assert sum(entry[24:].startswith(f"{state} ") for entry in listed) == int(count)
    assert any("test_response.py::test_" in line for line in lines)
    assert sum(line.lstrip().startswith("source: ") for line in lines) == 326


def test_the_target_is_not_asked_when_checks_are_only_collected(tmp_path: Path) -> None:
    """And what may leave a target unwell is asked of it last."""
    with serve(replies(answer())) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--collect-only", "-q")
        assert tiny.connections == 0
    assert ran.status == 0
    assert "test_response.py::" in ran.out
    assert not (tmp_path / "reports").exists()
    listed = [line for line in ran.out.splitlines() if "::" in line]
    assert [line.partition("::")[2] for line in listed[-2:]] == [
        "test_a_body_of_50_mb_is_refused_with_a_reply[target]",
        "test_overload_is_told_as_429_or_503[target]",
    ]


def test_v_shows_one_line_for_each_check(url: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", url, "-v", *ONE)
    rows = [line for line in ran.out.splitlines() if "test_response.py::" in line]
    assert len(rows) == 1
    assert " PASS " in rows[0]


PROFILE = """
name = "own"
[[models]]
id = "{model}"
[headers]
X-Team = "$TEAM_SECRET"
X-Open = "for all"
[[deviations]]
id = "CC-RESP-002"
reason = "the gateway is older than the field"
expires = {expires}
"""


def deviating(folder: Path, base: str, expires: str) -> Ran:
    """A run under a profile that knows of a deviation from CC-RESP-002."""
    (folder / "own.toml").write_text(PROFILE.format(model=MODEL, expires=expires), "utf-8")
    arguments = ("--target-url", base, "--profile", "own.toml", *ONE)
    return run(folder, *arguments, env={"TEAM_SECRET": "hush-hush-1234"})


KNOWN = {
    "known": (f"/fault/{FAULT}", "2999-01-01", 0, "not conformant"),
    "expired": (f"/fault/{FAULT}", "2020-01-01", 1, "not conformant"),
    "fixed": ("", "2999-01-01", 0, "conformant"),
}


@pytest.mark.parametrize("state", KNOWN)
def test_a_known_deviation_excuses_until_it_expires(
    state: str, address: str, tmp_path: Path
) -> None:
    fault, expires, status, verdict = KNOWN[state]
    ran = deviating(tmp_path, f"{address}{fault}/v1", expires)
    results = ran.results()
    assert ran.status == status
    assert results["verdict"] == verdict
    assert [row["state"] for row in results["deviations"]] == [state]
    assert "deviation   CC-RESP-002" in ran.out


def test_the_headers_of_a_profile_are_sent_and_their_secrets_never_shown(tmp_path: Path) -> None:
    with serve(replies(answer("400 No", body=b'{"error":"X-Team hush-hush-1234"}'))) as tiny:
        ran = deviating(tmp_path, tiny.url, "2999-01-01")
        assert b"X-Team: hush-hush-1234" in tiny.received[0]
        assert b"X-Open: for all" in tiny.received[0]
    left = [path.read_text("utf-8") for path in (tmp_path / "reports/out").iterdir()]
    assert len(left) == 3
    assert all("hush-hush" not in text for text in [*left, ran.said])
    assert "X-Team: $TEAM_SECRET" in json.dumps(ran.results())


def test_the_re_run_command_runs_the_same_check_again(address: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", f"{address}/fault/{FAULT}/v1", *ONE)
    words = ran.results()["requirements"][0]["evidence"]["reproduce"].split()
    assert words[:3] == ["pytest", "--pyargs", "conformance"]
    again = run(tmp_path, *words[3:])
    assert again.status == 1
    assert again.verdicts() == ran.verdicts()


def test_without_a_target_the_embedded_server_is_judged(tmp_path: Path) -> None:
    ran = run(tmp_path, *ONE, key=None)
    assert ran.status == 0
    assert len(ran.verdicts()) == 10
    assert "target: the embedded reference server" in ran.out


def test_other_peoples_tests_run_as_if_nobody_were_there(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine() -> None:\n    assert True\n", "utf-8")
    words = [sys.executable, "-m", "pytest", "-p", "conformance.plugin", "test_mine.py"]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment(None, {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert "conformance:" not in done.stdout
    assert "target:" not in done.stdout
    assert not (tmp_path / "reports").exists()
