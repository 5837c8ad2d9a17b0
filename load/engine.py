"""One process's part of a run: what its users, or its dispatcher, share.

Laws
----
* One request is one call of `Engine.ask`, whoever makes it; it is counted when it begins and when
  it ends, however it ends.
* The models take turns by their weights, on one schedule: all are asked under the same load.
* The opening phase lasts until all users run, the first request of each has ended, and
  ``--warm-up`` is over. Which phase a request belongs to is decided when it is sent.
* A budget is shared out among the workers beforehand, so that together they never pass it; what
  a worker cedes to one that comes later, it cannot spend.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types

from conformance.wire.redact import Redactor
from load import prompts
from load.backlog import Backlog
from load.decoding import Decoded
from load.dial import dialer
from load.dispatch import Dispatcher
from load.exchange import Exchange
from load.failures import SAYS, Failure, Kind
from load.gather import Pulse
from load.metrics import OPENING, STEADY, Book
from load.monitor import Monitor
from load.options import Settings
from load.place import post
from load.recorder import Checker, Record, Recorder, Request
from load.sharing import Budget, Plan, most_tokens, turns
from load.stream import Connection
from load.timeline import Timing

__all__ = ["ChatFailure", "Engine", "Fire"]

Fire = Callable[..., None]
_now = time.monotonic_ns


MOST_JUDGED: Final = 40_000
"""Ends of lines in a stream that is judged: the machine holds an object of each line."""

CHARACTERS: Final = 3
"""Of a request per token, where prompts are reckoned before ``usage`` counts them: rather few."""


class ChatFailure(Exception):  # noqa: N818 - Locust shows the name
    """A failure as Locust's statistics show it: by its kind, so that they can group it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {SAYS[failure.kind]}")


def _lines(body: bytearray) -> int:
    return body.count(b"\n") + body.count(b"\r")


@dataclass(frozen=True, slots=True)
class _Done:
    """A request that is over and not yet recorded."""

    known: Request
    into: Exchange
    began: int
    prompt: int
    """Tokens of the prompt, as reckoned beforehand."""
    reserve: int


LATER: Final = Record(None, Decoded(), Timing())
"""Stands for the record of a stream that is recorded later."""


class Engine:
    """A run in this process.

    Args:
        settings: with at least one model.
        plan: this process's part.
        fire: Locust's ``request`` event.
        spent: called once, when the budget is spent and nothing is in flight.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        *,
        fire: Fire,
        spent: Callable[[], None],
    ) -> None:
        self.settings, self.plan = settings, plan
        self.book = Book()
        self.redactor = Redactor(settings.secrets)
        self._flying: Counter[str] = Counter()  # requests in flight, by model
        self._open: dict[int, int] = {}  # not yet recorded, oldest first: ns of the epoch
        self.begun = 0
        self.phase = OPENING
        self.steady_since: int | None = None
        """ns of the epoch at which the steady phase began."""
        self.exhausted = False
        self._fire, self._spent = fire, spent
        self._models = turns(settings.models)
        self._usual: dict[str, Any] = {"max_tokens": settings["max-tokens"]}
        if not settings["no-usage"]:
            self._usual["stream_options"] = {"include_usage": True}
        self._usual |= settings.extra
        self._workloads: dict[tuple[str | None, int | None], prompts.Workload] = {}
        self._conversations = 0
        self.budget = Budget(settings["budget-requests"], settings["budget-tokens"], plan)
        self._told_spent = False
        self._raw = self._open_raw()
        self._recorder = Recorder(self.book, self.redactor, settings.good, self._raw)
        self._checker = Checker(settings["check"], include_usage=not settings["no-usage"])
        self._dialer = dialer(settings)
        self._dispatcher: Dispatcher | None = None
        self.began = _now()
        self._users: int | None = None  # of this process, once all run
        self._firsts = 0  # users whose first request has ended
        self._backlog = Backlog(self.masking()(self._record))
        gc.collect()
        gc.freeze()  # what Locust and we have loaded is not looked through again in each collection
        self._monitor = Monitor(
            self.book, lambda: self.phase, lambda: self._flying, plan.worker, self._every_second
        )

    def _open_raw(self) -> IO[str] | None:
        name = self.settings["load-raw"]
        if not name:
            return None
        path = Path(name)
        if self.plan.workers > 1:
            path = path.with_name(f"{path.stem}-{self.plan.worker}{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8", buffering=1 << 16)

    # --- phases ----------------------------------------------------------------------------------

    def all_users_run(self, users: int) -> None:
        """All users have been started, so many of them in this process."""
        if self._users is None:
            self._users = users
            self._settle()

    def _settle(self) -> None:
        """Begin the steady phase where it is time."""
        warm = _now() - self.began >= self.settings["warm-up"] * 1e9
        ready = self._users is not None and (self.settings.open_loop or self._firsts >= self._users)
        if self.phase == OPENING and ready and warm:
            self.phase = STEADY
            self.steady_since = time.time_ns()

    def _every_second(self) -> None:
        self._settle()
        self._tell_spent()

    def _tell_spent(self) -> None:
        if self.exhausted and not self._flying.total() and not self._told_spent:
            self._told_spent = True
            self._spent()

    # --- one request -----------------------------------------------------------------------------

    def connection(self) -> Connection:
        """A connection, not yet opened."""
        return Connection(self._dialer, self.settings.limits)

    @contextlib.contextmanager
    def masking(self) -> Iterator[None]:
        """What is raised in the block holds no secret: Locust and gevent show it in many places."""
        try:
            yield
        except Exception as error:
            text = self.redactor.text(str(error))
            if text == str(error):
                raise
            raise RuntimeError(f"{type(error).__name__}: {text}") from None

    def workload(self, words: str | None = None, turns: int | None = None) -> prompts.Workload:
        """The workload of the options, but for what is given. Raises ValueError, as `lengths`."""
        made = self._workloads.get((words, turns))
        if made is None:
            settings = self.settings
            made = self._workloads[words, turns] = prompts.Workload(
                settings["prompt"] or prompts.COUNT_PROMPT,
                words=settings["prompt-words"] if words is None else words,
                file=settings.file if words is None else (),
                unique=not settings["shared-prompts"],
                turns=settings["turns"] if turns is None else turns,
                run=self.plan.run,
                worker=self.plan.worker,
                workers=self.plan.workers,
                seed=settings["load-seed"],
            )
        return made

    def opening(self, workload: prompts.Workload) -> tuple[str, prompts.Prompt]:
        """The model and the prompt of the next conversation."""
        number = self._conversations
        self._conversations += 1
        return next(self._models), workload.opening(number)

    def ask(
        self,
        connection: Connection,
        model: str,
        prompt: prompts.Prompt,
        *,
        sched: int | None = None,
        first: bool = False,
        later: bool = False,
    ) -> Record | None:
        """Send one request and read its stream to the end; None where the budget forbids it.

        ``first`` marks a user's first request. With ``later`` a stream may be recorded after the
        call has returned (then with ``LATER``), so that many that end together delay no other's
        reads. Raises what kills the greenlet, after counting the
        request as cancelled.
        """
        request = self._spelled(model, prompt)
        reckoned = len(request) // CHARACTERS
        reserve = reckoned + most_tokens({**self._usual, **prompt.extra})
        if self.exhausted or not self.budget.takes(reserve):
            self.exhausted = True
            self._tell_spent()
            return None
        known = Request(model, self.phase, self.begun, sched, prompt.nonce)
        into = Exchange()
        self.begun += 1
        self._flying[model] += 1
        wall = self._open[known.number] = time.time_ns()
        self._recorder.begin(known, wall)
        began = _now()
        done = _Done(known, into, began, reckoned, reserve)
        try:
            connection.exchange(request, into)
        except BaseException:
            self._record(done)
            raise
        finally:
            self._flying[model] -= 1
            self._firsts += first
            self._settle()
        if later and into.status == 200 and self._backlog.takes(done, len(into.body)):
            return LATER
        record = self._record(done)
        self._tell_spent()
        return record

    def _record(self, done: _Done) -> Record:
        """Decode, measure, count and report a request that is over; judge it where it is due."""
        known, into = done.known, done.into
        record = self._recorder.end(known, into)
        self._open.pop(known.number, None)
        prompt = record.decoded.prompt_tokens
        if prompt is None:  # no usage: what was answered has been read, as far as we know
            prompt = done.prompt if into.status == 200 else 0
        self.budget.settle(done.reserve, prompt + record.timing.tokens)
        self._report(known, into, record, done.began)
        whole = record.failure is None or record.failure.kind is not Kind.CANCELLED
        legible = into.status == 200 and _lines(into.body) <= MOST_JUDGED
        if whole and legible and self._checker.due(_now() - self.began):
            began = _now()
            self._recorder.check(known, into, self._checker)
            self._checker.spend(_now() - began)
        return record

    def _spelled(self, model: str, prompt: prompts.Prompt) -> bytes:
        settings = self.settings
        body = {"model": model, "messages": prompt.messages, "stream": True}
        whole = {**body, **self._usual, **prompt.extra}
        return post(settings.to, whole, settings.key, settings.headers)

    def _report(self, known: Request, into: Exchange, record: Record, began: int) -> None:
        """One event of Locust's for one request; none for what the end of the run cut off."""
        failure = record.failure
        if failure is not None and failure.kind is Kind.CANCELLED:
            return
        self._fire(
            request_type="CHAT",
            name=known.model,
            response_time=(into.end - (into.send or began)) / 1e6,
            response_length=len(into.body),
            exception=ChatFailure(failure) if failure is not None else None,
            context={},
        )

    def pause_after(self, record: Record) -> None:
        """Wait as a 429 asks, where ``--on-429 wait`` says so; a second where it names no time."""
        failure = record.failure
        limited = failure is not None and failure.kind is Kind.RATE_LIMITED
        if limited and self.settings["on-429"] == "wait":
            gevent.sleep(1.0 if record.retry_after is None else record.retry_after)

    # --- an open loop ----------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Start to send on the schedule."""
        self._dispatcher = Dispatcher(self, self.plan)

    def share(self, plan: Plan) -> None:
        """Another worker has joined: this one's part is smaller from a moment on."""
        if self._dispatcher is not None:
            self._dispatcher.share(plan)

    def hold_back(self) -> None:
        """A request was due, and too many are in flight."""
        self._recorder.held_back(next(self._models), self.phase, time.time_ns())
        self.begun += 1

    # --- the end ---------------------------------------------------------------------------------

    def stop_sending(self, patience: float) -> None:
        """Send no more, and give what is in flight ``patience`` seconds."""
        if self._dispatcher is not None:
            self._dispatcher.stop(patience)

    def pulse(self, started: int) -> Pulse:
        """How this process stands in a run that began at ``started`` ns of the epoch."""
        return Pulse(
            worker=self.plan.worker,
            at=time.time_ns(),
            started=started,
            steady_since=self.steady_since,
            oldest=next(iter(self._open.values()), None),
            cpu=self.cpu,
        )

    @property
    def cpu(self) -> float:
        """Share of one core that this process used over the steady phase, else so far."""
        return self._monitor.cpu(STEADY) or self._monitor.cpu(OPENING)

    def close(self) -> None:
        """The run is over: nothing is recorded any more."""
        self._monitor.stop()
        self._backlog.close()
        if self._raw is not None:
            self._raw.close()
