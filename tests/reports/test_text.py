"""The terminal's words: complete, fitted to the width, and one thing per line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.requirements import REQUIREMENTS
from reports import text

from . import sample


def shown(clause: str, model: str, **options: Any) -> list[str]:
    entry = next(
        e for e in sample.run()["requirements"] if (e["id"], e["model"]) == (clause, model)
    )
    return text.failure(entry, REQUIREMENTS[clause], **options).split("\n")


def labelled(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line[2:3].strip()]


def test_a_failure_says_all_that_is_needed() -> None:
    lines = shown("CC-SSE-005", "deepseek-ai/deepseek-r1")
    assert lines[0] == "CC-SSE-005 (MUST) · deepseek-ai/deepseek-r1"
    assert labelled(lines[1:]) == [
        "required",
        "seen",
        "source",
        "breaks",
        "exchange",
        "reproduce",
        "re-run",
        "fix",
    ]
    assert "              >  233.1 ms  data: {" in "\n".join(lines)
    assert any("… 82 lines …" in line for line in lines)


def test_only_commands_are_wider_than_the_terminal() -> None:
    for clause, model in [
        ("CC-SSE-005", "deepseek-ai/deepseek-r1"),
        ("CC-STREAM-002", "qwen/qwen3-235b-a22b"),
    ]:
        for line in shown(clause, model, width=80):
            assert len(line) <= 80 or line.split()[0] in {"reproduce", "re-run", "exchange"}


def test_commands_stand_whole_on_one_line() -> None:
    lines = shown("CC-STREAM-002", "qwen/qwen3-235b-a22b", width=60)
    (curl,) = [line for line in lines if line.startswith("  reproduce")]
    assert curl.endswith('"stream": true}\'')
    (rerun,) = [line for line in lines if line.startswith("  re-run")]
    assert rerun.endswith("--requirement CC-STREAM-002 --model qwen/qwen3-235b-a22b")


def test_five_findings_and_the_number_of_the_rest() -> None:
    lines = shown("CC-STREAM-002", "qwen/qwen3-235b-a22b")
    assert sum("$.id: 'chatcmpl-" in line for line in lines) == 5
    assert any(line.endswith("… and 3 more") for line in lines)
    assert sum("instead of:" in line for line in lines) == 1


def test_a_marked_line_is_shown_whole_and_a_blank_one_by_name() -> None:
    long = "data: " + "x" * 200
    transcript: list[dict[str, Any]] = [
        {"at_ms": 1.0, "arrival": 0, "offset": 0, "text": long, "mark": True},
        {"at_ms": 1.0, "arrival": 0, "offset": 207, "text": "", "mark": True},
        {"at_ms": 1.0, "arrival": 0, "offset": 208, "text": "", "mark": False},
        {"at_ms": 1.0, "arrival": 0, "offset": 209, "text": "", "mark": True},
        {"at_ms": None, "arrival": None, "offset": 210, "text": "y" * 200, "mark": False},
    ]
    entry = sample.record("CC-SSE-003", "FAIL", exchanges=[_exchange(transcript)])
    lines = text.failure(entry, REQUIREMENTS["CC-SSE-003"]).split("\n")
    marked = [line.strip() for line in lines if line.strip().startswith(">")]
    assert "".join(line.split()[-1] for line in marked[:-1])[-200:] == "x" * 200
    assert marked[-1].endswith("(blank line)")  # the one behind an unmarked line
    assert sum("(blank line)" in line for line in lines) == 1
    assert any(" … yyy" in line for line in lines)
    assert not any(line.endswith(" ms") for line in lines)


def test_far_lines_are_counted_instead_of_shown() -> None:
    transcript = [
        {"at_ms": 1.0, "arrival": 0, "offset": n, "text": f"line {n}", "mark": n == 30}
        for n in range(60)
    ]
    entry = sample.record("CC-SSE-003", "FAIL", exchanges=[_exchange(transcript)])
    lines = text.failure(entry, None).split("\n")
    assert sum("  line " in line for line in lines) == 1 + text.ROWS
    assert [line.strip() for line in lines if "…" in line] == ["… 24 lines …", "… 23 lines …"]


def test_the_telling_exchange_has_a_mark() -> None:
    plain = _exchange([{"at_ms": 1.0, "offset": 0, "text": "a", "mark": False}])
    marked = _exchange([{"at_ms": 1.0, "offset": 0, "text": "b", "mark": True}])
    assert text.telling([marked, plain]) is marked
    assert text.telling([marked, dict(plain), plain][1:]) is plain
    assert text.telling([]) is None


def test_no_reply_shows_why() -> None:
    exchange = _exchange([]) | {"status": None, "headers": [], "error": "connection refused"}
    assert text.outcome(exchange) == "POST https://example.com/v1 -> connection refused"


def test_what_a_target_sends_stays_on_its_line() -> None:
    for entry in sample.hostile()["requirements"]:
        lines = text.failure(entry, REQUIREMENTS[entry["id"]]).split("\n")
        assert all(line == line.encode("utf-8").decode("utf-8") for line in lines)
        commands = [line for line in lines if line.split()[0] in {"reproduce", "re-run"}]
        assert len(commands) == 2
        assert sum(map(len, lines)) - sum(map(len, commands)) < 6_000


def test_the_closing_lines() -> None:
    lines = text.closing(sample.run(), [Path("out/report.html")])
    assert lines[0] == "Not conformant: 3 of 85 MUST clauses are broken on 10 of 10 models."
    assert [line.split()[0] for line in lines[2:]] == [
        "MUST",
        "SHOULD",
        "MAY",
        "INFO",
        "verdicts",
        "sent",
        "tokens",
        "deviation",
        "deviation",
        "written",
    ]
    assert lines[6].startswith("  verdicts    1,931 judgements (clause and model): 13 FAIL")
    assert "  sent        1,214 requests in 74 s" in lines
    shaky = text.closing(sample.run(repeated=12))
    assert any(line.endswith("12 of them repeated after 429, 5xx or no reply") for line in shaky)
    assert "CC-ERR-009 EXPIRED on 2026-10-01, 10 models: the gateway drops" in lines[10]


@pytest.mark.parametrize(
    ("seen", "again", "words"),
    [
        ((1, 4), (2, 6), "1 of 4; intermittent: asked again, 2 of 6"),
        ((4, 4), (8, 8), "4 of 4; steady: asked again, 8 of 8"),
        ((1, 1), None, "1 of 1"),
        (None, (1, 2), "intermittent: asked again, 1 of 2"),
        (None, None, ""),
    ],
)
def test_how_often_a_breach_was_seen(
    seen: tuple[int, int] | None, again: tuple[int, int] | None, words: str
) -> None:
    evidence = {
        "seen_in": seen and {"broken": seen[0], "looked": seen[1]},
        "repeated": again and {"broken": again[0], "of": again[1]},
    }
    assert text.frequency(evidence) == words


def test_an_intermittent_breach_is_called_so() -> None:
    at_times = {"seen_in": {"broken": 1, "looked": 4}, "repeated": {"broken": 2, "of": 6}}
    steady = {"seen_in": {"broken": 4, "looked": 4}, "repeated": {"broken": 8, "of": 8}}
    rows = [
        sample.record("CC-SSE-003", "FAIL", sample.MODELS[0], **at_times),
        sample.record("CC-SSE-003", "FAIL", sample.MODELS[1], **steady),
        sample.record("CC-SSE-005", "FAIL", sample.MODELS[0], **steady),
    ]
    assert "replies" in labelled(text.failure(rows[0], None).split("\n"))
    lines = text.closing(sample.run(records=rows, profile_deviations=()))
    (line,) = [line for line in lines if "at times" in line]
    assert line.split() == [
        *["at", "times", "CC-SSE-003", "intermittent:", "2", "of", "6", "replies,"],
        sample.MODELS[0],
    ]


def test_observations_are_told_and_not_counted() -> None:
    rows = [sample.record("CC-SSE-005", "PASS")]
    rows += [sample.record("CC-FIN-006", "OBSERVED", m, summary="says x") for m in sample.MODELS]
    rows[-1]["evidence"]["summary"] = "says y"
    lines = text.closing(sample.run(records=rows, profile_deviations=()))
    assert "  observed    CC-FIN-006 says x (9 of 10 models)" in lines
    assert "  verdicts    1 judgement (clause and model): 1 PASS" in lines
    assert any(line.startswith("  INFO") and "1 observed" in line for line in lines)


def _exchange(transcript: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "url": "https://example.com/v1", "headers": [], "body": "{}"},
        "status": 200,
        "headers": [["Content-Type", "text/event-stream"]],
        "transcript": transcript,
        "curl": "curl https://example.com/v1",
        "error": None,
    }


def test_trials_are_all_counted_though_one_finding_tells_of_them() -> None:
    trials = {"passed": 0, "counted": 2, "of": 3}
    evidence = {"seen_in": {"broken": 1, "looked": 2}, "repeated": None, "trials": trials}
    assert text.frequency(evidence) == "2 of 2 trials"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, ""),
        ((0, 0, 0, 0), "usage told none, in 0 of 981 answers"),
        ((1, 1, 1, 2), "1 token read and 1 written, as usage told in 1 of 981 answers"),
        (
            (9, 9, 8, 20),
            "9 tokens read and 8 written, 20 in all, as usage told in 9 of 981 answers",
        ),
    ],
)
def test_what_usage_told(told: tuple[int, ...] | None, said: str) -> None:
    spent = {name: n for name, n in sample.TOKENS.items() if name != "told"}
    if told is not None:
        spent["told"] = dict(zip(("answers", "input", "output", "total"), told, strict=True))
    assert text.tokens_told(sample.run(tokens=spent)) == said
    assert text.tokens_told(sample.run(tokens=None)) == ""
