"""The checks against the catalogue: known ids, titles that read well, no MUST left out."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.checks import PACKAGE, Check, checks, judged
from conformance.requirements import CHAPTERS, REQUIREMENTS

MAIN = [
    "CC-HTTP",
    "CC-AUTH",
    "CC-MODEL",
    "CC-REQ",
    "CC-RESP",
    "CC-MSG",
    "CC-USAGE",
    "CC-FIN",
    "CC-SSE",
    "CC-STREAM",
    "CC-EQUIV",
    "CC-ERR",
    "CC-SERR",
]
"""The chapters that the main job judges."""

MOST_UNJUDGEABLE = 12

LONGEST_TITLE = 70

CLIENTS = "test_clients.py"
ANY_CHAPTER = (CLIENTS, "test_generated.py", "test_generated_faults.py")
"""What a client runs into, and what a generated request finds, may be any chapter's clause."""

SECOND: Mapping[str, str] = {
    "test_request_limits.py": "request",
    "test_request_logprobs.py": "request",
    "test_request_messages.py": "request",
    "test_request_optional.py": "request",
    "test_request_tools.py": "request",
    "test_tool_choice.py": "tools",
    "test_tool_history.py": "tools",
    "test_transport_requests.py": "transport",
}
"""Further files of checks of a large chapter, and the chapter's table."""

ids = [f"{check.file}::{check.function}" for check in checks()]


@pytest.mark.parametrize("check", checks(), ids=ids)
def test_a_check_carries_a_known_requirement_of_its_files_chapter(check: Check) -> None:
    assert check.requirement in REQUIREMENTS
    entry = next(c for c in CHAPTERS if c.prefix == check.requirement.rpartition("-")[0])
    if check.file in ANY_CHAPTER:
        return
    chapter = SECOND.get(check.file, Path(check.file).stem.removeprefix("test_"))
    table = PACKAGE / "requirements" / f"{chapter}.toml"
    assert table.exists()
    assert f'prefix = "{entry.prefix}"' in table.read_text("utf-8")


@pytest.mark.parametrize("check", checks(), ids=ids)
def test_a_title_is_a_short_statement(check: Check) -> None:
    assert len(check.title) <= LONGEST_TITLE
    assert len(check.title.split()) >= 3
    assert not re.search(r"\b(should|must|test|tests|check|checks|verify|will)\b", check.title)
    assert "  " not in check.title


def test_titles_are_unique() -> None:
    counted = Counter(title for title, _ in {(check.title, check.file) for check in checks()})
    assert [title for title, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("prefix", MAIN)
def test_every_must_of_a_main_chapter_is_judged(prefix: str) -> None:
    chapter = next(c for c in CHAPTERS if c.prefix == prefix)
    musts = [r.id for r in chapter.requirements if r.level == "MUST"]
    assert musts
    assert [i for i in musts if i not in judged()] == []


def test_no_entry_is_judged_that_says_why_it_is_not() -> None:
    assert [i for i in judged() if REQUIREMENTS[i].unjudged] == []


def test_every_file_of_checks_is_scanned() -> None:
    """Each function that pytest would collect is known to the listing: none runs unlisted."""
    written = {
        (path.name, name)
        for path in PACKAGE.glob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.M)
    }
    assert written == {(check.file, check.function) for check in checks()}


def test_no_check_is_hidden_in_a_class() -> None:
    for path in PACKAGE.glob("test_*.py"):
        assert not re.search(r"^class Test", path.read_text("utf-8"), re.M), path.name


def test_few_entries_are_beyond_every_black_box_test() -> None:
    beyond = [entry for entry in REQUIREMENTS.values() if entry.unjudged]
    assert len(beyond) <= MOST_UNJUDGEABLE
    assert [entry.id for entry in beyond if entry.level == "MUST"] == []
