"""Dialects in combination: every two right ways of two axes meet in a server, blamed for nothing.

The axes are declared in ``ways_of_*.py``, each combination is judged by the whole suite.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from inspect import getmembers, isfunction, signature
from itertools import combinations, product
from types import ModuleType

import pytest

from conformance.reference.call import Call, Cut, Piece
from conformance.reference.wire import ZERO_CHUNK
from tests.inprocess import Judgement

from . import (
    axes,
    ways_of_calls,
    ways_of_members,
    ways_of_messages,
    ways_of_sequence,
    ways_of_spelling,
)
from .covering import covering, held, pairs
from .dialect import DIALECTS, FAILS, check

MODULES = (ways_of_sequence, ways_of_calls, ways_of_members, ways_of_spelling, ways_of_messages)


MINE = [
    axes.combined(number, chosen, module=__name__, profile=FAILS).name
    for number, chosen in enumerate(axes.combinations(), 1)
]


@pytest.mark.thorough
@pytest.mark.parametrize("name", MINE)
def test_right_ways_combined_are_blamed_for_nothing(
    spoken: Mapping[str, Future[Judgement]], name: str
) -> None:
    check(DIALECTS[name], spoken[name].result())


def test_every_two_ways_meet() -> None:
    met = {
        frozenset((one, other))
        for chosen in axes.combinations()
        for one, other in combinations(chosen, 2)
    }
    for one, other in combinations(axes.AXES.values(), 2):
        assert {frozenset(pair) for pair in product(one, other)} <= met


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2, 2), (1, 4, 3), (2,) * 10, (5, 4, 3, 3, 2, 2)])
def test_a_covering_array_holds_every_pair(sizes: tuple[int, ...]) -> None:
    rows = covering(sizes)
    assert set().union(*map(held, rows)) == pairs(sizes)
    assert all(0 <= value < size for row in rows for value, size in zip(row, sizes, strict=True))
    assert covering(sizes) == rows


def test_a_covering_array_is_far_smaller_than_the_product() -> None:
    assert len(covering((3,) * 13)) <= 30  # of 1,594,323; 27 is a good greedy result


def test_every_way_says_what_it_is() -> None:
    ways = [one for ways in axes.AXES.values() for one in ways[1:]]
    assert all(one.says.endswith(".") for one in ways)
    assert {name for pair in axes.TOGETHER for name in pair} <= {one.name for one in ways}


@pytest.mark.parametrize("module", MODULES)
def test_every_function_of_a_way_is_one(module: ModuleType) -> None:
    seams = (["reply", "call"], ["pieces", "call"])
    functions = [
        one for _, one in getmembers(module, isfunction) if one.__module__ == module.__name__
    ]
    public = [one for one in functions if not one.__name__.startswith("_")]
    meant = {one.__name__ for one in public if list(signature(one).parameters) in seams}
    assert meant
    assert meant <= {one.name for ways in axes.AXES.values() for one in ways}


PLAIN = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"
STREAM: list[Piece] = [
    b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"3\r\na\r\n\r\n",
    b"1\r\nb\r\n",
    ZERO_CHUNK,
]
CALL = Call(1, "POST", "/v1/chat/completions", "/chat/completions")


@pytest.mark.parametrize(("pieces", "content"), [([PLAIN], b"{}"), (STREAM, b"a\r\nb")])
def test_a_body_that_the_close_ends_holds_what_was_framed(
    pieces: list[Piece], content: bytes
) -> None:
    told = ways_of_messages.is_http_1_0(pieces, CALL)
    octets = b"".join(piece for piece in told if isinstance(piece, bytes))
    assert octets == b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + content
    assert told[-1] is Cut.CLOSE


def test_chunks_of_another_cut_hold_the_same() -> None:
    told = ways_of_messages.chunks_as_it_likes(STREAM, CALL)
    assert told[1:3] == [b"1;part=0\r\na\r\n", b"2;part=1\r\n\r\n\r\n"]
    assert told[-1] == b"00\r\nX-Checksum: 1\r\n\r\n"


@pytest.mark.parametrize("name", ["writes_bytes_one_by_one", "writes_across_its_events"])
def test_other_writes_hold_the_same_bytes(name: str) -> None:
    act = next(one.act for one in axes.AXES["writes"] if one.name == name)
    assert act is not None
    told = act([b"a\r\n\xc3\xbc", b"bcd"], CALL)
    assert b"".join(told) == b"a\r\n\xc3\xbcbcd"
    assert told != [b"a\r\n\xc3\xbc", b"bcd"]
