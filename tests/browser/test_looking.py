"""The looking itself: what is wrong with a page is seen, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from . import looking
from .conftest import Look
from .looking import Visit

WRONG: list[tuple[Callable[[Visit], list[str]], str, str]] = [
    # The judge, what is wrong on a page where everything is, and what the judge says of it.
    (looking.went_wrong, "<script>console.error('broken')</script>", "console: broken"),
    (looking.went_wrong, "<script>throw new Error('thrown')</script>", "exception: thrown"),
    (looking.went_wrong, "<script>alert('asked')</script>", "dialog: asked"),
    (looking.external, "<img alt=a src='https://example.com/x'>", "https://example.com/x"),
    (looking.external, "<link rel=stylesheet href='other.css'>", "/other.css"),
    (looking.external, "<script>fetch('http://127.0.0.1:9/')</script>", "http://127.0.0.1:9/"),
    (looking.broken_anchors, "<a href='#none'>a</a>", 'nothing has the id of "#none"'),
    (looking.broken_anchors, "<p id=twin><p id=twin>", 'two elements have the id "twin"'),
    (looking.bad_links, "<a href='javascript:alert(1)'>a</a>", 'a href="javascript:alert(1)"'),
    (looking.bad_links, "<a href=' java\nscript:1'>a</a>", 'a href="java script:1"'),
    (looking.bad_links, "<a href='data:text/html,x'>a</a>", 'a href="data:text/html,x"'),
    (looking.bad_links, "<p onclick='x()'>a", "p has a handler onclick"),
    (looking.overflowing, "<p style='width:2000px'>a", "the page is "),
    (looking.overflowing, "<p class=word>" + "W" * 999, "p.word from "),
    (
        looking.overflowing,
        "<div style='overflow:clip'><p class=cut style='margin-left:-40px'>a</p></div>",
        "p.cut from -",
    ),
    (
        looking.overflowing,
        "<div style='overflow:clip;width:50px'><b class=half-read>" + "W" * 9 + "</b></div>",
        "b.half-read is cut at 58 px",
    ),
    (looking.faint, "<p class=grey style='color:#777'>a", 'p.grey "a": 4.48'),
    (
        looking.faint,
        "<div style='background:#000'><p class=half style='color:#fff;background:#fffc'>a</div>",
        'p.half "a": 1.6',
    ),
    (
        looking.faint,
        "<p class=slope style='background:linear-gradient(#fff,#444)'>a",
        'p.slope "a": 2.',
    ),
    (looking.faint, "<p class=pale style='opacity:.4'>a", 'p.pale "a": 2.'),
    (
        looking.faint,
        "<svg><rect width=99 height=99 fill=#eee /><text y=20 fill=#fff>a</text></svg>",
        'text "a": 1.16',
    ),
    (looking.unseen, "<p class=gone style='display:none'>b", 'p.gone "b"'),
    (looking.unseen, "<details><summary>a</summary><p class=shut>b</details>", 'p.shut "b"'),
    (looking.unisolated, "<p>a <b class=turned>\u202e b</b> c", "b.turned "),
    (
        looking.cut_off,
        "<div class=window style='overflow:auto;height:9px'><p style='height:99px'></div>",
        "div.window shows ",
    ),
    (looking.accessibility, "<button type=button></button>", "button-name: "),
    (looking.accessibility, "<img src='data:,'>", "image-alt: "),
]
JUDGES = list(dict.fromkeys(judge for judge, _, _ in WRONG))

RIGHT = """
<script>console.log("fine"); console.warn("fine")</script>
<p id="a b">alert(1) &lt;script&gt; onclick=x() <a href="#a%20b">a</a> <a href="https://a.b">b</a>
<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
<a download href="data:application/json,1">data</a>
<div tabindex=0 style="overflow-x:auto"><p style="width:2000px">a</p></div>
<p style="overflow-wrap:anywhere">WWW</p>
<p style="color:#767676">a</p><p style="opacity:.9">b</p>
<div style="background:#000"><p style="color:#fff">a</p></div>
<p style="background:linear-gradient(#fff,#eee)">a</p>
<svg><rect width=99 height=99 fill=#000 /><text x=9 y=20 fill=#fff>a</text></svg>
<span style="position:absolute;width:1px;height:1px;overflow:hidden;color:#eee">for ears</span>
<p>a <bdi>\u202e b</bdi> <span style="unicode-bidi:isolate">c \u2066 <b>\u202e d</b></span></p>
<noscript>run</noscript><details open><summary>a</summary>b</details>
<button type=button>Copy</button>
""".replace("WWW", "W" * 999)


def page(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    html = f"<!doctype html><html lang=en><title>t</title><main><h1>t</h1>{body}</main>"
    path.write_text(html, "utf-8")
    return path


@pytest.fixture(scope="module")
def wrong(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    body = "".join(f"<section>{body}</section>" for _, body, _ in WRONG)
    with looking.visiting(browser, page(tmp_path_factory.mktemp("wrong"), body)) as visit:
        yield visit


@pytest.mark.parametrize("judge", JUDGES, ids=[judge.__name__ for judge in JUDGES])
def test_all_that_is_wrong_is_seen(judge: Callable[[Visit], list[str]], wrong: Visit) -> None:
    found = judge(wrong)
    for said in (said for asked, _, said in WRONG if asked is judge):
        assert any(said in each for each in found), (said, found)


@pytest.mark.parametrize("width", [looking.PHONE, looking.WIDE])
def test_nothing_is_said_of_a_page_that_is_right(width: int, look: Look, tmp_path: Path) -> None:
    visit = look(page(tmp_path, RIGHT), width=width)
    judged = [judge for judge in JUDGES if judge is not looking.cut_off]  # one box scrolls
    assert {judge.__name__: judge(visit) for judge in judged} == {
        judge.__name__: [] for judge in judged
    }
    assert [said.partition(" shows")[0] for said in looking.cut_off(visit)] == ["div"]
    assert looking.overflowing(visit, scrollable=False) == ["p from 8 to 2008 px"]


def test_all_at_once_is_each_of_them(look: Look, tmp_path: Path) -> None:
    body = "".join(f"<section>{body}</section>" for _, body, _ in WRONG)
    found = looking.wrong(look(page(tmp_path, body)))
    for judge, _, said in WRONG:
        if judge is not looking.cut_off and "shut" not in said:  # what is shut has been unfolded
            assert any(said in each for each in found), said
    assert looking.wrong(look(page(tmp_path, RIGHT))) == []


def test_facts_are_gathered_where_scripts_are_switched_off(look: Look, tmp_path: Path) -> None:
    body = "<script>document.title = 'run'</script><details><p style='color:#999'>b</details>"
    visit = look(page(tmp_path, body), javascript=False)
    assert visit.page.title() == "t"
    assert looking.unseen(visit) == ['p "b"']
    looking.open_all(visit)
    assert looking.unseen(visit) == []
    assert looking.faint(visit) == ['p "b": 2.85']


def test_dark_and_light_are_two_pages(look: Look, tmp_path: Path) -> None:
    dark = "<style>@media (prefers-color-scheme: dark) { p { color: #222; background: #111 } }"
    path = page(tmp_path, f"{dark}</style><p>a</p>")
    assert looking.faint(look(path)) == []
    assert looking.faint(look(path, dark=True)) != []


def test_a_page_may_ask_its_own_server_and_no_other() -> None:
    at = "http://127.0.0.1:8089/"
    asked = ("http://127.0.0.1:8089/stats", "http://127.0.0.1:80/", "https://example.com/")
    assert [looking.is_own(url, at) for url in asked] == [True, False, False]
