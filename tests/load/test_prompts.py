"""Workloads: the same seed asks the same, and a nonce is found where it does not belong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from load.prompts import Workload, foreign_nonce, lengths, nonce, read_file


def words(workload: Workload, number: int) -> list[str]:
    content = workload.opening(number).messages[0]["content"]
    return str(content).split()


def test_a_unique_prompt_begins_with_its_nonce() -> None:
    workload = Workload("Say hello.", run="00c0ffee", worker=3)
    first, second = workload.opening(0), workload.opening(1)
    assert first.messages == [{"role": "user", "content": "[rq-00c0ffee-03-0] Say hello."}]
    assert first.nonce != second.nonce


def test_a_shared_prompt_is_the_same_for_all_requests_and_workers() -> None:
    one = Workload(words="uniform:5,50", unique=False, worker=0, seed=1)
    two = Workload(words="uniform:5,50", unique=False, worker=1, seed=1)
    assert one.opening(0) == one.opening(9) == two.opening(4)
    assert one.opening(0).nonce == ""


def test_the_same_seed_asks_the_same() -> None:
    one, two = (Workload(words="normal:40,10", seed=5, run="0" * 8) for _ in range(2))
    assert [one.opening(n) for n in range(20)] == [two.opening(n) for n in range(20)]
    assert len({len(words(one, n)) for n in range(20)}) > 5


@pytest.mark.parametrize(
    ("spelled", "low", "high"),
    [
        ("7", 7, 7),
        ("uniform:3,9", 3, 9),
        ("normal:100,0", 100, 100),
        ("lognormal:50,0", 50, 50),
        ("normal:1,50", 1, 400),
    ],
)
def test_lengths_stay_in_their_bounds(spelled: str, low: int, high: int) -> None:
    source = random.Random(0)
    drawn = [lengths(spelled)(source) for _ in range(500)]
    assert low <= min(drawn)
    assert max(drawn) <= high


@pytest.mark.parametrize(
    "spelled", ["", "x", "0", "uniform:9,3", "uniform:1", "normal:10", "zipf:1,2", "normal:a,b"]
)
def test_a_length_that_is_none_is_refused_with_the_forms(spelled: str) -> None:
    with pytest.raises(ValueError, match="lognormal:MEDIAN,SIGMA"):
        lengths(spelled)


def test_a_file_is_shared_out_among_the_workers(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(
        '"a"\n{"prompt": "b", "max_tokens": 5}\n\n[{"role": "user", "content": "c"}]\n'
        '{"messages": [{"role": "system", "content": "d"}], "temperature": 0}\n',
        encoding="utf-8",
    )
    read = read_file(path)
    assert read[1] == ([{"role": "user", "content": "b"}], {"max_tokens": 5})
    parts = [Workload(file=read, unique=False, worker=w, workers=2) for w in range(2)]
    asked = [parts[w].opening(n).messages[0]["content"] for n in range(2) for w in range(2)]
    assert asked == ["a", "b", "c", "d"]
    assert parts[1].opening(1).extra == {"temperature": 0}


@pytest.mark.parametrize("line", ["{", "{}", "3", '{"messages": []}', '{"messages": ["x"]}', '""'])
def test_a_line_that_is_no_prompt_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(f'"a"\n{line}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"prompts\.jsonl:2"):
        read_file(path)


def test_a_mark_goes_before_content_of_any_form(tmp_path: Path) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
    workload = Workload(file=[(parts, {})])
    opening = workload.opening(0)
    assert opening.messages[0] == {"role": "system", "content": f"[{opening.nonce}]"}
    assert opening.messages[1:] == parts


def test_a_conversation_keeps_what_was_said() -> None:
    workload = Workload("a", turns=2)
    opening = workload.opening(0)
    following = workload.following(opening, "b")
    assert following.messages[:1] == opening.messages
    assert [m["role"] for m in following.messages] == ["user", "assistant", "user"]
    assert following.messages[1]["content"] == "b"


def test_a_nonce_of_another_request_is_found() -> None:
    own, other, elsewhere = (
        nonce("00c0ffee", 0, 5),
        nonce("00c0ffee", 0, 6),
        nonce("0badbeef", 0, 6),
    )
    assert foreign_nonce(f"you wrote {own}", own) is None
    assert foreign_nonce(f"you wrote {own} and {other}", own) == other
    assert foreign_nonce(f"an old run: {elsewhere}", own) is None
    assert (
        foreign_nonce(f"cut off: {nonce('00c0ffee', 0, 0x51)[:-1]}", nonce("00c0ffee", 0, 0x51))
        is None
    )
    assert foreign_nonce(other, "") is None
