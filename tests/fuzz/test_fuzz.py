"""Any octets, words of the protocol, right replies that were spoilt: nothing raises."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS, WORDS

FOUND = sorted((Path(__file__).parent / "found").glob("*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_raises(name: str) -> None:
    words = st.lists(st.sampled_from(WORDS[name]) | st.binary(max_size=3), max_size=40)
    made = words.map(b"".join)

    @st.composite
    def spoilt(draw: st.DrawFn) -> bytes:
        seed = draw(st.sampled_from(SEEDS[name]))
        start = draw(st.integers(0, len(seed)))
        stop = draw(st.integers(start, len(seed)))
        return seed[:start] + draw(made) + seed[stop:]

    @settings(max_examples=200, deadline=None, database=None)
    @given(made | spoilt() | st.binary(max_size=200))
    def run(octets: bytes) -> None:
        TARGETS[name](octets)

    run()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_fuzzer_once_found(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())
