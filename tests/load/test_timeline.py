"""Every metric, on streams whose stamps are written down here."""

from __future__ import annotations

from load.decoding import Decoded
from load.timeline import DEFINITIONS, Marks, Timing, measure

MS = 1_000_000


def decoded(*tokens: int, usage: int | None = None, visible: int | None = None) -> Decoded:
    return Decoded(
        events=[5, *tokens],
        tokens=list(tokens),
        visible=tokens[0] if visible is None and tokens else visible,
        output_tokens=usage,
        done=True,
    )


def test_one_token_in_each_read() -> None:
    marks = Marks(
        send=100 * MS,
        sched=90 * MS,
        headers=150 * MS,
        at=[160 * MS, 200 * MS, 210 * MS, 240 * MS],
        ends=[5, 10, 20, 30],
        end=250 * MS,
    )
    made = measure(marks, decoded(10, 20, 30, usage=3))
    assert (made.headers, made.ttfe) == (50 * MS, 60 * MS)
    assert (made.ttft, made.ttft_sched, made.ttfvt) == (100 * MS, 110 * MS, 100 * MS)
    assert (made.gaps, made.stall) == ([10 * MS, 30 * MS], 30 * MS)
    assert (made.e2e, made.e2e_sched, made.close) == (140 * MS, 150 * MS, 10 * MS)
    assert made.tpot == 20 * MS
    assert made.rate == 3 * 10**12 // (140 * MS)  # 21.4 tokens/s
    assert (made.tokens, made.tokens_by) == (3, "usage")
    assert (made.reads, made.bunched_reads, made.bunched_tokens) == (3, 0, 0)


def test_tokens_of_one_read_make_no_gap() -> None:
    marks = Marks(send=0, at=[100, 200, 300], ends=[20, 35, 50])
    made = measure(marks, decoded(10, 20, 30, 50))
    assert made.arrivals == [(100, 2), (200, 1), (300, 1)]
    assert made.gaps == [100, 100]
    assert (made.bunched_reads, made.bunched_tokens) == (1, 2)
    assert made.tpot == 200 // (4 - 2)  # the two of the first read were there at its stamp


def test_an_event_arrives_with_its_last_byte() -> None:
    marks = Marks(send=0, at=[100, 200], ends=[9, 10])
    assert measure(marks, decoded(10)).ttft == 200


def test_one_token_has_no_gap_and_no_time_per_token() -> None:
    made = measure(Marks(send=0, at=[100], ends=[10]), decoded(10, usage=1))
    assert (made.ttft, made.e2e, made.gaps, made.stall, made.tpot) == (100, 100, [], None, None)


def test_tokens_by_usage_that_are_no_chunks() -> None:
    made = measure(Marks(send=0, at=[100, 300], ends=[10, 20]), decoded(10, 20, usage=9))
    assert made.tpot == 200 // (9 - 1)
    assert made.tokens == 9


def test_without_usage_chunks_are_counted_and_labelled() -> None:
    made = measure(Marks(send=0, at=[1], ends=[20]), decoded(10, 20))
    assert (made.tokens, made.tokens_by) == (2, "chunks")


def test_reasoning_comes_before_the_first_visible_token() -> None:
    marks = Marks(send=0, at=[100, 200], ends=[10, 20])
    made = measure(marks, decoded(10, 20, visible=20))
    assert (made.ttft, made.ttfvt) == (100, 200)


def test_what_was_not_measured_is_none_and_never_0() -> None:
    made = measure(Marks(send=50), Decoded())
    assert made == Timing()
    assert made.ttft is None
    assert measure(Marks(send=0, at=[10], ends=[5]), Decoded(events=[5])).ttfe == 10


def test_every_metric_of_a_request_is_defined() -> None:
    names = {"ttft", "ttft_sched", "ttfvt", "ttfe", "headers", "stall", "tpot"}
    names |= {"e2e", "e2e_sched", "close", "rate"}
    assert names <= set(Timing.__slots__)
    assert names <= set(DEFINITIONS)
