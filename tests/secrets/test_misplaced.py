"""A key in the wrong place: whoever complains names the place, and does not quote the key.

The parsers of pytest and Locust quote what they do not know, and the log of a CI job keeps it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.wire.arguments import looks_like_a_key, misplaced_key
from load.options import add_options
from tests.load.running import ROOT
from tests.plugin.batch import run_all
from tests.plugin.bench import Ran

KEY = "sk-proj-0123456789abcdefghij"
WORD = "hush-hush-hush"
"""A key that does not look like one."""

SPELLINGS = ("--apikey", "--api_key", "--key", "--token", "--bearer", "--openai-api-key", "-apikey")

TO_BOTH: dict[str, tuple[tuple[str, ...], str]] = {
    **{f"{name} KEY": ((name, KEY), f"{name} is no option") for name in SPELLINGS},
    **{f"{name}=KEY": ((f"{name}={WORD}",), f"{name} is no option") for name in SPELLINGS},
    "an unknown option": ((f"--credit={KEY}",), "--credit is no option"),
    "alone": ((KEY,), "an argument without an option looks like a key"),
    "alone, with its scheme": ((f"Bearer {KEY}",), "an argument without an option looks like"),
}
"""What is given, and where the key is said to stand."""

TO_PYTEST: dict[str, tuple[tuple[str, ...], str]] = {
    **TO_BOTH,
    "-k": (("-k", KEY), "what follows -k looks like a key"),
    "-m": (("-m", KEY), "what follows -m looks like a key"),
    "the variable": (("--api-key-env", KEY), "what follows --api-key-env looks like a key"),
    "the URL": (("--target-url", KEY), "what follows --target-url looks like a key"),
    "the profile": (("--profile", KEY), "what follows --profile looks like a key"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """How every row of `TO_PYTEST` ends."""
    lines = {name: ("--examples", "0", *given) for name, (given, _) in TO_PYTEST.items()}
    return run_all(tmp_path_factory.mktemp("misplaced"), lines)


@pytest.mark.parametrize("name", TO_PYTEST)
def test_the_suite_refuses_it(name: str, ended: dict[str, Ran]) -> None:
    ran = ended[name]
    assert ran.complaint.startswith(TO_PYTEST[name][1])
    assert "into the environment, as TARGET_API_KEY or under the name that --api" in ran.complaint
    assert ran.status == 4
    assert KEY not in ran.said
    assert WORD not in ran.said


@pytest.mark.parametrize("name", TO_BOTH)
def test_the_load_generator_refuses_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    given, where = TO_BOTH[name]
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["--max-tokens", "5", *given])
    said = capsys.readouterr().err
    assert said.startswith(f"load: {where}")
    assert said.count("\n") == 1
    assert left.value.code == 2
    assert KEY not in said
    assert WORD not in said


def test_locust_refuses_it_too(tmp_path: Path) -> None:
    chat = str(ROOT / "load" / "chat.py")
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", chat, "--headless", "-u", "5", f"--apikey={WORD}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout + done.stderr == (
        "load: --apikey is no option: put the key into the environment, as TARGET_API_KEY or under "
        "the name that --api-key-env gives\n"
    )


OPTIONS = {
    "--model": True,
    "--headless": False,
    "-u": True,
    "--api-key": True,
    "--max-tokens": True,
}

INNOCENT: tuple[tuple[str, ...], ...] = (
    ("--api-key", KEY),
    (f"--api-key={KEY}",),
    ("--model", KEY),
    ("--headless", "-u", "5"),
    ("-u20",),
    ("--max-token", "5"),  # argparse takes what is cut short
    ("--budget-token", "5"),
    ("--key-env", "NAME"),
    ("--keyword", "x"),
    ("--monkey", "x"),
    ("Chat",),
    ("tests/test_sk-learn.py::test_key[sk-1]",),
)


@pytest.mark.parametrize("given", INNOCENT, ids=" ".join)
def test_what_is_no_key_is_left_to_the_parser(given: tuple[str, ...]) -> None:
    assert misplaced_key(given, OPTIONS) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (KEY, True),
        (f"x={KEY}", True),
        ("gsk_0123456789abcdef", True),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", True),
        ("sk-short", False),
        ("risk-0123456789abcdef", False),
        ("meta/llama-3.3-70b-instruct", False),
        ("http://127.0.0.1:8080/v1", False),
    ],
)
def test_what_keys_look_like(text: str, is_one: bool) -> None:
    assert looks_like_a_key(text) is is_one
