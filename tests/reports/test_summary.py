"""The summary: what it says, and that no string of a target is Markdown in it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.requirements import REQUIREMENTS
from reports import results as saved
from reports.markdown import block, code, names
from reports.signs import TARGET
from reports.summary import BOUND, summary

from . import sample

ONE = sample.MODELS[0]

FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def outside_code(markdown: str) -> str:
    """What is not code, by the rules of CommonMark: fences first, then spans of equal ticks."""
    return SPAN.sub("CODE", FENCED.sub("BLOCK", markdown))


def made(records: list[Any], models: list[str] | None = None, **changes: Any) -> str:
    target = {"url": sample.URL, "profile": "example", "models": models or [ONE]}
    given = {"records": records, "target": target, "profile_deviations": ()} | changes
    return summary(sample.run(**given), REQUIREMENTS)


@pytest.fixture(scope="module")
def whole() -> str:
    return summary(sample.run(), REQUIREMENTS)


@pytest.fixture(scope="module", params=[False, True])
def hostile(request: pytest.FixtureRequest) -> str:
    return summary(sample.hostile(), REQUIREMENTS, details=request.param)


# --- what it says ---------------------------------------------------------------------------------


def test_the_verdict_comes_first_with_its_denominator(whole: str) -> None:
    lines = whole.splitlines()
    assert lines[0] == "## ❌ Not conformant"
    assert lines[2] == "3 of 85 MUST clauses are broken on 10 of 10 models."
    assert f"`{sample.URL}` · 10 models · profile `example` · 2026-11-22 14:02 UTC" in lines[4]


def test_counts_have_denominators(whole: str) -> None:
    found = sample.run()
    table = [line for line in whole.splitlines() if line.startswith("|")]
    assert table[0] == "| clauses | MUST | SHOULD | MAY | INFO |"
    rows = {cells[1].strip(): [c.strip() for c in cells[2:-1]] for cells in _cells(table[2:])}
    assert rows["broken"] == ["3 of 85", "", "", ""]
    assert rows["held"][0] == "82 of 85"
    total = found["catalogue"]["total"]
    ran = {entry["id"] for entry in found["requirements"] if entry["level"] == "MAY"}
    assert rows["not run"][2] == f"{total['MAY'] - len(ran)} of {total['MAY']}"


def _cells(table: list[str]) -> list[list[str]]:
    return [line.split("|") for line in table]


def test_a_failure_says_all_that_is_needed(whole: str) -> None:
    start = whole.index("<details><summary><b>CC-SSE-005</b> MUST")
    card = whole[start : whole.index("</details>", start)]
    assert "2 of 10 models" in card.partition("</summary>")[0]
    assert "**seen** `the end: the body ends after the chunk with finish_reason" in card
    assert "**models** `deepseek-ai/deepseek-r1` and `microsoft/phi-4-reasoning-plus`" in card
    assert f"**fix** {REQUIREMENTS['CC-SSE-005'].fix}" in card
    assert "```sh\npytest --target-url https://api.example.com/v1 --requirement CC-SSE-005" in card


def test_warnings_and_what_is_undecided_are_folded(whole: str) -> None:
    for heading in ("<details><summary>3 warnings", "<details><summary>2 clauses undecided"):
        assert heading in whole
    assert "**CC-FIN-003** MUST open: `429 three times" in whole
    assert "unsupported</summary>" not in whole
    full = summary(sample.run(), REQUIREMENTS, details=True)
    assert "### Warnings: 3 causes" in full
    assert "unsupported</summary>" in full


def test_one_broken_thing_is_one_block() -> None:
    finding = {"at": "$.error", "seen": '"a string"', "reply": "0a1b", "mild": False}
    kin = [
        sample.record(clause, "FAIL", findings=[finding | {"required": f"what {clause} asks"}])
        for clause in ("CC-ERR-001", "CC-ERR-002")
    ]
    blocked = sample.record("CC-ERR-003", "BLOCKED", by="CC-ERR-001", reason="no envelope")
    text = made([*kin, blocked])
    assert "### Broken: 2 clauses, 1 cause\n" in text
    card = text[text.index("<details><summary><b>CC-ERR-001</b>") :].partition("</details>")[0]
    assert "\n- **also breaks** \n  - **CC-ERR-002** MUST" in card
    assert "\n- **blocks** CC-ERR-003\n" in card
    assert "<summary><b>CC-ERR-002" not in text


def test_known_deviations_are_told(whole: str) -> None:
    assert "- `CC-USAGE-002 known until 2027-01-31, zhipuai/glm-4-9b-chat:" in whole


@pytest.mark.parametrize(
    ("verdict", "head"),
    [("PASS", "❔ Partial run"), ("INCONCLUSIVE", "❔ Inconclusive"), ("ERROR", "‼️ Error")],
)
def test_only_a_whole_run_is_called_conformant(verdict: str, head: str) -> None:
    assert made([sample.record("CC-SSE-005", verdict)]).startswith(f"## {head}\n")
    assert made([sample.record("CC-SSE-005", "PASS")], judged=[]).startswith("## ✅ Conformant\n")


def test_a_comes_and_goes_breach_is_called_so() -> None:
    often: dict[str, Any] = {
        "seen_in": {"broken": 1, "looked": 4},
        "repeated": {"broken": 2, "of": 6},
    }
    text = made([sample.record("CC-SSE-005", "FAIL", **often)])
    assert "intermittent: 2 of 6</summary>" in text
    assert "- **replies** 1 of 4; intermittent: asked again, 2 of 6" in text


# --- whom it does not trust ---------------------------------------------------------------------


def test_no_string_of_a_target_is_markup(hostile: str) -> None:
    text = outside_code(hostile)
    harm = ("<script", "<img", "<svg", "<!--", "javascript:", "onmouseover", "\u202e", "{{ 7")
    assert [each for each in harm if each in text] == []
    assert "<script>alert(1)</script>" in hostile
    hostile.encode("utf-8")


@pytest.mark.parametrize(
    "model",
    [
        "@cf/meta/llama-3",
        "a`b``c",
        "`",
        "``` x",
        "*a* _b_ [c](https://example.com) #1 ~d~ $e$",
        "x\n\n# heading\n\n| a |\n|---|",
        "</summary></details><h1>",
        "a|b",
        " ",
        "",
    ],
)
def test_a_model_may_have_any_name(model: str) -> None:
    evil = sample.record(
        "CC-SSE-005", "FAIL", model, summary=model or "x", reproduce=f"x '{model}'"
    )
    warned = sample.record("CC-ERR-009", "WARN", model, summary=model or "x")
    text = made([evil, warned], [model])
    plain = outside_code(text)
    for harm in ("@cf", "*a*", "# heading", "<h1>", "a|b"):
        assert harm not in plain
    assert "on CODE" in plain.splitlines()[2] or not model.strip()
    assert plain.count("<details>") == plain.count("</details>") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "`a`"),
        ("a`b", "`` a`b ``"),
        ("``", "``` `` ```"),
        ("a\nb\tc", "`a b c`"),
        ("\x1b[31m\u202e", "`\\x1b[31m\\u202e`"),
        ("", "(nothing)"),
        ("\n", "(nothing)"),
    ],
)
def test_inline_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_a_block_is_longer_fenced_than_what_it_holds() -> None:
    assert block("a\n```\nb", "sh") == "````sh\na\n```\nb\n````"
    assert block("curl  'two  spaces'") == "```\ncurl  'two  spaces'\n```"
    assert (
        block("a\u2028b\x00") == "```\na\\u2028b\\x00\n```" or block("a\x00") == "```\na\\x00\n```"
    )


def test_names_are_counted_beyond_a_limit() -> None:
    assert names(["a", "b"], 3) == "`a` and `b`"
    assert names(["a", "b", "c", "d"], 2) == "`a`, `b` and 2 more"
    assert names([TARGET]) == "the target as a whole"


def test_it_is_smaller_than_what_github_shows() -> None:
    long: dict[str, Any] = {
        "summary": "é" * 50_000,
        "reason": "x" * 50_000,
        "reproduce": "pytest " + "y" * 3_900,
    }
    rows = [sample.record(clause, "FAIL", **long) for clause in sorted(REQUIREMENTS)]
    text = made(rows)
    assert BOUND - 20_000 < len(text.encode()) < BOUND
    assert text.rstrip().endswith("more blocks: the compliance page has them.")
    assert text.count("<details>") == text.count("</details>")


def test_it_is_made_of_what_was_saved(tmp_path: Any) -> None:
    path = tmp_path / "results.json"
    saved.write(sample.run(), path)
    assert summary(saved.read(path), REQUIREMENTS) == summary(sample.run(), REQUIREMENTS)
