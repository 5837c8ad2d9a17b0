"""From how a check ended to its record: the table that decides, and what is kept of it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.outcomes import (
    Blocked,
    Broken,
    Inconclusive,
    Repeated,
    Sighting,
    Trials,
    Unsupported,
)
from conformance.protocol.finding import Finding
from conformance.requirements import REQUIREMENTS, Level
from conformance.running.recording import Recorder, verdict
from conformance.running.settings import Settings
from conformance.target.reading import load
from conformance.wire.exchange import Exchange, Request
from conformance.wire.redact import Redactor


def broken(*, mild: bool = False, trials: Trials | None = None) -> Broken:
    return Broken([Sighting(Finding("", "r", "s", mild=mild))], trials)


@pytest.mark.parametrize(
    ("ended", "must", "should", "info"),
    [
        (None, "PASS", "PASS", "OBSERVED"),
        (broken(), "FAIL", "WARN", "OBSERVED"),
        (broken(mild=True), "WARN", "WARN", "OBSERVED"),
        (Unsupported("x"), "UNSUPPORTED", "UNSUPPORTED", "OBSERVED"),
        (Inconclusive("x"), "INCONCLUSIVE", "INCONCLUSIVE", "OBSERVED"),
        (Blocked("CC-HTTP-001", "x"), "BLOCKED", "BLOCKED", "OBSERVED"),
        (ValueError("x"), "ERROR", "ERROR", "ERROR"),
    ],
)
def test_the_table_that_decides(ended: Exception | None, must: str, should: str, info: str) -> None:
    levels: tuple[Level, ...] = ("MUST", "SHOULD", "INFO")
    assert [verdict(level, ended, strict=False) for level in levels] == [must, should, info]
    assert verdict("MAY", ended, strict=True) == should
    assert verdict("INFO", ended, strict=True) == info


class Alone(Recorder):
    """A recorder whose run has no command line to repeat."""

    def rerun(self, requirement: str, model: str | None) -> str:
        return "pytest"


def recorder() -> Recorder:
    """A recorder of a run that knows nothing but its target."""
    profile = load("openai")
    settings = SimpleNamespace(key_variable="TARGET_API_KEY", profile=profile, strict=False)
    return Alone(cast("Settings", settings), Redactor([]), embedded=False)


def record(clause: str, ended: BaseException | None, **given: Any) -> dict[str, Any]:
    """The record of a check of `clause` that ended so; `used` and `observed` as given."""
    used = [Exchange(Request("POST", "/", bytes([n])), "http://x") for n in range(3)]
    told = {"used": used, "trials": None, **given}
    return recorder().record(
        REQUIREMENTS[clause], ended, model="m", nodeid="n", title="t", duration_s=0.1, **told
    )


def test_an_observation_is_told_in_its_own_words() -> None:
    made = record("CC-FIN-006", None, observed="it says\nx")
    assert made["verdict"] == "OBSERVED"
    assert made["evidence"]["summary"] == made["evidence"]["observed"] == "it says\\nx"


def test_what_could_not_be_observed_says_why() -> None:
    made = record("CC-FIN-006", Unsupported("tools: declared absent"))
    assert made["verdict"] == "OBSERVED"
    assert made["evidence"]["summary"] == "not observed: tools: declared absent"
    assert "observed" not in made["evidence"]


def test_a_check_that_observes_nothing_is_our_own_failure() -> None:
    made = record("CC-FIN-006", None)
    assert made["verdict"] == "ERROR"
    assert "observed nothing" in made["evidence"]["summary"]


def test_a_permission_keeps_its_verdict_beside_what_was_observed() -> None:
    (may, *_) = (entry for entry in REQUIREMENTS.values() if entry.level == "MAY")
    made = record(may.id, None, observed="it does x")
    assert (made["verdict"], made["evidence"]["observed"]) == ("PASS", "it does x")
    assert made["evidence"]["summary"] == "held in 3 replies"


def test_a_breach_says_in_how_many_replies_and_how_steadily() -> None:
    ended = broken()
    ended.repeated = Repeated(2, 4)
    evidence = record("CC-SSE-003", ended)["evidence"]
    assert evidence["seen_in"] == {"broken": 1, "looked": 3}
    assert evidence["repeated"] == {"broken": 2, "of": 4}
    assert record("CC-SSE-003", broken())["evidence"]["repeated"] is None


def test_behaviour_has_its_own_count() -> None:
    evidence = record("CC-SSE-003", broken(trials=Trials(1, 3, 2, 3)))["evidence"]
    assert evidence["trials"] == {"passed": 1, "counted": 3, "of": 3}
    assert evidence["repeated"] is None  # its trials may have asked for different things
