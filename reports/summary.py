"""The summary: a run as GitHub-flavoured Markdown, for the page of a CI job.

Laws
----
* The verdict comes first, and every count stands beside its denominator.
* It is smaller than ``BOUND`` bytes, since GitHub shows nothing of a larger one; a cut is told.
* One broken thing is one block (``causes``); what a target said is code (``markdown``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from conformance.requirements import Requirement

from . import words
from .compliance.cards import Card, OpenRow, cards, observed_rows, open_rows
from .compliance.causes import Cause, causes
from .compliance.view import complete
from .markdown import block, code, names, prose
from .sentence import sentence
from .templates import inline
from .text import cost, frequency, known_deviations, telling
from .told import told
from .verdict import LEVELS, Tally, Verdict, tallies

__all__ = ["BOUND", "summary"]

BOUND: Final = 1_000_000
"""Bytes; GitHub's bound on the summary of a step is 1 MiB."""

_NAME: Final = 140
"""Characters of a clause's sentence that stand for its name, where it has no title."""
_RESERVE: Final = 2_000
"""Bytes kept for the end."""
_ICONS: Final = {"conformant": "✅", "not conformant": "❌", "inconclusive": "❔", "error": "‼️"}


def summary(
    results: Mapping[str, Any], requirements: Mapping[str, Requirement], *, details: bool = False
) -> str:
    """Return the Markdown.

    Args:
        results: as ``results.read`` returns them.
        requirements: the catalogue.
        details: warnings in full too, what is unsupported, and what was observed.
    """
    filled = complete(results)
    made, size, left = [], 0, 0
    for part in _parts(filled, requirements, details):
        size += len(words.tidy(part).encode()) + 2
        if size < BOUND - _RESERVE:
            made.append(part)
        else:
            left += 1
    if left:
        made.append(f"{words.amount(left, 'more block')}: the compliance page has them.")
    return words.tidy("\n\n".join(made)) + "\n"


def _parts(
    results: Mapping[str, Any], requirements: Mapping[str, Requirement], details: bool
) -> Iterator[str]:
    yield from _top(results)
    broken = cards(results, requirements, Verdict.FAIL)
    bent = cards(results, requirements, Verdict.WARN)
    found = causes([*broken, *bent], results["requirements"])
    failures = [cause for cause in found if cause.first.verdict == Verdict.FAIL]
    warnings = [cause for cause in found if cause.first.verdict != Verdict.FAIL]
    if failures:
        fewer = f", {words.amount(len(failures), 'cause')}" if len(failures) < len(broken) else ""
        yield f"### Broken: {words.amount(len(broken), 'clause')}{fewer}"
        yield from map(_cause, failures)
    if deviations := known_deviations(results):
        yield "### Known deviations"
        yield "\n".join(f"- {code(line, 400)}" for line in deviations)
    if warnings and details:
        yield f"### Warnings: {words.amount(len(warnings), 'cause')}"
        yield from map(_cause, warnings)
    elif warnings:
        every = [card for cause in warnings for card in cause.cards]
        yield _folded(words.amount(len(every), "warning"), map(_line, every))
    undecided = open_rows(results, ("ERROR", "INCONCLUSIVE", "BLOCKED"))
    if undecided:
        yield _folded(f"{_clauses(undecided)} undecided", map(_open, undecided))
    if not details:
        return
    for heading, rows in (
        ("unsupported", open_rows(results, ("UNSUPPORTED",))),
        ("observed", observed_rows(results)),
    ):
        if rows:
            yield _folded(f"{_clauses(rows)} {heading}", map(_open, rows))


# --- the top ------------------------------------------------------------------------------------


def _top(results: Mapping[str, Any]) -> Iterator[str]:
    head, _, rest = sentence(results).partition(": ")
    icon = "❔" if head.startswith("Partial") else _ICONS[results["verdict"]]
    yield f"## {icon} {head}"
    yield _unnamed(rest[:1].upper() + rest[1:], results["target"]["models"])
    target, suite = results["target"], results["suite"]
    facts = [
        code(target["url"], 200),
        names(target["models"], 1)
        if len(target["models"]) == 1
        else words.amount(len(target["models"]), "model"),
        f"profile {code(target['profile'], 60)}",
        f"{words.day(results['started'])} UTC",
        cost(results),
        f"{code(suite['name'], 60)} {code(suite['version'], 30)}",
    ]
    yield " · ".join(facts)
    yield _table(results)


def _unnamed(said: str, models: list[str]) -> str:
    """The sentence, with the model that it may name as code: a name may be Markdown."""
    if len(models) != 1 or f" on {models[0]}" not in said:
        return said
    before, _, after = said.rpartition(f" on {models[0]}")
    return f"{before} on {code(models[0], 80)}{after}"


_ROWS: Final = (
    # state, of what
    ("broken", "judged"),
    ("warned", "judged"),
    ("held", "judged"),
    ("undecided", "total"),
    ("unsupported", "total"),
    ("observed", "total"),
    ("not run", "total"),
)


def _table(results: Mapping[str, Any]) -> str:
    found, total = tallies(results["requirements"]), results["catalogue"]["total"]
    levels = [level for level in LEVELS if total[level]]
    lines = [
        f"| clauses | {' | '.join(levels)} |",
        f"|---|{'--:|' * len(levels)}",
    ]
    for state, of in _ROWS:
        cells = [_count(found[level], total[level], state, of) for level in levels]
        if any(cells):
            lines.append(f"| {state} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _count(tally: Tally, total: int, state: str, of: str) -> str:
    value = max(0, total - tally.run) if state == "not run" else int(getattr(tally, state))
    every = tally.judged if of == "judged" else total
    return f"{words.number(value)} of {words.number(every)}" if value else ""


# --- clauses ------------------------------------------------------------------------------------


def _cause(cause: Cause) -> str:
    """One broken thing, folded below the clause that tells most; what else it breaks by name."""
    card = cause.first
    shown, known = card.shown, card.requirement
    whole = known and not known.title and len(known.sentence) <= _NAME
    rows = [("required", prose(known.sentence))] if known and not whole else []
    rows += [("seen", code(told(shown), 500))]
    often = frequency(shown["evidence"])
    rows += [("replies", often)] if often else []
    rows += [("models", names(card.models))]
    rows += [("deviation", " ".join(sorted(card.accepted)))] if card.accepted else []
    if known and known.breaks_note:
        rows += [("breaks", words.short(prose(words.plain(known.breaks_note)), 400))]
    rows += [("fix", prose(known.fix))] if known and known.fix else []
    also = [*cause.others, *cause.warned]
    rows += [("also breaks", "".join(f"\n  {_line(other)}" for other in also))] if also else []
    rows += [("blocks", ", ".join(cause.blocked))] if cause.blocked else []
    listed = "\n".join(f"- **{label}** {said}" for label, said in rows)
    return f"{_opening(card)}\n\n{listed}\n{_commands(card)}\n</details>"


def _opening(card: Card) -> str:
    known = card.requirement
    name = inline(words.short(known.title or known.sentence, _NAME)) if known else ""
    share = f" · {card.share}{f' · {card.intermittent}' if card.intermittent else ''}"
    said = f"{card.level} · {' '.join(name.split())}{share}"
    return f"<details><summary><b>{card.id}</b> {said}</summary>"


def _commands(card: Card) -> str:
    evidence = card.shown["evidence"]
    exchange = telling(evidence["exchanges"])
    commands = [evidence["reproduce"], exchange["curl"] if exchange else ""]
    whole = [command for command in commands if command and len(command) < 4_000]
    return f"\n{block(chr(10).join(whole), 'sh')}\n" if whole else ""


def _line(card: Card) -> str:
    known = card.requirement
    name = f" {words.short(prose(known.title or known.sentence), 200)}" if known else ""
    return f"- **{card.id}** {card.level}{name} · {card.share}: {code(told(card.shown), 200)}"


def _open(row: OpenRow) -> str:
    return (
        f"- **{row.id}** {row.level} {row.sign.word}: {code(row.reason)} · {names(row.models, 3)}"
    )


def _clauses(rows: Iterable[OpenRow]) -> str:
    return words.amount(len({row.id for row in rows}), "clause")


def _folded(heading: str, lines: Iterable[str]) -> str:
    listed = "\n".join(lines)
    return f"<details><summary>{heading}</summary>\n\n{listed}\n\n</details>"
