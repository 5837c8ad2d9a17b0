"""Rules for the list of models, ``GET /models``, and for one model: CC-MODEL-001, 002 and 003.

Where there is no list, CC-MODEL-001 alone says so; where an item is no object, CC-MODEL-002 does.
``created`` is in seconds where a client that reads ``u32`` can read it: 0 is, milliseconds are not.
"""

from __future__ import annotations

from typing import Final

from .facts import Facts
from .finding import ABSENT, Finding, Findings
from .rules import Rule, breaches, equals, is_count, is_filled_text, is_list, is_text

__all__ = ["findings", "listed_ids", "model_findings"]


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and is_count(value) and value < 2**32


LIST_RULES: Final = (
    Rule("CC-MODEL-001", "object", equals("list"), "the list has object list"),
    Rule("CC-MODEL-001", "data", is_list, "the list has data, an array"),
)

MODEL_RULES: Final = (
    Rule("CC-MODEL-002", "id", is_filled_text, "a model has an id, a string that is not empty"),
    Rule("CC-MODEL-002", "object", equals("model"), "a model has object model"),
    Rule("CC-MODEL-002", "created", _is_seconds, "a model has created, an integer of seconds"),
    Rule("CC-MODEL-002", "owned_by", is_text, "a model has owned_by, a string"),
)


def listed_ids(value: object) -> list[str]:
    """The ids in the parsed body of ``GET /models``, in its order, as far as it can be read."""
    data = value.get("data") if isinstance(value, dict) else None
    models = data if isinstance(data, list) else []
    ids = (model.get("id") for model in models if isinstance(model, dict))
    return [name for name in ids if isinstance(name, str)]


def findings(value: object) -> list[Finding]:
    """What is wrong with the parsed body of ``GET /models``; never raises."""
    log = Findings()
    if not isinstance(value, dict):
        log.add("CC-MODEL-001", "the list is an object", value, path="$")
        return list(log)
    for rule, seen in breaches(LIST_RULES, value, Facts()):
        log.add(rule.id, rule.required, seen, path=f"$.{rule.name}")
    data = value.get("data")
    known: set[str] = set()
    for position, model in enumerate(data if isinstance(data, list) else []):
        where = f"$.data[{position}]"
        _model(log, model, where)
        name = model.get("id", ABSENT) if isinstance(model, dict) else ABSENT
        if isinstance(name, str):
            if name in known:
                log.add("CC-MODEL-003", "ids are unique within the list", name, f"{where}.id")
            known.add(name)
    return list(log)


def model_findings(value: object) -> list[Finding]:
    """What is wrong with the parsed body of ``GET /models/{id}``; never raises."""
    log = Findings()
    _model(log, value, "$")
    return list(log)


def _model(log: Findings, model: object, where: str) -> None:
    if not isinstance(model, dict):
        log.add("CC-MODEL-002", "a model is an object", model, where)
        return
    for rule, seen in breaches(MODEL_RULES, model, Facts()):
        log.add(rule.id, rule.required, seen, f"{where}.{rule.name}")
