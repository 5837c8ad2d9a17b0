"""A page as a browser without JavaScript reads it."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports.compliance.page import render
from reports.templates import document

VOID = {"meta", "br", "hr", "img", "link", "input"}
OURS = re.compile(
    "html|head|meta|title|body|style|script|main|header|nav|section|article|details|summary|div"
    "|h1|h2|h3|h4|p|span|b|i|em|bdi|small|time|code|pre|a|ol|ul|li|dl|dt|dd"
    "|mark|table|thead|tbody|tr|th|td|form|label|select|option|input|button|output"
)


class Page(HTMLParser):
    """A page as a browser without JavaScript reads it.

    A tag out of place fails the test, and so does a script in an attribute.
    """

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
        assert not any(name.startswith("on") for name, _ in attrs), attrs
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

    def refers(self) -> list[str]:
        """Whatever an attribute refers to."""
        links = {"src", "href", "xlink:href", "action"}
        return [
            place
            for _, name, value in self.attributes
            for place in (value if name in links else "", *re.findall(r"url\(([^)]*)\)", value))
            if place
        ]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def rendered(results: dict[str, Any], **options: Any) -> str:
    return document(render(results, REQUIREMENTS, CHAPTERS, **options))
