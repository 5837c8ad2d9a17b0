"""What libraries return and raise, as plain data; and what every tool returns to them."""

from typing import Any

LONGEST = 100_000
"""Characters of what an exception says: more than the suite shows, which masks the key first."""

RESULT = "14 degrees Celsius, light rain"
"""What every tool returns."""


def plain(value: Any) -> Any:
    """A model of pydantic as plain data, members that were not sent left out."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True, warnings=False)
    return value if isinstance(value, dict | list | str | None) else type(value).__name__


def results(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that answer calls."""
    return [{"role": "tool", "tool_call_id": one["id"], "content": RESULT} for one in calls]


def called(message: Any) -> list[dict[str, Any]]:
    """The calls of a message of openai's, or of a class made like it."""
    return [
        {"id": one.id, "name": one.function.name, "arguments": one.function.arguments}
        for one in message.tool_calls or []
    ]


def said(value: Any) -> dict[str, Any]:
    """A reply as a dict; anything else that a library returned, by its type."""
    found = plain(value)
    return found if isinstance(found, dict) else {"not_a_reply": type(value).__name__}


def raised(error: Exception) -> dict[str, Any]:
    """An exception: its class and those above it, what it says, and what it carries of the error.

    `cause`: the class at the bottom of it.
    """
    bottom: BaseException = error
    while bottom.__cause__ is not None:
        bottom = bottom.__cause__
    return {
        "class": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__],
        "cause": type(bottom).__name__,
        "message": str(error)[:LONGEST],
        "status": getattr(error, "status_code", None),
        **{name: plain(getattr(error, name, None)) for name in ("type", "param", "code")},
    }
