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
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

import schemas
from reports import embedding, files, words
from reports.templates import document, environment, own, title

from . import axes, facts, head, plots, svg, sweep_plots, sweep_view, view

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
        found = files.saved(path)
    except ValueError as fault:
        raise ValueError(f"{path}: no load results: {fault}") from fault
    kind = files.kind(found)
    if kind not in (RUN, SWEEP):
        if told := files.misplaced(found):
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
    fragment = _sweep(results) if files.kind(results) == SWEEP else _run(results)
    return document(words.tidy(fragment))


def write(results: Mapping[str, Any], where: Path) -> None:
    """Write the page; folders are made. Raises OSError."""
    files.write(render(results), where)


def complete() -> bool:
    """Whether pages have their plots here."""
    return svg.available()


# --- a run ----------------------------------------------------------------------------------------


def _run(results: Mapping[str, Any]) -> str:
    models = results["models"]
    return _filled(
        "load/page.html",
        "Load",
        results,
        results=results,
        verdict=head.verdict(results),
        targets=head.targets(results),
        tiles=head.tiles(results),
        caveats=head.caveats(results),
        columns=[f"{name} {percent}" for name, _, percent in view.COLUMNS],
        overview=view.overview(results),
        tables=[view.rows(results, model) for model in models.values()],
        failures=facts.failures(results),
        findings=facts.findings(results),
        checked=sum(model["conformance"]["checked"] for model in models.values()),
        streams=sum(model["ok"] for model in models.values()),
        windows=facts.windows(results),
        itself=facts.itself(results),
        offered=facts.offered(results),
        run=facts.run(results),
        options=[*facts.options(results)],
        **_drawn(results),
    )


def _drawn(results: Mapping[str, Any]) -> dict[str, Any]:
    """The plots of a run, and why there are none."""
    nothing: dict[str, Any] = {
        "side": [],
        "compared": [],
        "whole": [],
        "each": [[]] * len(results["models"]),
    }
    if not svg.available():
        return nothing | {"unplotted_why": INSTALL}
    on = axes.scene(results)
    if on is None:
        old = "series" not in results
        why = "They were written by a version that kept no series." if old else "Nothing was sent."
        return nothing | {"unplotted_why": f"There are no plots. {why}"}
    return {
        "side": plots.side_by_side(results),
        "compared": plots.compared(results),
        "whole": plots.of_run(results, on),
        "each": [
            plots.of_model(results, id_, f"m{place}", on)
            for place, id_ in enumerate(results["models"])
        ],
        "unplotted_why": "",
    }


# --- a sweep --------------------------------------------------------------------------------------


def _sweep(sweep: Mapping[str, Any]) -> str:
    drawable = svg.available()
    return _filled(
        "load/sweep.html",
        "Load sweep",
        sweep,
        sweep=sweep,
        verdict=sweep_view.verdict(sweep),
        targets=sweep_view.targets(sweep),
        rows=sweep_view.rows(sweep),
        models=[(*view.key(n), id_) for n, id_ in enumerate(sweep_view.models(sweep))],
        made=sweep_view.facts(sweep),
        drawn=sweep_plots.drawn(sweep) if drawable else [],
        unplotted_why="" if drawable else INSTALL,
    )


# --- both -----------------------------------------------------------------------------------------


def _filled(template: str, what: str, data: Mapping[str, Any], **shown: Any) -> str:
    """A template with what it shows of ``data``, and what both pages have."""
    return (
        _templates()
        .get_template(template)
        .render(
            title=title(what, data["target"]["url"], data["started"]),
            signs=head.SIGNS,
            definitions=facts.definitions(data),
            data=Markup(embedding.element(data)),  # no markup of others is left in it
            style=own("base.css", "load/page.css"),
            script=own("base.js"),
            **shown,
        )
    )


@cache
def _templates() -> jinja2.Environment:
    own_filters: Mapping[str, Callable[..., Any]] = {
        "duration": words.duration,
        "figure": axes.figure,
        "number": words.number,
        "svg": Markup,  # `svg.drawn` escapes what it is given
    }
    return environment(own_filters)
