"""The compliance page: results in, one self-contained piece of HTML out.

Laws
----
* It reads without JavaScript, without a network, on paper and on a phone; a script only adds
  buttons that copy, and filters.
* A cell of the map leads to its clauses: with a script all of them, without the first of them.
* Jinja2 escapes everything. What is marked as safe is made here, from escaped text.
* The results are embedded whole (``embedding``), so that a page can be turned back into data.

Theory
------
``render`` makes a fragment (style, markup, data) that can stand inside pytest-html's page;
``templates.document`` puts it into a page of its own. The fragment begins and ends with a comment
that nothing escaped can forge, so ``fragment_of`` finds it again in a page of another's making.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import jinja2
from markupsafe import Markup

from conformance.requirements import Chapter, Requirement
from reports import embedding, text, words
from reports.sentence import sentence
from reports.signs import SIGNS
from reports.templates import environment, own, title
from reports.verdict import Verdict, tallies

from . import cards, causes, conditions, diff, view

__all__ = ["BEGIN", "END", "fragment_of", "render"]

BEGIN: Final = "<!-- conformance report -->"
END: Final = "<!-- end of the conformance report -->"

ROOM: Final = 600_000
"""Octets for the exchanges of models that a card does not show first."""


def render(
    results: Mapping[str, Any],
    requirements: Mapping[str, Requirement],
    chapters: Sequence[Chapter],
    *,
    others: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the report as a fragment of HTML.

    Args:
        results: as ``results.build`` or ``results.read`` return them.
        requirements, chapters: the catalogue.
        others: what went wrong outside the catalogue, as (name, text).
    """
    data = Markup(embedding.element(results))  # no markup of others is left in it
    results = view.complete(results)
    broken = cards.cards(results, requirements, Verdict.FAIL)
    bent = cards.cards(results, requirements, Verdict.WARN)
    found = causes.causes([*broken, *bent], results["requirements"])
    whole = len({entry["id"] for entry in results["requirements"]}) >= sum(
        results["catalogue"]["judged"].values()
    )
    html = (
        _templates()
        .get_template("compliance/page.html")
        .render(
            results=results,
            title=title(
                results["verdict"].capitalize(), results["target"]["url"], results["started"]
            ),
            sentence=sentence(results),
            tiles=view.tiles(results),
            bars=view.bars(results),
            heat=view.heat(results, chapters),
            broken=len(broken),
            bent=len(bent),
            failures=[cause for cause in found if cause.first.verdict == Verdict.FAIL],
            warnings=[cause for cause in found if cause.first.verdict == Verdict.WARN],
            once=cards.Once(),
            places={(e["id"], e["model"]): n for n, e in enumerate(results["requirements"])},
            room=cards.roomy([*broken, *bent], ROOM),
            undecided=cards.open_rows(results, ("ERROR", "INCONCLUSIVE", "BLOCKED")),
            unsupported=cards.open_rows(results, ("UNSUPPORTED",)),
            nowhere=sum(each.unsupported for each in tallies(results["requirements"]).values()),
            observed=cards.observed_rows(results),
            sections=view.sections(results, chapters),
            filters=view.narrowing(results, chapters),
            unrun="no check yet" if whole else "not in this run",
            others=[(words.visible(name), _lines(said)) for name, said in others],
            deviations=text.known_deviations(results),
            conditions=conditions.conditions(results),
            capabilities=conditions.capabilities(results),
            signs=SIGNS,
            style=own("base.css"),
            script=own("filters.js", "base.js"),
            data=data,
        )
    )
    return f"{BEGIN}\n{words.tidy(html)}\n{END}\n"


def _lines(said: str) -> str:
    """A text of several lines, in which nothing else is hidden."""
    return "\n".join(map(words.visible, said.split("\n")))


def fragment_of(html: str) -> str | None:
    """Return the fragment that ``render`` made, out of a page that contains it."""
    begin, end = html.find(BEGIN), html.rfind(END)
    return None if begin < 0 or end < begin else html[begin : end + len(END)]


@cache
def _templates() -> jinja2.Environment:
    # The data are spelled out where they are made, and a transcript keeps its lines.
    own_filters: Mapping[str, Callable[..., Any]] = {
        "fields": diff.fields,
        "heads": cards.heads,
        "often": cards.often,
        "outcome": text.outcome,
        "rows": cards.rows,
        "telling": text.telling,
    }
    return environment(own_filters, spelled=False)
