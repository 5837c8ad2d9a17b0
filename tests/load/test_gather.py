"""Workers' reports put together, and the results that are made from them."""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

import schemas
from load import results, validity
from load.gather import Final, Ledger
from load.metrics import OPENING, OWN, STEADY, Book
from load.options import read
from load.slo import Verdict, exit_status
from load.summary import opening_line, summary

SECOND = 1_000_000_000
MS = 1_000_000
URL = "http://127.0.0.1:8080/v1"


def settings(**given: Any) -> Any:
    return read(argparse.Namespace(model=["m"], **given), URL)


def book(requests: int = 700, failed: int = 0, phase: str = STEADY) -> Book:
    made = Book()
    tally = made.tally("m", phase)
    for number in range(requests):
        tally.counts["requests"] += 1
        tally.counts["transmitted"] += 1
        tally.at("requests", 1000 + number % 10)
        if number < failed:
            tally.counts["failed"] += 1
            tally.failures["stall"] += 1
            tally.examples["stall"] = "stall: no token"
            tally.at("failed", 1001)
            continue
        tally.counts.update(ok=1, tokens=10, tokens_ok=10, chunks=10, ok_by_usage=1, kernel=1)
        tally.at("ok", 1001 + number % 9)
        tally.at("tokens", 1001 + number % 9, 10)
        tally.hist("ttft").add(100 * MS)
        tally.hist("itl").extend([20 * MS] * 9)
    own = made.tally(OWN, phase)
    own.hist("loop").extend([MS // 10] * 100)
    own.hist("lag").extend([MS // 10] * 100)
    own.counts["kernel"] += 1
    own.at("in_flight", 1005, 4)
    return made


def final(worker: int = 0, begun: int = 700, **more: Any) -> Final:
    usual = {"started": 1000 * SECOND, "steady_since": 1000 * SECOND + 1, "stopped": 1010 * SECOND}
    return Final(worker=worker, begun=begun, cpu=0.5, **{**usual, **more})


def facts(made: Book, **more: Any) -> results.Facts:
    known: dict[str, Any] = {"settings": settings(), "finals": {"w": final()}, "users": 5}
    return results.Facts(run="00c0ffee", book=made, **{**known, **more})


def test_reports_of_workers_add_up() -> None:
    ledger = Ledger("run")
    ledger.expect(["a", "b"])
    ledger.report("a", {"run": "run", "book": book(3).take()})
    ledger.report("a", {"run": "other", "book": book(99).take()})
    ledger.report("a", {"run": "run", "book": book(2).take(), "final": final(0, 5).plain()})
    assert ledger.missing == ["b"]
    assert "worker 1 (b)" in ledger.dead
    ledger.report("b", {"run": "run", "book": book(1).take(), "final": final(1, 2).plain()})
    assert (ledger.missing, ledger.dead) == ([], ())
    assert ledger.book.whole("m").counts["requests"] == 6
    assert ledger.lost == 1  # b has begun two and reported one


def test_what_a_dead_worker_had_reported_is_kept_and_the_run_is_not_valid() -> None:
    ledger = Ledger("run")
    ledger.expect(["a", "b"])
    ledger.report("b", {"run": "run", "book": book(4).take()})
    ledger.report("a", {"run": "run", "book": book(5).take(), "final": final(0, 5).plain()})
    made = results.build(
        facts(ledger.book, finals=ledger.finals, dead=ledger.dead, lost=ledger.lost)
    )
    assert made["models"]["m"]["requests"] == 9
    assert made["validity"]["dead_workers"] == ["worker 1 (b)"]
    assert made["validity"]["verdict"] == "INVALID"


@pytest.mark.parametrize("requests", [0, 1, 700])
def test_results_fit_their_schema(requests: int) -> None:
    made = results.build(facts(book(requests, failed=requests // 10)))
    assert schemas.violations("load_results", json.loads(json.dumps(made))) == []


def test_the_window_is_what_all_workers_share() -> None:
    finals = {"a": final(0), "b": final(1, steady_since=1002 * SECOND, stopped=1009 * SECOND)}
    assert facts(book(), finals=finals).window == (1002, 1009)
    never = {"a": final(0), "b": final(1, steady_since=None)}
    assert not facts(book(), finals=never).steady
    cut = book(0)
    cut.tally("m", STEADY).counts.update(requests=3, cancelled=3)
    cut.add(book(5, phase=OPENING).take())
    assert not facts(cut).steady  # nothing of the steady phase has ended
    assert facts(book(), finals=never).window == (1000, 1010)


def test_rates_are_those_of_the_window() -> None:
    made = results.build(facts(book()))
    assert made["window"] == {"phase": "steady", "start": 1001, "seconds": 9, "left_out": 0}
    model = made["models"]["m"]
    assert model["tokens_per_second"] == pytest.approx(7000 / 9)
    assert model["requests_per_second"] == pytest.approx(700 / 9)
    assert made["load"]["achieved_per_second"] == pytest.approx(630 / 9)
    assert made["load"]["mean_in_flight"] == 4


def test_samples_of_the_opening_are_left_out_and_counted() -> None:
    both = book(700)
    both.add(book(50, phase=OPENING).take())
    made = results.build(facts(both))
    assert made["window"]["left_out"] == 50
    assert made["models"]["m"]["requests"] == 750
    assert made["models"]["m"]["ttft_ms"]["count"] == 700


def test_percentiles_that_few_samples_carry_are_withheld() -> None:
    few, many = (results.build(facts(book(n)))["models"]["m"]["ttft_ms"] for n in (661, 662))
    assert (few["p95"], few["p99"]) == (pytest.approx(100, rel=0.005), None)
    assert many["p99"] == pytest.approx(100, rel=0.005)
    assert many["ci95"]["p99"] is not None
    assert (many["count"], many["min"], many["max"], many["mean"]) == (662, 100, 100, 100)


def test_targets_are_decided_with_their_failures() -> None:
    known = facts(book(failed=70), settings=settings(slo=["ttft_p90<200ms", "ttft_p95<200ms"]))
    verdict = validity.judge(results.evidence(known))
    assert verdict.valid, verdict
    assert [o.verdict for o in results.decided(known, verdict)] == [Verdict.HELD, Verdict.BROKEN]
    dead = replace(known, dead=("worker 1",))
    outcomes = results.decided(dead, validity.judge(results.evidence(dead)))
    assert exit_status(outcomes) == 6
    rows = results.build(known)["slo"]
    assert rows[1]["seen"] is None  # infinite
    assert "failed" in rows[1]["why"]


def test_goodput_has_its_interval() -> None:
    made = book(failed=70)
    made.tally("m", STEADY).counts["good"] = 600
    goodput = results.build(facts(made, settings=settings(goodput=["ttft<1s"])))["models"]["m"]
    assert goodput["goodput"]["of"] == 700
    low, high = goodput["goodput"]["interval"]
    assert low < 600 / 700 < high
    assert results.build(facts(made))["models"]["m"]["goodput"] is None


def test_the_summary_shows_verdict_failures_and_what_was_withheld() -> None:
    made = book(100, failed=10)
    made.tally("m", STEADY).findings["CC-SSE-006"] += 2
    made.tally("m", STEADY).counts["checked"] += 8
    text = summary(results.build(facts(made, settings=settings(slo=["failures<1%"]))))
    assert "VALID: stamps ±0.02 ms (kernel)" in text
    assert "stall 10 (stall: no token)" in text
    assert "CC-SSE-006 broken in 2 of 8 streams" in text
    assert "BROKEN: failures<1% for m, seen 0.1" in text
    row = next(line for line in text.splitlines() if line.startswith("m "))
    assert row.split()[1:6] == ["90", "10", "100", "-", "-"]  # ok, failed, p50, p95, p99


def test_the_first_line_states_the_load_and_its_ceiling() -> None:
    assert "at most 38400 output tokens per minute" in opening_line(settings(rate=2.5), 1)
    assert "at most 76800 output tokens" in opening_line(
        settings(rate=2.5, extra_body='{"n":2}'), 1
    )


def test_the_ceiling_of_a_closed_loop_says_what_it_rests_on() -> None:
    # 5 users x 200 tokens/s x 60 s; thinking, each asks for 256 tokens every 1.28 s + 1.28 s.
    closed = opening_line(settings(), 5)
    assert "at most 60000 output tokens per minute at 200 tokens/s of a stream (more if" in closed
    thinking = opening_line(settings(think_time=1.28), 5)
    assert "at most 30000 output tokens per minute at 200 tokens/s of a stream" in thinking
    assert "and 60000 at any speed" in thinking


def test_the_first_line_states_the_budget() -> None:
    assert "stops after 7 requests" in opening_line(settings(budget_requests=7), 5)


def test_intervals_are_rows_of_second_and_model() -> None:
    rows = list(csv.DictReader(io.StringIO(results.intervals(facts(book(20))))))
    assert sum(int(row["tokens"]) for row in rows) == 200
    assert {row["model"] for row in rows} == {"m"}
    assert [row["in_flight"] for row in rows if row["second"] == "1005"] == ["4"]
