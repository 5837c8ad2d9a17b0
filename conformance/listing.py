"""`pytest --requirements`: the catalogue, entry by entry, with its state."""

from collections import Counter
from collections.abc import Iterator

from .checks import judged
from .requirements import CHAPTERS


def listing(*, whole: bool = False) -> Iterator[str]:
    """Lines: chapter heads, entries (id, level, state, sentence), totals; `whole` sentences."""
    checked = judged()
    by_level: Counter[tuple[str, bool]] = Counter()
    for chapter in CHAPTERS:
        yield f"\n{chapter.order}. {chapter.name} ({chapter.prefix})"
        for entry in chapter.requirements:
            state = "judged" if entry.id in checked else "not yet judged"
            by_level[entry.level, entry.id in checked] += 1
            sentence = entry.sentence
            if not whole and len(sentence) > 90:
                sentence = sentence[:89] + "…"
            yield f"  {entry.id:<14} {entry.level:<6} {state:<14} {sentence}"
            if whole:
                for check in checked.get(entry.id, ()):
                    yield f"  {'':<14} {check.file}::{check.function}"
                if entry.unjudged:
                    yield f"  {'':<14} not judged because: {entry.unjudged}"
    yield ""
    for level in ("MUST", "SHOULD", "MAY", "INFO"):
        yes, no = by_level[level, True], by_level[level, False]
        yield f"{level:<6} {yes} judged, {no} not yet judged, {yes + no} in all"
