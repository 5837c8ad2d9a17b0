"""Any octets, and octets made of the words of the protocol: nothing raises, and offsets hold."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, WORDS

FOUND = sorted((Path(__file__).parent / "found").glob("*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_raises(name: str) -> None:
    words = st.lists(st.sampled_from(WORDS[name]) | st.binary(max_size=3), max_size=40)

    @settings(max_examples=200, deadline=None, database=None)
    @given(words.map(b"".join) | st.binary(max_size=200))
    def run(octets: bytes) -> None:
        TARGETS[name](octets)

    run()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_fuzzer_once_found(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())
