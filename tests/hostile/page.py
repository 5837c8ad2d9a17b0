"""The page of the table: what each row does, and how the suite and the load generator ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from tests.hostile.record import Came, key
from tests.hostile.targets.row import Target
from tests.hostile.trial import MOST_MIB

HEAD = """# Hostile and broken targets

What a target can send to harm who reads it, one line each, and how a run ends that meets it.
Written by `make hostile`; the rows stand in `tests/hostile/targets/`.

- **Hostile to** says which requests meet it: everything; chat requests, while `/models` is in
  order; or streams alone, while plain answers are. `load` is the load generator.
- **Ends** is the exit status of the suite with its one line of complaint (4), or with its verdicts
  (6: undecided, since nobody is blamed for what may have been slow); of the load generator the kind
  of failure as which each request is counted.
- **Time** is what the run took beyond one against a right target, **memory** the most that it ever
  held. The bounds are `--timeout` (here {timeout:g} s) and 5 s more, and {most} MiB (200 MB).

No row reaches the terminal with a control character, gets the key sent to another host, or ends in
a traceback; that is checked with each.

| target | hostile to | ends | time | memory |
|---|---|---|---|---|
"""


def page(rows: Sequence[tuple[Target, str]], kept: Mapping[str, Came]) -> str:
    """The whole page, as Markdown: ``rows`` in their order, and what each came to."""
    timeout = max(came.timeout for came in kept.values())
    text = HEAD.format(timeout=timeout, most=MOST_MIB)
    for _, group in groupby(rows, key=lambda row: row[0].name):
        for number, (target, scope) in enumerate(group):
            came = kept[key(target.name, scope)]
            text += _line("" if number else target.says, scope, came)
    return text


def _line(says: str, scope: str, came: Came) -> str:
    cells = (
        says,
        scope,
        came.ended + (f" **{came.wrong}**" if came.wrong else ""),
        f"{came.cost:.1f} s" if came.peak is not None else "",
        f"{came.peak} MiB" if came.peak is not None else "",
    )
    return f"| {' | '.join(cells)} |\n"
