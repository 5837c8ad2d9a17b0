"""The page of the table: what each row does, and how the suite and the load generator ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hostile.table import Row

HEAD = """# Hostile and broken targets

What a target can send to harm who reads it, one line each, and how a run ends that meets it.
Written by `make hostile`; the rows stand in `tests/hostile/targets/`.

- **Hostile to** says which requests meet it: everything; chat requests, while `/models` is in
  order; or streams alone, while plain answers are. `load` is the load generator.
- **Ends** is the exit status of the suite with its one line of complaint (4), or with its verdicts
  (6: undecided, since nobody is blamed for what may have been slow); of the load generator the kind
  of failure as which each request is counted.
- **Time** is what the run took beyond one against a right target, **memory** the most that it ever
  held. The bounds are `--timeout` (here {timeout:g} s) and 5 s more, and {most} MiB.

No row reaches the terminal with a control character, gets the key sent to another host, or ends in
a traceback; that is checked with each.

| target | hostile to | ends | time | memory |
|---|---|---|---|---|
"""


def page(rows: Sequence[Row]) -> str:
    """The whole page, as Markdown."""
    from tests.hostile.table import MOST_MIB

    text = HEAD.format(timeout=rows[0].timeout, most=MOST_MIB)
    for _, group in groupby(rows, key=lambda row: row.target.name):
        text += "".join(_line(row, first=number == 0) for number, row in enumerate(group))
    return text


def _line(row: Row, *, first: bool) -> str:
    found = row.measured
    cells = (
        row.target.says if first else "",
        row.scope,
        row.ended + (f" **{'; '.join(row.wrong)}**" if row.wrong else ""),
        f"{row.cost:.1f} s" if found else "",
        f"{found.peak} MiB" if found else "",
    )
    return f"| {' | '.join(cells)} |\n"
