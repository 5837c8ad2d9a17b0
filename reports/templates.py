"""What every page is made with: the Jinja environment, the files of this package, the document.

Laws
----
* Jinja2 escapes everything. What is marked as safe is our own file, or made from escaped text.
* A page is one file: style and script stand in it, and it asks for nothing else.
* Every page looks alike: ``base.css``, ``base.js`` and the macros of ``parts.html`` are for all; a
  page adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape

from . import words

__all__ = ["document", "environment", "inline", "own", "title", "unbroken"]


def own(*names: str) -> Markup:
    """Files of this package, one after the other; a name is a path in it: ``load/page.css``.

    They are markup that needs no escaping: nobody else wrote them.
    """
    return Markup("".join(map(_file, names)))


def _file(name: str) -> str:
    return files("reports").joinpath(name).read_text(encoding="utf-8")


def environment(
    filters: Mapping[str, Callable[..., Any]], *, spelled: bool = True
) -> jinja2.Environment:
    """An environment whose templates are files of this package, by their paths in it.

    Args:
        filters: what its templates have beyond the filters that all have.
        spelled: text has what cannot be seen spelled out, line ends too; markup is left alone.
            False where the data have been spelled out already, and keep their lines.
    """
    env = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_spelled if spelled else None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "amount": words.amount,
        "clauses": lambda rows: len({row.id for row in rows}),
        "inline": inline,
        "instant": words.instant,
        "short": words.short,
        "unbroken": unbroken,
        **filters,
    }
    return env


def _spelled(value: object) -> object:
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return words.visible(str(value)) if plain else value


# --- the document ---------------------------------------------------------------------------------


def title(what: str, url: str, started: str) -> str:
    """``Not conformant · api.example.com · 2026-11-22``."""
    return f"{what} · {words.host(url)} · {started[:10]}"


_TITLE: Final = re.compile(r'<main class="cc" data-title="([^"]*)"')


def document(fragment: str) -> str:
    """Return a fragment, whose ``main`` has the title, as a page of its own."""
    found = _TITLE.search(fragment)
    name = found[1] if found else "Conformance report"  # escaped already
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{name}</title>\n</head>\n<body class="cc-page">\n{fragment}</body>\n</html>\n'
    )


# --- commands -------------------------------------------------------------------------------------

_FLAG: Final = re.compile(r"(?<= )--?[A-Za-z][\w-]*(?= )")


def unbroken(command: str) -> Markup:
    """A command whose options no line end takes apart; its text stays what it is.

    >>> unbroken("curl --data-raw '<'")
    Markup('curl <span class="nb">--data-raw</span> &#39;&lt;&#39;')
    """
    return Markup(_FLAG.sub(r'<span class="nb">\g<0></span>', str(escape(command))))


# --- the catalogue's Markdown ---------------------------------------------------------------------

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
