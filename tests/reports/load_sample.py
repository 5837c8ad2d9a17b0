"""Results of load runs and sweeps as their own code makes them, from invented samples."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from typing import Any

from load import results, sweep_results
from load.gather import Final
from load.metrics import OPENING, OWN, STEADY, Book
from load.options import read

SECOND = 1_000_000_000
MS = 1_000_000
START = 1_700_000_000
MODELS = ("vendor/one", "vendor/two")
TARGETS = ("ttft_p95<500ms", "itl_p99<1ms", "failures<50%")

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><!--",
    "a`b\"c'd\u202e$x_1$\u0000\u0007",
    "javascript:alert(1)",
    "m" * 5000,
)


def run(
    models: Sequence[str] = MODELS,
    *,
    seconds: int = 60,
    rate: int = 20,
    failures: int = 0,
    invalid: int = 0,
    gaps: int = 10,
    targets: Sequence[str] = TARGETS,
    example: str = "stall: no token for 30 s",
) -> dict[str, Any]:
    """A run: so many requests a second of each model, so many of them failed; INVALID windows."""
    draw, book = random.Random(1), Book()
    for second in range(START, START + seconds):
        phase = OPENING if second < START + 3 else STEADY
        own = book.window(OWN, phase, second)
        late = second // 5 * 5 < START + 20 + 5 * invalid and second >= START + 20
        own.hist("loop").extend([MS // 10] * 20)
        own.hist("sending").extend([40 * MS if late and invalid else MS // 50] * 5)
        own.counts["wall_ns/0"] += SECOND
        own.counts["cpu_ns/0"] += SECOND // 5
        book.tally(OWN, phase).at("in_flight", second, rate * len(models))
        book.tally(OWN, phase).counts["kernel"] += 1
        for place, model in enumerate(models):
            tally, window = book.tally(model, phase), book.window(model, phase, second)
            bad = failures if second > START + seconds // 2 else 0
            good = rate - bad
            firsts = [int(draw.lognormvariate(4 + place / 4, 0.4) * MS) for _ in range(good)]
            window.hist("ttft").extend(firsts)
            window.hist("e2e").extend(first + 400 * MS for first in firsts)
            window.hist("itl").extend(int(draw.gauss(20, 3) * MS) for _ in range(gaps * good))
            window.counts["chunks"] += 11 * good
            tally.counts.update(
                {"requests": rate, "transmitted": rate, "ok": good, "failed": bad, "kernel": 1}
                | {"tokens": 11 * good, "tokens_ok": 11 * good, "chunks": 11 * good, "reads": good}
                | {"ok_by_usage": good, "checked": good, "good": good}
            )
            if bad:
                tally.failures["stall"] += bad
                tally.examples["stall"] = example
                tally.findings["CC-STREAM-007"] += bad
                tally.examples["CC-STREAM-007"] = example
            for name, count in (("requests", rate), ("ok", good), ("tokens", 11 * good)):
                tally.at(name, second, count)
            tally.at("failed", second, bad)
            tally.at("in_flight", second, rate)
    options = argparse.Namespace(model=list(models), slo=list(targets), goodput=["ttft<500ms"])
    final = Final(
        worker=0,
        begun=rate * seconds * len(models),
        started=START * SECOND,
        steady_since=(START + 3) * SECOND,
        stopped=(START + seconds) * SECOND,
        cpu=0.2,
    )
    facts = results.Facts(
        settings=read(options, "http://127.0.0.1:8080/v1"),
        run="00c0ffee",
        book=book,
        finals={"w": final},
        users=rate,
        locust="2.47.0",
        version="0.1.0",
        command="locust -f load/chat.py --host http://127.0.0.1:8080/v1",
    )
    return results.build(facts)


def sweep(models: Sequence[str] = MODELS) -> dict[str, Any]:
    """A sweep whose targets hold at 12 requests a second, and not at 13; one run wrote nothing."""
    made = run(models, seconds=30, targets=TARGETS[:1])
    asked = sweep_results.Asked(
        url="http://127.0.0.1:8080/v1",
        targets=["ttft_p95<500ms", "failures<1%"],
        search={"start": 8.0, "most": 64.0, "precision": 0.1, "seconds": 30, "runs": 2},
        started="2026-11-26T03:00:00+00:00",
        duration=180.5,
        command="python -m load.sweep --host http://127.0.0.1:8080/v1",
        version="0.1.0",
    )
    rates = [(8.0, "held"), (16.0, "broken"), (12.0, "held"), (13.0, "broken"), (12.0, "held")]
    steps: list[tuple[float, str, str, dict[str, Any] | None]] = [
        (rate, verdict, f"sweep-{number}.json", _slower(made, rate, verdict))
        for number, (rate, verdict) in enumerate(rates)
    ]
    steps.append((15.0, "failed with status 2", "sweep-9.json", None))
    found = {"held": 12.0, "broken": 13.0, "unknown": None}
    return sweep_results.build(asked, found, steps)


def _slower(made: dict[str, Any], rate: float, verdict: str) -> dict[str, Any]:
    slo = [{**outcome, "verdict": verdict, "seen": 40.0 * rate} for outcome in made["slo"]]
    return {**made, "slo": slo}
