"""What Locust calls: the run of a process, as local runner, worker or master.

Laws
----
* One `Run` per environment. A local runner measures and concludes; a worker measures and reports;
  the master gathers and concludes.
* A worker begins when it has its plan. One that connects to a run under way is given one, with the
  run's options, and all others are told of their new shares beforehand; it needs no users for an
  open loop, and for a closed one Locust moves some to it.
* Nothing is lost at the end: a worker's last report leaves from ``test_stop``; the master waits for
  all of them before it concludes, however the run ends.
* The last results are written once, before Locust chooses its exit status, which targets decide.
* What is reported, those are told of who look on: the live view, where Locust has its web page, and
  the scribe, in a run that lasts. A local runner reports to itself where there is one of them.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
from typing import Any, Final
from weakref import WeakKeyDictionary

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
import locust
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from load import results, summary
from load.conclusion import conclude, own_version
from load.dictation import Dictation, dictate
from load.early import begun
from load.engine import Engine
from load.gather import Ledger
from load.joining import CEDE, CEDED, JOIN, JOINED, PLAN, Latecomers
from load.listing import first_model
from load.masking import mask_logs
from load.options import Settings, SettingsError, add_options, read
from load.parting import quit_master, spenders, wait_for_workers
from load.reporting import last_word, report_here, so_far
from load.sharing import Plan
from load.web import View

__all__ = ["Run", "install", "run_of"]

SPENT: Final = "chat_spent"
LAST: Final = "chat_last"

_runs: WeakKeyDictionary[Any, Run] = WeakKeyDictionary()
_log = logging.getLogger("load")


def install() -> None:
    """Register with Locust; a second call does nothing."""
    events: Any = locust.events
    if _start not in events.init._handlers:
        events.init_command_line_parser.add_listener(_options)
        events.init.add_listener(_start)


def _options(parser: Any) -> None:
    add_options(parser)


def _start(environment: Any, runner: Any, **_: Any) -> None:
    # Locust's --run-time counts from the loop's clock, which has stood still during the imports.
    gevent.get_hub().loop.update_now()
    _runs[environment] = Run(environment, runner)
    if isinstance(runner, WorkerRunner) or not _headless(environment):
        gevent.spawn(begun)


def _headless(environment: Any) -> bool:
    options = environment.parsed_options
    return bool(options is not None and options.headless)


def run_of(environment: Any) -> Run:
    """The run of an environment. Raises KeyError before Locust's ``init`` event."""
    return _runs[environment]


class Run:
    """The listeners of one process, and what they share."""

    def __init__(self, environment: Any, runner: Any) -> None:
        self.environment, self.runner = environment, runner
        self.engine: Engine | None = None
        self._settings: Settings | None = None
        self._ledger: Ledger | None = None
        self._latecomers: Latecomers | None = None
        self._scribe: Dictation | None = None
        self._plan: Plan | None = None
        self._users = 0
        self._started = self._stopped = 0
        self._spent: set[str] = set()
        self._concluded = True
        self._status: int | None = None
        self._text = ""
        self._view = View(environment, lambda: self._users or runner.user_count)
        events = environment.events
        events.test_start.add_listener(self._test_start)
        events.test_stopping.add_listener(self._test_stopping)
        events.test_stop.add_listener(self._test_stop)
        events.spawning_complete.add_listener(self._spawning_complete)
        if isinstance(runner, WorkerRunner):
            events.report_to_master.add_listener(self._report)
            runner.register_message(PLAN, self._take_plan)
            runner.register_message(JOIN, self._join)
            runner.register_message(CEDE, self._cede)
            runner.send_message(JOINED)
            return
        runner.register_message(SPENT, self._worker_spent)
        events.quitting.add_listener(self._quitting)
        events.quit.add_listener(self._quit)
        if isinstance(runner, MasterRunner):
            runner.register_message(LAST, self._take_last)
            runner.register_message(JOINED, self._worker_joined)
            runner.register_message(CEDED, self._worker_ceded)
            events.worker_report.add_listener(self._take_report)
            runner.quit = self._master_quit  # type: ignore[method-assign]  # its own waits 0.5 s
        if _headless(environment):
            self._read_or_leave()

    # --- the start -------------------------------------------------------------------------------

    def _read_or_leave(self) -> None:
        """Refuse options that cannot be used before anything starts."""
        try:
            mask_logs(read(self.environment.parsed_options, self.environment.host).secrets)
        except SettingsError as error:
            print(f"load: {error}", file=sys.stderr)
            sys.exit(2)

    def _test_start(self, **_: Any) -> None:
        begun()
        if isinstance(self.runner, WorkerRunner) and self._plan is None:
            return  # joined already, before it had users; or it came too late to
        self.engine = self._ledger = None
        self._status, self._text = None, ""
        self._users, self._spent = 0, set()
        options = self.environment.parsed_options
        try:
            settings = read(options, self.environment.host)
            if not settings.models and not isinstance(self.runner, WorkerRunner):
                options.model = first_model(settings)
                settings = read(options, self.environment.host)
        except SettingsError as error:
            self._refuse(str(error))
            return
        self._settings = settings
        mask_logs(settings.secrets)
        self._started, self._stopped, self._concluded = time.time_ns(), 0, False
        if isinstance(self.runner, WorkerRunner):
            plan, self._plan = self._plan, None
            if plan is not None:
                self._begin(settings, plan)
            return
        run = secrets.token_hex(4)
        print(summary.opening_line(settings, int(options.num_users or 1)), flush=True)
        self._ledger = ledger = Ledger(run)
        self._view.begin(run, settings, ledger.book)
        self._scribe = dictate(settings, run, options.run_time, locust.__version__)
        if isinstance(self.runner, MasterRunner):
            self._latecomers = Latecomers(
                *(self.environment, ledger, settings, self._started),
                goes_on=lambda: ledger is self._ledger and not self._concluded,
            )
            clients = self.runner.clients
            workers = [c.id for c in (*clients.ready, *clients.running, *clients.spawning)]
            for name, index in ledger.expect(workers).items():
                plan = Plan(run, index, len(workers))
                self.runner.send_message(PLAN, plan.plain(), client_id=name)
        else:
            self._begin(settings, Plan(run))
            self._report_here(self.engine)

    def _refuse(self, why: str) -> None:
        """The run cannot start: say so, and end it once its users have come up."""
        self._view.refuse(why)
        if _headless(self.environment) and not isinstance(self.runner, WorkerRunner):
            print(f"load: {why}", file=sys.stderr, flush=True)
            self._status = 2
            gevent.spawn_later(1.0, self.runner.quit)
        else:
            _log.error("%s", why)
            gevent.spawn_later(1.0, self.runner.stop)

    def _worker_joined(self, msg: Any, **_: Any) -> None:
        if self._latecomers is not None:
            self._latecomers.joined(msg.node_id)

    def _worker_ceded(self, msg: Any, **_: Any) -> None:
        if self._latecomers is not None:
            self._latecomers.ceded(msg.node_id, msg.data)

    def _join(self, msg: Any, **_: Any) -> None:
        """This worker takes part in a run that is under way."""
        vars(self.environment.parsed_options).update(msg.data["options"])
        self._settings = read(self.environment.parsed_options, msg.data["host"])
        mask_logs(self._settings.secrets)
        self._started, self._stopped, self._concluded = time.time_ns(), 0, False
        self._begin(self._settings, Plan(**msg.data["plan"]))

    def _cede(self, msg: Any, **_: Any) -> None:
        """This worker gives up a part of its budget, for one that has come later."""
        engine, asked = self.engine, msg.data
        given = (0, 0)
        if engine is not None and engine.plan.run == asked["run"] and not self._concluded:
            given = engine.budget.cede(asked["parts"])
        ceded = {"run": asked["run"], "to": asked["to"], "requests": given[0], "tokens": given[1]}
        self.runner.send_message(CEDED, ceded)

    def _take_plan(self, msg: Any, **_: Any) -> None:
        """A plan of the run that comes, or a new share of the one under way."""
        plan = Plan(**msg.data)
        if not plan.since:
            self._plan = plan
        elif self.engine is not None and self.engine.plan.run == plan.run:
            self.engine.share(plan)

    def _begin(self, settings: Settings, plan: Plan) -> None:
        self.engine = Engine(
            settings,
            plan,
            fire=self.environment.events.request.fire,
            spent=lambda: self.runner.send_message(SPENT, {"run": plan.run}),
        )
        if settings.open_loop:
            self.engine.dispatch()
        if plan.joined:  # the users all run already, here or elsewhere
            self.engine.all_users_run(self.runner.user_count)

    def _spawning_complete(self, user_count: int, **_: Any) -> None:
        self._users = max(self._users, user_count)
        if self.engine is not None:
            self.engine.all_users_run(self.runner.user_count)

    # --- the middle ------------------------------------------------------------------------------

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        if self.engine is not None and not self._concluded:
            data["chat"] = so_far(self.engine, self._started)

    def _report_here(self, engine: Engine | None) -> None:
        """Where somebody looks on, a local runner reports to itself."""
        watched = self._view.live is not None or self._scribe is not None
        if engine is not None and watched:
            gevent.spawn(
                report_here,
                engine,
                self._started,
                lambda: engine is self.engine and not self._concluded,
                lambda data: self._reported("local", data),
            )

    def _reported(self, worker: str, data: dict[str, Any]) -> None:
        if self._ledger is not None:
            self._ledger.report(worker, data)
            self._view.add(worker, data)
            if self._scribe is not None:
                self._scribe.report(worker, data, self._users or self.runner.user_count)

    def _take_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if "chat" in data:
            self._reported(client_id, data["chat"])

    def _take_last(self, msg: Any, **_: Any) -> None:
        self._reported(msg.node_id, msg.data)

    def _worker_spent(self, msg: Any, **_: Any) -> None:
        """A worker has used up its budget; the last of them ends the run."""
        self._spent.add(msg.node_id)
        if self._ledger is None or not self._spent.issuperset(spenders(self.runner, self._ledger)):
            return
        print("load: the budget is spent", flush=True)
        headless = self.environment.parsed_options.headless
        gevent.spawn(self.runner.quit if headless else self.runner.stop)

    # --- the end ---------------------------------------------------------------------------------

    def _test_stopping(self, **_: Any) -> None:
        self._stopped = self._stopped or time.time_ns()
        if self.engine is not None:
            self.engine.stop_sending(self.environment.stop_timeout or 0)

    def _test_stop(self, **_: Any) -> None:
        engine = self.engine
        if engine is not None and not self._concluded:
            engine.close()
            last = last_word(engine, self._started, self._stopped or time.time_ns())
            if isinstance(self.runner, WorkerRunner):
                self._concluded = True
                self.runner.send_message(LAST, last)
            else:
                self._reported("local", last)
        if isinstance(self.runner, LocalRunner):
            self._conclude()
        elif isinstance(self.runner, MasterRunner) and not _headless(self.environment):
            gevent.spawn(self._wait_and_conclude)

    def _wait_and_conclude(self) -> None:
        if self._ledger is not None and not self._concluded:
            wait_for_workers(self.runner, self._ledger, self.environment.stop_timeout or 0)
        self._conclude()

    def _master_quit(self) -> None:
        quit_master(self.runner, self._wait_and_conclude)

    def _conclude(self) -> None:
        """Write the results, once."""
        if self._scribe is not None and not self._concluded:
            self._scribe.close()  # others run meanwhile, and may conclude; after it none does
        settings, ledger = self._settings, self._ledger
        if self._concluded or settings is None or ledger is None:
            return
        self._concluded, self._scribe = True, None
        concluded = conclude(
            results.Facts(
                settings=settings,
                run=ledger.run,
                book=ledger.book,
                finals=ledger.finals,
                users=self._users or int(self.environment.parsed_options.num_users or 0),
                dead=ledger.dead,
                lost=ledger.lost,
                locust=locust.__version__,
                version=own_version(),
            )
        )
        self._status, self._text = concluded.status, concluded.text
        self._view.conclude(concluded.results, concluded.intervals)
        if not _headless(self.environment):
            print(self._text, flush=True)

    def _quitting(self, **_: Any) -> None:
        """Before Locust chooses its exit status."""
        self.runner.quit()
        self._conclude()
        if _headless(self.environment) and self._ledger is None and self._status is None:
            self._status, self._text = 2, "load: the run ended before it began"
        if self._status is not None:
            self.environment.process_exit_code = self._status

    def _quit(self, **_: Any) -> None:
        if _headless(self.environment):
            print(self._text, flush=True)
