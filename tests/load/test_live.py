"""The live view's figures: equal to the results when a run is over, and true on the way."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from conformance.wire.redact import Redactor
from load import results
from load.exchange import Exchange
from load.failures import Failure, Kind
from load.gather import Final, Ledger, Pulse
from load.histogram import Histogram
from load.live import Live
from load.live_points import trailing
from load.metrics import OPENING, OWN, STEADY, Book
from load.recorder import Recorder, Request
from tests.load.agreement import assert_figures_agree
from tests.load.test_gather import MS, SECOND, settings
from tests.load.test_windows import stream

START = 1000  # the first second of the run
HOSTILE = '"><script>alert(1)</script>\u202e'
MODELS = ("m", HOSTILE)
SETTINGS = settings(slo=["ttft_p50<1s", "failures<50%", "tokens_per_second>1"], goodput=["ttft<1s"])


def still() -> None:
    """For ``pause``: nobody else waits."""


class Worker:
    """A worker that asks each model three times a second, and is steady from the fourth on."""

    def __init__(self, index: int) -> None:
        self.index, self.begun = index, 0
        self._book = Book()
        self._recorder = Recorder(self._book, Redactor([]), SETTINGS.good)
        self._random = random.Random(index)
        self._ends: list[tuple[int, Request, Exchange]] = []
        self._open: list[int] = []

    def second(self, second: int) -> None:
        """What happens in a second of the epoch, and what ended before it is recorded."""
        phase = STEADY if second >= START + 3 else OPENING
        flying = len(self._ends)
        for number in range(6):
            model = MODELS[number % 2]
            send = second * SECOND + number * 150 * MS
            known = Request(model, phase, self.begun)
            self.begun += 1
            self._recorder.begin(known, send)
            gaps = [self._random.randrange(20, 60) * MS for _ in range(20)]
            arrivals = [send + 100 * MS + sum(gaps[:n]) for n in range(20)]
            if self._random.random() < 0.1:
                into = Exchange(end=send + 50 * MS - 10 * SECOND, anchor=10 * SECOND)
                into.failure = Failure(Kind.REFUSED, HOSTILE)
                self._ends.append((send + 50 * MS, known, into))
            else:
                self._ends.append((arrivals[-1], known, stream(send, *arrivals, lag=MS)))
        self._record(until=(second + 1) * SECOND)
        own = self._book.tally(OWN, phase)
        own.at("in_flight", second, flying)
        for model in MODELS:
            flights = sum(known.model == model for _, known, _ in self._ends)
            self._book.tally(model, phase).at("in_flight", second, flights)
        if second == START + 12:
            own.at("late_probes", second)
        window = self._book.window(OWN, phase, second)
        window.hist("loop").extend([MS // 10] * 20)
        window.counts.update({f"wall_ns/{self.index}": SECOND, f"cpu_ns/{self.index}": SECOND // 4})

    def _record(self, until: int) -> None:
        for end, known, into in self._ends:
            if end <= until:
                self._recorder.end(known, into)
        self._ends = [each for each in self._ends if each[0] > until]

    def report(self, second: int) -> dict[str, Any]:
        """What is new, at the end of a second."""
        oldest = min((into.send + into.anchor for _, _, into in self._ends), default=None)
        at = (second + 1) * SECOND
        steady = (START + 3) * SECOND if second >= START + 3 else None
        pulse = Pulse(self.index, at, START * SECOND, steady, oldest, 0.25)
        return {"run": "run", "book": self._book.take(), "pulse": pulse.plain()}

    def last(self, second: int) -> dict[str, Any]:
        """The last word: what was in flight has ended too."""
        self._record(until=2**62)
        steady, stopped = (START + 3) * SECOND, (second + 3) * SECOND
        final = Final(self.index, self.begun, START * SECOND, steady, stopped, 0.25)
        return {"run": "run", "book": self._book.take(), "final": final.plain()}


class Run:
    """Two workers, and those who gather: the ledger for the results, the live view beside it."""

    def __init__(self) -> None:
        self.ledger = Ledger("run")
        self.live = Live("run", SETTINGS, self.ledger.book)
        self.workers = [Worker(0), Worker(1)]
        self.now = START

    def go(self, seconds: int, workers: int = 2) -> None:
        """Let time pass; each worker reports every three seconds."""
        for second in range(self.now, self.now + seconds):
            for worker in self.workers[:workers]:
                worker.second(second)
                if (second + worker.index) % 3 == 0:
                    self.take(worker, worker.report(second))
        self.now += seconds

    def take(self, worker: Worker, data: dict[str, Any]) -> None:
        self.ledger.report(f"w{worker.index}", data)
        self.live.add(f"w{worker.index}", data)

    def end(self) -> dict[str, Any]:
        """The results."""
        for worker in self.workers:
            self.take(worker, worker.last(self.now - 1))
        ledger = self.ledger
        made = results.build(results.Facts(SETTINGS, "run", ledger.book, ledger.finals, users=4))
        self.live.conclude(made)
        return made

    def view(self, since: str = "", alive: tuple[str, ...] = ("w0", "w1")) -> dict[str, Any]:
        self.live.refresh(4, alive, still)
        return self.live.view(since)


@pytest.fixture
def run() -> Run:
    return Run()


def assert_equal(view: dict[str, Any], made: dict[str, Any]) -> None:
    """The figures of a view are those of the results."""
    assert [row["model"] for row in view["models"]] == sorted(MODELS)
    assert_figures_agree(view, made)
    for row in view["models"]:
        model = made["models"][row["model"]]
        assert row["goodput"] == {key: model["goodput"][key] for key in row["goodput"]}
    assert view["window"]["seconds"] == made["window"]["seconds"]
    marks = {w["start"]: w["verdict"] for w in made["validity"]["windows"]}
    shown = {p["start"]: p["verdict"] for p in view["points"] if p["phase"] == "steady"}
    assert {start: shown[start] for start in marks} == marks
    assert view["validity"]["verdict"] == made["validity"]["verdict"]
    assert view["slo"] == made["slo"]


def test_at_the_end_the_figures_are_those_of_the_results(run: Run) -> None:
    run.go(70)
    run.view()
    made = run.end()
    view = run.view()
    assert_equal(view, made)
    assert view["phase"] == "steady"
    assert {row["in_flight"] for row in view["models"]} == {0}
    assert sum(sum(p["models"][m]["ok"] for m in MODELS) for p in view["points"]) == sum(
        model["ok"] for model in made["models"].values()
    )
    assert sum(p["late"] for p in view["points"]) == 1
    json.dumps(view)


def test_on_the_way_they_are_those_of_what_was_reported(run: Run) -> None:
    run.go(40)
    view = run.view()
    known = run.ledger.book
    for row in view["models"]:
        whole = known.whole(row["model"], STEADY)
        assert row["ttft_ms"]["count"] == whole.hist("ttft").count > 150
        assert row["ttft_ms"]["p99"] is None  # withheld: too few
        assert row["requests"] == known.whole(row["model"]).counts["requests"]
        # 2 workers x 3 requests a second, of which a tenth fails, x 20 tokens
        assert row["tokens_per_second"] == pytest.approx(108, rel=0.1)
        assert row["in_flight"] in range(1, 13)
        assert row["failures"] == {"refused": row["failed"]}
    assert view["validity"]["verdict"] == "VALID"
    assert {target["verdict"] for target in view["slo"]} == {"held"}
    assert view["whole_until"] < view["at"]
    assert view["window"]["end"] <= view["whole_until"]
    assert (view["workers"], view["users"], view["dead"]) == (2, 4, [])


def test_later_views_tell_only_of_points_that_changed(run: Run) -> None:
    run.go(60)
    first = run.view()
    assert first["whole"]
    assert run.view(first["mark"])["points"] == []
    run.go(10)
    later = run.view(first["mark"])
    assert not later["whole"]
    assert {p["start"] for p in later["points"]} < {p["start"] for p in run.view()["points"]}
    merged = {p["start"]: p for p in (*first["points"], *later["points"])}
    assert sorted(merged.values(), key=lambda p: p["start"]) == run.view()["points"]
    for odd in ("nonsense", "run.0.5:", "run.0.5:x", "run.0.5:²", "other.0.5:1"):
        assert run.view(odd)["whole"]


def test_a_point_reaches_back_for_its_percentiles_and_no_further() -> None:
    def hist(count: int) -> Histogram:
        made = Histogram()
        made.extend([MS] * count)
        return made

    assert trailing([hist(5)]) == [None, None, None]
    [p50, p95, p99] = trailing([hist(60)] * 24)
    assert p50 is not None
    assert p95 is not None
    assert p99 is not None
    assert (p50[1], p95[1], p99[1]) == (1, 3, 12)
    assert trailing([hist(0), hist(700)]) == [None, None, None]  # nothing new to tell


def test_points_have_percentiles_where_enough_samples_carry_them(run: Run) -> None:
    run.go(70)
    points = [p["models"]["m"] for p in run.view()["points"][2:-2]]
    for each in points[:2]:
        assert each["ttft_ms"][0] == pytest.approx(100, rel=0.01)
        assert each["ttft_ms"][2] is None
    assert points[-1]["ttft_ms"][1] == pytest.approx(100, rel=0.01)
    assert points[-1]["over_s"][1] > 5


def test_a_reset_begins_anew_and_leaves_the_results_alone(run: Run) -> None:
    run.go(30)
    before = run.view()
    run.live.reset(run.now)
    empty = run.view(before["mark"])
    assert empty["whole"]
    assert (empty["models"], empty["points"]) == ([], [])
    run.go(20)
    view = run.view(before["mark"])
    assert view["whole"]
    assert view["reset_at"] == START + 30
    assert min(p["start"] for p in view["points"]) >= START + 30
    assert view["window"]["first"] >= START + 30
    for row in view["models"]:
        assert 0 < row["requests"] <= 2 * 3 * 20 + 18  # a report tells of three seconds before
        assert row["tokens_per_second"] == pytest.approx(108, rel=0.15)
    made = run.end()
    assert sum(model["requests"] for model in made["models"].values()) == 2 * 6 * 50


def test_a_worker_that_dies_keeps_what_it_reported_and_is_named(run: Run) -> None:
    run.go(30)
    before = {row["model"]: row["requests"] for row in run.view()["models"]}
    run.go(20, workers=1)
    view = run.view(alive=("w0",))
    assert view["dead"] == ["worker 1 (w1)"]
    assert view["workers"] == 1
    assert view["validity"]["verdict"] == "INVALID"
    assert {target["verdict"] for target in view["slo"]} == {"inconclusive"}
    for row in view["models"]:
        assert row["requests"] > before[row["model"]] + 50
    assert view["window"]["end"] > START + 40  # the dead one's last report holds nothing up


def test_reports_of_another_run_are_not_taken(run: Run) -> None:
    run.go(5)
    before = run.view()["models"]
    run.live.add("w0", {**run.workers[0].report(START), "run": "other"})
    assert run.view()["models"] == before


def test_a_look_works_through_what_changed_and_gives_way(run: Run) -> None:
    run.go(120)
    run.view()
    run.go(6)
    pauses: list[None] = []
    run.live.refresh(4, ("w0", "w1"), lambda: pauses.append(None))
    # Once for the verdict, for each model, and for each window that a report may have touched.
    assert 3 < len(pauses) < 10
    run.live.refresh(4, ("w0", "w1"), lambda: pytest.fail("nothing has changed"))


def test_longer_windows_are_told_whole(run: Run) -> None:
    run.go(30)
    before = run.view()
    run.ledger.book._coarsen()
    run.go(6)
    view = run.view(before["mark"])
    assert (view["whole"], view["window_s"]) == (True, 10)
    assert {p["seconds"] for p in view["points"]} == {10}
    ended = sum(p["models"]["m"]["ok"] for p in view["points"])
    assert ended == run.ledger.book.whole("m").counts["ok"]
