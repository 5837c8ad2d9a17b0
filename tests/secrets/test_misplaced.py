"""A key in the wrong place: whoever complains names the place, and does not quote the key.

The parsers of pytest and Locust quote what they do not know, and the log of a CI job keeps it.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conformance.reference.__main__ import main as reference
from conformance.wire.arguments import is_a_key, key_as_a_value, looks_like_a_key, misplaced_key
from load.__main__ import main as load
from load.options import add_options
from load.sweep import main as sweep
from reports.__main__ import main as reports
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
    "alone": ((KEY,), "an argument without an option looks like a key"),
    "alone, with its scheme": ((f"Bearer {KEY}",), "an argument without an option looks like"),
}
"""What is given, and where the key is said to stand."""

TO_PYTEST: dict[str, tuple[tuple[str, ...], str]] = {
    **TO_BOTH,
    "an unknown option": ((f"--credit={KEY}",), "what follows --credit looks like a key"),
    "-k": (("-k", KEY), "what follows -k looks like a key"),
    "-m": (("-m", KEY), "what follows -m looks like a key"),
    "the variable": (("--api-key-env", KEY), "what follows --api-key-env looks like a key"),
    "the URL": (("--target-url", KEY), "what follows --target-url looks like a key"),
    "the profile": (("--profile", KEY), "what follows --profile looks like a key"),
    # Options that want something else: a number, a choice, an id, a file.
    **{
        f"{option} KEY": ((option, KEY), f"what follows {option} looks like a key")
        for option in (
            *("-n", "--dist", "--rate", "--timeout", "--examples", "--seed", "--model"),
            *("--budget-requests", "--requirement", "--results", "--resume", "--html", "--ignore"),
        )
    },
    "-nKEY": ((f"-n{KEY}",), "what follows -n looks like a key"),
    "--timeout=KEY": ((f"--timeout={KEY}",), "what follows --timeout looks like a key"),
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


TO_LOAD: dict[str, tuple[tuple[str, ...], str]] = {
    **TO_BOTH,
    "an unknown option": ((f"--credit={KEY}",), "--credit is no option"),
    **{
        f"{option} KEY": ((option, KEY), f"what follows {option} looks like a key")
        for option in ("--rate", "--arrivals", "--slo", "--trace", "--target-profile", "--model")
    },
}


@pytest.mark.parametrize("name", TO_LOAD)
def test_the_load_generator_refuses_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    given, where = TO_LOAD[name]
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["--max-tokens", "5", *given])
    said = capsys.readouterr().err
    assert said.startswith(f"load: {where}")
    assert said.count("\n") == 1
    assert left.value.code == 2
    assert KEY not in said
    assert WORD not in said


def test_what_a_variable_holds_is_not_quoted_either(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    with pytest.raises(SystemExit):
        parser.error(f"argument -u/--users: invalid int value: '{KEY}'")
    said = capsys.readouterr().err
    assert "the value of an option looks like a key: put the key into" in said
    assert KEY not in said


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], tuple[str, ...], int]] = {
    # command, what it is given, its exit status
    "load: users": (load, ("-u", KEY), 2),
    "load: address": (load, ("--host", KEY), 2),
    "sweep: rate": (sweep, ("--host", "http://h/v1", "--slo", "ttft_p95<1s", "--most", KEY), 2),
    "sweep: address": (sweep, ("--host", KEY, "--slo", "ttft_p95<1s"), 2),
    "reports: command": (reports, (KEY,), 4),
    "reports: file": (reports, ("show", KEY), 4),
    "reports: option": (reports, ("show", "results.json", "--token", WORD), 4),
    "reference: port": (reference, ("--port", KEY), 2),
    "reference: pace": (reference, ("--ttft-ms", KEY), 2),
    "reference: fault": (reference, ("--fault", KEY), 2),
    "reference: variable": (reference, ("--key-env", KEY), 2),
    "reference: option": (reference, ("--apikey", WORD), 2),
    "reference: models": (reference, ("--model-speed", KEY), 2),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_it_in_one_line(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY, raising=False)
    command, given, status = COMMANDS[name]
    try:
        left: object = command(given)
    except SystemExit as error:
        left = error.code
    told = capsys.readouterr()
    assert left == status
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert KEY not in told.err
    assert WORD not in told.err


def test_an_address_that_is_none_is_not_quoted() -> None:
    command = [sys.executable, "-m", "conformance.reference", "--host", KEY, "--port", "0"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert KEY not in done.stderr


def test_the_name_of_a_fault_that_is_none_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reference(["--fault", "no_such_fault"])
    assert "no fault is called 'no_such_fault': see --faults" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (("--api-key", KEY), None),
        (("-o", f"x={KEY}"), "what follows -o looks like a key"),
        (("Chat", KEY), "an argument without an option looks like a key"),
        (("--model", "pplx-70b-online-alpha"), None),
        (("--model", "hf-2026/gemma-3-27b-it"), None),
        (("--results", "out/sk-learn-0123456789.json"), None),
        (("--results", "hf_results_2026_11_26.json"), None),
        (("--requirement", "CC-SSE-001"), None),
        (("-k", "sk-hyphened-words-alone"), None),
    ],
)
def test_what_follows_an_option(given: tuple[str, ...], where: str | None) -> None:
    assert key_as_a_value(given) == where


def test_the_token_of_a_jwt_has_no_suffix_of_a_file() -> None:
    assert is_a_key("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl")
    assert is_a_key("Bearer a-key-without-digits")


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
