"""The page in a browser: it fits a phone, and no string of a target runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports import page

from . import sample

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update
    --virtual-time-budget=3000 --dump-dom
"""

PROBE = """<script>
const told = [];
window.alert = () => told.push("alert");
window.onerror = (message) => told.push(message);
addEventListener("load", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  const wide = [...document.querySelectorAll(".cc *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .filter((e) => !e.closest(".scroll") && !e.closest(".vh"))
    .map((e) => e.tagName + "." + e.className);
  const copies = document.querySelectorAll("button.copy").length;
  parent.postMessage(JSON.stringify({ told, wide: wide.slice(0, 5), copies }), "*");
});
</script>"""

FRAME = """<!doctype html><body><script>
addEventListener("message", (event) => { document.body.dataset.told = event.data; });
</script><iframe src="page.html" width="{width}" height="900"></iframe>"""


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("made", ["run", "hostile"])
def test_the_page_fits_and_nothing_hostile_runs(made: str, width: int, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    results = getattr(sample, made)()
    html = page.document(page.render(results, REQUIREMENTS, CHAPTERS))
    (tmp_path / "page.html").write_text(html.replace("<head>", f"<head>{PROBE}"), "utf-8")
    (tmp_path / "frame.html").write_text(FRAME.replace("{width}", str(width)), "utf-8")
    ran = subprocess.run(
        [
            CHROMIUM,
            *FLAGS.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1600,1000",
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = re.search(r'data-told="([^"]*)"', ran.stdout)
    assert told is not None, ran.stdout[:500]
    said = told[1].replace("&quot;", '"')
    assert '"told":[]' in said
    assert '"wide":[]' in said
    assert '"copies":0' not in said
