"""The terminal's rendering: one failure, and the closing lines of a run.

Laws
----
* A command is never wrapped or shortened: it runs as pasted.
* What a target sent is shortened, and the cut is visible.
* The marked lines of a transcript are always shown, and whole; the blank lines that end events are
  left out, unless one of them alone is marked.

The layout is a table of label and text::

    CC-STREAM-002 (MUST) · meta/llama-3.3-70b-instruct
      required    All chunks of one stream share one id, …
      seen        chunk 2 $.id: 'chatcmpl-2'; required: 'chatcmpl-1'
      source      SPEC id
      exchange    POST https://…/chat/completions -> 200 text/event-stream
                     0.4 ms  data: {…}
                  >  1.2 ms  data: {…}
      reproduce   curl …
      re-run      pytest …
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from conformance.requirements import Requirement

from . import words
from .sentence import coverage, sentence
from .verdict import Entry

__all__ = [
    "closing",
    "failure",
    "frequency",
    "intermittent",
    "observations",
    "outcome",
    "telling",
    "timed",
    "tokens_told",
]

UNSEEN: Final = "not observed"
"""How the summary of an INFO entry begins where nothing could be observed."""

FINDINGS: Final = 5
"""At most so many findings of one entry are shown in a terminal."""
ROWS: Final = 12
"""At most so many unmarked lines of a transcript."""
SAID: Final = 300
"""At most so many characters of what a target sent, in one place."""
_LABEL: Final = 12
_INDENT: Final = "  "


def failure(entry: Entry, requirement: Requirement | None, *, width: int = 100) -> str:
    """Return what a reader of the terminal needs to know of a FAIL or a WARN.

    Args:
        entry: a record or a folded entry.
        requirement: the clause; None where the catalogue does not have it any more.
        width: columns; only prose and replies are fitted to it.
    """
    evidence = entry["evidence"]
    findings = evidence.get("findings", ())
    lines = [heading(entry)]
    if requirement:
        lines += _prose("required", requirement.sentence, width)
    if findings:
        lines += _rows("seen", _seen(findings, width))
    else:
        lines += _prose("seen", words.short(evidence["summary"], SAID), width)
    if trials := evidence.get("trials"):
        lines += _rows("trials", [f"{trials['passed']} of {trials['counted']} held"])
    elif often := frequency(evidence):
        lines += _prose("replies", often, width)
    if reason := evidence.get("reason"):
        lines += _prose("reason", words.short(reason, SAID), width)
    if requirement:
        lines += _prose("source", words.plain(requirement.source), width)
        if requirement.breaks_note:
            lines += _prose("breaks", words.short(words.plain(requirement.breaks_note), 240), width)
    if exchange := telling(evidence.get("exchanges", ())):
        lines += _rows("exchange", [outcome(exchange), *_transcript(exchange, width)])
        lines += _rows("reproduce", [exchange["curl"]] if exchange.get("curl") else [])
    lines += _rows("re-run", [evidence["reproduce"]] if evidence.get("reproduce") else [])
    if requirement and requirement.fix:
        lines += _prose("fix", requirement.fix, width)
    return words.tidy("\n".join(lines))


def heading(entry: Entry) -> str:
    """``CC-SSE-003 (MUST) · meta/llama-3.3-70b-instruct``."""
    return f"{entry['id']} ({entry['level']}) · {entry['model'] or 'the target as a whole'}"


def frequency(evidence: Mapping[str, Any]) -> str:
    """In how many replies a breach was seen, and whether it came each time it was asked for again.

    >>> frequency({"seen_in": {"broken": 1, "looked": 4}, "repeated": {"broken": 2, "of": 6}})
    '1 of 4; intermittent: asked again, 2 of 6'
    >>> frequency({"seen_in": {"broken": 1, "looked": 2}, "trials": {"passed": 0, "counted": 2}})
    '2 of 2 trials'
    """
    seen, again, trials = (evidence.get(name) for name in ("seen_in", "repeated", "trials"))
    parts = [f"{seen['broken']} of {seen['looked']}"] if seen else []
    if trials:  # of them one finding tells, and all were looked at
        broken = trials["counted"] - trials["passed"]
        parts = [f"{broken} of {words.amount(trials['counted'], 'trial')}"]
    if again:
        how = "intermittent" if again["broken"] < again["of"] else "steady"
        parts.append(f"{how}: asked again, {again['broken']} of {again['of']}")
    return "; ".join(parts)


def intermittent(entries: Iterable[Entry]) -> str:
    """``intermittent: 2 of 6`` where some of the entries come and go; "" where none does."""
    counted = [entry["evidence"].get("repeated") for entry in entries]
    at_times = [found for found in counted if found and found["broken"] < found["of"]]
    if not at_times:
        return ""
    broken, of = (sum(found[name] for found in at_times) for name in ("broken", "of"))
    return f"intermittent: {broken} of {of}"


def _seen(findings: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """The findings, what several of them require said once, with the first of them."""
    lines: list[str] = []
    said: str | None = None
    for finding in findings[:FINDINGS]:
        at = f"{words.short(finding['at'], SAID)}: " if finding.get("at") else ""
        lines += _wrapped(f"{at}{words.short(finding['seen'], SAID)}", width)
        if finding["required"] != said:
            said = finding["required"]
            lines += _wrapped(f"instead of: {words.short(finding['required'], SAID)}", width, "  ")
    if (left := len(findings) - FINDINGS) > 0:
        lines.append(f"… and {left} more")
    return lines


# --- exchanges ----------------------------------------------------------------------------------


def telling(exchanges: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the exchange that shows most: the last with a mark, else the last.

    After Hypothesis has shrunk a case, the last exchange is the smallest.
    """
    marked = [e for e in exchanges if any(line["mark"] for line in e.get("transcript", ()))]
    return next(reversed(marked or exchanges), None)


def outcome(exchange: Mapping[str, Any]) -> str:
    """``POST https://… -> 200 text/event-stream``, or why there is no complete reply."""
    request = exchange["request"]
    kind = next((v for k, v in exchange.get("headers", ()) if k.lower() == "content-type"), "")
    parts = [str(exchange["status"] or ""), kind, exchange.get("error") or ""]
    parts = [words.short(part, SAID) for part in parts if part]
    return f"{request['method']} {request['url']} -> {' '.join(parts)}"


def timed(line: Mapping[str, Any]) -> str:
    """``   12.4 ms``: when a line's last byte had arrived; blank where that is not known."""
    return f"{line['at_ms']:>7.1f} ms" if line["at_ms"] is not None else " " * 10


def _transcript(exchange: Mapping[str, Any], width: int) -> list[str]:
    room = max(40, width - len(_INDENT) - _LABEL - 14)
    rows: list[str] = []
    for line in _chosen(exchange.get("transcript", ())):
        head = f"{'>' if line['mark'] else ' '}{timed(line)}  "
        if not line["mark"]:
            rows.append(f"{head}{words.middle(line['text'], room)}".rstrip())
            continue
        text = words.middle(line["text"], 2 * SAID) or "(blank line)"
        pieces = [text[at : at + room] for at in range(0, len(text), room)]
        rows += [f"{head}{pieces[0]}", *(f"{'>':<13}{piece}" for piece in pieces[1:])]
    return rows


def _chosen(transcript: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The marked lines, and those nearest to them up to ``ROWS``."""
    lines = [
        line
        for before, line in zip([None, *transcript], transcript, strict=False)
        if line["text"] or (line["mark"] and not (before and before["mark"]))
    ]
    marks = [index for index, line in enumerate(lines) if line["mark"]]
    near = sorted(
        (index for index in range(len(lines)) if index not in marks),
        key=lambda index: min((abs(index - mark) for mark in marks), default=index),
    )
    keep = sorted({*marks, *near[:ROWS]})
    rows: list[Mapping[str, Any]] = []
    for before, index in zip([-1, *keep], [*keep, len(lines)], strict=True):
        if (left_out := index - before - 1) > 0:
            rows.append(_gap(left_out))
        rows += lines[index : index + 1]
    return rows


def _gap(lines: int) -> Mapping[str, Any]:
    return {"at_ms": None, "text": f"… {words.amount(lines, 'line')} …", "mark": False}


# --- layout -------------------------------------------------------------------------------------


def _rows(label: str, rows: Iterable[str]) -> list[str]:
    return [
        f"{_INDENT}{label if index == 0 else '':<{_LABEL}}{row}" for index, row in enumerate(rows)
    ]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        max(40, width - len(_INDENT) - _LABEL),
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_on_hyphens=False,
    ) or [""]


def _prose(label: str, text: str, width: int) -> list[str]:
    return _rows(label, _wrapped(text, width))


# --- the end of a run ---------------------------------------------------------------------------


def closing(results: Mapping[str, Any], artefacts: Iterable[Path] = ()) -> list[str]:
    """Return the closing lines of a run.

    Args:
        results: as ``results.build`` returns them.
        artefacts: the files that were written.
    """
    lines = [sentence(results), ""]
    lines += _table(coverage(results).items())
    lines += _table([("verdicts", _judgements(results))])
    lines += _table(("at times", row) for row in _at_times(results))
    lines += _table(("observed", row) for row in observations(results))
    lines += _table([("sent", cost(results))])
    lines += _table(("tokens", told) for told in [tokens_told(results)] if told)
    lines += _table(("deviation", row) for row in known_deviations(results))
    lines += _table(("written", str(path)) for path in artefacts)
    return lines


def _judgements(results: Mapping[str, Any]) -> str:
    """``204 judgements (clause and model): 203 PASS · 1 UNSUPPORTED``; observations are none."""
    counts = {name: n for name, n in results["counts"].items() if name != "OBSERVED"}
    judgements = f"{words.amount(sum(counts.values()), 'judgement')} (clause and model)"
    return f"{judgements}: {words.figures(counts)}"


def _at_times(results: Mapping[str, Any]) -> list[str]:
    """One line for every clause whose breach comes and goes."""
    entries: dict[str, list[Entry]] = {}
    for entry in results["requirements"]:
        if entry["verdict"] in ("FAIL", "WARN") and intermittent([entry]):
            entries.setdefault(entry["id"], []).append(entry)
    return [
        f"{clause} {intermittent(found)} replies, {_models([_named(e) for e in found])}"
        for clause, found in entries.items()
    ]


def observations(results: Mapping[str, Any]) -> list[str]:
    """One line for every observed entry: what most models do, and how many they are."""
    told: dict[str, Counter[str]] = {}
    for entry in results["requirements"]:
        if entry["verdict"] == "OBSERVED":
            told.setdefault(entry["id"], Counter())[entry["evidence"]["summary"]] += 1
    lines = []
    for clause, found in told.items():
        said = max(found, key=lambda one: (not one.startswith(UNSEEN), found[one]))
        share = f" ({found[said]} of {words.amount(found.total(), 'model')})"
        share = share if len(found) > 1 else ""
        lines.append(f"{clause} {words.short(said, SAID)}{share}")
    return lines


def _named(entry: Entry) -> str:
    return entry["model"] or "the target as a whole"


def _table(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{_INDENT}{label:<{_LABEL}}{text}" for label, text in rows]


def cost(results: Mapping[str, Any]) -> str:
    """``1,214 requests in 74 s``, and how many of them had to be repeated."""
    requests = words.amount(results["requests"], "request")
    told = f"{requests} in {words.duration(results['duration_s'])}"
    if results.get("parts", 1) > 1:
        told += f", in {results['parts']} parts"
    again = f"{words.number(results['repeated'])} of them repeated after 429, 5xx or no reply"
    return f"{told}, {again}" if results["repeated"] else told


def tokens_told(results: Mapping[str, Any]) -> str:
    """``38,011 tokens read and 20,100 written, as usage told in 970 of 981 answers``; "" where
    nobody counted, or nothing was answered."""
    spent = results.get("tokens") or {}
    told = spent.get("told")
    if not told or not spent["answered"]:
        return ""
    answers = f"{words.number(told['answers'])} of {words.amount(spent['answered'], 'answer')}"
    if not told["answers"]:
        return f"usage told none, in {answers}"
    said = f"{words.amount(told['input'], 'token')} read and {words.number(told['output'])} written"
    if told["total"] > told["input"] + told["output"]:
        said += f", {words.number(told['total'])} in all"
    return f"{said}, as usage told in {answers}"


_STATE: Final[Mapping[str, str]] = {
    "known": "known until {expires}",
    "expired": "EXPIRED on {expires}",
    "fixed": "fixed: take it out of the profile",
}


def known_deviations(results: Mapping[str, Any]) -> list[str]:
    """One line per declared deviation, its models together."""
    models: dict[tuple[str, str, str], list[str]] = {}
    for row in results["deviations"]:
        state = _STATE[row["state"]].format(expires=row["expires"])
        models.setdefault((row["id"], state, row["reason"]), []).append(_named(row))
    return [
        f"{clause} {state}, {_models(names)}: {reason}"
        for (clause, state, reason), names in models.items()
    ]


def _models(names: Sequence[str]) -> str:
    return words.listed(names) if len(names) <= 2 else words.amount(len(names), "model")
