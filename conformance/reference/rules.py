"""Validation of a chat request, as tables.

Laws: every parameter of the specification has one row in PARAMETERS; null means "left out" except
for the required two; the first problem found is the one reported; a message always names the
parameter it is about.

Theory. A check takes a value and its path and returns a Problem or None. Checks of one value are
built from the small vocabulary below; what ties several values together is a function in RULES.
Parameters that no row names are refused, as upstream does.

Source: CreateChatCompletionRequest of the OpenAI specification; error codes as upstream sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused: the message, the path of the culprit, and upstream's code."""

    message: str
    param: str | None
    code: str | None


Check: TypeAlias = Callable[[Any, str], Problem | None]


def wrong_type(path: str, wanted: str, value: Any) -> Problem:
    """A value of another JSON type than the one wanted ("an integer")."""
    message = f"Invalid type for '{path}': expected {wanted}, but got {json_type(value)} instead."
    return Problem(message, path, "invalid_type")


def invalid(path: str, wanted: str, code: str = "invalid_value") -> Problem:
    """A value of the right type that is not allowed."""
    return Problem(f"Invalid value for '{path}': expected {wanted}.", path, code)


def missing(path: str) -> Problem:
    """A required value that is not there."""
    return Problem(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def unsupported(path: str, code: str = "unsupported_parameter") -> Problem:
    """A parameter of the specification that no model here offers."""
    return Problem(f"'{path}' is not supported with this model.", path, code)


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a decimal"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)


def json_type(value: Any) -> str:
    """The JSON type of a value, with its article."""
    return next((name for type_, name in _TYPES if isinstance(value, type_)), "null")


def is_integer(value: Any) -> bool:
    """Whether a value is a JSON integer (a boolean is not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def boolean(value: Any, path: str) -> Problem | None:
    """A JSON boolean."""
    return None if isinstance(value, bool) else wrong_type(path, "a boolean", value)


def integer(least: int | None = None, most: int | None = None) -> Check:
    """A JSON integer between two bounds, both allowed."""

    def check(value: Any, path: str) -> Problem | None:
        if not is_integer(value):
            return wrong_type(path, "an integer", value)
        if least is not None and value < least:
            return invalid(path, f"a value >= {least}", "integer_below_min_value")
        if most is not None and value > most:
            return invalid(path, f"a value <= {most}", "integer_above_max_value")
        return None

    return check


def number(least: float, most: float) -> Check:
    """A JSON number between two bounds, both allowed."""

    def check(value: Any, path: str) -> Problem | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return wrong_type(path, "a decimal", value)
        if not value <= most:  # also NaN; an integer may be too large to be made a float
            return invalid(path, f"a value <= {most:g}", "decimal_above_max_value")
        if value < least:
            return invalid(path, f"a value >= {least:g}", "decimal_below_min_value")
        return None

    return check


def string(most: int | None = None, least: int = 0) -> Check:
    """A string of bounded length, in characters."""

    def check(value: Any, path: str) -> Problem | None:
        if not isinstance(value, str):
            return wrong_type(path, "a string", value)
        if len(value) < least:
            return invalid(path, f"at least {least} characters", "string_below_min_length")
        if most is not None and len(value) > most:
            return invalid(path, f"at most {most} characters", "string_above_max_length")
        return None

    return check


def one_of(*values: str) -> Check:
    """One of a few strings."""

    def check(value: Any, path: str) -> Problem | None:
        if not isinstance(value, str):
            return wrong_type(path, f"one of {', '.join(values)}", value)
        return None if value in values else invalid(path, f"one of {', '.join(values)}")

    return check


def array(item: Check, least: int = 0, most: int | None = None) -> Check:
    """An array of bounded size whose items all pass."""

    def check(value: Any, path: str) -> Problem | None:
        if not isinstance(value, list):
            return wrong_type(path, "an array", value)
        if len(value) < least:
            message = f"Invalid '{path}': empty array. Expected at least {least} item(s)."
            return Problem(message, path, "empty_array")
        if most is not None and len(value) > most:
            return invalid(path, f"at most {most} items", "array_above_max_length")
        found = (item(one, f"{path}[{i}]") for i, one in enumerate(value))
        return next((problem for problem in found if problem), None)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these members (null is left out for the optional ones); others are allowed."""
    others = optional or {}

    def check(value: Any, path: str) -> Problem | None:
        if not isinstance(value, dict):
            return wrong_type(path, "an object", value)
        for name, member in required.items():
            if name not in value:
                return missing(f"{path}.{name}")
            if problem := member(value[name], f"{path}.{name}"):
                return problem
        for name, member in others.items():
            if value.get(name) is not None and (problem := member(value[name], f"{path}.{name}")):
                return problem
        return None

    return check


def mapping(value: Check, most: int | None = None, key: int | None = None) -> Check:
    """An object of bounded size whose values all pass and whose keys are bounded in length."""

    def check(given: Any, path: str) -> Problem | None:
        if not isinstance(given, dict):
            return wrong_type(path, "an object", given)
        if most is not None and len(given) > most:
            return invalid(path, f"at most {most} pairs", "object_above_max_properties")
        if key is not None and any(len(name) > key for name in given):
            return invalid(path, f"keys of at most {key} characters")
        found = (value(one, f"{path}.{name}") for name, one in given.items())
        return next((problem for problem in found if problem), None)

    return check


def either(*checks: Check) -> Check:
    """A value that passes one of the checks; the problem of the last one otherwise."""

    def check(value: Any, path: str) -> Problem | None:
        problem: Problem | None = None
        for each in checks:
            if not (problem := each(value, path)):
                return None
        return problem

    return check


def anything(value: Any, path: str) -> Problem | None:
    """Any value."""


def not_offered(value: Any, path: str) -> Problem | None:
    """No value: the parameter exists upstream and no model here offers it."""
    return unsupported(path)
