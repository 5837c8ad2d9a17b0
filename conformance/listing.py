"""`pytest --requirements`: the catalogue, entry by entry, with its state."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, get_args

from .checks import judged
from .requirements import CHAPTERS, LEVELS, Requirement

State: TypeAlias = Literal["judged", "observed", "not yet judged", "unjudgeable"]

STATES: Final[tuple[State, ...]] = get_args(State)


def listing(*, whole: bool = False) -> Iterator[str]:
    """Lines: chapter heads, entries (id, level, state, sentence), totals.

    `whole`: sentences uncut, each with its source and the checks that judge it.
    """
    checked = judged()
    by_level: Counter[tuple[str, str]] = Counter()
    for chapter in CHAPTERS:
        yield f"\n{chapter.order}. {chapter.name} ({chapter.prefix})"
        for entry in chapter.requirements:
            state = _state(entry, entry.id in checked)
            by_level[entry.level, state] += 1
            sentence = entry.sentence
            if not whole and len(sentence) > 90:
                sentence = sentence[:89] + "…"
            yield f"  {entry.id:<14} {entry.level:<6} {state:<14} {sentence}"
            if whole:
                yield f"  {'':<14} source: {entry.source}"
                for check in checked.get(entry.id, ()):
                    yield f"  {'':<14} {check.file}::{check.function}"
                if entry.unjudged:
                    yield f"  {'':<14} because: {entry.unjudged}"
    yield ""
    for level in LEVELS:
        found = {state: by_level[level, state] for state in STATES if by_level[level, state]}
        counts = [f"{count} {state}" for state, count in found.items()]
        yield f"{level:<6} {', '.join([*counts, f'{sum(found.values())} in all'])}"


def _state(entry: Requirement, checked: bool) -> State:
    """What becomes of an entry: an INFO entry is only ever observed."""
    if checked:
        return "observed" if entry.level == "INFO" else "judged"
    return "unjudgeable" if entry.unjudged else "not yet judged"
