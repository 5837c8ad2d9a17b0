"""The catalogue: complete, consistent, and refused where it contradicts itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import FrozenInstanceError
from importlib.resources import files
from pathlib import Path

import pytest

import conformance.requirements as catalogue
from conformance.requirements import (
    CHAPTERS,
    KINDS,
    LEVELS,
    REQUIREMENTS,
    CatalogueError,
    read_catalogue,
    requirement,
    select,
)

SIZES = {  # prefix -> file, and how many entries of each level, as in LEVELS
    "CC-HTTP": ("transport.toml", 10, 13, 2, 0),
    "CC-AUTH": ("auth.toml", 4, 7, 0, 0),
    "CC-MODEL": ("models.toml", 4, 8, 0, 1),
    "CC-REQ": ("request.toml", 10, 32, 3, 2),
    "CC-RESP": ("response.toml", 6, 3, 2, 0),
    "CC-MSG": ("message.toml", 4, 8, 1, 0),
    "CC-USAGE": ("usage.toml", 1, 7, 1, 0),
    "CC-FIN": ("finish.toml", 6, 1, 1, 1),
    "CC-SSE": ("stream_framing.toml", 13, 11, 1, 1),
    "CC-STREAM": ("stream_chunks.toml", 15, 11, 3, 0),
    "CC-EQUIV": ("equivalence.toml", 2, 3, 0, 0),
    "CC-TOOL": ("tools.toml", 14, 13, 1, 1),
    "CC-STRUCT": ("structured.toml", 2, 5, 0, 1),
    "CC-LOGP": ("logprobs.toml", 3, 7, 0, 0),
    "CC-SAMP": ("sampling.toml", 3, 5, 1, 1),
    "CC-REAS": ("reasoning.toml", 1, 9, 0, 0),
    "CC-MM": ("multimodal.toml", 0, 7, 3, 1),
    "CC-ERR": ("errors.toml", 8, 9, 1, 0),
    "CC-SERR": ("stream_errors.toml", 4, 3, 1, 0),
    "CC-HDR": ("headers.toml", 0, 2, 4, 1),
    "CC-CONC": ("isolation.toml", 2, 3, 0, 0),
    "CC-SDK": ("clients.toml", 6, 6, 0, 0),
}

WITHOUT_A_FIX = {
    "CC-TOOL",
    "CC-SAMP",
    "CC-REAS",
    "CC-SDK",
}

CAPABILITIES = {
    *("stream", "stream_usage", "auth", "models", "retrieve", "n", "seed", "reasoning"),
    *("tools", "strict", "custom_tools", "functions", "json_mode", "json_schema"),
    *("logprobs", "logit_bias", "vision", "no_vision", "audio_in", "audio_out", "file_in"),
    *("cache", "filter", "ratelimit", "quota", "browser"),
}

LINK = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull|discussions)/\d+")


def test_catalogue_has_326_entries() -> None:
    assert len(REQUIREMENTS) == 326
    levels = Counter(entry.level for entry in REQUIREMENTS.values())
    assert levels == {"MUST": 118, "SHOULD": 173, "MAY": 25, "INFO": 10}


def test_chapters_have_their_file_and_their_size() -> None:
    assert {
        chapter.prefix: (
            chapter.file,
            *(sum(entry.level == level for entry in chapter.requirements) for level in LEVELS),
        )
        for chapter in CHAPTERS
    } == SIZES


def test_chapters_stand_in_catalogue_order() -> None:
    assert [chapter.prefix for chapter in CHAPTERS] == list(SIZES)
    assert [chapter.order for chapter in CHAPTERS] == list(range(1, len(SIZES) + 1))


def test_ids_ascend_within_a_chapter() -> None:
    for chapter in CHAPTERS:
        ids = [entry.id for entry in chapter.requirements]
        assert ids == sorted(set(ids))
        assert all(re.fullmatch(rf"{chapter.prefix}-\d{{3}}", one) for one in ids)


def test_entries_say_what_they_demand_and_why() -> None:
    for entry in REQUIREMENTS.values():
        assert entry.kind in KINDS
        assert entry.sentence.endswith((".", ")", "?")), entry.id
        assert entry.observe
        assert entry.source
        assert entry.evidence
        assert len(entry.title) <= 70


def test_needs_are_known_capabilities() -> None:
    assert {need for entry in REQUIREMENTS.values() for need in entry.needs} <= CAPABILITIES
    assert all(len(set(entry.needs)) == len(entry.needs) for entry in REQUIREMENTS.values())


def test_links_lead_to_a_public_thread() -> None:
    links = [link for entry in REQUIREMENTS.values() for link in entry.breaks]
    assert len(links) == 264
    assert [link for link in links if not LINK.fullmatch(link)] == []


def test_references_between_entries_exist() -> None:
    for entry in REQUIREMENTS.values():
        texts = " ".join((entry.sentence, entry.observe, entry.source, entry.breaks_note))
        for named in re.findall(r"CC-[A-Z]+-\d{3}", texts):
            assert named in REQUIREMENTS, f"{entry.id} names {named}"


def test_every_must_of_the_judged_chapters_has_a_fix() -> None:
    for chapter in CHAPTERS:
        for entry in chapter.requirements:
            if chapter.prefix not in WITHOUT_A_FIX and entry.level == "MUST":
                assert entry.fix.endswith("."), entry.id
                assert entry.fix.count(". ") == 0, f"{entry.id}: one sentence"
                assert 30 <= len(entry.fix) <= 220, entry.id


def test_behaviour_entries_are_those_that_depend_on_the_model() -> None:
    behaviour = {entry.id for entry in REQUIREMENTS.values() if entry.kind == "behaviour"}
    trials = {
        entry.id
        for entry in REQUIREMENTS.values()
        if re.search(r"\b\d of \d( trials)?\b|\btrials\b", entry.observe)
    }
    # Repetition against chance in the transport, not in what the model says:
    assert trials - behaviour == {"CC-ERR-010", "CC-REQ-007", "CC-STREAM-015"}
    assert {"CC-REQ-049", "CC-FIN-003", "CC-SSE-020", "CC-TOOL-019"} <= behaviour


def test_texts_are_one_line_without_machine_paths() -> None:
    for entry in REQUIREMENTS.values():
        for text in (entry.sentence, entry.observe, entry.source, entry.fix, entry.breaks_note):
            assert "\n" not in text
            assert not re.search(r"(?<![\w.])/(home|root|tmp|work)/", text), entry.id


def test_every_data_file_is_read() -> None:
    folder = files("conformance").joinpath("requirements")
    found = {file.name for file in folder.iterdir() if file.name.endswith(".toml")}
    assert found == {chapter.file for chapter in CHAPTERS}
    for name in found:
        table = tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
        chapter = next(one for one in CHAPTERS if one.file == name)
        written = [row["id"] for row in table["requirement"]]
        assert written == [entry.id for entry in chapter.requirements]


# --- the module -----------------------------------------------------------------------------------


def test_module_takes_precedence_over_the_data_folder() -> None:
    assert catalogue.__file__ is not None
    assert Path(catalogue.__file__).name == "requirements.py"
    assert Path(catalogue.__file__).with_suffix("").is_dir()


def test_import_reads_no_file() -> None:
    code = "import conformance.requirements as r; print(r._catalogue.cache_info().misses)"
    root = Path(catalogue.__file__ or "").parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"


def test_requirement_is_frozen() -> None:
    entry = REQUIREMENTS["CC-SSE-003"]
    with pytest.raises(FrozenInstanceError):
        entry.level = "MAY"  # type: ignore[misc]  # that it cannot be set is the point


def test_select_takes_ids_and_prefixes_in_catalogue_order() -> None:
    chosen = [entry.id for entry in select(["CC-SERR-001", "CC-AUTH", "CC-AUTH-003"])]
    assert chosen == [*(f"CC-AUTH-{n:03}" for n in range(1, 12)), "CC-SERR-001"]
    assert {entry.chapter for entry in select(["CC-SSE"])} == {"Streaming framing (bytes)"}
    assert select([]) == ()


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("CC-SEE-003", "CC-SSE-003"),
        ("cc-sse", "CC-SSE"),
        ("CC-MODEL-007", "CC-MODEL-009"),
        ("CC-HTPP", "CC-HTTP"),
    ],
)
def test_select_suggests_what_was_meant(pattern: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"'{pattern}'; near it: .*{near}"):
        select([pattern])


def test_select_refuses_the_absurd_without_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"no requirement or chapter is called 'bananas'$"):
        select(["bananas"])


def test_marker_carries_id_scope_and_harm() -> None:
    mark = requirement("CC-SSE-003", scope="target", harms=True).mark
    assert (mark.name, mark.args) == ("requirement", ("CC-SSE-003",))
    assert mark.kwargs == {"scope": "target", "harms": True}
    assert requirement("CC-SSE-003").mark.kwargs == {"scope": "model", "harms": False}


@pytest.mark.parametrize("name", ["CC-SSE", "CC-SSE-999", ""])
def test_marker_refuses_what_is_no_entry(name: str) -> None:
    with pytest.raises(ValueError, match="no requirement or chapter is called"):
        requirement(name)


# --- a bad catalogue ------------------------------------------------------------------------------

HEAD = 'chapter = "A"\nprefix = "CC-A"\norder = 1\n'
ENTRY = """
[[requirement]]
id = "CC-A-001"
level = "MUST"
kind = "protocol"
sentence = '''
One
line.
'''
observe = "o"
source = "s"
evidence = "e"
"""


def test_small_catalogue_is_read() -> None:
    extra = 'needs = ["tools"]\nunjudged = "no check yet"\ndepends_on = ["CC-A-001"]\ntitle = "T"'
    second = ENTRY.replace("A-001", "A-002") + extra
    (chapter,) = read_catalogue({"a.toml": HEAD + ENTRY + second})
    assert (chapter.name, chapter.prefix, chapter.order) == ("A", "CC-A", 1)
    one, two = chapter.requirements
    assert (one.sentence, one.needs, one.fix, one.unjudged) == ("One line.", (), "", "")
    assert (two.needs, two.unjudged, two.depends_on) == (("tools",), "no check yet", ("CC-A-001",))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chapter =", r"a\.toml: Invalid value"),
        (HEAD, r"a\.toml: requirement is missing"),
        (HEAD.replace("1", '"1"') + ENTRY, r"a\.toml: order is not of type int"),
        (HEAD + "requirement = [1]", r"a\.toml: requirement is not an array of tables"),
        (HEAD + "colour = 1\n" + ENTRY, r"a\.toml: unknown key colour"),
        (HEAD + ENTRY + "colour = 1", r"a\.toml: CC-A-001: unknown key colour"),
        (HEAD + ENTRY.replace('source = "s"', ""), r"a\.toml: CC-A-001: source is missing"),
        (HEAD + ENTRY.replace('"s"', '" "'), r"CC-A-001: source is not a non-empty string"),
        (HEAD + ENTRY.replace("MUST", "OUGHT"), r"CC-A-001: level 'OUGHT' is none of MUST, SHOULD"),
        (HEAD + ENTRY.replace("protocol", "x"), r"CC-A-001: kind 'x' is none of protocol, beh"),
        (HEAD + ENTRY + ENTRY, r"a\.toml: CC-A-001 is taken already, in a\.toml"),
        (HEAD + ENTRY.replace("CC-A-", "CC-B-"), r"CC-B-001: the id does not begin with CC-A-"),
        (HEAD + ENTRY + 'needs = "tools"', r"CC-A-001: needs is not a list of strings"),
        (HEAD + ENTRY + 'depends_on = ["CC-A-9"]', r"CC-A-001: depends on unknown CC-A-9"),
    ],
)
def test_bad_catalogue_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        read_catalogue({"a.toml": text})


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        (HEAD.replace("1", "2"), r"b\.toml: prefix CC-A is taken already, in a\.toml"),
        (HEAD.replace("CC-A", "CC-B"), r"b\.toml: order = 1 is taken already, in a\.toml"),
    ],
)
def test_two_chapters_do_not_share_a_place(head: str, complaint: str) -> None:
    entry = ENTRY.replace("CC-A", "CC-B") if "CC-B" in head else ENTRY
    with pytest.raises(CatalogueError, match=complaint):
        read_catalogue({"a.toml": HEAD + ENTRY, "b.toml": head + entry})
