"""Whether a run's figures can be trusted, and how far: a verdict on ourselves.

Laws
----
* A run is VALID, or INVALID with at least one reason; every reason names what was measured, the
  limit, and what it spoils.
* The error bar is what our own measuring may add to a latency: at p99, how long a request took to
  leave after its t_send, and how late an arrival was stamped. With kernel stamps the latter is the
  error of the anchor between the two clocks, however late our callbacks are; without them it is the
  lag of our event loop. Tokens that wait in the kernel together keep the last one's stamp: where
  one stream in a hundred begins so, the lag of our loop is in the error bar all the same; and the
  median gap at least, where that lag can have brought a first and a second token together.
* What was not watched is not said to be good: without a sample of it a reason says so.
* One rule more, on a run of which some windows are INVALID, is in `reliance`.

Theory
------
=============  ===========================================================  =====================
measured       how                                                          limit
=============  ===========================================================  =====================
lost           sent by a worker, but not in what it reported; dead workers  0
not sent       due, but more were in flight than allowed                    0
lag            kernel stamp -> our callback, each read, p99; with kernel    250 ms: the receive
               stamps it shifts no figure until the window of TCP closes    window is at stake
sending        t_send -> all bytes handed to the kernel, p99                10 ms, or 5 % of the
                                                                            median ttft
loop           a 10 ms probe of the event loop, p99; user-space stamps      5 % of the median
                                                                            ttft, and itl
schedule       t_send - t_sched, p99 (open loop)                            10 ms, or 5 % of the
                                                                            median ttft
cpu            of one worker, mean over the window                          95 % of a core
bunching       share of tokens that came together in a read while our own   5 %
               lag at p99 was longer than half the median gap
clock          the wall clock was set during the run: kernel stamps moved   0
=============  ===========================================================  =====================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from load.histogram import Histogram

__all__ = ["ANCHOR_NS", "Evidence", "Reason", "Validity", "judge"]

ANCHOR_NS: Final = 20_000
"""Error of a kernel stamp on our monotonic clock: two clock reads, and the stamp's own moment."""

MS: Final = 1_000_000
SHARE: Final = 0.05
FIRST_SHARE: Final = 0.01
LAG_LIMIT_NS: Final = 250 * MS
SCHEDULE_LIMIT_NS: Final = 10 * MS
CPU_LIMIT: Final = 0.95


@dataclass(slots=True)
class Evidence:
    """What was watched during a run; durations in ns.

    Attributes:
        kernel: every stamp was the kernel's.
        lag: kernel stamp to callback, each read of a body; empty without kernel stamps.
        loop: how late the 10 ms probe woke.
        sending: from t_send to all bytes handed over.
        late: t_send - t_sched; empty in a closed loop.
        cpu: by worker, share of one core over the window.
        lost: requests that a worker sent and nobody reported.
        dead: workers that were lost, by name.
        not_sent: due, but held back by ``--max-in-flight``.
        clock_steps: streams during which the wall clock was set.
        streams, first_bunched: with a token, and of them those whose first read bore several.
        tokens, bunched: token-bearing events, and those that came together with others.
        ttft, itl: of all models together.
        requests: that were sent.
    """

    kernel: bool
    lag: Histogram = field(default_factory=Histogram)
    loop: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    sending: Histogram = field(default_factory=Histogram)
    cpu: Mapping[str, float] = field(default_factory=dict)
    lost: int = 0
    dead: tuple[str, ...] = ()
    not_sent: int = 0
    clock_steps: int = 0
    streams: int = 0
    first_bunched: int = 0
    tokens: int = 0
    bunched: int = 0
    ttft: Histogram = field(default_factory=Histogram)
    itl: Histogram = field(default_factory=Histogram)
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that was broken: ``what`` was measured, and what it ``spoils``."""

    rule: str
    what: str
    spoils: str


@dataclass(frozen=True, slots=True)
class Validity:
    """The verdict: reasons, none where the run is valid; the error bar in ns, None if unknown."""

    reasons: tuple[Reason, ...]
    error_ns: float | None

    @property
    def valid(self) -> bool:
        """Whether there is no reason against the run."""
        return not self.reasons

    @property
    def verdict(self) -> str:
        """``VALID`` or ``INVALID``."""
        return "VALID" if self.valid else "INVALID"


def judge(seen: Evidence) -> Validity:
    """The verdict on a run."""
    loop = seen.loop.quantile(0.99)
    error = float(ANCHOR_NS) if seen.kernel else loop
    if error is not None:
        error += seen.sending.quantile(0.99) or 0
        if seen.kernel and seen.first_bunched > FIRST_SHARE * seen.streams:
            error += _together(loop or 0, seen.itl.quantile(0.5) or 0)
    return Validity(tuple(_reasons(seen, loop)), error)


def _together(loop: float, gap: float) -> float:
    """How far off a first token may be whose stamp is the second one's; both in ns."""
    return max(loop, gap) if loop > gap / 2 else loop


def _reasons(seen: Evidence, loop: float | None) -> list[Reason]:
    found: list[Reason] = []

    def add(rule: str, what: str, spoils: str) -> None:
        found.append(Reason(rule, what, spoils))

    if not seen.requests:
        add("requests", "no request was sent", "everything")
    if seen.dead:
        add("workers", f"lost: {', '.join(seen.dead)}", "every count and rate")
    if seen.lost:
        add("lost", f"{seen.lost} requests were sent and never reported", "every count and rate")
    if seen.not_sent:
        add("not sent", f"{seen.not_sent} requests were due and held back", "the offered load")
    if seen.clock_steps:
        add(
            "clock",
            f"the wall clock was set during {seen.clock_steps} streams",
            "the latencies of these streams",
        )
    if loop is None and seen.requests:
        add("loop", "the event loop was never probed", "the error bar")
    lag = seen.lag.quantile(0.99)
    if seen.kernel and lag is not None and lag > LAG_LIMIT_NS:
        add(
            "lag", f"reads were {lag / MS:.0f} ms late at p99", "all latencies: TCP may have waited"
        )
    found += _loop(seen, loop)
    found += _sending(seen)
    found += _schedule(seen)
    for worker, share in seen.cpu.items():
        if share > CPU_LIMIT:
            add("cpu", f"{worker} used {share:.0%} of a core", "the load that was reached")
    found += _bunching(seen, lag if seen.kernel else loop)
    return found


def _loop(seen: Evidence, loop: float | None) -> list[Reason]:
    """User-space stamps are as late as the loop: not above 5 % of what they measure."""
    if seen.kernel or loop is None:
        return []
    return [
        Reason(
            "loop",
            f"the event loop lagged {loop / MS:.2f} ms at p99, {name} is {median / MS:.2f} ms",
            name,
        )
        for name, hist in (("ttft", seen.ttft), ("itl", seen.itl))
        if (median := hist.quantile(0.5)) is not None and loop > SHARE * median
    ]


def _sending(seen: Evidence) -> list[Reason]:
    return _delay(seen, seen.sending, "sending", "requests took {} to leave", "all latencies")


def _schedule(seen: Evidence) -> list[Reason]:
    spoils = "the offered load, and ttft against ttft_sched"
    return _delay(seen, seen.late, "schedule", "requests left {} late", spoils)


def _delay(seen: Evidence, hist: Histogram, kind: str, what: str, spoils: str) -> list[Reason]:
    """A delay of ours whose p99 is more than a share of the TTFT's median."""
    took = hist.quantile(0.99)
    limit = max(SCHEDULE_LIMIT_NS, SHARE * (seen.ttft.quantile(0.5) or 0))
    if took is None or took <= limit:
        return []
    said = what.format(f"{took / MS:.1f} ms")
    return [Reason(kind, f"{said} at p99, the limit is {limit / MS:.1f} ms", spoils)]


def _bunching(seen: Evidence, lag: float | None) -> list[Reason]:
    """Tokens that came together may have waited for us: then the gaps are ours."""
    gap = seen.itl.quantile(0.5)
    if not seen.tokens or lag is None or gap is None or lag <= gap / 2:
        return []
    share = seen.bunched / seen.tokens
    if share <= SHARE:
        return []
    what = f"{share:.0%} of the tokens came together, and our reads were {lag / MS:.1f} ms late"
    return [Reason("bunching", what, "itl, stall")]
