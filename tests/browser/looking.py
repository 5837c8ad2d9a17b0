"""Looks at a page in Chromium, and says what is wrong with it.

Laws
----
* Nothing leaves the machine: no host name resolves, and a page may ask for nothing but itself. What
  it asks for all the same is refused and recorded.
* A function that judges returns sentences, one for each thing that is wrong, and none for a page
  that is right: ``assert overflowing(visit) == []`` shows them.
* A page is judged by what it is in the browser (boxes, colours, what is rendered), not by markup.

Theory
------
Playwright drives the browser of the system, which is started once; a *visit* is one page in a
context of its own, so that no visit sees another's storage, permissions or settings. The facts are
gathered by ``facts.js`` in the page itself, also where the page's own scripts are switched off.
Contrast is computed here at one limit for every text, SVG included (axe takes 3 for large text and
skips drawings); the other rules of WCAG 2 A and AA are axe's.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, sync_playwright

__all__ = [
    "ABSENT",
    "NAMES",
    "PAPER",
    "PHONE",
    "WIDE",
    "Visit",
    "accessibility",
    "bad_links",
    "broken_anchors",
    "chromium",
    "cut_off",
    "external",
    "faint",
    "is_own",
    "open_all",
    "overflowing",
    "started",
    "unisolated",
    "unseen",
    "visiting",
    "went_wrong",
    "wrong",
]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
"""Commands under which the browser is installed."""

ABSENT: Final = "chromium is not installed (Debian package `chromium`)"

PHONE: Final = 360
WIDE: Final = 1440
"""The widths, in CSS pixels, at which a page is looked at."""

PAPER: Final = 718
"""Width of A4 between margins of 1 cm, in CSS pixels."""

SCHEMES: Final[tuple[Literal["dark", "light"], ...]] = ("dark", "light")

CONTRAST: Final = 4.5
"""The least contrast of any text (WCAG 2 AA, normal text)."""

FLAGS: Final = (
    "--no-sandbox",  # a container's root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

FACTS: Final = Path(__file__).with_name("facts.js").read_text("utf-8")

OWN_SCHEMES: Final = frozenset({"data", "blob", "about"})
"""Schemes that ask nobody for anything."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One page that is open, and what it did that a reader does not see."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    """Errors on the console, exceptions that nobody caught, dialogs, windows that it opened."""
    refused: list[str] = field(default_factory=list)
    """URLs that it asked for, beyond itself; none was answered."""


def chromium() -> str | None:
    """Path of the browser, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started(executable: str) -> Iterator[Browser]:
    """A running Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(
    browser: Browser,
    place: Path | str,
    *,
    width: int = WIDE,
    height: int = 900,
    dark: bool = False,
    javascript: bool = True,
) -> Iterator[Visit]:
    """Open a file, or a URL of loopback, in a context of its own; it is loaded when this returns.

    Args:
        place: a file, perhaps with a fragment if it is a ``file:`` URL, or an ``http:`` URL.
        width: of the window, in CSS pixels; height: likewise.
        dark: the reader prefers dark colours.
        javascript: whether the page's own scripts run.

    Raises:
        playwright.sync_api.Error: the page could not be loaded.
    """
    address = place.resolve().as_uri() if isinstance(place, Path) else place
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",  # a page that scrolls slowly is looked at where it arrives
        java_script_enabled=javascript,
    )
    try:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit = Visit(context.new_page(), address)
        _record(context, visit)
        visit.page.goto(address, wait_until="load")
        yield visit
    finally:
        context.close()


def is_own(asked: str, address: str) -> bool:
    """Whether asking for a URL is asking for the page itself; on loopback, for its server."""
    to, home = urlsplit(asked), urlsplit(address)
    if to.scheme in OWN_SCHEMES:
        return True
    if home.scheme == "file":
        return (to.scheme, to.path) == (home.scheme, home.path)
    return to.netloc == home.netloc


def _record(context: BrowserContext, visit: Visit) -> None:
    def answer(route: Route, request: Request) -> None:
        if is_own(request.url, visit.address):
            route.continue_()
        else:
            visit.refused.append(request.url)
            route.abort()

    context.route("**/*", answer)
    context.on("page", lambda other: visit.errors.append(f"window: {other.url}"))
    page = visit.page
    page.on(
        "console",
        lambda message: (
            visit.errors.append(f"console: {message.text}")
            if message.type in {"error", "assert"}
            else None
        ),
    )
    page.on("pageerror", lambda error: visit.errors.append(f"exception: {error}"))

    def dismiss(dialog: Any) -> None:
        visit.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)


def _ask(visit: Visit, name: str, argument: object = None) -> list[str]:
    found: list[str] = visit.page.evaluate(f"(given) => ({FACTS})().{name}(given)", argument)
    return found


def _hear(visit: Visit) -> None:
    """Lets what the page has done by now arrive here."""
    visit.page.evaluate("0")


# --- judging --------------------------------------------------------------------------------------


def went_wrong(visit: Visit) -> list[str]:
    """Console errors, exceptions, dialogs and windows, up to now."""
    _hear(visit)
    return list(visit.errors)


def external(visit: Visit) -> list[str]:
    """URLs that the page asked for beyond itself, up to now."""
    _hear(visit)
    return list(visit.refused)


def open_all(visit: Visit) -> None:
    """Open every ``<details>``, as a reader can, without scripts too."""
    _ask(visit, "open")


def broken_anchors(visit: Visit) -> list[str]:
    """Links within the page that lead nowhere, and ids that two elements have."""
    return _ask(visit, "anchors")


def bad_links(visit: Visit) -> list[str]:
    """Links and sources that are neither the web nor the page (``javascript:``), and handlers."""
    return _ask(visit, "schemes")


def overflowing(visit: Visit, *, scrollable: bool = True) -> list[str]:
    """What sticks out sideways at this width.

    Args:
        scrollable: what lies in a scroll container of its own does not count; on paper it does.
    """
    return _ask(visit, "overflowing", scrollable)


def cut_off(visit: Visit) -> list[str]:
    """Boxes that show a part of what they hold, and the rest by scrolling: lost on paper."""
    return _ask(visit, "cut")


def faint(visit: Visit, least: float = CONTRAST) -> list[str]:
    """Rendered texts whose contrast with what lies below them is less than ``least``, as it is."""
    return _ask(visit, "faint", least)


def unseen(visit: Visit, but: str = "nav, button") -> list[str]:
    """Texts of the page that are not rendered; call ``open_all`` first for what can be unfolded.

    Args:
        but: selects elements whose texts need not be seen.
    """
    return _ask(visit, "unseen", but)


def unisolated(visit: Visit) -> list[str]:
    """Texts with marks of direction that could turn what stands around them."""
    return _ask(visit, "unisolated")


def accessibility(visit: Visit) -> list[str]:
    """What axe finds wrong by the rules of WCAG 2 A and AA, and calls serious or critical.

    Only where the page's scripts run: axe waits for timers, which stop with them.
    """
    options = {
        "resultTypes": ["violations"],
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"color-contrast": {"enabled": False}},  # `faint` measures it, and stricter
    }
    found = Axe().run(visit.page, options=options).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def wrong(visit: Visit, but: str = "nav, button") -> list[str]:
    """All that may be wrong with any page, as it opens and unfolded; it is left unfolded.

    Args:
        but: as for ``unseen``.
    """
    found: list[str] = []
    for state in ("as it opens", "unfolded"):
        if state == "unfolded":
            open_all(visit)
        for width in (PHONE, WIDE):
            visit.page.set_viewport_size({"width": width, "height": 900})
            found += (f"{state}, {width} px: {what}" for what in overflowing(visit))
        for scheme in SCHEMES:
            visit.page.emulate_media(color_scheme=scheme)
            found += (f"{state}, {scheme}: {what}" for what in faint(visit))
    judges = (broken_anchors, bad_links, unisolated, accessibility, external, went_wrong)
    return found + unseen(visit, but) + [what for judge in judges for what in judge(visit)]
