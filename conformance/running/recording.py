"""From how a check ended to its record: verdict and evidence, as plain data.

The laws:

1. The table below decides; nothing else turns an outcome into a verdict.
2. A record is JSON, redacted, free of control characters, and small: bodies are shown as a timed
   transcript, the offending lines marked.

| the check | level MUST | SHOULD, MAY | INFO | `--strict` |
|---|---|---|---|---|
| returns | PASS | PASS | OBSERVED | |
| raises Broken | FAIL | WARN | OBSERVED | FAIL for MUST and SHOULD |
| raises Broken, every finding mild | WARN | WARN | OBSERVED | FAIL for MUST and SHOULD |
| raises Unsupported, Inconclusive, Blocked | that | that | OBSERVED | |
| raises anything else | ERROR | ERROR | ERROR | |
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from conformance.again import blamed_by
from conformance.outcomes import Blocked, Broken, Inconclusive, Trials, Unjudged, Unsupported
from conformance.requirements import Level, Requirement
from conformance.wire.curl import curl
from conformance.wire.exchange import Exchange
from conformance.wire.redact import Redactor
from conformance.wire.transcript import printable, transcript

from .configuration import command
from .settings import Settings

Verdict = Literal[
    "PASS", "FAIL", "WARN", "UNSUPPORTED", "INCONCLUSIVE", "BLOCKED", "ERROR", "OBSERVED"
]

MOST_FINDINGS = 12
MOST_EXCHANGES = 2
LONGEST_BODY = 2000
LONGEST_SAID = 400


def verdict(level: Level, error: BaseException | None, *, strict: bool) -> Verdict:
    """The verdict on a check of `level` that ended with `error`; None: it returned."""
    if level == "INFO" and (error is None or isinstance(error, Broken | Unjudged)):
        return "OBSERVED"
    if error is None:
        return "PASS"
    if isinstance(error, Broken):
        mild = all(s.finding.mild for s in error.sightings)
        demanded = level == "MUST" or (strict and level == "SHOULD")
        return "FAIL" if demanded and (strict or not mild) else "WARN"
    return next((name for kind, name in _UNJUDGED if isinstance(error, kind)), "ERROR")


_UNJUDGED: Sequence[tuple[type[Unjudged], Verdict]] = (
    (Unsupported, "UNSUPPORTED"),
    (Blocked, "BLOCKED"),
    (Inconclusive, "INCONCLUSIVE"),
)


def reply_mark(exchange: Exchange) -> str:
    """Sixteen digits that two exchanges share where request, status and body are the same."""
    asked = repr((exchange.request, exchange.status)).encode("utf-8", "backslashreplace")
    return hashlib.sha256(asked + exchange.body).hexdigest()[:16]


class Recorder:
    """Writes records for one run: knows how to show its exchanges."""

    def __init__(self, settings: Settings, redactor: Redactor, embedded: bool) -> None:
        self.settings = settings
        self.redactor = redactor
        self.embedded = embedded

    def record(
        self,
        requirement: Requirement,
        error: BaseException | None,
        *,
        model: str | None,
        nodeid: str,
        title: str,
        used: Sequence[Exchange],
        trials: Trials | None,
        observed: str | None = None,
        duration_s: float,
    ) -> dict[str, Any]:
        """The record of one executed check; see `reports.results` for how records are folded.

        `observed`: the sentence that the check told by `Chat.observe`.
        """
        if requirement.level == "INFO" and error is None and observed is None:
            error = RuntimeError("the check of an INFO entry has observed nothing")
        told = observed and printable(observed.encode("utf-8", "backslashreplace"), LONGEST_SAID)
        decided = verdict(requirement.level, error, strict=self.settings.strict)
        evidence: dict[str, Any] = {
            "summary": self._summary(decided, error, used, told),
            "reproduce": self.rerun(requirement.id, model),
            "duration_s": round(duration_s, 4),
        }
        if told is not None:
            evidence["observed"] = told
        if isinstance(error, Broken):
            evidence |= self._findings(error, used)
            trials = error.trials or trials
        if isinstance(error, Unjudged):
            evidence["reason"] = error.reason
            shown = error.exchange or (used[-1] if used else None)
            if shown is not None:
                evidence["exchanges"] = [self.exchange(shown, ())]
        if isinstance(error, Blocked):
            evidence["by"] = error.by
        if trials is not None:
            evidence["trials"] = {
                "passed": trials.passed,
                "counted": trials.counted,
                "of": trials.of,
            }
        # Only what the target sent can hold the key: a key such as "test" spares our own words.
        clean = self.redactor.tree(evidence)
        if not isinstance(clean, dict):
            raise TypeError("evidence is a table")
        return {
            "id": requirement.id,
            "model": model,
            "level": requirement.level,
            "kind": requirement.kind,
            "verdict": decided,
            "chapter": requirement.id.rpartition("-")[0],
            "nodeid": nodeid,
            "title": title,
            "strict": self.settings.strict,
            "evidence": {**clean, "reproduce": evidence["reproduce"]},
        }

    def _summary(
        self,
        decided: Verdict,
        error: BaseException | None,
        used: Sequence[Exchange],
        told: str | None,
    ) -> str:
        if decided == "OBSERVED" and told is not None:
            return told
        if error is None:
            replies = len({id(exchange) for exchange in used})
            return f"held in {replies} {'reply' if replies == 1 else 'replies'}"
        text = printable(str(error).encode("utf-8", "backslashreplace"), LONGEST_SAID)
        if decided == "OBSERVED" and isinstance(error, Unjudged):
            return f"not observed: {text}"
        if decided == "ERROR":
            return f"the suite failed: {type(error).__name__}: {text}"
        return text

    def _findings(self, error: Broken, used: Sequence[Exchange]) -> dict[str, Any]:
        shown: list[Exchange] = []
        spans: dict[int, list[tuple[int, int]]] = {}
        for sighting in error.sightings:
            exchange = blamed_by(sighting, used)
            if exchange is None:
                continue
            if all(known is not exchange for known in shown):
                shown.append(exchange)
            if sighting.finding.span:
                spans.setdefault(id(exchange), []).append(sighting.finding.span)
        findings = [
            {
                "required": s.finding.required,
                "seen": s.finding.seen,
                "at": s.finding.at,
                "mild": s.finding.mild,
                "reply": reply and reply_mark(reply),
            }
            for s in error.sightings[:MOST_FINDINGS]
            for reply in [blamed_by(s, used)]
        ]
        left_out = len(error.sightings) - len(findings)
        again = error.repeated
        looked = len({id(exchange) for exchange in (*used, *shown)})
        return {
            "seen_in": {"broken": len(shown), "looked": looked} if shown else None,
            "repeated": again and {"broken": again.broken, "of": again.of},
            "findings": findings,
            "exchanges": [self.exchange(e, spans.get(id(e), ())) for e in shown[:MOST_EXCHANGES]],
            **({"left_out": left_out} if left_out else {}),
        }

    def exchange(self, exchange: Exchange, spans: Sequence[tuple[int, int]]) -> dict[str, Any]:
        """`exchange` as it is shown: request, status, headers, timed transcript, curl."""
        request, mark = exchange.request, reply_mark(exchange)
        exchange = replace(exchange, body=self.redactor.unpackable(exchange.body))
        shown = tuple(self.settings.profile.shown_headers().items())
        authorization = (
            [("Authorization", request.authorization.replace("$KEY", f"${self._variable}"))]
            if request.authorization is not None
            else []
        )
        return {
            "reply": mark,
            "request": {
                "method": request.method,
                "url": exchange.url,
                "headers": [list(pair) for pair in (*request.headers, *authorization)],
                "body": printable(request.body or b"", LONGEST_BODY),
            },
            "status": exchange.status,
            "headers": [
                [name, printable(value.encode("latin-1", "replace"))]
                for name, value in exchange.headers
            ],
            "transcript": [
                {
                    "at_ms": line.at_ms,
                    "arrival": line.arrival,
                    "offset": line.offset,
                    "text": line.text,
                    "mark": line.mark,
                }
                for line in transcript(exchange, spans)
            ],
            "curl": curl(request, exchange.url, key_variable=self._variable, extra_headers=shown),
            "error": str(exchange.failure) if exchange.failure else None,
        }

    @property
    def _variable(self) -> str:
        return self.settings.key_variable

    def rerun(self, requirement: str, model: str | None) -> str:
        """The command that judges this requirement alone again."""
        models = [] if model is None else [model]
        return command(self.settings, self.embedded, requirements=[requirement], models=models)
