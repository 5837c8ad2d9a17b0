"""What a run tells of itself: the command that repeats it, and what it knew; no secret."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

import schemas
from conformance.generation import DEFAULT_EXAMPLES, DEFAULT_SEED, Amount
from conformance.running.configuration import Selection, command, configuration, merged
from conformance.running.settings import Settings
from conformance.target.capabilities import Capability
from conformance.target.reading import load

URL = "http://127.0.0.1:8080/v1"
PLAIN = Settings(
    target_url=URL,
    key_variable="TARGET_API_KEY",
    key="sk-very-secret",
    spare_keys={"LIMITED_KEY": "sk-limited-secret"},
    models=(),
    all_models=False,
    profile=replace(load("openai"), headers={"X-Team": "$TEAM", "X-Fixed": "fixed-secret"}),
    profile_given=None,
    strict=False,
    patterns=(),
    selected=None,
    results=Path("results.json"),
    timeout=60.0,
    plan=False,
    generated=Amount(DEFAULT_EXAMPLES, DEFAULT_SEED),
    clients=True,
    long_context=0,
)
PRESENT = Capability("tools", "present", "probed: status 200")
ABSENT = Capability("tools", "absent", "probed: status 400")
SEEN = Capability("seed", "present", "probed: status 200")


@pytest.mark.parametrize(
    ("settings", "embedded", "selection", "words"),
    [
        (PLAIN, False, Selection(), f"--target-url {URL}"),
        (PLAIN, True, Selection(), ""),
        (replace(PLAIN, target_url=None), False, Selection(), ""),
        (
            replace(PLAIN, key_variable="MY_KEY", profile_given="my profile.toml"),
            False,
            Selection(),
            f"--target-url {URL} --api-key-env MY_KEY --profile 'my profile.toml'",
        ),
        (
            replace(PLAIN, generated=Amount(80, 3), timeout=2.5, long_context=4096, strict=True),
            True,
            Selection(keyword="a and b", markers="not slow", processes=4),
            "--long-context 4096 --examples 80 --seed 3 --timeout 2.5 -k 'a and b' -m 'not slow' "
            "-n 4 --strict",
        ),
        (replace(PLAIN, clients=False), True, Selection(), "--no-clients"),
    ],
)
def test_the_command_says_what_does_not_go_without_saying(
    settings: Settings, embedded: bool, selection: Selection, words: str
) -> None:
    said = command(settings, embedded, requirements=(), models=(), selection=selection)
    assert said == f"pytest --pyargs conformance {words}".rstrip()


def test_what_is_selected_is_quoted_for_a_shell() -> None:
    models = ["a b", "$(id)", "it's"]
    said = command(PLAIN, True, requirements=["CC-SSE", "CC-HTTP-001"], models=models)
    words = shlex.split(said)
    assert [words[at + 1] for at, word in enumerate(words) if word == "--model"] == models
    assert words[3:7] == ["--requirement", "CC-SSE", "--requirement", "CC-HTTP-001"]


def test_a_configuration_fits_its_schema_and_holds_no_secret() -> None:
    known = {"n": (ABSENT, SEEN), "m": (PRESENT, SEEN)}
    told = configuration(
        PLAIN, embedded=False, models=["m", "n"], known=known, selection=Selection()
    )
    whole = {"$defs": schemas.schema("results")["$defs"]}
    assert schemas.schema("results")["properties"]["configuration"] == {
        "$ref": "#/$defs/configuration"
    }
    assert set(told) == set(whole["$defs"]["configuration"]["required"])
    assert told["key"] == "TARGET_API_KEY"
    assert told["headers"] == ["X-Fixed", "X-Team"]
    assert "secret" not in json.dumps(told)
    assert told["capabilities"] == [
        {"flag": "seed", "state": "present", "because": "probed: status 200", "models": ["m", "n"]},
        {"flag": "tools", "state": "present", "because": "probed: status 200", "models": ["m"]},
        {"flag": "tools", "state": "absent", "because": "probed: status 400", "models": ["n"]},
    ]


def test_a_run_without_a_key_says_so() -> None:
    told = configuration(
        replace(PLAIN, key=None), embedded=False, models=[], known={}, selection=Selection()
    )
    assert told["key"] is None


def test_what_a_target_said_is_printable() -> None:
    said = Capability("tools", "absent", "status 400\x1b[31m\u202e")
    told = configuration(
        PLAIN, embedded=False, models=["m"], known={"m": [said]}, selection=Selection()
    )
    assert told["capabilities"][0]["because"].isprintable()


def test_what_two_processes_know_is_told_once() -> None:
    assert merged({"m": (PRESENT,)}, {"m": (ABSENT, SEEN), "n": ()}) == {
        "m": (ABSENT, SEEN),
        "n": (),
    }
    assert merged({}, {}) == {}
