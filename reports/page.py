"""The compliance page: results in, one self-contained piece of HTML out.

Laws
----
* It reads without JavaScript, without a network, on paper and on a phone; a script only adds
  buttons that copy.
* Jinja2 escapes everything. What is marked as safe is made here, from escaped text.
* The results are embedded whole (``embedding``), so that a page can be turned back into data.

Theory
------
``render`` makes a fragment (style, markup, data) that can stand inside pytest-html's page;
``document`` puts a fragment into a page of its own. The fragment begins and ends with a comment
that nothing escaped can forge, so ``fragment_of`` finds it again in a page of another's making.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup, escape

from conformance.requirements import Chapter, Requirement

from . import cards, causes, conditions, diff, embedding, text, view, words
from .sentence import sentence
from .verdict import Verdict

__all__ = ["BEGIN", "END", "document", "fragment_of", "render"]

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
        .get_template("page.html")
        .render(
            results=results,
            title=title(results),
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
            observed=cards.observed_rows(results),
            sections=view.sections(results, chapters),
            unrun="no check yet" if whole else "not in this run",
            others=[(words.visible(name), _lines(said)) for name, said in others],
            deviations=text.known_deviations(results),
            conditions=conditions.conditions(results),
            capabilities=conditions.capabilities(results),
            signs=view.SIGNS,
            style=Markup(_file("page.css")),  # our own file
            script=Markup(_file("page.js")),  # our own file
            data=data,
        )
    )
    return f"{BEGIN}\n{words.tidy(html)}\n{END}\n"


def _lines(said: str) -> str:
    """A text of several lines, in which nothing else is hidden."""
    return "\n".join(map(words.visible, said.split("\n")))


def title(results: Mapping[str, Any]) -> str:
    """``Not conformant · api.example.com · 2026-11-22``."""
    host = _host(results["target"]["url"])
    return f"{results['verdict'].capitalize()} · {host} · {results['started'][:10]}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc or url
    except ValueError:  # no URL at all, "https://[x"
        return url


def fragment_of(html: str) -> str | None:
    """Return the fragment that ``render`` made, out of a page that contains it."""
    begin, end = html.find(BEGIN), html.rfind(END)
    return None if begin < 0 or end < begin else html[begin : end + len(END)]


_TITLE: Final = re.compile(r'<main class="cc" data-title="([^"]*)"')


def document(fragment: str) -> str:
    """Return a fragment as a page of its own."""
    found = _TITLE.search(fragment)
    name = found[1] if found else "Conformance report"  # escaped already
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{name}</title>\n</head>\n<body class="cc-page">\n{fragment}</body>\n</html>\n'
    )


# --- the parts ----------------------------------------------------------------------------------


def _file(name: str) -> str:
    return files("reports").joinpath(name).read_text(encoding="utf-8")


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FunctionLoader(_file)
    env = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "amount": words.amount,
        "clauses": lambda rows: len({row.id for row in rows}),
        "fields": diff.fields,
        "heads": cards.heads,
        "inline": inline,
        "instant": words.instant,
        "often": cards.often,
        "outcome": text.outcome,
        "rows": cards.rows,
        "short": words.short,
        "telling": text.telling,
    }
    return env


_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\[(?P<text>[^\]]+)\]\((?P<link>https?://[^)\s]+)\)"
    r"|<(?P<auto>https?://[^>\s]+)>"
    r"|(?P<bare>https?://[^\s,;)>\]]+)"
    r"|(?<![\w*\\])\*(?P<em>[^*\s][^*]*)\*(?![\w*])"
)


def inline(markdown: str) -> Markup:
    """The catalogue's inline Markdown (code, links, emphasis) as HTML.

    >>> inline("`<b>` in [a/b#1](https://example.com/1)")
    Markup('<code>&lt;b&gt;</code> in <a href="https://example.com/1">a/b#1</a>')
    """
    out, at = Markup(""), 0
    for found in _INLINE.finditer(markdown):
        out += escape(markdown[at : found.start()]) + _marked(found)
        at = found.end()
    return out + escape(markdown[at:])


def _marked(found: re.Match[str]) -> Markup:
    match found.lastgroup:
        case "code":
            return Markup("<code>{}</code>").format(found["code"])
        case "em":
            return Markup("<em>{}</em>").format(found["em"])
        case "link":
            return Markup('<a href="{}">{}</a>').format(found["link"], found["text"])
    url = found["auto"] or found["bare"].rstrip(".")
    rest = found[0][len(url) :] if found["bare"] else ""
    return Markup('<a href="{}">{}</a>{}').format(url, url.partition("://")[2], rest)
