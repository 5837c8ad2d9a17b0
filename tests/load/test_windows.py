"""The windows of a run: what falls into which, each with its verdict, and figures without some."""

from __future__ import annotations

import json
from array import array
from typing import Any

import pytest

import schemas
from conformance.wire.redact import Redactor
from load import results
from load.exchange import Exchange
from load.gather import Final
from load.metrics import OWN, STEADY, Book
from load.recorder import Recorder, Request
from load.summary import summary
from load.windows import LENGTH, MOST, Window, cut
from tests.load.test_gather import settings

SECOND = 1_000_000_000
MS = 1_000_000
START = 1000  # the first second of the run


def chunk(text: str) -> bytes:
    delta = {"content": text}
    value = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return f"data: {json.dumps(value)}\n\n".encode()


FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def stream(send: int, *arrivals: int, lag: int = 0) -> Exchange:
    """A whole stream with a token at each moment, on a clock whose anchor is 10 s."""
    anchor = 10 * SECOND
    into = Exchange(send=send - anchor, sending=MS, status=200, anchor=anchor, complete=True)
    into.fields["content-type"] = "text/event-stream"
    for at in arrivals:
        into.body += chunk("x")
        into.at.append(at - anchor)
        into.ends.append(len(into.body))
    into.lags = array("q", [lag] * len(arrivals))
    into.body += FINISH
    into.end = arrivals[-1] - anchor
    return into


def test_stamps_fall_into_windows_by_the_wall_clock() -> None:
    stamps = [4 * SECOND, 9 * SECOND, 10 * SECOND, 31 * SECOND]
    assert list(cut(stamps, SECOND)) == [(5, 0, 1), (10, 1, 3), (32, 3, 4)]
    assert list(cut([], 0)) == []
    assert list(cut([7 * SECOND, 6 * SECOND], 0)) == [(7, 0, 2)]


def test_the_name_of_a_window_can_be_read_again() -> None:
    window = Window.around(1003, 5, STEADY)
    assert (window.start, Window.of(window.key)) == (1000, window)
    assert Window.of(STEADY) is None


def test_a_sample_belongs_to_the_window_of_the_stamp_that_ends_it() -> None:
    book = Book()
    recorder = Recorder(book, Redactor([]), ())
    moments = [at * MS for at in (1_004_900, 1_005_100, 1_010_100, 1_010_300)]
    recorder.end(Request("m", STEADY, 0), stream(1_004_000 * MS, *moments, lag=MS))
    rows = book.windows("m", STEADY)
    assert list(rows) == [1000, 1005, 1010]
    assert [row.hist("itl").total // MS for row in rows.values()] == [0, 200, 5200]
    assert [row.hist("ttft").count for row in rows.values()] == [1, 0, 0]
    assert [row.hist("e2e").total // MS for row in rows.values()] == [0, 0, 6300]
    assert [row.counts["chunks"] for row in rows.values()] == [1, 1, 2]
    own = book.windows(OWN, STEADY)
    assert [row.hist("lag").count for row in own.values()] == [1, 1, 2]
    whole = book.whole("m")
    assert (whole.hist("itl").count, whole.hist("ttft").count, whole.counts["chunks"]) == (3, 1, 4)


def test_a_long_run_has_longer_windows_and_loses_nothing() -> None:
    book, parts = Book(), Book()
    for second in range(0, 3 * MOST * LENGTH, LENGTH):
        for into in (book, parts):
            into.window("m", STEADY, second).hist("ttft").add(second + 1)
        if second % 100 == 0:
            book.add(parts.take())  # as a worker reports
    book.add(parts.take())
    assert book.length == 4 * LENGTH
    rows = book.windows("m", STEADY)
    assert len(rows) <= MOST
    assert all(start % book.length == 0 for start in rows)
    assert book.whole("m").hist("ttft").count == 2 * 3 * MOST
    other = Book()
    other.window("m", STEADY, 7).counts["chunks"] += 1
    other.add(book.take())
    assert other.length == 4 * LENGTH
    assert other.windows("m", STEADY)[0].counts["chunks"] == 1


def run(*, cpu: float, lag: int = 0, windows: int = 4) -> results.Facts:
    """A steady run of some windows; in the second one the generator is as busy and late as said."""
    book = Book()
    recorder = Recorder(book, Redactor([]), ())
    for number in range(windows):
        at = START + number * LENGTH
        bad = number == 1
        own = book.window(OWN, STEADY, at)
        own.hist("loop").extend([MS // 10] * 500)
        own.counts["wall_ns/0"] = LENGTH * SECOND
        own.counts["cpu_ns/0"] = int((cpu if bad else 0.3) * LENGTH * SECOND)
        for _ in range(20):
            request = Request("m", STEADY, 0)
            recorder.begin(request, at * SECOND)
            first = at * SECOND + (900 if bad else 100) * MS
            late = lag if bad else 0
            recorder.end(request, stream(at * SECOND, first, first + 20 * MS, lag=late))
    final = Final(
        worker=0,
        begun=20 * windows,
        started=START * SECOND,
        steady_since=START * SECOND,
        stopped=(START + windows * LENGTH) * SECOND,
        cpu=0.5,
    )
    known: dict[str, Any] = {"finals": {"w": final}, "users": 5, "settings": settings()}
    return results.Facts(run="00c0ffee", book=book, **known)


@pytest.mark.parametrize(("cpu", "lag", "rule"), [(0.99, 0, "cpu"), (0.5, 300 * MS, "lag")])
def test_the_window_in_which_we_were_late_is_marked(cpu: float, lag: int, rule: str) -> None:
    made = results.build(run(cpu=cpu, lag=lag))
    assert schemas.violations("load_results", json.loads(json.dumps(made))) == []
    windows = made["validity"]["windows"]
    assert [window["verdict"] for window in windows] == ["VALID", "INVALID", "VALID", "VALID"]
    assert [window["start"] for window in windows] == [1000, 1005, 1010, 1015]
    assert [reason["rule"] for reason in windows[1]["reasons"]] == [rule]
    assert windows[1]["cpu"] == {"worker 0": pytest.approx(cpu)}
    valid, model = made["models"]["m"]["valid_windows"], made["models"]["m"]
    assert (valid["windows"], valid["of"]) == (3, 4)
    assert (model["ttft_ms"]["count"], model["ttft_ms"]["max"]) == (80, 900)
    assert (valid["ttft_ms"]["count"], valid["ttft_ms"]["max"]) == (60, 100)
    assert valid["tokens_per_second"] == pytest.approx(60 * 2 / 15)
    text = summary(made)
    assert "INVALID windows: 1 of 4, 5 s each" in text
    assert f"  at +5 s: {rule}: " in text
    assert "over 3 VALID windows: TTFT p50 100, p95 -" in text


def test_a_run_whose_windows_are_valid_says_nothing_of_them() -> None:
    made = results.build(run(cpu=0.3))
    assert made["validity"]["verdict"] == "VALID"
    assert {window["verdict"] for window in made["validity"]["windows"]} == {"VALID"}
    assert made["models"]["m"]["valid_windows"]["ttft_ms"] == made["models"]["m"]["ttft_ms"]
    assert "windows" not in summary(made)


def test_without_a_valid_window_there_are_no_figures_of_any() -> None:
    facts = run(cpu=0.3, windows=2)
    for start in (1000, 1005):
        facts.book.window(OWN, STEADY, start).counts["cpu_ns/0"] = LENGTH * SECOND
    made = results.build(facts)
    assert made["models"]["m"]["valid_windows"] is None
    assert schemas.violations("load_results", json.loads(json.dumps(made))) == []
