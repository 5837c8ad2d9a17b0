"""The load page: the results of a load run, or of a sweep, as one self-contained piece of HTML.

Laws
----
* It reads without JavaScript, without a network, on paper and on a phone; a script only adds
  buttons that copy. Jinja2 escapes everything; plots are made here, and no string of a target is
  drawn.
* The results are embedded whole (``embedding``): the page can be turned back into data.
* Plots are a help. Without matplotlib, or where one cannot be drawn, the page has its tables, and
  says so in one line.

``python -m reports load RESULTS --html FILE`` makes one again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

import schemas

from . import (
    embedding,
    load_axes,
    load_facts,
    load_head,
    load_plots,
    load_view,
    page,
    plots,
    sweep_plots,
    sweep_view,
    words,
)

__all__ = ["INSTALL", "complete", "read", "render", "write"]

INSTALL: Final = "The plots are left out: matplotlib is not installed. `pip install matplotlib`"
RUN: Final = "load_results"
SWEEP: Final = "load_sweep"


def read(path: Path) -> dict[str, Any]:
    """Read the results of a load run or of a sweep, be it their file or their page.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds none; the message is one line.
    """
    try:
        found = embedding.saved(path)
    except ValueError as fault:
        raise ValueError(f"{path}: no load results: {fault}") from fault
    kind = embedding.kind(found)
    if kind not in (RUN, SWEEP):
        if told := embedding.misplaced(found):
            raise ValueError(f"{path}: no load results but {told}")
        raise ValueError(f"{path}: no load results: no `models` and `slo`, and no `steps`")
    if found.get("format") != 1:
        raise ValueError(f"{path}: format {found.get('format')!r}, this version reads 1")
    if faults := schemas.violations(kind, found):
        raise ValueError(f"{path}: no load results: {faults[0].path}: {faults[0].message}")
    made: dict[str, Any] = found
    return made


def render(results: Mapping[str, Any]) -> str:
    """Return a whole page. The same results give the same octets, in whatever order they come."""
    results = json.loads(json.dumps(results, sort_keys=True))
    fragment = _sweep(results) if embedding.kind(results) == SWEEP else _run(results)
    return page.document(words.tidy(fragment))


def write(results: Mapping[str, Any], where: Path) -> None:
    """Write the page; folders are made. Raises OSError."""
    where.parent.mkdir(parents=True, exist_ok=True)
    draft = where.with_name(f".{where.name}.draft")
    try:
        draft.write_text(render(results), encoding="utf-8")
        draft.replace(where)
    finally:
        draft.unlink(missing_ok=True)


def complete() -> bool:
    """Whether pages have their plots here."""
    return plots.available()


# --- a run ----------------------------------------------------------------------------------------


def _run(results: Mapping[str, Any]) -> str:
    drawn = _drawn(results)
    models = results["models"]
    return (
        _templates()
        .get_template("load_page.html")
        .render(
            results=results,
            title=_title("Load", results["target"]["url"], results["started"]),
            verdict=load_head.verdict(results),
            signs=load_head.SIGNS,
            targets=load_head.targets(results),
            tiles=load_head.tiles(results),
            caveats=load_head.caveats(results),
            definitions=load_facts.definitions(results),
            columns=[f"{name} {percent}" for name, _, percent in load_view.COLUMNS],
            overview=load_view.overview(results),
            tables=[load_view.rows(results, model) for model in models.values()],
            failures=load_facts.failures(results),
            findings=load_facts.findings(results),
            checked=sum(model["conformance"]["checked"] for model in models.values()),
            streams=sum(model["ok"] for model in models.values()),
            windows=load_facts.windows(results),
            itself=load_facts.itself(results),
            offered=load_facts.offered(results),
            run=load_facts.run(results),
            options=[*load_facts.options(results)],
            **drawn,
            **_shared(results),
        )
    )


def _drawn(results: Mapping[str, Any]) -> dict[str, Any]:
    """The plots of a run, and why there are none."""
    nothing: dict[str, Any] = {
        "side": [],
        "compared": [],
        "whole": [],
        "each": [[]] * len(results["models"]),
    }
    if not plots.available():
        return nothing | {"unplotted_why": INSTALL}
    on = load_axes.scene(results)
    if on is None:
        old = "series" not in results
        why = "They were written by a version that kept no series." if old else "Nothing was sent."
        return nothing | {"unplotted_why": f"There are no plots. {why}"}
    return {
        "side": load_plots.side_by_side(results),
        "compared": load_plots.compared(results),
        "whole": load_plots.of_run(results, on),
        "each": [
            load_plots.of_model(results, id_, f"m{place}", on)
            for place, id_ in enumerate(results["models"])
        ],
        "unplotted_why": "",
    }


# --- a sweep --------------------------------------------------------------------------------------


def _sweep(sweep: Mapping[str, Any]) -> str:
    drawn = sweep_plots.drawn(sweep) if plots.available() else []
    return (
        _templates()
        .get_template("load_sweep.html")
        .render(
            sweep=sweep,
            title=_title("Load sweep", sweep["target"]["url"], sweep["started"]),
            verdict=sweep_view.verdict(sweep),
            signs=load_head.SIGNS,
            targets=sweep_view.targets(sweep),
            rows=sweep_view.rows(sweep),
            definitions=load_facts.definitions(sweep),
            models=[(*load_view.key(n), id_) for n, id_ in enumerate(sweep_view.models(sweep))],
            made=sweep_view.facts(sweep),
            drawn=drawn,
            unplotted_why="" if plots.available() else INSTALL,
            **_shared(sweep),
        )
    )


# --- both -----------------------------------------------------------------------------------------


def _shared(results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": Markup(embedding.element(results)),  # no markup of others is left in it
        "style": Markup(_file("page.css") + _file("load_page.css")),  # our own files
        "script": Markup(_file("page.js")),  # our own file
    }


def _title(what: str, url: str, started: str) -> str:
    try:
        host = urlsplit(url).netloc or url
    except ValueError:  # no URL at all, "https://[x"
        host = url
    return f"{what} · {host} · {started[:10]}"


def _file(name: str) -> str:
    return files("reports").joinpath(name).read_text(encoding="utf-8")


def _seen(value: object) -> object:
    """Text with what cannot be seen spelled out; markup is our own."""
    return (
        words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
    )


@cache
def _templates() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "amount": words.amount,
        "duration": words.duration,
        "figure": load_axes.figure,
        "instant": words.instant,
        "number": words.number,
        "short": words.short,
        "svg": Markup,  # `plots.drawn` escapes what it is given
    }
    return env
