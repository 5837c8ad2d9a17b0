"""The page: complete, well formed, and deaf to what a target sends."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

import schemas
from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports import cards, embedding, page, view
from reports.verdict import Verdict

from . import sample

VOID = {"meta", "br", "hr", "img", "link", "input"}
OURS = re.compile(
    "html|head|meta|title|body|style|script|main|header|nav|section|article|details|summary|div"
    "|h1|h2|h3|h4|p|span|b|i|em|bdi|small|time|code|pre|a|ol|ul|li|dl|dt|dd"
    "|mark|table|thead|tbody|tr|th|td"
)


class Page(HTMLParser):
    """A page as a browser without JavaScript reads it; a tag out of place fails the test."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text.append(data)

    def all(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def rendered(results: dict[str, Any], **options: Any) -> str:
    return page.document(page.render(results, REQUIREMENTS, CHAPTERS, **options))


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


def test_one_clause_broken_on_many_models_is_one_card() -> None:
    found = cards.cards(view.complete(sample.run()), REQUIREMENTS, Verdict.FAIL)
    assert [(card.id, card.share) for card in found] == [
        ("CC-SSE-005", "2 of 10 models"),
        ("CC-STREAM-002", "1 of 10 models"),
        ("CC-ERR-007", "10 of 10 models"),
    ]


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
    assert "1 of 24 clauses: fail" in sse[4].title
    assert "Tools and function calling" in found.absent
    assert "CC-TOOL" not in rows


def test_a_verdict_is_a_word_and_an_icon_of_its_own() -> None:
    assert set(view.SIGNS) == {str(verdict) for verdict in Verdict}
    assert len({sign.icon for sign in view.SIGNS.values()}) == len(Verdict)
    assert len({sign.word for sign in view.SIGNS.values()}) == len(Verdict)


def test_the_same_reason_is_one_row() -> None:
    rows = cards.open_rows(view.complete(sample.run()), ["UNSUPPORTED"])
    assert {len(row.models) for row in rows} == {10}
    (rate,) = cards.open_rows(view.complete(sample.run()), ["INCONCLUSIVE"])
    assert (rate.id, rate.anchor) == ("CC-FIN-003", "open-CC-FIN-003")


def test_a_transcript_tells_each_moment_once_and_where_reads_began() -> None:
    found = cards.rows(
        [
            {"at_ms": 1.0, "arrival": 0, "text": "a", "mark": False},
            {"at_ms": 1.0, "arrival": 0, "text": "", "mark": False},
            {"at_ms": None, "arrival": None, "text": "… 3 lines …", "mark": False},
            {"at_ms": 1.0, "arrival": 0, "text": "", "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "b" * 200, "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "", "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "c" * 200, "mark": False},
        ]
    )
    assert [(row.time, row.text, row.css) for row in found] == [
        ("1.0 ms", "a", ""),
        ("", "", "blank"),
        ("", "… 3 lines …", "gap"),
        ("1.0 ms", "(blank line)", "mark"),
        ("2.5 ms", "b" * 200, "mark cut"),
        ("", "", "blank"),
        ("", f"{'c' * 84} … {'c' * 43}", ""),
    ]


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
    for text in (*sample.NASTY[:4], *sample.NASTY[5:7], sample.NASTY[8]):
        assert " ".join(text.split()) in hostile.words, text


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


def test_fifty_failures_on_ten_models_stay_below_three_megabytes() -> None:
    broken = sorted(sample.checked())[:50]
    lines = [
        {"at_ms": float(n), "arrival": n, "offset": n * 300, "text": "x" * 300, "mark": n == 20}
        for n in range(40)
    ]
    evidence = sample.run()["requirements"]
    whole = next(
        e["evidence"] for e in evidence if e["id"] == "CC-SSE-005" and e["verdict"] == "FAIL"
    )
    exchange = {**whole["exchanges"][0], "transcript": lines}
    records = [
        sample.record(
            clause,
            "FAIL",
            model,
            findings=whole["findings"] * 10,
            exchanges=[exchange] * 2,
        )
        for clause in broken
        for model in sample.MODELS
    ]
    results = sample.run(records=records)
    html = rendered(results)
    assert len(html.encode("utf-8")) < 3_000_000
    assert embedding.results_in(html) == results


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
    assert str(page.inline(markdown)) == html
