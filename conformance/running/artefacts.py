"""What a run writes, and where: results, JUnit, the compliance page.

The law: every place is tried before anything is sent to the target.
"""

import datetime as dt
import os
import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import reports.results
from conformance import __version__
from conformance.checks import judged

from . import settings
from .configuration import Selection, configuration
from .journal import beside, in_use
from .planning import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from .run import Run

PACKAGES = ("pytest", "httpx", "h11", "jsonschema", "hypothesis", "pytest-html")


def default_artefacts(config: pytest.Config, run: "Run") -> None:
    """JUnit and HTML beside the results, unless the user names other places."""
    here, option = config.invocation_params.dir, config.option
    _check_writable(run.settings.results, "--results", replaced=True)
    if in_use(beside(run.settings.results)):
        raise pytest.UsageError(
            f"another run that is under way writes to {run.settings.results}: "
            "wait for its end, or give this one places of its own (--results, --junitxml, --html)"
        )
    if config.pluginmanager.hasplugin("junitxml"):
        option.xmlpath = str(_placed(here, option.xmlpath or settings.OUT / "junit.xml"))
        _check_writable(Path(option.xmlpath), "--junitxml")
    if config.pluginmanager.hasplugin("html"):
        from reports.plugin import HtmlReport

        run.page = _placed(here, option.htmlpath or settings.OUT / "compliance.html")
        _check_writable(run.page, "--html", replaced=True)
        option.htmlpath = str(run.page)
        option.self_contained_html = True
        # Rewriting the page after every check is quadratic in their number; pytest-html offers an
        # ini option against it and no other way, and ours may not be the ini file of this run.
        config._inicache["generate_report_on_test"] = False
        config.pluginmanager.register(
            HtmlReport(lambda: run.results, run.redact), "conformance-html"
        )


def mask_debug(config: pytest.Config, redact: Callable[[str], str]) -> None:
    """Mask what `--debug` writes: the arguments of the command line, and those of every hook."""
    write = config.trace.root._writer  # pytest has no public name for it
    file = getattr(write, "__self__", None)
    if write is None or file is None:
        return
    file.flush()
    known = Path(file.name).read_text(encoding="utf-8")
    file.seek(0)
    file.truncate()
    write(redact(known))
    config.trace.root.setwriter(lambda text: write(redact(text)))


def _check_writable(path: Path, option: str, *, replaced: bool = False) -> None:
    """Make the folder of `path`; say what cannot be written before anything is sent.

    `replaced`: the file is put in place whole, which must not happen to a device.
    Raises `pytest.UsageError` with one line that names `option`.
    """
    obstacle = _obstacle(path, replaced)
    if obstacle is not None:
        raise pytest.UsageError(f"{option} {path} cannot be written: {obstacle}")


def _obstacle(path: Path, replaced: bool) -> str | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.TemporaryFile(dir=path.parent):
                return None
    except OSError as error:
        return error.strerror
    if path.is_dir():
        return "it is a folder"
    if replaced and not path.is_file():
        return "it is no plain file"
    return None if os.access(path, os.W_OK) else "no permission to write it"


def _placed(here: Path, given: str | Path) -> Path:
    """Where an artefact goes: `~` and variables mean what they mean to JUnit and pytest-html."""
    return here / Path(os.path.expandvars(given)).expanduser()


def results_of(run: "Run", *, interrupted: bool) -> dict[str, Any]:
    """The results of a run that has ended, by `schemas/results.schema.json`."""
    target = run.live()
    profile = run.settings.profile
    option = run.config.option
    selection = Selection(
        keyword=option.keyword,
        markers=option.markexpr,
        processes=getattr(option, "numprocesses", None) or 1,
    )
    finished = dt.datetime.now(dt.UTC)
    told = configuration(
        target.settings,
        embedded=target.embedded,
        models=target.models,
        known=run.parts.known,
        selection=selection,
    )
    return reports.results.build(
        run.records,
        suite={
            "name": "chat-conformance",
            "version": __version__,
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in PACKAGES},
        },
        target={"url": target.url, "profile": profile.name, "models": list(target.models)},
        started=run.parts.started,
        finished=finished,
        duration_s=run.parts.seconds(finished),
        parts=run.parts.number,
        requests=run.parts.spent.requests,
        repeated=run.parts.spent.repeated,
        strict=run.settings.strict,
        interrupted=run.interrupted or interrupted,
        profile_deviations=[
            {
                "id": d.id,
                "models": list(d.models),
                "reason": d.reason,
                "expires": d.expires.isoformat(),
            }
            for d in profile.deviations
        ],
        judged=judged(),
        configuration=told,
        tokens={
            "answered": run.parts.spent.answered,
            "input_about": run.parts.spent.octets // BYTES_PER_TOKEN,
            "output_at_most": run.parts.spent.output,
            "unbounded": run.parts.spent.unbounded,
            "told": {
                "answers": run.parts.spent.told,
                "input": run.parts.spent.told_read,
                "output": run.parts.spent.told_written,
                "total": run.parts.spent.told_total,
            },
        },
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
