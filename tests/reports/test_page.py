"""The page: complete, well formed, and deaf to what a target sends."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

import schemas
from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports import words
from reports.compliance import page, view
from reports.signs import SIGNS
from reports.templates import inline
from reports.verdict import Verdict

from . import recorded, sample
from .reading import OURS, Page, rendered


@pytest.fixture(scope="module")
def realistic() -> Page:
    return Page(rendered(sample.run()))


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(rendered(sample.hostile(), others=[(text, text) for text in sample.NASTY]))


# --- what stands where --------------------------------------------------------------------------


def test_the_verdict_comes_first_and_everything_follows_in_order(realistic: Page) -> None:
    order = [
        "Not conformant. 3 of 85 MUST clauses are broken on 10 of 10 models.",
        "of 85 judged MUST broken",
        "118 in the catalogue: 3 broken",
        "Where",
        "Failures by cause",
        "Warnings",
        "Undecided",
        "Unsupported",
        "Every clause",
        "This run",
        "Run all of it again",
        "What this run cannot prove",
    ]
    words, at = realistic.words, -1
    for part in order:
        at = words.find(part, at + 1)
        assert at >= 0, part


def test_a_failure_says_all_that_is_needed(realistic: Page) -> None:
    words = realistic.words
    entry = REQUIREMENTS["CC-SSE-005"]
    for part in (
        "MUST",
        "exactly the six characters [DONE]",
        "SPEC ChatCompletionStreamOptions.include_usage",
        "the body ends after the chunk with finish_reason 'stop'",
        "an event whose data is exactly [DONE]",
        "233.1 ms",
        "… 82 lines …",
        "offending line: data: {",
        "curl -sS -i -N https://api.example.com/v1/chat/completions -H",
        "Bearer $TARGET_API_KEY",
        "pytest --target-url https://api.example.com/v1 --requirement CC-SSE-005 --model deepseek",
        "huggingface/text-generation-inference#1896",
    ):
        assert part in words, part
    assert entry.fix.replace("`", "")[:40] in words


def test_every_clause_is_listed_and_every_link_arrives(realistic: Page) -> None:
    assert set(REQUIREMENTS) <= set(realistic.words.split())
    ids = Counter(realistic.all("id"))
    assert [name for name, n in ids.items() if n > 1] == []
    for href in realistic.all("href"):
        assert href.startswith("https://") or href.removeprefix("#") in ids, href


def test_the_map_leads_to_the_worst_of_a_chapter() -> None:
    found = view.heat(sample.run(), CHAPTERS)
    assert [label for label, _ in found.columns][:2] == ["target", "llama-3.3-70b-instruct"]
    rows = {chapter.prefix: cells for chapter, cells in found.rows}
    sse = rows["CC-SSE"]
    assert sse[0] is None
    assert sse[1] is not None
    assert (sse[1].sign.word, sse[1].clauses, sse[1].href) == ("held", 24, "chapter-CC-SSE")
    assert sse[4] is not None
    assert (sse[4].sign.word, sse[4].clauses, sse[4].href) == ("fail", 1, "CC-SSE-005")
    assert sse[4].asks == "chapter=CC-SSE&on=deepseek-ai%2Fdeepseek-r1&verdict=FAIL"
    assert "1 of 24 clauses: fail" in sse[4].title
    assert "Tools and function calling" in found.absent
    assert "CC-TOOL" not in rows


def test_a_verdict_is_a_word_and_an_icon_of_its_own() -> None:
    assert set(SIGNS) == {str(verdict) for verdict in Verdict}
    assert len({sign.icon for sign in SIGNS.values()}) == len(Verdict)
    assert len({sign.word for sign in SIGNS.values()}) == len(Verdict)


def test_kin_lead_to_the_transcript_that_they_share() -> None:
    exchange = recorded.stream("a", {3})
    finding = {"required": "x", "seen": "null", "at": "chunk 3 $.id", "reply": exchange["reply"]}
    evidence: dict[str, Any] = {"findings": [finding], "exchanges": [exchange]}
    ids = ("CC-SSE-003", "CC-SSE-004")
    shown = Page(rendered(sample.run(records=[sample.record(i, "FAIL", **evidence) for i in ids])))
    assert shown.tags["article"] == 1
    assert "1 cause behind 2 broken clauses:" in shown.words
    assert "One cause, 2 clauses: CC-SSE-003 , CC-SSE-004 ." in shown.words
    assert shown.all("id").count(f"reply-{exchange['reply']}") == 1
    assert shown.all("href").count(f"#reply-{exchange['reply']}") == 1
    assert shown.words.count(exchange["curl"]) == 1


def test_the_conditions_of_the_run_are_told() -> None:
    shown = Page(rendered(sample.run(requests=5, repeated=2, interrupted=True))).words
    for part in (
        "20 requests of each kind for each model, from seed 7",
        "from $TARGET_API_KEY; 1 more header: X-Gateway-Token",
        "60 s for one exchange",
        "held open 5 s, silence 30 s",
        "5 requests in 74 s, 2 of them repeated",
        "981 answers: about 41,200 tokens read, at most 63,400 written, beside 12 short answers",
        "Tokens told 38,011 tokens read and 20,100 written, as usage told in 970 of 981 answers",
        "interrupted before the last check",
        sample.CONFIGURATION["command"],
        "tools ✓ there probed: status 200",
        " not there declared absent by the profile",
    ):
        assert part in shown, part


def test_a_run_that_tells_no_conditions_is_shown_without() -> None:
    words = Page(rendered(sample.run(configuration=None, tokens=None))).words
    assert "Run all of it again" not in words
    assert "As declared or probed" not in words
    assert "74 s" in words


def test_a_filter_finds_its_facts_in_the_rows(realistic: Page) -> None:
    rows = [value for tag, name, value in realistic.attributes if name == "data-level"]
    assert len(rows) == len(REQUIREMENTS)
    told = Counter(" ".join(realistic.all("data-states")).split())
    every = ",".join(map(str, range(1 + len(sample.MODELS))))
    assert told[f"-:{every}"] == len(REQUIREMENTS) - len(sample.checked())
    assert sorted(each for each in told if each.startswith("FAIL")) == [
        "FAIL:1,2,3,4,5,6,7,8,9,10",  # the target as a whole is column 0
        "FAIL:4,8",
        "FAIL:5",
    ]
    asked = [dict(parse_qsl(each)) for each in realistic.all("data-asks")]
    choices = set(realistic.all("value"))
    assert asked
    for each in asked:
        assert set(each.values()) <= choices, each


def test_one_model_is_no_choice() -> None:
    rows = [sample.record("CC-SSE-001", "PASS"), sample.record("CC-SSE-002", "WARN")]
    target = {"url": sample.URL, "profile": "x", "models": [sample.MODELS[0]]}
    shown = Page(rendered(sample.run(records=rows, target=target)))
    fields = [value for tag, name, value in shown.attributes if name == "name" and tag != "meta"]
    assert fields == ["chapter", "level", "verdict", "q"]
    assert shown.all("data-asks") == ["chapter=CC-SSE&verdict=WARN"]


@pytest.mark.parametrize(
    "changes",
    [
        {"records": []},
        {"records": [sample.record("CC-SSE-001", "PASS")], "profile_deviations": ()},
        {"records": [sample.record("CC-SSE-001", "BLOCKED", by="CC-HTTP-001")], "reached": False},
        {"records": [sample.record("CC-SSE-008", "FAIL", exchanges=[])], "strict": True},
        {"interrupted": True},
    ],
)
def test_any_run_can_be_shown(changes: dict[str, Any]) -> None:
    results = sample.run(**changes)
    assert results["verdict"].capitalize() in Page(rendered(results)).words


def test_a_clause_that_the_catalogue_lost_is_still_shown() -> None:
    results = sample.run(records=[sample.record("CC-SSE-001", "FAIL")])
    results["requirements"][0]["id"] = "CC-OLD-001"
    words = Page(rendered(results)).words
    assert "The catalogue of this version has no CC-OLD-001." in words


def test_whatever_the_schema_lets_a_run_leave_out_may_be_missing() -> None:
    results = sample.run()
    for entry in results["requirements"]:
        entry["evidence"] = _required("evidence", entry["evidence"])
    assert schemas.violations("results", results) == []
    assert "Not conformant" in Page(rendered(results)).words
    for entry in (whole := sample.run())["requirements"]:
        evidence = entry["evidence"]
        evidence["findings"] = [_required("finding", found) for found in evidence["findings"]]
        for exchange in evidence["exchanges"]:
            lines = [_required("line", line) for line in exchange.pop("transcript")]
            for name in set(exchange) - set(_required("exchange", exchange)):
                del exchange[name]
            exchange["transcript"] = lines
    assert schemas.violations("results", whole) == []
    assert "Not conformant" in Page(rendered(whole)).words


def _required(definition: str, value: dict[str, Any]) -> dict[str, Any]:
    names = schemas.schema("results")["$defs"][definition]["required"]
    return {name: value[name] for name in names}


def test_what_went_wrong_outside_the_catalogue_is_shown() -> None:
    html = rendered(sample.run(), others=[("test_mine.py::test_x", "Traceback: boom")])
    assert "Traceback: boom" in Page(html).words


# --- hostile strings ----------------------------------------------------------------------------


def test_no_element_but_ours(hostile: Page, realistic: Page) -> None:
    assert [tag for tag in hostile.tags | realistic.tags if not OURS.fullmatch(tag)] == []
    assert hostile.tags["script"] == realistic.tags["script"] == 2
    assert hostile.tags["style"] == 1


def test_no_attribute_acts(hostile: Page) -> None:
    names = {name for _, name, _ in hostile.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & {"src", "srcset", "action", "formaction", "background", "srcdoc"}
    for href in hostile.all("href"):
        assert href.startswith(("#", "https://")), href


def test_what_a_target_sent_is_still_readable(hostile: Page) -> None:
    for text in (*sample.NASTY[:3], *sample.NASTY[5:7], sample.NASTY[9]):
        assert " ".join(text.split()) in hostile.words, text


def test_what_cannot_be_seen_is_spelled_out(hostile: Page) -> None:
    assert "\\u202eesrever\\u202c" in hostile.words
    assert "nul \\x00 escape \\x1b[31m bell \\x07 mark \\u200f" in hostile.words
    said = "".join(hostile.text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", said)


def test_words_are_shown_as_they_are_where_nothing_hides() -> None:
    assert words.visible("café 👩\u200d💻 مرحبا") == "café 👩\u200d💻 مرحبا"
    assert words.visible("a\r\nb\ud800") == "a\\r\\nb\\ud800"


def test_the_title_is_escaped_once() -> None:
    html = rendered(sample.hostile())
    (title,) = re.findall(r"<title>(.*)</title>", html)
    assert "<" not in title
    assert "&amp;lt;" not in title


def test_the_page_encodes_to_utf_8(hostile: Page) -> None:
    assert rendered(sample.hostile()).encode("utf-8").isascii() is False
    assert "lone \\ud800 surrogate" in hostile.words


def test_observations_and_what_cannot_be_judged_have_their_places() -> None:
    beyond = replace(REQUIREMENTS["CC-TOOL-001"], unjudged="nothing shows it outside")
    rows = [
        sample.record("CC-FIN-006", "OBSERVED", summary="says x"),
        sample.record("CC-SSE-008", "WARN", observed="does y"),
        sample.record("CC-SSE-003", "FAIL", repeated={"broken": 2, "of": 6}),
    ]
    results = sample.run(records=rows, catalogue={**REQUIREMENTS, beyond.id: beyond})
    shown = Page(rendered(results))
    ids = shown.all("id")
    assert len(ids) == len(set(ids))
    assert {"observed", "observed-CC-FIN-006", "observed-CC-SSE-008", "warn-CC-SSE-008"} <= set(ids)
    assert all(said in shown.words for said in ("says x", "does y", "nothing shows it outside"))
    assert "intermittent: 2 of 6" in shown.words
    assert shown.words.index("Every clause judged") < shown.words.index("Observations told")


def test_nothing_is_fetched() -> None:
    html = rendered(sample.run())
    style = re.findall(r"<style>(.*?)</style>", html, re.S)[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"<(link|img|iframe|script src)", html)


# --- size and carriage --------------------------------------------------------------------------


def test_a_fragment_is_found_again_in_another_page() -> None:
    fragment = page.render(sample.hostile(), REQUIREMENTS, CHAPTERS)
    assert fragment.count(page.BEGIN) == fragment.count(page.END) == 1
    other = f"<html><body><h1>x</h1>{fragment}<script>1</script></body></html>"
    assert page.fragment_of(other) == fragment.strip()
    assert page.fragment_of("<html></html>") is None


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("`a*b*<c>`", "<code>a*b*&lt;c&gt;</code>"),
        ("[a/b#1](https://x.y/1), z", '<a href="https://x.y/1">a/b#1</a>, z'),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ('[a](https://x.y/"b)', '<a href="https://x.y/&#34;b">a</a>'),
        ("see <https://x.y/a>.", 'see <a href="https://x.y/a">x.y/a</a>.'),
        ("see https://x.y/a, b", 'see <a href="https://x.y/a">x.y/a</a>, b'),
        ("see https://x.y/a.", 'see <a href="https://x.y/a">x.y/a</a>.'),
        ("the *smallest* time", "the <em>smallest</em> time"),
        ("CC-REAS-\\* and 2*3*4", "CC-REAS-\\* and 2*3*4"),
    ],
)
def test_inline_markdown(markdown: str, html: str) -> None:
    assert str(inline(markdown)) == html
