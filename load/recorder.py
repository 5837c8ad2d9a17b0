"""One finished request -> the book: decoded, measured, judged, counted. Off the clock.

Laws
----
* A request is counted once as begun, and once as ok, failed or cancelled.
* Only requests that succeeded are samples of a latency; what failed or was cut off is counted, and
  its tokens count as delivered.
* Tokens are counted in the second in which they arrived, shared out over a stream's reads so that
  they add up to its N.
* Whatever is kept of a reply's text has been redacted, and is one printable line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from conformance.protocol.facts import Facts
from conformance.protocol.finding import excerpt
from conformance.protocol.stream import read_stream
from conformance.wire.redact import Redactor
from load import outcome, slo
from load.decoding import Decoded, decode
from load.exchange import Exchange
from load.failures import Failure, Kind
from load.metrics import OWN, Book, Tally
from load.timeline import Marks, Timing, measure
from load.windows import cut

__all__ = ["Checker", "Recorder", "Request"]

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request before it is sent. ``sched`` is its t_sched, None without one."""

    model: str
    phase: str
    number: int
    sched: int | None = None
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of it afterwards; ``retry_after`` in seconds, None where it was not said."""

    failure: Failure | None
    decoded: Decoded
    timing: Timing
    retry_after: float | None = None


class Checker:
    """Judges streams by the conformance suite's machine: all, none, or what the time allows.

    ``auto`` judges a stream whenever less than ``SHARE`` of the run so far went into judging.
    """

    SHARE = 0.05

    def __init__(self, wanted: str, *, include_usage: bool) -> None:
        self._wanted = wanted
        self._include_usage = include_usage
        self._spent = 0

    def due(self, elapsed: int) -> bool:
        """Whether the next stream is judged, ``elapsed`` ns into the run."""
        if self._wanted == "auto":
            return self._spent <= self.SHARE * elapsed
        return self._wanted == "all"

    def spend(self, duration: int) -> None:
        """Note what judging a stream took, in ns."""
        self._spent += duration

    def findings(self, body: bytes, *, complete: bool) -> dict[str, str]:
        """The clauses that a stream breaks, each with one line."""
        facts = Facts(include_usage=self._include_usage, complete=complete)
        found = read_stream(body, facts).findings
        return {f.id: f"{f.at}: {f.seen} (wanted: {f.required})" for f in reversed(found)}


class Recorder:
    """Puts finished requests into a book."""

    def __init__(
        self,
        book: Book,
        redactor: Redactor,
        good: Sequence[slo.Target],
        raw: IO[str] | None = None,
    ) -> None:
        self._book = book
        self._redactor = redactor
        self._good = good
        self._raw = raw

    def begin(self, request: Request, wall: int) -> None:
        """A request is about to be sent, at ``wall`` ns of the epoch."""
        tally = self._book.tally(request.model, request.phase)
        tally.counts["requests"] += 1
        tally.at("requests", wall // SECOND)

    def held_back(self, model: str, phase: str, wall: int) -> None:
        """A request was due and could not be sent."""
        tally = self._book.tally(model, phase)
        tally.counts["requests"] += 1
        tally.counts["failed"] += 1
        tally.failures[Kind.NOT_SENT] += 1
        tally.at("failed", wall // SECOND)
        self._book.window(OWN, phase, wall // SECOND).counts["held_back"] += 1

    def end(self, request: Request, into: Exchange) -> Record:
        """A request is over."""
        body = bytes(into.body)
        decoded = decode(body) if into.status == 200 else Decoded()
        marks = Marks(
            send=into.send,
            at=into.at,
            ends=into.ends,
            sched=request.sched,
            headers=into.headers,
            end=into.end,
        )
        timing = measure(marks, decoded)
        failure = outcome.judge(
            into.failure,
            into.status,
            into.fields,
            body,
            decoded=decoded,
            nonce=request.nonce,
        )
        record = Record(failure, decoded, timing, outcome.retry_after(into.fields))
        tally = self._book.tally(request.model, request.phase)
        self._count(tally, request, into, record)
        if failure is None:
            self._sample(tally, timing)
        self._own(request, into)
        if into.send:
            self._in_windows(request, into, timing, whole=failure is None)
        if self._raw is not None:
            self._raw.write(json.dumps(self._row(request, into, record)) + "\n")
        return record

    def _count(self, tally: Tally, request: Request, into: Exchange, record: Record) -> None:
        failure, timing, counts = record.failure, record.timing, tally.counts
        how = "ok"
        if failure is not None:
            how = "cancelled" if failure.kind is Kind.CANCELLED else "failed"
        counts[how] += 1
        counts["transmitted"] += into.send > 0
        ended = (into.end + into.anchor) // SECOND if into.anchor else None
        if ended is not None:
            tally.at(how, ended)
        if how == "failed" and failure is not None:
            tally.failures[failure.kind] += 1
            if failure.kind not in tally.examples:
                tally.examples[failure.kind] = self._example(request, into, failure)
        counts["tokens"] += timing.tokens
        counts[f"tokens_{how}"] += timing.tokens
        counts[f"{how}_by_{timing.tokens_by}"] += 1
        counts["reads"] += timing.reads
        counts["bunched_reads"] += timing.bunched_reads
        counts["first_bunched"] += bool(timing.arrivals) and timing.arrivals[0][1] > 1
        counts["prompt_tokens"] += record.decoded.prompt_tokens or 0
        counts["reasoning_tokens"] += record.decoded.reasoning_tokens or 0
        counts["cached_tokens"] += record.decoded.cached_tokens or 0
        counts["other_model"] += record.decoded.model not in (None, request.model)
        if how == "ok":
            counts["finish_length"] += "length" in record.decoded.finish.values()
            counts["good"] += self._is_good(request.model, timing)
        self._spread(tally, into, timing)

    def _example(self, request: Request, into: Exchange, failure: Failure) -> str:
        """One line on a failure: of the reply as masked, since what is quoted is cut."""
        body = self._redactor.octets(bytes(into.body))
        shown = outcome.judge(
            into.failure,
            into.status,
            {name: self._redactor.text(value) for name, value in into.fields.items()},
            body,
            decoded=decode(body) if into.status == 200 else Decoded(),
            nonce=request.nonce,
        )
        same = shown is not None and shown.kind is failure.kind
        text = str(shown if same else Failure(failure.kind, status=failure.status))
        return str(excerpt(self._redactor.text(text), 300))

    def _is_good(self, model: str, timing: Timing) -> bool:
        wanted = [target for target in self._good if target.model in ("", model)]
        if not wanted:
            return False
        for target in wanted:
            if target.metric == "itl":
                value = timing.stall if timing.gaps else 0
            else:
                value = getattr(timing, target.metric, None)
            if value is None or not slo.keeps(target, value):
                return False
        return True

    @staticmethod
    def _spread(tally: Tally, into: Exchange, timing: Timing) -> None:
        """Tokens by the second of their arrival; the last read has what rounding left."""
        events = sum(together for _, together in timing.arrivals)
        seen = told = 0
        for at, together in timing.arrivals:
            seen += together
            share = timing.tokens * seen // events
            tally.at("tokens", (at + into.anchor) // SECOND, share - told)
            told = share

    @staticmethod
    def _sample(tally: Tally, timing: Timing) -> None:
        for name in (
            *("ttft_sched", "ttfvt", "ttfe", "headers", "stall"),
            *("tpot", "e2e_sched", "close", "rate"),
        ):
            value = getattr(timing, name)
            if value is not None:
                tally.hist(name).add(value)

    def _in_windows(self, request: Request, into: Exchange, timing: Timing, *, whole: bool) -> None:
        """What belongs to a window of the run, by the stamp that ends it; see `windows`."""
        model, phase, anchor, window = request.model, request.phase, into.anchor, self._book.window
        own = window(OWN, phase, (into.send + anchor) // SECOND)
        if into.sending is not None:
            own.hist("sending").add(into.sending)
        if request.sched is not None:
            own.hist("late").add(max(0, into.send - request.sched))
        own.counts["clock_steps"] += into.clock_step
        lags = into.lags if len(into.lags) == len(into.at) else ()  # else the clock is ours
        for second, low, high in cut(into.at, anchor):
            window(OWN, phase, second).hist("lag").extend(lags[low:high])
        moments = [at for at, _ in timing.arrivals]
        for second, low, high in cut(moments, anchor):
            tally = window(model, phase, second)
            together = [count for _, count in timing.arrivals[low:high]]
            tally.counts["chunks"] += sum(together)
            tally.counts["bunched_tokens"] += sum(count for count in together if count > 1)
            if whole:
                tally.hist("itl").extend(timing.gaps[max(0, low - 1) : high - 1])
        if whole and timing.ttft is not None and timing.e2e is not None:
            window(model, phase, (moments[0] + anchor) // SECOND).hist("ttft").add(timing.ttft)
            window(model, phase, (moments[-1] + anchor) // SECOND).hist("e2e").add(timing.e2e)

    def _own(self, request: Request, into: Exchange) -> None:
        """What the request tells of the generator, and of connections."""
        own = self._book.tally(OWN, request.phase)
        tally = self._book.tally(request.model, request.phase)
        for name in ("dns", "connect", "tls"):
            value = getattr(into, name)
            if value is not None:
                tally.hist(name).add(value)
        if into.at:
            own.counts["kernel" if into.kernel else "user_space"] += 1
            tally.counts["kernel" if into.kernel else "user_space"] += 1
        own.counts["internal"] += into.failure is not None and into.failure.kind is Kind.INTERNAL

    def check(self, request: Request, into: Exchange, checker: Checker) -> None:
        """Judge a whole stream by the conformance suite's machine."""
        tally = self._book.tally(request.model, request.phase)
        tally.counts["checked"] += 1
        body = self._redactor.octets(bytes(into.body))
        for clause, line in checker.findings(body, complete=into.complete).items():
            tally.findings[clause] += 1
            tally.examples.setdefault(clause, str(excerpt(self._redactor.text(line), 300)))

    def _row(self, request: Request, into: Exchange, record: Record) -> Mapping[str, Any]:
        """Every stamp of a request; ns on this worker's monotonic clock, ``anchor`` to the wall."""
        return {
            "model": request.model,
            "phase": request.phase,
            "number": request.number,
            "nonce": request.nonce,
            "sched": request.sched,
            "send": into.send or None,
            "anchor": into.anchor,
            "headers": into.headers,
            "end": into.end,
            "dns": into.dns,
            "connect": into.connect,
            "tls": into.tls,
            "kernel": into.kernel,
            "status": into.status,
            "failure": record.failure.kind if record.failure else None,
            "arrivals": record.timing.arrivals,
            "ttfvt": record.timing.ttfvt,
            "ttfe": record.timing.ttfe,
            "tokens": record.timing.tokens,
            "tokens_by": record.timing.tokens_by,
            "prompt_tokens": record.decoded.prompt_tokens,
            "finish": self._redactor.tree(dict(record.decoded.finish)),
        }
