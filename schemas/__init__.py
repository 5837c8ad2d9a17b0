"""The contract as data: JSON Schemas (2020-12) and a validator that never leaves this folder.

Laws
----
* A schema says what holds of the *shape* of a message; sequences, sums and headers are the checks'.
* Members that a schema does not name are allowed (CC-RESP-010), the suite's own results excepted.
* ``required`` lists what a MUST demands. What is only advised may be missing.
* An integer is written as one: ``1.0`` is refused, because typed clients refuse it (CC-RESP-003).
* No network: every ``$ref`` is answered from this folder, and the host in ``$id`` cannot exist
  (RFC 6761 §6.4).
* A schema that differs from upstream says so, with its reason, in ``PROVENANCE.toml``.

Theory
------
The keyword ``x-clause`` names the requirement on which a part of a schema rests. It holds for all
that is inside, until an inner one takes over; a missing member belongs to its own clause. So one
validation of a body gives violations of many requirements, each with the right name.

A union whose other branches are ruled out by the JSON type or by a discriminator (``type``,
``role``) is looked through: what is wrong is said of the branch that was meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

__all__ = ["BASE", "NAMES", "Violation", "misfit", "schema", "validator", "violations"]

BASE: Final = "https://chat-conformance.invalid/schemas/"
"""What every ``$id`` begins with."""

NAMES: Final = (
    "chat_request",
    "chat_completion",
    "chat_completion_chunk",
    "model",
    "model_list",
    "error",
    "results",
    "load_results",
    "load_sweep",
    "comparison",
)
"""Every schema. ``chat_completion#usage`` names a definition inside one."""

SHOWN: Final = 80
"""Characters of a refused value that a message shows."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value does not fit its schema."""

    path: str
    """Where in the value: ``$.choices[0].index``; of a missing member, its owner."""
    message: str
    """One line; the value is shortened."""
    schema_path: str
    """Where in the schema: ``properties/choices/items/required``."""
    clause: str = ""
    """Id of the requirement that this part of the schema rests on; "" where none is named."""


def _is_written_as_integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_Strict: Final = extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_written_as_integer),
)


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Return the schema called ``name`` as plain data.

    Raises:
        KeyError: there is none.
    """
    if name not in NAMES:
        raise KeyError(f"no schema is called {name!r}; there are {', '.join(NAMES)}")
    text = files("schemas").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _registry() -> Registry[Any]:
    contents = [schema(name) for name in NAMES]
    return Registry().with_resources(
        (content["$id"], DRAFT202012.create_resource(content)) for content in contents
    )


@cache
def validator(name: str) -> Validator:
    """Return the validator of a schema (``error``) or of a definition (``chat_completion#usage``).

    Raises:
        KeyError: there is no such schema or definition.
    """
    whole, _, definition = name.partition("#")
    root = schema(whole)
    if definition:
        if definition not in root.get("$defs", {}):
            raise KeyError(f"schema {whole!r} has no definition {definition!r}")
        root = {"$ref": f"{root['$id']}#/$defs/{definition}"}
    made: Validator = _Strict(
        root, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return made


def violations(name: str, value: Any) -> list[Violation]:
    """Return where ``value``, decoded JSON, does not fit the schema ``name``; [] where it fits.

    The outermost come first (what is wrong there explains the rest), then document order.

    Raises:
        KeyError: as `validator`.
    """
    made = validator(name)
    faults = [fault for error in made.iter_errors(value) for fault in _meant(error)]
    faults.sort(key=lambda fault: (len(fault.absolute_path), fault.json_path))
    return [
        Violation(
            path=fault.json_path,
            message=_message(fault),
            schema_path="/".join(str(step) for step in fault.absolute_schema_path),
            clause=_clause(made.schema, fault),
        )
        for fault in faults
    ]


def misfit(given: Mapping[str, Any], value: Any) -> str | None:
    """Return in one line where ``value``, decoded JSON, does not fit a schema that a request gave.

    None where it fits. ``1.0`` is an integer here, as JSON Schema has it.

    Raises:
        jsonschema.exceptions.SchemaError: ``given`` is no schema.
    """
    Draft202012Validator.check_schema(given)
    fault = next(Draft202012Validator(given).iter_errors(value), None)
    return None if fault is None else f"{fault.json_path}: {_message(fault)}"


# --- looking through a union --------------------------------------------------------------------


def _meant(error: ValidationError) -> Iterator[ValidationError]:
    """Yield what is wrong in the branch that was meant; the union's error where that is unclear."""
    branches: dict[object, list[ValidationError]] = {}
    for fault in error.context or ():
        branches.setdefault(fault.relative_schema_path[0], []).append(fault)
    meant = [faults for faults in branches.values() if not any(map(_rules_out, faults))]
    if len(meant) != 1:
        yield error
        return
    for fault in meant[0]:
        yield from _meant(fault)


def _rules_out(fault: ValidationError) -> bool:
    return _of_other_type(fault) or (fault.validator == "const" and len(fault.relative_path) <= 1)


def _of_other_type(fault: ValidationError) -> bool:
    return fault.validator == "type" and not fault.relative_path


def _message(fault: ValidationError) -> str:
    shown = repr(fault.instance)
    short = shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
    asked: Any = fault.validator_value
    if fault.validator in ("anyOf", "oneOf"):
        types = [e.validator_value for e in fault.context or () if _of_other_type(e)]
        if len(types) == len(asked):
            return f"{short} is of none of the types {', '.join(map(str, dict.fromkeys(types)))}"
        return f"{short} fits none of the {len(asked)} forms that are allowed"
    if fault.validator == "const":
        return f"{short} is not {asked!r}"
    return fault.message.replace(shown, short)


# --- the clause that a fault breaks -------------------------------------------------------------


def _clause(root: Any, fault: ValidationError) -> str:
    """Walk to the failed keyword, as the validator did, and keep the last ``x-clause`` seen."""
    resolver = _registry().resolver(root.get("$id", ""))
    here: Any = root
    clause: str = root.get("x-clause", "")
    for step in fault.absolute_schema_path:  # jsonschema leaves the `$ref` steps out of it
        while isinstance(here, Mapping) and step not in here:
            resolved = resolver.lookup(here["$ref"])
            here, resolver = resolved.contents, resolved.resolver
            clause = here.get("x-clause", clause)
        here = here[step]
        if isinstance(here, Mapping):
            clause = here.get("x-clause", clause)
    if fault.validator == "required":
        owner: Any = fault.schema
        missing = next(name for name in here if fault.message.startswith(repr(name)))
        clause = owner.get("properties", {}).get(missing, {}).get("x-clause", clause)
    return clause
