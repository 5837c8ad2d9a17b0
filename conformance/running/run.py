"""One run that is ours: the hooks that choose models, order checks, keep records and report.

The laws:

1. Hooks only: what runs is chosen in `collecting`, what is decided is decided in `recording`, what
   is spelled in `dressing`, what is written in `artefacts`, what is said at the end in `closing`.
2. Records travel on the test report, so that they survive the way back from an xdist worker.
"""

import warnings
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import reports.results
import reports.verdict
from conformance.again import ask_again
from conformance.outcomes import Broken, Inconclusive, Trials, Unjudged, Unsupported
from conformance.requirements import CHAPTERS, Requirement
from conformance.standing import FIRST, stands
from conformance.wire.redact import Redactor

from . import artefacts, settings, signals
from .closing import show_plan, show_results
from .collecting import collect, parametrize, sizes
from .configuration import known, plain
from .dressing import dress, status
from .items import is_generated, may_harm, model_of, requirement_of
from .journal import beside
from .parts import Parts, title_of
from .planning import Cost
from .progress import Progress
from .recording import Recorder
from .resuming import check, left_by
from .session import TargetSession, as_embedded
from .terms import terms_of
from .workers import Workers


class Run:
    """The hooks of one run that is ours, in the controlling process and in every worker."""

    def __init__(self, config: pytest.Config, wanted: settings.Settings) -> None:
        self.config = config
        self.settings = wanted
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.target: TargetSession | None = None
        self.records: list[dict[str, Any]] = []
        self.results: dict[str, Any] = {}
        self.page: Path | None = None
        self.parts = Parts(left_by(wanted.resume) if wanted.resume else None)
        config.pluginmanager.register(self.parts, "conformance-parts")
        if not self.is_worker:
            config.pluginmanager.register(Workers(self), "conformance-workers")
        self.notices: dict[str, None] = {}
        self.interrupted = False
        self.unread = False
        """Whether a file of checks could not be read, for which pytest ends like for Ctrl-C."""
        self.sizes: Counter[tuple[str | None, str]] = Counter()
        self._progress: Progress | None = None
        self._recorder: Recorder | None = None

    @property
    def is_worker(self) -> bool:
        """Whether this process is an xdist worker."""
        return self.worker is not None

    def redact(self, text: str) -> str:
        """`text` without the target's secrets."""
        known = self.target.redactor if self.target else Redactor(settings.secrets(self.settings))
        return known.text(text)

    @property
    def quiet(self) -> bool:
        """Whether our own progress lines replace pytest's."""
        return self.config.get_verbosity() == 0

    # -- start ----------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, None, None]:
        if self.config.option.collectonly:
            return (yield)
        with signals.at_work():  # a target may keep the first requests waiting
            self._meet()
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self.quiet and not self.is_worker:
            reporter.showfspath = False
            reporter._show_progress_info = False
            self._progress = Progress(reporter, {c.prefix: c.name for c in CHAPTERS})
        with signals.deaf():  # xdist starts its workers here
            return (yield)

    def _meet(self) -> None:
        """Find the target."""
        if self.worker is not None:
            told = self.worker["conformance"]
            mine = settings.aimed(self.settings, told["url"], told["key"])
            mine = as_embedded(mine) if told["embedded"] else mine
            self.target = TargetSession(mine, tuple(told["models"]), told["account"])
            self.target.embedded = told["embedded"]
            self.target.gone = told["gone"]
        else:
            self.target = TargetSession(self.settings)
            self._begin(self.target)
        self._recorder = Recorder(self.target.settings, self.target.redactor, self.target.embedded)

    def _begin(self, target: TargetSession) -> None:
        """Go on from an earlier part, if this is of the same run; begin the journal."""
        if self.settings.plan:
            return
        terms = terms_of(self.settings, target.models, target.embedded)
        if self.parts.taken is not None and self.settings.resume is not None:
            check(self.parts.taken, terms, self.settings.resume)
        self.parts.begin(beside(self.settings.results), terms, self._say)
        self.parts.add(None, target.take_cost(), target.take_known())

    def pytest_report_header(self) -> list[str]:
        if self.target is None:
            return []
        target, profile = self.target, self.settings.profile
        where = "the embedded reference server" if target.embedded else self.settings.target_url
        models = f"{len(target.models)} model{'s' if len(target.models) != 1 else ''}"
        amount = self.settings.generated
        seed = f" · {amount.examples} examples, seed {amount.seed}" if amount.examples else ""
        return [f"target: {where} · profile {profile.name} · {models}{seed}"]

    def live(self) -> TargetSession:
        if self.target is None:
            raise pytest.UsageError("the target is not known while checks are only collected")
        return self.target

    # -- collection -----------------------------------------------------------------------------

    def pytest_collectstart(self) -> None:
        signals.heed()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.unread = self.unread or report.failed

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        chosen = self.settings.models or ("model",)  # where checks are only collected
        parametrize(metafunc, self.target.models if self.target else chosen)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = collect(items, self.settings, self.target.models if self.target else ())
        items[:] = found.ours + found.others
        if found.dropped:
            self.config.hook.pytest_deselected(items=found.dropped)
        self.sizes = sizes(found.ours)
        self.parts.match(found.ours)

    # -- each check -----------------------------------------------------------------------------

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        with signals.at_work():
            entry = requirement_of(item)
            if entry is not None and self.parts.record_of(item) is None:
                self._set_up(item, entry)

    def _set_up(self, item: pytest.Item, entry: Requirement) -> None:
        target = self.live()
        chat = target.chat(item.callspec.params["chat"])  # type: ignore[attr-defined]  # Function
        chat.used.clear()
        if target.gone is not None:
            raise Inconclusive(target.gone)  # nobody is to blame that it no longer answers
        if entry.id != FIRST and model_of(item) is not None:
            stands(chat, entry)
            chat.used.clear()
        for flag in entry.needs:
            capability = chat.capability(flag)
            if not capability.present:
                raise Unsupported(f"{flag}: {capability.because}")

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """A check that blames the target is asked again, to tell a steady breach from a whim."""
        with signals.at_work():
            try:
                return (yield)
            except Broken as broken:
                # Generated requests are asked again one by one: their number is bounded.
                if requirement_of(pyfuncitem) is not None and not is_generated(pyfuncitem):
                    model, target = str(pyfuncitem.callspec.params["chat"]), self.live()
                    broken.repeated = ask_again(
                        pyfuncitem.obj,
                        broken,
                        list(target.chat(model).used),
                        lambda number: target.afresh(model, number),
                    )
                raise

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if may_harm(item) and self.parts.record_of(item) is None:
            with signals.at_work():
                self.live().still_there(item.callspec.params["chat"])  # type: ignore[attr-defined]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        if call.excinfo is not None:
            signals.heed()  # what it raises may be what has become of `Stopped`
        told = call.excinfo
        if requirement_of(item) is not None and told and told.errisinstance((Broken, Unjudged)):
            call.excinfo = None  # a traceback is costly to write, and the verdict replaces it
        try:
            report = yield
        finally:
            call.excinfo = told
        report.sections = [(name, self.redact(text)) for name, text in report.sections]
        entry = requirement_of(item)
        failed_outside = call.when != "call" and call.excinfo is not None
        if entry is None or not (call.when == "call" or failed_outside):
            return report
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, KeyboardInterrupt | SystemExit | pytest.exit.Exception):
            return report
        taken = self.parts.record_of(item)
        record = dict(taken) if taken else self._record(item, entry, error, call.duration)
        dress(item, report, record, entry, self.redact)
        target = self.live()
        report.conformance_spent = target.take_cost().figures  # type: ignore[attr-defined]  # ours
        report.conformance_known = plain(target.take_known())  # type: ignore[attr-defined]  # ours
        report.conformance_taken = taken is not None  # type: ignore[attr-defined]  # ours
        report.chapter_size = self.sizes[  # type: ignore[attr-defined]  # ours
            record["model"], record["chapter"]
        ]
        return report

    def _record(
        self, item: pytest.Item, entry: Requirement, error: BaseException | None, seconds: float
    ) -> dict[str, Any]:
        if self._recorder is None:
            raise RuntimeError("a check ran before the session started")
        chat = self.live().chat(item.callspec.params["chat"])  # type: ignore[attr-defined]
        trials, observed = (chat.memory.pop(name, None) for name in ("trials", "observed"))
        return self._recorder.record(
            entry,
            error,
            model=model_of(item),
            nodeid=item.nodeid,
            title=title_of(item),
            used=chat.used,
            trials=trials if isinstance(trials, Trials) else None,
            observed=observed,
            duration_s=seconds,
        )

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        record = getattr(report, "conformance", None)
        if record is None:
            # Set-up and teardown of a check have nothing to say of their own.
            return ("", "", "") if report.passed and report.when != "call" else None
        category, word = status(record)
        return category, "" if self._progress is not None else word[0], word

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        record = getattr(report, "conformance", None)
        if record is None or self.is_worker:
            return
        self.records.append(record)
        new = None if getattr(report, "conformance_taken", False) else record
        told = getattr(report, "conformance_known", {})
        self.parts.add(new, Cost(*getattr(report, "conformance_spent", ())), known(told))
        if self._progress is not None:
            self._progress.add(record, getattr(report, "chapter_size", 0))

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        """The suite's own crash: what it prints is masked too."""
        text = self.redact(str(excrepr))
        excrepr.toterminal = lambda tw: tw.line(text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """What is warned of may quote an exception: one of a thread, or one that nobody took."""
        warned = warning_message.message
        text = self.redact(str(warned))
        if text != str(warned):
            warning_message.message = UserWarning(text)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_keyboard_interrupt(self) -> Generator[None, object, object]:
        self.interrupted = True
        try:
            return (yield)
        except Exception:  # pytest looks up what was struck; where it cannot, the run ends as well
            return None

    # -- end ------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        if self.target is None:
            return (yield)
        signals.closing()
        if self.is_worker:
            output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
            output["conformance_cost"] = self.target.take_cost().figures
            output["conformance_gone"] = self.target.gone
            output["conformance_known"] = plain(self.target.take_known())
            output["conformance_notices"] = self.target.notices
            return (yield)
        if signals.raised():
            exitstatus = session.exitstatus = signals.INTERRUPTED  # whatever has become of it
        self.parts.add(None, self.target.take_cost(), self.target.take_known())
        self.notices |= dict.fromkeys(self.target.notices)
        if self._progress is not None:
            self._progress.flush()
        if self.settings.plan:
            session.exitstatus = 0 if exitstatus in (0, 1) else exitstatus
            return (yield)
        complete = exitstatus in (0, 1) and not (session.shouldfail or session.shouldstop)
        if not complete:
            self.records += self.parts.pending(self.records)
        try:
            self.results = artefacts.results_of(self, interrupted=exitstatus == 2)
            reports.results.write(self.results, self.settings.results)
            self.parts.end(complete=complete)
            if exitstatus == 2 and self.unread and not signals.came():
                session.exitstatus = 3
            if exitstatus in (0, 1):
                session.exitstatus = reports.verdict.exit_status(
                    self.results["requirements"], self.settings.strict, self.results["deviations"]
                )
        except OSError as error:
            self._say(f"cannot write the results: {error}")
            session.exitstatus = 4
        signals.saved()
        result = yield
        if self.page is not None and self.page.exists():
            from reports.plugin import mend

            mend(self.page)
        return result

    def _say(self, line: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(line, red=True)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.settings.plan and self.target is not None:
            show_plan(self, terminalreporter)
        elif self.results:
            show_results(self, terminalreporter)
