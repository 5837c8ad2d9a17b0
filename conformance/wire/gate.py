"""The gate that every request passes on its way out: budgets, rate, and patience with 429s.

The laws:

1. Decisions are `pace`'s; here are the clock, the sleep, and the account that processes share.
2. Every way to the target goes through here: `Client.send`, bare sockets, calls at once, client
   libraries.
3. What may not be sent raises what the owner of the gate has chosen (`refuse`): on the way to the
   socket nothing knows of verdicts.

Once it is shared (`share`), the account lies in an SQLite file, which is locked between processes
on every system. `time.monotonic` is one clock for all processes of a machine.
"""

import contextlib
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

from .exchange import BEARER, Exchange, Request
from .pace import Account, Booked, Limits, Refused, book, heard, held, settled, worth_waiting

T = TypeVar("T")

BUSY = 0.05
"""Seconds between two looks at whether there is room."""

LONGEST_QUEUE = 120.0
"""Seconds to wait for room at most: a process that was killed never says that its call is over."""


class Ledger:
    """An `Account` that threads change one after the other, and with a `path` processes too."""

    def __init__(self, path: str | None = None) -> None:
        self._lock = threading.Lock()
        self._account = Account()
        self._db = _opened(path) if path else None

    def change(self, decide: Callable[[Account], tuple[Account, T]]) -> T:
        """Put in place what `decide` makes of the account; returns what else it says."""
        with self._lock:
            if self._db is None:
                self._account, told = decide(self._account)
                return told
            self._db.execute("BEGIN IMMEDIATE")
            try:
                (text,) = self._db.execute("SELECT account FROM ledger").fetchone()
                account, told = decide(Account(*json.loads(text)))
                self._db.execute("UPDATE ledger SET account = ?", (_written(account),))
            finally:
                self._db.execute("COMMIT")
            return told

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()


def _opened(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, 60.0, isolation_level=None, check_same_thread=False)
    # Nothing here outlives the run: no write has to reach the disk.
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE IF NOT EXISTS ledger (account TEXT)")
    if db.execute("SELECT count(*) FROM ledger").fetchone() == (0,):
        db.execute("INSERT INTO ledger VALUES (?)", (_written(Account()),))
    db.execute("COMMIT")
    return db


def _written(account: Account) -> str:
    return json.dumps(astuple(account))


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was booked for calls that are on their way."""

    requests: Sequence[Request]
    tokens: int
    flown: int


class Gate:
    """Lets requests out as `limits` allow.

    Args:
        limits: the user's.
        refuse: makes the exception that a request raises which may not be sent.
        most: the tokens that a request may cost at most.
        spent: the tokens that an exchange has cost.
        over: is told of calls that are over.
        path: the account that another process shares; None: one of our own.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        refuse: Callable[[str], Exception] = RuntimeError,
        most: Callable[[Request], int] = lambda request: 0,
        spent: Callable[[Exchange], int] = lambda exchange: 0,
        over: Callable[[Sequence[Exchange]], None] = lambda exchanges: None,
        path: str | None = None,
    ) -> None:
        self.limits = limits
        self.refusal: str | None = None
        """Why the first request that was not sent was not."""
        self._refuse = refuse
        self._most = most
        self._spent = spent
        self._over = over
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ledger = Ledger(path)

    def share(self) -> str:
        """Keep the account in a file from now on, where it is not; returns its path."""
        if self._folder is None:
            account = self._ledger.change(lambda account: (account, account))
            self._ledger.close()
            self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
            self._ledger = Ledger(self._path)
            self._ledger.change(lambda _: (account, None))
        return self._path

    @property
    def _path(self) -> str:
        return str(Path(self._folder.name if self._folder else "") / "account")

    @property
    def account(self) -> Account:
        """The account as it stands."""
        return self._ledger.change(lambda account: (account, account))

    def admit(self, requests: Sequence[Request], *, flying: bool = True) -> Ticket:
        """Book calls that go out at once, and sleep until they may; `settle` takes the ticket back.

        `flying`: whether they are waited for. Raises what `refuse` makes, and sends nothing.
        """
        calls, tokens = len(requests), sum(self._most(request) for request in requests)

        def decide(account: Account) -> tuple[Account, Booked | Refused | None]:
            made = book(account, self.limits, time.monotonic(), calls, tokens, flying=flying)
            return (made.account if isinstance(made, Booked) else account), made

        until = time.monotonic() + LONGEST_QUEUE
        while (made := self._ledger.change(decide)) is None:
            time.sleep(BUSY)
            flying = time.monotonic() < until
        time.sleep(max(0.0, self._at(made) - time.monotonic()))
        return Ticket(requests, tokens, calls if flying else 0)

    def reserve(self, requests: Sequence[Request], tries: int) -> float:
        """Book calls that another process makes by and by, each of them up to `tries` times.

        Each has a slot of its own, its repetitions have none. Returns the seconds until the first;
        `restore` sets right what came of it. Raises what `refuse` makes.
        """
        calls, tokens = len(requests), sum(self._most(request) for request in requests)
        unpaced = Limits(self.limits.requests, self.limits.tokens)

        def decide(account: Account) -> tuple[Account, Booked | Refused | None]:
            now = time.monotonic()
            made = book(account, unpaced, now, calls * tries, tokens, flying=False)
            if not isinstance(made, Booked):
                return account, made
            return held(made.account, made.at, calls * self.gap), made

        return max(0.0, self._at(self._ledger.change(decide)) - time.monotonic())

    @property
    def gap(self) -> float:
        """Seconds between two calls."""
        return self.limits.rate.gap if self.limits.rate else 0.0

    def settle(self, ticket: Ticket, exchanges: Sequence[Exchange]) -> None:
        """The calls of a ticket are over, and came back as `exchanges`."""
        self._over(exchanges)
        spent = sum(self._spent(exchange) for exchange in exchanges)
        told = [e.status for e in exchanges if e.request.authorization == BEARER]

        def decide(account: Account) -> tuple[Account, None]:
            for status in told:
                account = heard(account, time.monotonic(), status)
            return settled(account, tokens=ticket.tokens, flown=ticket.flown, spent=spent), None

        self._ledger.change(decide)

    def restore(
        self, requests: Sequence[Request], unmade: int, exchanges: Sequence[Exchange]
    ) -> None:
        """Set right what was reserved: `unmade` of all tries were not needed."""
        self._over(exchanges)
        tokens = sum(self._most(request) for request in requests)
        spent = sum(self._spent(exchange) for exchange in exchanges)
        self._ledger.change(
            lambda account: (settled(account, calls=unmade, tokens=tokens, spent=spent), None)
        )

    def hold(self, seconds: float) -> None:
        """Let nothing out for so many seconds: the target has asked for it."""
        self._ledger.change(lambda account: (held(account, time.monotonic(), seconds), None))

    def worth_waiting(self, seconds: float) -> bool:
        """Whether to wait so many seconds after a 429 and call again."""
        return worth_waiting(self.account, time.monotonic(), seconds)

    def close(self) -> None:
        """Remove what was shared."""
        self._ledger.close()
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.cleanup()

    def _at(self, made: Booked | Refused | None) -> float:
        if isinstance(made, Refused):
            self.refusal = self.refusal or made.reason
            raise self._refuse(made.reason)
        return made.at if made is not None else 0.0
