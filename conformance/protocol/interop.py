"""What a client library made of a reply, held against the reply itself (CC-SDK).

The laws:

1. Plain data on both sides: a reply as its JSON, what a library returned or raised as the dict that
   its driver wrote (``conformance/clients``). No library is imported.
2. A client is evidence, never the judge of form: what explains its failure is asked of the rules on
   bytes and JSON (`explained`), and the verdict says which clause that is.

What a library raises, by status (openai-python ``_client.py``, openai-node ``core/error.ts``):

======  ==========================
status  class
======  ==========================
400     BadRequestError
401     AuthenticationError
403     PermissionDeniedError
404     NotFoundError
409     ConflictError
422     UnprocessableEntityError
429     RateLimitError
>= 500  InternalServerError
======  ==========================

LangChain raises subclasses of openai-python's. LiteLLM has classes of its own, with the same names
but for these: a 403 has none, and a 422 is a BadRequestError (``exception_mapping_utils.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .errors import read_error
from .finding import ABSENT, Finding, shorten

__all__ = [
    "COUNTS",
    "LITELLM_CLASSES",
    "Explanation",
    "class_of",
    "differences",
    "explained",
    "invalid",
    "told",
    "unfilled",
    "untyped",
]


CLASSES: Final[Mapping[int, str]] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}

LITELLM_CLASSES: Final[Mapping[int, str]] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    422: "BadRequestError",
    429: "RateLimitError",
}

TOLERATED: Final = frozenset(
    {
        *("CC-STREAM-009", "CC-STREAM-017", "CC-STREAM-023", "CC-STREAM-024", "CC-STREAM-025"),
        *("CC-STREAM-030", "CC-TOOL-012", "CC-SSE-014", "CC-SSE-017", "CC-RESP-008"),
    }
)
"""Entries below MUST whose breach makes a client fail: alone, it makes that a warning."""

REQUIRED: Final = frozenset(
    {
        ("id",),
        ("object",),
        ("created",),
        ("model",),
        ("choices",),
        ("choices", "index"),
        ("choices", "message"),
        ("choices", "message", "role"),
        ("choices", "finish_reason"),
    }
)
"""Members of a completion that every step on the way to them demands (py3 chat_completion.py)."""

REQUIRED_IN_CHUNKS: Final = frozenset(
    {
        *(("id",), ("object",), ("created",), ("model",), ("choices",)),
        *(("choices", "index"), ("choices", "delta")),
    }
)
"""The same of a chunk, whose finish_reason may be anything there (py3 chat_completion_chunk.py)."""

DEMANDED: Final = (
    ("choice", ("logprobs",)),
    ("message", ("content", "refusal")),
    ("logprobs", ("content", "refusal")),
    ("token", ("bytes",)),
)
"""What the specification demands of each object and the rest of the catalogue only advises: typed
clients that are made from it refuse a reply without (CC-SDK-014)."""

COUNTS: Final[tuple[str, ...]] = ("prompt_tokens", "completion_tokens", "total_tokens")


def class_of(status: int) -> str | None:
    """The class that a status is raised as; None where any will do."""
    return "InternalServerError" if status >= 500 else CLASSES.get(status)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def told(reply: object) -> dict[str, object]:
    """What a reply tells a client: role, content, calls, finish_reason and the counts of usage.

    A member that is missing is null, and no calls are an empty list: clients tell them apart no
    more than this.
    """
    choices = _object(reply).get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message, usage = _object(choice.get("message")), _object(_object(reply).get("usage"))
    calls = message.get("tool_calls")
    return {
        "role": message.get("role"),
        "content": message.get("content"),
        "tool_calls": [_call(call) for call in calls] if isinstance(calls, list) else [],
        "finish_reason": choice.get("finish_reason"),
        "usage": {name: usage.get(name) for name in COUNTS},
    }


def _call(call: object) -> dict[str, object]:
    function = _object(_object(call).get("function"))
    return {
        "id": _object(call).get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments"),
    }


def differences(
    reply: object, returned: object, members: Sequence[str] = ()
) -> list[tuple[str, object]]:
    """The members that a client returned otherwise than `reply` tells them, each with what it was.

    `members`: those that are compared; all of them where none is named.
    """
    sent, got = told(reply), told(returned)
    return [(name, got[name]) for name in members or sent if sent[name] != got[name]]


def invalid(complaints: Iterable[Mapping[str, Any]], *, chunk: bool = False) -> list[Finding]:
    """What a library's own types say of a reply; at a member that they do not demand it is mild.

    `complaints`: pydantic's, each with ``loc`` (the path) and ``msg``.
    """
    demanded = REQUIRED_IN_CHUNKS if chunk else REQUIRED
    found: dict[str, Finding] = {}
    for one in complaints:
        names = tuple(step for step in one["loc"] if not isinstance(step, int))
        at = ".".join(("$", *map(str, names)))
        mild = names not in demanded
        found.setdefault(at, Finding("", "the client's own types fit", one["msg"], at, None, mild))
    return list(found.values())


def unfilled(body: bytes, raised: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an exception lacks of the error that `body` holds: what is required, and what was seen.

    ``code`` is left out: a client that turns a number into text proves nothing by it.
    """
    error = read_error(body)
    if error is None:
        return [("the exception tells the error", f"it says {shorten(raised.get('message'))}")]
    found = []
    for name in ("type", "param"):
        sent, got = error.detail.get(name), raised.get(name)
        if sent != got:
            found.append((f"the exception's {name} is {shorten(sent)}", f"{name} {shorten(got)}"))
    said = str(raised.get("message"))
    if not error.message or error.message[:BEGINNING] not in said:
        message = error.detail.get("message", ABSENT)
        found.append((f"the exception says {shorten(message)}", f"it says {shorten(said)}"))
    return found


BEGINNING: Final = 200
"""Characters of a message that are looked for: a driver cuts long ones."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which clauses a client's failure goes back to; `mild`: to none of those that are demanded."""

    clauses: tuple[str, ...]
    mild: bool

    def __str__(self) -> str:
        if not self.clauses:
            return "no other clause explains it: the protocol is kept, and the client fails"
        return f"explained by {', '.join(self.clauses)}"


def explained(findings: Iterable[Finding], demanded: Callable[[str], bool]) -> Explanation:
    """Why a client fails on a reply in which `findings` were made.

    `demanded` says whether the clause of an id is a MUST.
    """
    listed = list(findings)
    hard = {one.id for one in listed if demanded(one.id) and not one.mild}
    soft = {one.id for one in listed} & TOLERATED
    return Explanation(tuple(sorted(hard or soft)), mild=not hard and bool(soft))


def untyped(reply: object) -> list[Finding]:
    """The members of `DEMANDED` that a completion leaves out, each once."""
    found: dict[tuple[str, str], Finding] = {}
    for kind, at, holder in _holders(reply):
        for name in dict(DEMANDED)[kind]:
            if name not in holder:
                required = f"{name} is there, null where there is nothing to tell"
                found.setdefault((kind, name), Finding("", required, "absent", f"{at}.{name}"))
    return list(found.values())


def _holders(reply: object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The objects of a completion that `DEMANDED` speaks of: kind, place, members."""
    choices = _object(reply).get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        at, logprobs = f"$.choices[{position}]", _object(choice).get("logprobs")
        message = _object(choice).get("message")
        tokens = _object(logprobs).get("content")
        listed = [
            ("choice", at, choice),
            ("message", f"{at}.message", message),
            ("logprobs", f"{at}.logprobs", logprobs),
            *(
                ("token", f"{at}.logprobs.content[{number}]", token)
                for number, token in enumerate(tokens if isinstance(tokens, list) else ())
            ),
        ]
        yield from (one for one in listed if isinstance(one[2], dict))
