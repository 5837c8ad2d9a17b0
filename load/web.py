"""The live view in Locust's web page: a tab with tables and charts per model, and the downloads.

Laws
----
* What is shown is worked out by `live` and drawn by the browser; this process serves a small JSON,
  of points over time only those that have changed, and files that lie in the package.
* The report is drawn when it is asked for, and only after a run: drawing takes seconds.
* A look is worked out once, however many look; it gives way to the loop between two models.
* Every route asks for the login that ``--web-login`` demands. Nothing here changes a run.
* Only official extension points of Locust's page are used: ``extended_tabs`` for the tab,
  ``extended_csv_files`` for the downloads, routes, and one script in its page that puts our page
  into the tab. Where the script finds no place for it, the page is still at ``chat/``.
* No page asks another host for anything.

Routes, below ``--web-base-path``
---------------------------------
=======================  ===========================================================================
``chat/``                the page, for the tab and for a window of its own
``chat/live.json``       the run so far; ``?since=MARK`` leaves out the points that are known
``chat/load.json``       the results; ``load.csv``, ``load.html``. 409 until a run is over
``chat/FILE``            what the page consists of (``FILES``)
=======================  ===========================================================================
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import resources
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from flask import Blueprint, Response, request
from gevent.lock import Semaphore  # type: ignore[import-untyped]  # likewise
from locust.runners import STATE_MISSING, MasterRunner

from load.live import Live
from load.metrics import Book
from load.options import Settings

__all__ = ["View"]

PAGE: Final = "live.html"
FILES: Final = {
    "live.css": "text/css",
    "live.js": "text/javascript",
    "charts.js": "text/javascript",
    "tab.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
}
DOWNLOADS: Final = {
    "load.json": "application/json",
    "load.csv": "text/csv",
    "load.html": "text/html",
}
TAB: Final = {"title": "Models", "key": "models"}
SCRIPT: Final = b'<script src="./chat/tab.js"></script>'
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""For a page that shows what targets sent: no script but its own, nobody else is asked."""

WAIT: Final = "The report is made when a run has ended.\n"


@cache
def _file(name: str) -> bytes:
    return resources.files("load").joinpath("live_page", name).read_bytes()


class View:
    """What the web page shows of one environment; without a web page it does nothing.

    Args:
        environment: Locust's.
        users: how many users run, or ran at most.
    """

    def __init__(self, environment: Any, users: Callable[[], int]) -> None:
        self._environment, self._users = environment, users
        self.live: Live | None = None
        self._problem = ""
        self._results: Mapping[str, Any] | None = None
        self._intervals = self._page = ""
        self._looking = Semaphore()
        self._web = environment.web_ui
        if self._web is not None:
            self._install()

    # --- what a run tells ------------------------------------------------------------------------

    def begin(self, run: str, settings: Settings, book: Book) -> None:
        """A run begins; ``book`` is where it will be gathered."""
        if self._web is not None:
            self.live = Live(run, settings, book)
            self._problem, self._results, self._intervals, self._page = "", None, "", ""

    def refuse(self, why: str) -> None:
        """A run cannot begin."""
        self.live, self._problem, self._results = None, why, None

    def add(self, worker: str, data: Mapping[str, Any]) -> None:
        """A report has come in."""
        if self.live is not None:
            self.live.add(worker, data)

    def conclude(self, results: Mapping[str, Any], intervals: str) -> None:
        """The run is over."""
        if self.live is not None:
            self.live.conclude(results)
            self._results, self._intervals = results, intervals

    def _reset(self, **_: Any) -> None:
        if self.live is not None:
            self.live.reset(int(time.time()) + 1)

    # --- the routes ------------------------------------------------------------------------------

    def _install(self) -> None:
        environment, web = self._environment, self._web
        environment.events.reset_stats.add_listener(self._reset)
        web.template_args |= {
            "extended_tabs": [TAB],
            "extended_csv_files": [
                {"href": "./chat/load.html", "title": "Download load report per model (HTML)"},
                {"href": "./chat/load.json", "title": "Download load results (JSON)"},
                {"href": "./chat/load.csv", "title": "Download load per second and model (CSV)"},
                {"href": "./chat/", "title": "Live view per model in a window of its own"},
            ],
        }
        base = (getattr(environment.parsed_options, "web_base_path", None) or "").rstrip("/")
        chat = Blueprint("chat", __name__, url_prefix=f"{base}/chat")
        routes: dict[str, Callable[[], Response]] = {
            "/": partial(self._serve, PAGE, "text/html"),
            "/live.json": self._live,
            **{f"/{name}": partial(self._serve, name, kind) for name, kind in FILES.items()},
            **{f"/{name}": partial(self._download, name, kind) for name, kind in DOWNLOADS.items()},
        }
        for path, view in routes.items():
            endpoint = path.strip("/").replace(".", "_") or "page"
            chat.add_url_rule(path, endpoint, web.auth_required_if_enabled(view))
        web.app.register_blueprint(chat)
        web.app.after_request(self._with_script)

    @staticmethod
    def _with_script(response: Response) -> Response:
        """Locust's page, with the script that fills the tab."""
        if request.endpoint == "locust.index" and response.mimetype == "text/html":
            response.set_data(response.get_data().replace(b"</body>", SCRIPT + b"</body>"))
        return response

    @staticmethod
    def _serve(name: str, kind: str) -> Response:
        made = _answer(_file(name), kind)
        made.headers["Content-Security-Policy"] = POLICY
        return made

    def _live(self) -> Response:
        with self._looking:
            view = self._view(request.args.get("since", ""))
        return _answer(json.dumps(view, separators=(",", ":")).encode(), "application/json")

    def _view(self, since: str) -> dict[str, Any]:
        runner, live = self._environment.runner, self.live
        known = {
            "state": runner.state,
            "problem": self._problem,
            "over": self._results is not None,
            "now": time.time(),
        }
        if live is None:
            return known
        alive = None
        if isinstance(runner, MasterRunner):
            alive = {c.id for c in runner.clients.values() if c.state != STATE_MISSING}
        live.refresh(self._users(), alive, _pause)
        return {**known, **live.view(since)}

    def _download(self, name: str, kind: str) -> Response:
        if self._results is None:
            return _answer(WAIT.encode(), "text/plain", 409)
        if name == "load.json":
            text = json.dumps(self._results, indent=1, ensure_ascii=False) + "\n"
        elif name == "load.csv":
            text = self._intervals
        else:
            from reports.load import page  # here: few runs need it, and none while it measures

            self._page = text = self._page or page.render(self._results)
        return _answer(text.encode(), kind, saved=f"{self._results['run']}-{name}")


def _pause() -> None:
    """Let others run, the sockets first."""
    gevent.sleep(0.0001)  # not 0: that runs again before the sockets are looked at


def _answer(body: bytes, kind: str, status: int = 200, saved: str = "") -> Response:
    made = Response(body, status, content_type=f"{kind}; charset=utf-8")
    made.headers["Cache-Control"] = "no-store"
    made.headers["X-Content-Type-Options"] = "nosniff"
    if saved:
        made.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    return made
