"""The badge: what it says of each outcome, and that it is a picture whatever it says."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from conformance.requirements import REQUIREMENTS
from reports.badge import GREEN, GREY, RED, Badge, badge, svg, width

from . import sample

ONE = sample.MODELS[0]
EVERY = [r.id for r in REQUIREMENTS.values() if r.level == "MUST"]
SHOULD = "CC-ERR-009"


def run(verdicts: dict[str, str], judged: list[str] | None = None, **changes: Any) -> Any:
    rows = [sample.record(clause, verdict) for clause, verdict in verdicts.items()]
    target = {"url": sample.URL, "profile": "example", "models": [ONE]}
    given = {"records": rows, "target": target, "profile_deviations": (), "judged": judged or []}
    return sample.run(**given | changes)


ALL = dict.fromkeys(EVERY, "PASS")


@pytest.mark.parametrize(
    ("results", "message", "colour"),
    [
        (run(ALL), "conformant · 118 of 118 MUST", GREEN),
        (run(ALL | {SHOULD: "WARN"}), "conformant · 118 of 118 MUST", GREEN),
        (
            run(ALL | {EVERY[0]: "UNSUPPORTED"}),
            "conformant · 117 of 117 judged MUST",
            GREEN,
        ),
        (
            run(ALL | dict.fromkeys(EVERY[:3], "FAIL")),
            "not conformant · 115 of 118 MUST",
            RED,
        ),
        (
            run({EVERY[0]: "PASS", EVERY[1]: "FAIL"}, EVERY),
            "not conformant · 1 of 2 judged MUST",
            RED,
        ),
        (
            run(dict.fromkeys(EVERY[:37], "PASS"), EVERY),
            "partial run · 37 of 118 MUST judged",
            GREY,
        ),
        (
            run(ALL | dict.fromkeys(EVERY[:8], "INCONCLUSIVE")),
            "inconclusive · 110 of 118 MUST judged",
            GREY,
        ),
        (run(ALL, interrupted=True), "inconclusive · 118 of 118 MUST judged", GREY),
        (run(ALL, reached=False), "not judged", GREY),
        (run(ALL | {EVERY[0]: "ERROR"}), "not judged", GREY),
        (
            run(ALL | {SHOULD: "FAIL"}, strict=True),
            "not conformant · 118 of 118 MUST · 0 of 1 judged SHOULD",
            RED,
        ),
    ],
)
def test_it_says_what_was_found(results: Any, message: str, colour: str) -> None:
    made = badge(results)
    assert (made.message, made.colour) == (f"{message} · 2026-11-22", colour)
    assert made.label == "OpenAI-compatible"


def test_its_title_names_target_models_day_and_verdict() -> None:
    assert badge(run(ALL)).title == (
        f"api.example.com, 1 model ({ONE}), 2026-11-22, by chat-conformance 0.1.0: "
        "Conformant: all 118 judged MUST clauses hold on 1 model."
    )


@pytest.mark.parametrize("results", [sample.run(), sample.hostile()])
def test_it_is_a_picture_with_a_name(results: Any) -> None:
    made = badge(results, label='<b>"&\x00\u202e')
    root = ET.fromstring(svg(made))
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.get("aria-label") == f"{made.label}: {made.message}"
    assert root.findtext(f"{space}title") == made.title
    assert [each.text for each in root.iter(f"{space}text")] == [made.label, made.message]
    assert {each.tag for each in root.iter()} == {
        space + tag for tag in ("svg", "title", "path", "g", "text")
    }


def test_its_boxes_are_as_wide_as_its_texts() -> None:
    root = ET.fromstring(svg(Badge("left", "right side", GREEN, "title")))
    texts = [each for each in root.iter() if each.tag.endswith("text")]
    ends = [int(t.get("x", "")) + int(t.get("textLength", "")) for t in texts]
    assert [int(text.get("textLength", "")) for text in texts] == [
        width("left"),
        width("right side"),
    ]
    assert ends[0] < int(texts[1].get("x", ""))
    assert int(root.get("width", "")) == ends[1] + 6


def test_the_width_is_that_of_verdana_at_11_pixels() -> None:
    assert width("0123456789") == 70  # ten digits of 1302/2048 em
    assert width("iiii") < width("aaaa") < width("WWWW")
    assert width("") == 0
    assert width("模型") == 22  # two full-width characters
