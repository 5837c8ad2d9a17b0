"""Examples by seed: the same everywhere, spread well, and shrunk to the simplest."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from conformance.generation.dealing import deal
from conformance.generation.drawing import choice_of, examples, one_of, shrunk, some_of


def test_a_choice_reaches_every_option_and_the_first_is_the_simplest() -> None:
    options = "abcdefg"

    assert set(examples(choice_of(options), 200, 1)) == set(options)
    assert shrunk(choice_of(options), 50, 1, lambda letter: True) == "a"
    assert examples(choice_of("a"), 5, 1) == ("a",)
    with pytest.raises(ValueError, match="nothing"):
        choice_of("")


def test_one_of_draws_from_every_strategy() -> None:
    drawn = examples(one_of([choice_of("ab"), choice_of((1, 2)), st.just(None)]), 60, 1)

    assert set(drawn) == {"a", "b", 1, 2, None}


def test_the_seed_decides_what_is_drawn() -> None:
    lists = some_of(range(64), 1, 5)

    assert examples(lists, 20, 1) == examples(lists, 20, 1)
    assert examples(lists, 20, 1) != examples(lists, 20, 2)
    assert len(examples(lists, 20, 1)) == 20


DIGEST = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
{before}
from conformance.generation.drawing import examples
from conformance.generation.valid import FEATURES
from conformance.strategies import accepted_requests
drawn = [examples(accepted_requests(FEATURES, holding=f), 20, 3) for f in FEATURES]
print(hashlib.sha256(repr(drawn).encode()).hexdigest())
"""


def test_the_same_is_drawn_whatever_else_is_loaded(tmp_path: Path) -> None:
    """Hypothesis reads constants off the modules of a process; no draw of ours may show them."""
    (tmp_path / "local.py").write_text("N = [101, 128, 1000, 65535, 3.25, 'a long constant']\n")
    root = str(Path(__file__).parents[2])
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST.format(before=before), root],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for before in ("", f"sys.path.append({str(tmp_path)!r}); import local")
    }

    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())
    assert not (tmp_path / ".hypothesis").exists()


def test_shrinking_ends_with_the_simplest_that_shows_it() -> None:
    lists = some_of(range(16), 0, 6)

    assert shrunk(lists, 100, 1, lambda drawn: any(n >= 8 for n in drawn)) == [8]
    assert shrunk(lists, 100, 1, lambda drawn: len(drawn) > 6) is None


def test_shrinking_stops_where_no_more_is_tried() -> None:
    tried = 0

    def shows(drawn: list[int]) -> bool:
        nonlocal tried
        tried += len(drawn) >= 3
        return len(drawn) >= 3 and tried <= 2

    found = shrunk(some_of(range(16), 0, 6), 100, 1, shows)

    assert found is not None
    assert len(found) >= 3


ROWS = ("a1", "a2", "a3", "b1", "c1", "c2")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 50])
def test_examples_are_dealt_by_clause(count: int) -> None:
    dealt = dict(deal(ROWS, count, 7, lambda row: row[0]))
    shares = [sum(n for row, n in dealt.items() if row[0] == clause) for clause in "abc"]

    assert sum(dealt.values()) == count
    assert max(shares) - min(shares) <= 1
    assert list(dealt) == [row for row in ROWS if row in dealt]


def test_nothing_is_dealt_to_no_rows() -> None:
    assert deal((), 5, 0, str) == []
