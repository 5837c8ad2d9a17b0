"""The badge: a verdict in two boxes, with its denominator and its day.

Laws
----
* Green is a whole run that found its target conformant, and nothing else.
* A count stands beside what it is counted of; what was not judged is not counted as held.
* It says the same to who sees no colour, and to who hears it.

The box is drawn here: of the libraries that draw badges none states a title for screen readers,
escapes what it is given and is kept up without an HTTP client of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jinja2

from . import words
from .sentence import sentence
from .told import printable
from .verdict import Tally, tallies

__all__ = ["LABEL", "Badge", "badge", "svg", "width"]

LABEL: Final = "OpenAI-compatible"

GREEN: Final = "#1b6a3b"
RED: Final = "#a3231b"
GREY: Final = "#565c66"
"""White text has a contrast of at least 6:1 on each."""


@dataclass(frozen=True, slots=True)
class Badge:
    """What the badge says; ``title`` is read out, and shown where the pointer rests."""

    label: str
    message: str
    colour: str
    title: str


def badge(results: Mapping[str, Any], label: str = LABEL) -> Badge:
    """Say what a run found.

    >>> badge(results).message
    'not conformant · 115 of 118 MUST · 2026-11-26'
    """
    said, when = sentence(results), words.day(results["started"])[:10]
    head, colour = _head(results, partial=said.startswith("Partial"))
    message = " · ".join([head, *_counts(results, head), when])
    return Badge(printable(label), message, colour, _title(results, said, when))


def _head(results: Mapping[str, Any], *, partial: bool) -> tuple[str, str]:
    match results["verdict"]:
        case "conformant":
            return ("partial run", GREY) if partial else ("conformant", GREEN)
        case "not conformant":
            return "not conformant", RED
        case "inconclusive":
            return "inconclusive", GREY
    return "not judged", GREY


def _counts(results: Mapping[str, Any], head: str) -> list[str]:
    if head == "not judged":
        return []
    found, total = tallies(results["requirements"]), results["catalogue"]["total"]
    levels = ("MUST", "SHOULD") if results["strict"] else ("MUST",)
    settled = head in ("conformant", "not conformant")
    return [(_held if settled else _judged)(found[level], total[level], level) for level in levels]


def _held(tally: Tally, total: int, level: str) -> str:
    """``118 of 118 MUST``; ``108 of 108 judged MUST`` where the catalogue has more."""
    judged = "" if tally.judged >= total else "judged "
    return f"{words.number(tally.held)} of {words.number(tally.judged)} {judged}{level}"


def _judged(tally: Tally, total: int, level: str) -> str:
    return f"{words.number(tally.judged)} of {words.number(total)} {level} judged"


def _title(results: Mapping[str, Any], said: str, when: str) -> str:
    target, suite = results["target"], results["suite"]
    models = words.amount(len(target["models"]), "model")
    named = ", ".join(words.short(model, 60) for model in target["models"][:10])
    more = f" and {len(target['models']) - 10} more" if len(target["models"]) > 10 else ""
    which = f"{models} ({named}{more})" if named else models
    at = words.short(words.host(target["url"]), 100)
    by = f"{suite['name']} {suite['version']}"
    return printable(f"{at}, {which}, {when}, by {by}: {words.short(said, 600)}")


# --- drawing ------------------------------------------------------------------------------------

# Advance widths of Verdana in thousandths of an em, by character.
_ADVANCES: Final[Mapping[int, str]] = {
    269: "'",
    274: "il",
    344: "j",
    352: " f",
    364: ",.·",
    394: "t!",
    421: "I",
    427: "r",
    454: "()[]/\\-:;|J",
    521: "cs",
    525: "z",
    546: "?",
    557: "L",
    575: "F",
    592: "kvxy",
    601: "ae",
    603: "P",
    607: "o",
    616: "TY",
    623: "bdgpqE",
    633: "hnu",
    636: "0123456789$_*`{}",
    684: "ABKSVXZ",
    698: "CR",
    732: "U",
    748: "N",
    751: "H",
    773: "DG",
    787: "OQ",
    818: "w#+<=>^~",
    843: "M",
    973: "m",
    989: "W",
    1000: "@…",
    1076: "%",
}
_EM: Final[Mapping[str, int]] = {
    character: advance for advance, characters in _ADVANCES.items() for character in characters
}
_SIZE: Final = 11
_PADDING: Final = 6


def width(text: str) -> int:
    """How many pixels ``text`` takes; the picture fits the text to it, whatever the font."""
    return round(_SIZE * sum(_advance(character) for character in text) / 1000)


def _advance(character: str) -> int:
    wide = unicodedata.east_asian_width(character) in "WF"
    return _EM.get(character, 1000 if wide else 700)


_SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{{ left + right }}" height="20" role="img" aria-label="{{ badge.label }}: {{ badge.message }}">
<title>{{ badge.title }}</title>
<path fill="#3a3f47" d="M{{ left }} 0v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>
<path fill="{{ badge.colour }}" d="M{{ left }} 0h{{ right - 3 }}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{{ right - 3 }}z"/>
<g fill="#fff" font-family="Verdana,Geneva,'DejaVu Sans',sans-serif" font-size="{{ size }}">
<text x="{{ padding }}" y="14" textLength="{{ left - 2 * padding }}" lengthAdjust="spacingAndGlyphs">{{ badge.label }}</text>
<text x="{{ left + padding }}" y="14" textLength="{{ right - 2 * padding }}" lengthAdjust="spacingAndGlyphs">{{ badge.message }}</text>
</g>
</svg>
"""  # noqa: E501  # elements of the picture, one on a line


def svg(shown: Badge) -> str:
    """Draw it: a self-contained SVG picture, 20 pixels high."""
    env = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    left, right = (width(text) + 2 * _PADDING for text in (shown.label, shown.message))
    return words.tidy(
        env.from_string(_SVG).render(
            badge=shown, left=left, right=right, size=_SIZE, padding=_PADDING
        )
    )
