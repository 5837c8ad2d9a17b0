"""From test functions to the checks of a run: of which models, which of them, in what order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.requirements import CHAPTERS

from .items import is_generated, may_harm, model_in, model_of, requirement_of, slug
from .settings import Settings


def parametrize(metafunc: pytest.Metafunc, models: Sequence[str]) -> None:
    """Make a check of each model, or one of the whole target; of a family, one for each clause."""
    mark = metafunc.definition.get_closest_marker("requirement")
    family = metafunc.definition.get_closest_marker("requirements")
    if family is not None:
        mark = family.args[0].mark
        clauses = [(one.mark.args[0], one) for one in family.args]
        members = [pytest.param(name, marks=one, id=name) for name, one in clauses]
        metafunc.parametrize("clause", members)
    if mark is None or "chat" not in metafunc.fixturenames:
        return
    if mark.kwargs["scope"] == "target":
        metafunc.parametrize("chat", [models[0]], ids=["target"], indirect=True)
        return
    ids: list[str] = []
    for number, model in enumerate(models):
        name = slug(model)
        ids.append(name if name not in ids else f"{name}_{number}")
    metafunc.parametrize("chat", models, ids=ids, indirect=True)


@dataclass(slots=True)
class Collected:
    """What pytest has found: checks that run, checks that are not selected, tests of others."""

    ours: list[pytest.Item] = field(default_factory=list)
    others: list[pytest.Item] = field(default_factory=list)
    dropped: list[pytest.Item] = field(default_factory=list)


def collect(items: Sequence[pytest.Item], settings: Settings, models: Sequence[str]) -> Collected:
    """Keep what is selected; order by model, then chapter, generated requests last.

    What is asked of the target as a whole comes first, but last of all what may leave it unwell: a
    server that a body of 50 MB ends has been judged by then.
    """
    found = Collected()
    for item in items:
        if requirement_of(item) is None:
            found.others.append(item)
        elif _wanted(item, settings):
            found.ours.append(item)
        else:
            found.dropped.append(item)
    orders = {chapter.prefix: chapter.order for chapter in CHAPTERS}
    places = {model: place for place, model in enumerate(models)}

    def place(item: pytest.Item) -> tuple[bool, int, bool, int]:
        model = model_of(item)
        order = orders.get(_chapter(item), 0)
        last = model is None and may_harm(item)
        return last, places.get(model or "", -1), is_generated(item), order

    found.ours.sort(key=place)
    return found


def sizes(ours: Sequence[pytest.Item]) -> Counter[tuple[str | None, str]]:
    """How many checks each model has of each chapter."""
    return Counter((model_of(item), _chapter(item)) for item in ours)


def _chapter(item: pytest.Item) -> str:
    """The prefix of the chapter that a check belongs to."""
    entry = requirement_of(item)
    return entry.id.rpartition("-")[0] if entry else ""


def _wanted(item: pytest.Item, settings: Settings) -> bool:
    if is_generated(item) and not settings.generated.examples:
        return False
    entry, selected = requirement_of(item), settings.selected
    return selected is None or (entry is not None and entry.id in selected)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """xdist: one model stays with one worker, so that replies are shared and in order."""
    from xdist.scheduler import LoadScopeScheduling

    class PerModel(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            return model_in(nodeid) or nodeid

    return PerModel(config, log)
