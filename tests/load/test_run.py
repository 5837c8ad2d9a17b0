"""Whole runs: Locust in a process of its own, against the reference server and against bad ones."""

from __future__ import annotations

import csv
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import schemas
from reports.load import page as load_page
from tests.load.running import KEY, MODEL, Ran, locust, reference
from tests.wire.tiny import Tiny, answer, replies, serve, unused_port

STREAM = ("Content-Type: text/event-stream",)
SPOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
GOOD = answer(headers=STREAM, body=SPOKEN + FINISH + b"data: [DONE]\n\n")
TWO = ("--model", MODEL, "--model", "deepseek-ai/deepseek-r1=2", "--max-tokens", "20")


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        yield url


def test_a_run_measures_each_model(target: str, tmp_path: Path) -> None:
    ran = locust(target, tmp_path, *TWO, "--load-raw", "raw.jsonl", "--check", "all")
    assert ran.status == 0, ran.said
    assert ran.results is not None
    assert schemas.violations("load_results", ran.results) == []
    assert ran.results["validity"]["lost_requests"] == 0
    windows = ran.results["validity"]["windows"]
    assert sum(window["tokens"] for window in windows) > 0
    assert all(window["loop_lag_ms"]["count"] > 0 for window in windows)
    assert set(ran.results["models"]) == {MODEL, "deepseek-ai/deepseek-r1"}
    one, two = ran.model(), ran.model("deepseek-ai/deepseek-r1")
    assert 0 < one["requests"] < two["requests"]
    for model in (one, two):
        assert model["requests"] == model["ok"] + model["failed"] + model["cancelled"]
        assert (model["failed"], model["failures"]) == (0, {})
        assert model["tokens_by"] == "usage"
        assert model["output_tokens"] >= 20 * model["ok"]
        assert model["ttft_ms"]["min"] >= 20
        assert model["itl_ms"]["count"] > 0
        assert model["e2e_ms"]["min"] > model["ttft_ms"]["min"]
        assert model["conformance"] == {"checked": model["ok"], "findings": {}}
        assert sum(model["series"]["tokens"]) == model["output_tokens"]
        assert model["distributions"]["ttft_ms"][-1][1] == model["ttft_ms"]["count"]
    assert two["ttfvt_ms"]["mean"] > two["ttft_ms"]["mean"]  # it reasons first
    assert two["reasoning_tokens"] > 0
    assert "VALID: stamps" in ran.said
    rows = [json.loads(line) for line in (tmp_path / "raw.jsonl").read_text().splitlines()]
    assert len(rows) == one["requests"] + two["requests"]
    whole = [row for row in rows if row["failure"] is None and row["phase"] == "steady"]
    first = [row["arrivals"][0][0] - row["send"] for row in whole if row["model"] == MODEL]
    if ran.results["window"]["phase"] == "steady":
        assert one["ttft_ms"]["min"] == pytest.approx(min(first) / 1e6, abs=1e-6)
        assert one["ttft_ms"]["count"] == len(first)
    intervals_add_up(ran)


def intervals_add_up(ran: Ran) -> None:
    with (ran.folder / "load.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == MODEL]
    for name, total in (("requests", "requests"), ("ok", "ok"), ("tokens", "output_tokens")):
        assert sum(int(row[name]) for row in rows) == ran.model()[total]


def test_an_open_loop_keeps_its_schedule(target: str, tmp_path: Path) -> None:
    options = ("--rate", "20", "--arrivals", "constant", "--max-tokens", "5", "-u", "1")
    ran = locust(target, tmp_path, "--model", MODEL, *options, "--stop-timeout", "5")
    assert ran.results is not None
    assert ran.results["load"]["loop"] == "open"
    model = ran.model()
    assert 10 <= model["requests"] <= 20 * 2
    assert model["cancelled"] == 0
    assert model["ttft_sched_ms"]["count"] == model["ttft_ms"]["count"] > 0
    assert model["ttft_sched_ms"]["mean"] >= model["ttft_ms"]["mean"]
    assert ran.results["validity"]["schedule_lag_ms"]["count"] > 0


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="closed", marks=pytest.mark.slow),
        pytest.param(("--rate", "30", "-u", "2"), id="open"),
    ],
)
def test_no_stream_of_two_workers_is_lost(tmp_path: Path, options: tuple[str, ...]) -> None:
    counted: list[int] = []

    def counts(tiny: Tiny, sock: socket.socket) -> None:
        while tiny.read_request(sock):
            counted.append(1)
            sock.sendall(GOOD)

    with serve(counts) as tiny:
        more = ("--processes", "2", "--model", "m", "--think-time", "0.05", "--stop-timeout", "5")
        ran = locust(tiny.url, tmp_path, *more, *options)
    assert ran.results is not None, ran.said
    model = ran.model("m")
    assert model["transmitted"] == len(counted) > 0
    assert model["ok"] == model["requests"] == len(counted)
    assert sum(model["series"]["ok"]) == model["ok"]
    assert sum(model["series"]["tokens"]) == model["output_tokens"]
    assert len(model["series"]["in_flight"]) == len(model["series"]["ok"])
    assert ran.results["load"]["workers"] == 2
    assert ran.results["validity"]["dead_workers"] == []
    assert ran.results["validity"]["lost_requests"] == 0


def test_a_budget_is_never_passed(target: str, tmp_path: Path) -> None:
    options = ("--budget-requests", "7", "--processes", "2", "--max-tokens", "5", "-t", "30s")
    ran = locust(target, tmp_path, "--model", MODEL, *options, "--stop-timeout", "5")
    assert ran.model()["requests"] == 7
    assert "the budget is spent" in ran.said


@pytest.mark.parametrize("more", [(), ("--no-usage",)], ids=["usage", "chunks"])
def test_a_budget_of_tokens_is_never_passed_by_all_workers_together(
    target: str, tmp_path: Path, more: tuple[str, ...]
) -> None:
    options = ("--budget-tokens", "2000", "--processes", "2", "--max-tokens", "5", "-t", "30s")
    ran = locust(target, tmp_path, "--model", MODEL, *options, "--stop-timeout", "5", *more)
    assert "the budget is spent" in ran.said
    assert ran.results is not None
    assert ran.results["load"]["workers"] == 2
    assert ran.results["validity"]["lost_requests"] == 0
    model = ran.model()
    assert model["ok"] == model["requests"] > 0
    spent = model["prompt_tokens"] + model["output_tokens"]
    if more:  # each prompt is reckoned by its length: the budget is spent earlier
        assert (model["tokens_by"], model["prompt_tokens"]) == ("chunks", 0)
        assert 0 < spent < 1000
    else:
        assert 2000 - 2 * 300 < spent <= 2000  # what is left covers no further request


@pytest.mark.slow
def test_targets_decide_the_exit_status(target: str, tmp_path: Path) -> None:
    plenty = ("--model", MODEL, "--max-tokens", "3", "-u", "6")
    held = locust(target, tmp_path, *plenty, "--slo", "ttft_p50<10s", "--goodput", "ttft<10s")
    assert held.status == (0 if "\nVALID" in held.said else 6), held.said
    broken = locust(target, tmp_path, *plenty, "--slo", "ttft_p50<1ms")
    assert broken.status == (1 if "\nVALID" in broken.said else 6), broken.said
    unknown = locust(target, tmp_path, *plenty, "--slo", "ttft_p50@other<1s")
    assert unknown.status == 6, unknown.said
    assert held.model()["goodput"]["attainment"] == 1


def test_every_failure_is_counted_by_its_kind(tmp_path: Path) -> None:
    turns = [GOOD, answer("429 Too Many Requests"), answer("500 Internal Server Error")]
    turns += [answer(headers=STREAM, body=SPOKEN), answer()]

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while tiny.read_request(sock):
            sock.sendall(turns[len(tiny.received) % len(turns)])

    with serve(behave) as tiny:
        options = ("--model", "m", "--think-time", "0.02", "--json-file", "own")
        ran = locust(tiny.url, tmp_path, *options)
    model = ran.model("m")
    own = json.loads((tmp_path / "own.json").read_text("utf-8"))
    assert sum(row["num_requests"] for row in own) == model["ok"] + model["failed"]
    kinds = {"rate_limited", "status_5xx", "no_finish_reason", "not_a_stream"}
    assert set(model["failures"]) == kinds
    assert sum(model["failures"].values()) == model["failed"]
    assert model["ttft_ms"]["failed"] > 0
    assert ran.status == 1  # Locust's own: requests failed, and no target was given
    for kind in kinds:
        assert kind in ran.said


@pytest.mark.slow
def test_a_target_that_is_not_there_is_a_failure_and_no_time(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{unused_port()}/v1"
    ran = locust(url, tmp_path, "--model", "m", "--think-time", "0.1")
    model = ran.model("m")
    assert model["failures"] == {"refused": model["failed"]}
    assert (model["transmitted"], model["ttft_ms"]["count"]) == (0, 0)
    assert model["ttft_ms"]["mean"] is None
    assert sum(model["series"]["failed"]) == model["failed"]


def test_the_key_is_in_no_artefact(tmp_path: Path) -> None:
    def echoes(tiny: Tiny, sock: socket.socket) -> None:
        while asked := tiny.read_request(sock):
            assert KEY.encode() in asked
            body = b'{"error":{"message":"you sent %s"}}' % KEY.encode()
            sock.sendall(answer("401 Unauthorized", body=body))

    with serve(echoes) as tiny:
        reports = ("--html", "l.html", "--csv", "l", "--json-file", "l.json", "--load-raw", "raw")
        more = ("--loglevel", "DEBUG", "--api-key", KEY, "--processes", "2", "--think-time", "0.1")
        ran = locust(tiny.url, tmp_path, "--model", "m", *reports, *more, key="", page=True)
    assert ran.model("m")["failures"].keys() == {"status_4xx"}
    assert KEY not in ran.said
    assert len(list(tmp_path.iterdir())) >= 7
    assert load_page.read(tmp_path / "load.html") == ran.results
    assert ran.results is not None
    assert "--loglevel DEBUG --processes 2" in ran.results["command"]
    for path in tmp_path.iterdir():
        assert KEY not in path.read_text("utf-8"), path


def test_a_mistake_is_one_line_before_anything_is_sent(tmp_path: Path) -> None:
    with serve(replies(GOOD)) as tiny:
        ran = locust(tiny.url, tmp_path, "--slo", "ttft<5")
        assert tiny.connections == 0
    assert ran.status == 2, ran.said
    [line] = [line for line in ran.said.splitlines() if line.startswith("load: ")]
    assert "needs one of p50" in line
    assert "Traceback" not in ran.said


def test_a_run_without_a_model_is_refused(target: str, tmp_path: Path) -> None:
    ran = locust(target, tmp_path, "-t", "20s", key="sk-wrong")
    assert ran.status == 2, ran.said
    assert "load: no model is known: give --model ID (GET /models: status 401)" in ran.said
    assert ran.results is None


@pytest.mark.slow
def test_a_mix_of_users_asks_in_turns(target: str, tmp_path: Path) -> None:
    options = ("--model", MODEL, "--max-tokens", "5", "--check", "all")
    ran = locust(target, tmp_path, *options, file="mixed.py")
    model = ran.model()
    assert model["ok"] > 4
    assert model["failed"] == 0
    assert model["prompt_tokens"] > 100 * model["ok"]
