"""``python -m tests.browser.shots``: takes the pictures of pages that the documentation shows.

Laws
----
* A picture shows the page of a real run: the reference server with a fault for the compliance page,
  without one for the load page.
* A picture is small enough for a repository (``LARGEST``), and made of what a reader sees first.

``--at FOLDER`` keeps the whole pages at every width and in both themes there too, to be looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image  # of matplotlib's, which draws the plots
from playwright.sync_api import Browser

from tests.load import running
from tests.plugin import bench

from . import looking

DOCS: Final = Path(__file__).parents[2] / "docs"

LARGEST: Final = 150_000
"""Bytes of a picture in the repository, at most."""

COLOURS: Final = 256
"""Colours of a picture: a page has few, the rest are shades at the edges of letters."""

MODELS: Final = ("meta/llama-3.3-70b-instruct", "google/gemma-3-27b-it", "deepseek-ai/deepseek-r1")

FAULT: Final = "breaks_off_cleanly"
"""Ends the body in the middle of an answer as if that were all; clauses of three chapters break."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: where it is kept, the run that makes its page, and the window in CSS pixels."""

    name: str
    page: Callable[[Path], Path]
    width: int
    height: int


def compliance(folder: Path) -> Path:
    """The page of a target that breaks a few clauses."""
    wanted = [word for model in MODELS for word in ("--model", model)]
    with bench.reference() as address:
        url = f"{address}/fault/{FAULT}/v1"
        ran = bench.run(folder, "--target-url", url, *wanted, "--no-clients", "--examples", "0")
    return _found(folder / "reports/out/compliance.html", ran.said)


def load(folder: Path) -> Path:
    """The page of a short load run on several models."""
    with running.reference("--ttft-ms", "80", "--itl-ms", "10") as url:
        asked = [word for model in MODELS for word in ("--model", model)]
        enough = ("--users", "45", "--run-time", "40s", "--max-tokens", "64")  # for every p99
        ran = running.locust(url, folder, *enough, *asked, page=True)
    return _found(folder / "load.html", ran.said)


SHOTS: Final = (
    Shot("compliance.png", compliance, 1200, 1330),
    Shot("load.png", load, 1200, 1320),
)


def _found(path: Path, said: str) -> Path:
    if not path.exists():
        raise RuntimeError(f"the run wrote no page:\n{said}")
    return path


def take(browser: Browser, page: Path, shot: Shot, to: Path) -> None:
    """Write one picture. Raises ValueError when it is too large to be kept."""
    with looking.visiting(browser, page, width=shot.width, height=shot.height) as visit:
        taken = Image.open(BytesIO(visit.page.screenshot()))
    small = BytesIO()
    taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        small, "png", optimize=True
    )
    if small.tell() > LARGEST:
        raise ValueError(f"{to.name} has {small.tell()} bytes, more than {LARGEST}: show less")
    to.write_bytes(small.getvalue())


def views(browser: Browser, page: Path, folder: Path) -> Iterator[Path]:
    """The whole page as pictures: every width, both themes."""
    for width in (looking.PHONE, looking.WIDE):
        for dark in (False, True):
            with looking.visiting(browser, page, width=width, dark=dark) as visit:
                path = folder / f"{page.stem}-{width}{'-dark' if dark else ''}.png"
                visit.page.screenshot(path=path, full_page=True)
            yield path


def main() -> int:
    """Take them all; one line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.shots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, such as load.png")
    parser.add_argument("--at", type=Path, help="a folder for pictures of the whole pages")
    given = parser.parse_args()
    executable = looking.chromium()
    if executable is None:
        print(looking.ABSENT, file=sys.stderr)
        return 1
    with looking.started(executable) as browser, tempfile.TemporaryDirectory() as scratch:
        for shot in SHOTS:
            if given.names and shot.name not in given.names:
                continue
            folder = Path(scratch) / shot.name
            folder.mkdir()
            page = shot.page(folder)
            take(browser, page, shot, DOCS / shot.name)
            print(f"docs/{shot.name}")
            if given.at is not None:
                given.at.mkdir(parents=True, exist_ok=True)
                for path in views(browser, page, given.at):
                    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
