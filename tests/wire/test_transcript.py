"""Transcripts: when each line had arrived, which one offends, and nothing that a terminal obeys."""

import pytest

from conformance.wire.exchange import Arrival, Exchange, Request
from conformance.wire.transcript import (
    AROUND,
    HEAD,
    LONGEST,
    TAIL,
    WHOLE,
    Line,
    printable,
    transcript,
)

ASK = Request("POST", "/chat/completions", b"{}")


def lines_of(body: bytes, arrivals: list[tuple[float, int]], *marks: tuple[int, int]) -> list[Line]:
    reads = tuple(Arrival(at, end) for at, end in arrivals)
    return transcript(Exchange(ASK, "http://h/v1", 200, body=body, arrivals=reads), marks)


def test_a_line_is_timed_by_the_read_that_completed_it() -> None:
    # Reads end after "a", inside the second line, and at the very end of the fourth.
    found = lines_of(b"aa\nbb\n\ncc", [(0.001, 1), (0.002, 4), (0.0307, 7), (0.5, 9)])
    assert [(line.text, line.at_ms, line.arrival, line.offset) for line in found] == [
        ("aa", 2.0, 1, 0),
        ("bb", 30.7, 2, 3),
        ("", 30.7, 2, 6),
        ("cc", 500.0, 3, 7),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_events_do(end: bytes) -> None:
    found = lines_of(end.join([b"data: 1", b"", b"data: 2"]), [(0.1, 99)])
    assert [line.text.replace("\\r", "") for line in found] == ["data: 1", "", "data: 2"]
    assert [line.offset for line in found] == [0, 7 + len(end), 7 + 2 * len(end)]


def test_a_line_that_was_never_timed_says_so() -> None:
    assert lines_of(b"aa\nbb", [(0.1, 3)])[1].at_ms is None
    assert lines_of(b"", []) == []


@pytest.mark.parametrize(
    ("span", "marked"),
    [
        ((0, 1), [0]),
        ((2, 3), [0]),
        ((3, 4), [1]),
        ((1, 4), [0, 1]),
        ((0, 9), [0, 1, 2]),
        ((3, 3), []),
        ((50, 60), []),
    ],
)
def test_a_span_marks_the_lines_that_it_touches(span: tuple[int, int], marked: list[int]) -> None:
    found = lines_of(b"aa\nbb\ncc\n", [(0.1, 9)], span)
    assert [number for number, line in enumerate(found) if line.mark] == marked


def test_a_long_reply_shows_its_ends_and_what_is_near_a_mark() -> None:
    body = b"".join(b"%04d\n" % number for number in range(1000))
    found = lines_of(body, [(0.1, len(body))], (2500, 2504))
    shown = [int(line.text) for line in found if line.at_ms is not None]
    near = range(500 - AROUND, 500 + AROUND + 1)
    assert shown == [*range(HEAD), *near, *range(1000 - TAIL, 1000)]
    gaps = [line.text for line in found if line.at_ms is None]
    assert gaps == [f"… {498 - HEAD} lines …", f"… {997 - 503} lines …"]
    assert [line.text for line in found if line.mark] == ["0500"]


def test_every_line_is_shown_or_counted() -> None:
    body = b"x\n" * 300
    marks = [(n, n + 1) for n in range(0, 600, 60)]
    found = lines_of(body, [(0.1, 600)], *marks)
    counted = sum(int(line.text.split()[1]) for line in found if line.at_ms is None)
    assert counted + sum(line.at_ms is not None for line in found) == 300


NASTY = b"\x1b[2J\x07\x08\x7f\x9b31m\r\0 \xff\xfe \xc2\x85 \xe2\x80\xae \xe2\x80\xa8 \xef\xbb\xbf"


def test_no_control_character_survives() -> None:
    text = printable(NASTY)
    assert text.isprintable()
    assert "\\x1b[2J" in text
    assert "\\u202e" in text
    assert all(line.text.isprintable() for line in lines_of(NASTY + b"\n" + NASTY, [(0.1, 99)]))


@pytest.mark.parametrize("octets", ["héllo 你好".encode(), b"plain", b""])
def test_printable_text_stays(octets: bytes) -> None:
    assert printable(octets) == octets.decode()


@pytest.mark.parametrize("limit", [LONGEST, 40, 41])
def test_a_long_line_is_shortened_in_the_middle(limit: int) -> None:
    text = printable(b"a" * 500 + b"b" * 500, limit)
    assert len(text) <= limit
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert " … " in text


def test_every_octet_has_a_printable_form() -> None:
    assert printable(bytes(range(256)), 5000).isprintable()


def test_a_line_that_offends_and_a_reply_of_few_lines_are_shown_whole() -> None:
    stream = b"\n".join([b"x" * 500] * 5)
    shown = lines_of(stream, [], (501, 502))
    assert [len(line.text) for line in shown] == [LONGEST - 1, 500, *[LONGEST - 1] * 3]
    assert [len(line.text) for line in lines_of(b"x" * 1500, [])] == [1500]
    assert [len(line.text) for line in lines_of(b"x" * 1_000_000, [])] == [WHOLE - 1]
