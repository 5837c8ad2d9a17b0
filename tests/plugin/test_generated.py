"""Generated requests, seen from outside: how many, from which seed, and what a finding shows."""

from pathlib import Path

import pytest

from tests.plugin.bench import run

FAULT = "bounds_a_penalty_above_only"
"""Takes a `frequency_penalty` below -2: breaks CC-REQ-028, and no standing request shows it."""

PENALTIES = ("--requirement", "CC-REQ-028")


def sent(said: str) -> int:
    """The number of requests that the closing lines tell."""
    return int(said.partition("sent  ")[2].split()[0].replace(",", ""))


def test_the_number_of_examples_bounds_what_is_sent(url: str, tmp_path: Path) -> None:
    counts = {}
    for examples in (0, 5, 20):
        folder = tmp_path / str(examples)
        folder.mkdir()
        ran = run(folder, "--target-url", url, *PENALTIES, "--examples", str(examples))
        assert ran.status == 0
        assert (f"{examples} examples, seed 0" in ran.out) == (examples > 0)
        counts[examples] = sent(ran.out)

    assert counts[0] < counts[5] < counts[20]
    assert counts[20] - counts[0] <= 60


def test_a_finding_shows_the_simplest_request(address: str, tmp_path: Path) -> None:
    base = f"{address}/fault/{FAULT}/v1"
    amount = ("--examples", "80", "--seed", "3")
    ran = run(tmp_path, "--target-url", base, *PENALTIES, *amount)

    assert set(ran.verdicts().values()) == {"WARN"}
    (entry,) = ran.results()["requirements"]
    (finding,) = entry["evidence"]["findings"]
    assert finding["required"] == "status 4xx for frequency_penalty below -2"
    curl = entry["evidence"]["exchanges"][0]["curl"]
    assert '"content": "Say hello."}], "max_tokens": 64, "frequency_penalty": -2.1}' in curl
    assert " ".join(amount) in entry["evidence"]["reproduce"]
    assert entry["evidence"]["repeated"] == {"broken": 4, "of": 4}
    assert not (tmp_path / ".hypothesis").exists()


@pytest.mark.parametrize(
    "words", [("--examples", "-1"), ("--examples", "many"), ("--seed", "1.5"), ("--seed", "")]
)
def test_a_number_that_is_none_is_told_in_one_line(
    words: tuple[str, str], url: str, tmp_path: Path
) -> None:
    ran = run(tmp_path, "--target-url", url, *words)

    assert ran.status == 4
    assert f"{words[0]} {words[1]}: give a whole number" in ran.said
