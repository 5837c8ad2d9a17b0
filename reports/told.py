"""What one entry tells, in one line; and a target's strings as a terminal may show them.

Laws
----
* A line says what was seen and, where a clause is broken, what was required instead.
* No string of a target moves a cursor, changes a colour or turns the direction of the text.
"""

from __future__ import annotations

from typing import Any, Final

from . import words
from .text import intermittent
from .verdict import UNDECIDED, Entry, Verdict

__all__ = ["printable", "told"]

_UNJUDGED: Final = frozenset({*UNDECIDED, Verdict.UNSUPPORTED})


def told(entry: Entry) -> str:
    """What was seen of a clause, in one line; "" where it held and nothing more is known.

    >>> told(entry)
    'chunk 13 $.choices[0].delta: null; required: an object'
    """
    evidence, verdict = entry["evidence"], entry["verdict"]
    if verdict in _UNJUDGED:
        reason = evidence.get("reason") or str(evidence["summary"])
        return f"blocked by {reason}" if verdict == Verdict.BLOCKED else reason
    if verdict in (Verdict.FAIL, Verdict.WARN):
        findings = evidence.get("findings") or ()
        seen = _finding(findings[0]) if findings else str(evidence["summary"])
        at_times = intermittent([entry])
        return f"{seen} ({at_times})" if at_times else seen
    if verdict == Verdict.OBSERVED:
        return evidence.get("observed") or str(evidence["summary"])
    return evidence.get("observed") or ""


def _finding(finding: dict[str, Any]) -> str:
    at = f"{words.short(finding['at'], 80)}: " if finding.get("at") else ""
    seen = words.short(finding["seen"], 160)
    return f"{at}{seen}; required: {words.short(finding['required'], 160)}"


def printable(text: str) -> str:
    """``text`` in one line, what is invisible or acts on a terminal spelled out.

    >>> printable("red\\x1b[31m\\n\\u202eder")
    'red\\\\x1b[31m \\\\u202eder'
    """
    return words.visible(" ".join(text.split()))
