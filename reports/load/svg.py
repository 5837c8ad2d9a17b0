"""Plots as inline SVG: drawn by matplotlib, at home in a page of ours.

Laws
----
* A plot is drawn once and shown by day, by night and on paper: every colour in it is a variable of
  the page's, and its text has the page's font.
* The same data give the same octets. No script, no style element, no reference to anywhere else;
  an id is there only where the plot itself refers to it, and is the plot's own.
* What a plot shows is also said: in its title, and in a description that a screen reader reads.
* No string of a target is drawn. Models have a `Style`, whose letter stands in the page's table.
* Without matplotlib (the extra ``load``) there are no plots, and `available` says so.

Theory
------
Matplotlib writes colours as ``#rrggbb``. A colour of ``INKS`` is such a value that nothing else
uses; `tidied` replaces it by ``var(--name)``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from reports.words import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ALL", "INK", "STYLES", "Style", "available", "drawn", "style"]

_NAMES: Final = ("ink", "mut", "line", "card", "fail", "failbg", "open", "openbg", "nonebg")
_SERIES: Final = tuple(f"plot{number}" for number in range(1, 9))
INK: Final[Mapping[str, str]] = {
    name: f"#0101{number:02x}" for number, name in enumerate((*_NAMES, *_SERIES), 1)
}
"""By the name of a variable of the page's style: the colour that stands for it in a drawing."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a model is told from others without its colour: letter, dashes, marker."""

    letter: str
    ink: str
    dash: Any
    marker: str


_DASHES: Final = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (4, 1, 1, 1, 1, 1)))
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")


def style(number: int) -> Style:
    """The style of the model of that number, from 0: letters A to Z, then AA, AB …"""
    first, second = divmod(number, 26)
    letter = (chr(64 + first) if first else "") + chr(65 + second)
    ink = INK[_SERIES[number % len(_SERIES)]]
    return Style(letter, ink, _DASHES[number % len(_DASHES)], _MARKERS[number % len(_MARKERS)])


STYLES: Final = {
    "p50": Style("p50", INK["plot1"], "solid", "o"),
    "p95": Style("p95", INK["plot2"], (0, (5, 2)), "s"),
    "p99": Style("p99", INK["plot3"], (0, (1.5, 1.5)), "^"),
}
"""How percentiles of one model are told from each other."""

ALL: Final = Style("all", INK["ink"], "solid", "o")

_SETTINGS: Final[Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "load",
    "text.parse_math": False,
    "font.size": 10.5,
    "font.family": "DejaVu Sans",  # matplotlib's own: the same measures on every machine
    "text.color": INK["ink"],
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.edgecolor": INK["line"],
    "axes.labelcolor": INK["mut"],
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK["line"],
    "grid.linewidth": 0.7,
    "xtick.color": INK["line"],
    "ytick.color": INK["line"],
    "xtick.labelcolor": INK["mut"],
    "ytick.labelcolor": INK["mut"],
    "lines.linewidth": 1.6,
    "hatch.color": INK["fail"],
    "hatch.linewidth": 0.6,
}

WIDTH: Final = 380.0
"""Width of a plot in CSS pixels, at which its text is as large as the page's small print."""


def available() -> bool:
    """Whether plots can be drawn here."""
    return find_spec("matplotlib") is not None


def drawn(
    name: str,
    title: str,
    description: str,
    draw: Callable[[Axes], None],
    *,
    height: float = 220.0,
    left: float = 46.0,
) -> str:
    """Return a plot as an ``svg`` element.

    Args:
        name: of the plot, letters, digits and hyphens: its ids begin with it.
        title, description: plain text; they are escaped here.
        draw: puts the data onto the axes.
        height, left: CSS pixels: of the whole, and of the margin that holds the labels of y.

    Raises:
        ImportError: there is no matplotlib.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
        axes = figure.add_axes(
            (left / WIDTH, 40 / height, 1 - (left + 34) / WIDTH, 1 - 58 / height)
        )
        draw(axes)
        into = io.BytesIO()
        blank = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(into, format="svg", metadata=blank)
    return tidied(into.getvalue().decode(), name, title, description)


# --- what matplotlib writes, made fit for a page --------------------------------------------------

_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_COLOUR: Final = re.compile(r"#0101[0-9a-f]{2}")
_FAMILY: Final = re.compile(r"font-family: [^;]*; ?")
_UNTURNED: Final = re.compile(r"rotate\(-?0 [^)]*\)")
_REFERENCE: Final = re.compile(r"#([\w-]+)")
_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_VARIABLES: Final = {colour: f"var(--{name})" for name, colour in INK.items()}


def tidied(svg: str, name: str, title: str, description: str) -> str:
    """Matplotlib's SVG as an element of a page: see the laws of this module."""
    root = ElementTree.fromstring(svg)
    used = _references(root)
    for part in root.iter():
        part.tag = part.tag.removeprefix(_SVG)
        part.text, part.tail = (part.text or "").strip() or None, None
        made = [_attribute(key, value, name, used) for key, value in part.attrib.items()]
        part.attrib.clear()
        part.attrib.update(each for each in made if each is not None)
    _flatten(root)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        said = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        said.text = visible(text)
        root.insert(place, said)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _references(root: ElementTree.Element) -> dict[str, int]:
    """The ids to which something in the plot refers, numbered in order."""
    found: dict[str, int] = {}
    for part in root.iter():
        for key, value in part.attrib.items():
            if key == _HREF or "url(#" in value:
                for id_ in _REFERENCE.findall(value.partition("url(")[2] or value):
                    found.setdefault(id_, len(found))
    return found


def _attribute(key: str, value: str, name: str, used: Mapping[str, int]) -> tuple[str, str] | None:
    """An attribute as the page has it; None where it is left out."""
    if key == "id":
        return ("id", f"{name}-{used[value]}") if value in used else None
    if key == _HREF or "url(#" in value:
        value = _REFERENCE.sub(
            lambda found: f"#{name}-{used[found[1]]}" if found[1] in used else found[0], value
        )
        return "href" if key == _HREF else key, value
    if key in ("d", "x", "y", "width", "height"):
        value = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
        return key, " ".join(value.split())
    if key == "transform" and _UNTURNED.fullmatch(value):
        return None
    value = _COLOUR.sub(lambda found: _VARIABLES.get(found[0], found[0]), value)
    return key, _FAMILY.sub("", value)


def _flatten(part: ElementTree.Element) -> None:
    """Leave out what says nothing: groups of no effect, shapes that are not seen, metadata."""
    kept: list[ElementTree.Element] = []
    for child in part:
        _flatten(child)
        if child.tag == "g" and not child.attrib:
            kept += [*child]
        elif not (
            child.tag in ("metadata", "style")
            or child.get("style") == "fill: none"
            or (child.tag == "defs" and not len(child))
        ):
            kept.append(child)
    part[:] = kept
