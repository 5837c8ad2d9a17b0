"""What an INFO entry observes differs where servers differ, and blames none of them.

The laws:

1. Of every observed entry there is a server here of which something else is told than of the plain
   one: an observation that never changes observes nothing.
2. Both are right: an observation is no verdict.
"""

import re
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from conformance.checks import judged
from conformance.reference.call import Call, Piece, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    each_message,
    messages,
    prompted,
)
from conformance.requirements import REQUIREMENTS
from tests.inprocess import Judgement

from .dialect import (
    THINKER,
    dialect,
    spoken_by,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SEER = "google/gemma-3-27b-it"
"""A model of the reference server that takes pictures."""

KEYS = 'keys.limited = "$REFERENCE_LIMITED_KEY"'

CASES: Mapping[str, tuple[str, str]] = {
    "CC-FIN-006": ("reason 'tool_calls'", "reason 'stop'"),
    "CC-HDR-006": ("Retry-After of its 429s: 1", "120; clients wait for at most"),
    "CC-MM-003": ("status 400", "status 200"),
    "CC-MODEL-014": ("the list tells none", "the list tells context_length"),
    "CC-REQ-016": ("null is taken for all", "null is refused for tools"),
    "CC-REQ-038": ("is accepted", "code empty_array"),
    "CC-SAMP-011": ("a text of", "an empty text"),
    "CC-SSE-019": (r"\b0 of which", r"\b[1-9]\d* of which"),
    "CC-STRUCT-002": ("is accepted", "is refused with status 400"),
    "CC-TOOL-026": ("is accepted", "code empty_array"),
}
"""By entry: what is told of the plain server, and of the one below that is told apart; a pattern of
each."""

PLAIN = tuple(set(CASES) - {"CC-MM-003", "CC-SAMP-011"})


@dialect(seam="reply", only=PLAIN, profile=KEYS)
def is_plain(reply: Reply, call: Call) -> Reply:
    """Is the reference server as it is."""
    return reply


@dialect(seam="reply", only=("CC-SAMP-011",), model=THINKER)
def thinks_plainly(reply: Reply, call: Call) -> Reply:
    """Is the reference server as it is, asked by its name for thinking."""
    return reply


@dialect(seam="reply", only=("CC-MM-003",), model=SEER)
def sees_plainly(reply: Reply, call: Call) -> Reply:
    """Is the reference server as it is, asked by its name for seeing."""
    return reply


@dialect(seam="reply", only=("CC-FIN-006",))
def says_stop_beside_forced_calls(reply: Reply, call: Call) -> Reply:
    """Ends a call that was forced by name with `stop`, as the specification's author has done."""
    forced = isinstance(asked(call, "tool_choice"), dict)
    return choice(reply, lambda one: one.update(finish_reason="stop")) if forced else reply


@dialect(seam="reply", only=("CC-HDR-006",), profile=KEYS)
def wants_two_minutes(reply: Reply, call: Call) -> Reply:
    """Asks whoever is at the limit for two minutes of patience."""
    return reply.having(("Retry-After", "120")) if reply.status == 429 else reply


@dialect(seam="request", only=("CC-MM-003",), model=SEER)
def takes_pictures_as_strings(call: Call) -> Call:
    """Takes the URL of a picture without the object around it."""

    def wrap(one: dict[str, Any]) -> None:
        parts = one.get("content")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part.get("image_url"), str):
                part["image_url"] = {"url": part["image_url"]}

    return each_message(call, wrap)


@dialect(seam="reply", only=("CC-MODEL-014",))
def tells_capabilities(reply: Reply, call: Call) -> Reply:
    """Tells the window of every model in the list, as vLLM and OpenRouter do."""
    if call.path == "/models" and reply.ok:
        for one in reply.body["data"]:
            one["context_length"] = 131_072
    return reply


@dialect(seam="request", only=("CC-REQ-016",))
def refuses_null_tools(call: Call) -> Call | Reply:
    """Refuses null for `tools`, which the specification does not let be null."""
    is_null = call.chat and (call.json or {}).get("tools", ()) is None
    return bad_parameter("tools", "is not an array") if is_null else call


@dialect(seam="request", only=("CC-REQ-038",))
def refuses_no_tools(call: Call) -> Call | Reply:
    """Refuses an empty list of tools, as upstream has done."""
    return _empty("tools") if asked(call, "tools") == [] else call


@dialect(seam="request", only=("CC-TOOL-026",))
def refuses_no_calls(call: Call) -> Call | Reply:
    """Refuses an empty list of calls in the history, as upstream does."""
    empty = any(one.get("tool_calls") == [] for one in messages(call))
    return _empty("messages[1].tool_calls") if empty else call


def _empty(name: str) -> Reply:
    message = f"Invalid '{name}': empty array. Expected one of at least length 1."
    return refusal(400, message, param=name, code="empty_array")


@dialect(seam="reply", only=("CC-SAMP-011",), model=THINKER)
def stops_in_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Ends a greeting at a stop sequence that only its thoughts hold, as Ollama has done."""
    hit = asked(call, "stop") == ["."] and prompted(call, "Say hello")
    return choice(reply, lambda one: one["message"].update(content="")) if hit else reply


@dialect(seam="bytes", only=("CC-SSE-019",))
def cuts_events_in_two(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes a stream in pieces that end in the middle of its events."""
    if not call.asks_stream:
        return pieces
    return [half for piece in pieces for half in _halves(piece)]


def _halves(piece: Piece) -> tuple[Piece, ...]:
    half = len(piece) // 2 if isinstance(piece, bytes) else 0
    return (piece[:half], piece[half:]) if isinstance(piece, bytes) and half else (piece,)


@dialect(seam="request", only=("CC-STRUCT-002",))
def wants_json_in_a_message(call: Call) -> Call | Reply:
    """Refuses JSON mode where no message says JSON, as upstream does."""
    form = asked(call, "response_format")
    wanted = isinstance(form, dict) and form.get("type") == "json_object"
    said = any("json" in str(one.get("content")).lower() for one in messages(call))
    return call if said or not wanted else bad_parameter("messages", "must contain the word 'json'")


OURS = spoken_by(__name__)


@pytest.mark.parametrize("clause", CASES)
def test_another_server_is_told_apart(spoken: Mapping[str, Future[Judgement]], clause: str) -> None:
    plain, other = (
        _told(spoken[one.name].result(), clause)
        for one in sorted(OURS, key=lambda one: not one.name.endswith(("plain", "plainly")))
        if clause in one.only
    )
    on_plain, on_other = CASES[clause]
    assert re.search(on_plain, plain)
    assert re.search(on_other, other)
    assert plain != other


def _told(outcome: Judgement, clause: str) -> str:
    (entry,) = [e for e in outcome.results["requirements"] if e["id"] == clause]
    assert entry["verdict"] == "OBSERVED"
    said: str = entry["evidence"]["observed"]
    return said


def test_every_observed_entry_has_its_case() -> None:
    assert set(CASES) == {i for i in judged() if REQUIREMENTS[i].level == "INFO"}
