"""The client libraries that the suite drives: where they are, and what each is asked (CC-SDK).

The laws:

1. A library is data: a name, a place, the clauses that it shows. None is imported here.
2. What is not installed is not run, and says how it is installed.
3. A programme holds only what the target can take: a capability that it lacks is no step.
4. Each library is asked for what it has, as the table says.

=========================  ======  =====  ========  =====  ==========  ======
library                    models  plain  usage     tools  structured  errors
=========================  ======  =====  ========  =====  ==========  ======
openai-python              9       1, 13  2, 3, 13  1      10          8
openai-python 1.x          9
openai-node                4              4         4      4           8
@ai-sdk/openai-compatible  none    5      5         5      5           8
langchain-openai           none    6      6         6      6           6
litellm                    7 [1]_  7      7         7      7           7
=========================  ======  =====  ========  =====  ==========  ======

The numbers are the clauses (CC-SDK) under which it is judged; usage: that of streams; errors: the
classes of exceptions.

.. [1] Where the base URL ends with ``/v1``: LiteLLM puts that there by itself.

Where a library is looked for: a Python one in the interpreter of the suite, else in ``python/`` (or
``openai1/``), a virtual environment; a Node one in ``node_modules/``. Both in the folder that the
environment variable ``CONFORMANCE_CLIENTS`` names, else in ``.cache/clients`` where the suite is
run; ``make clients`` fills the latter.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from .asking import prompts
from .asking.credentials import WRONG_KEY
from .chat import Chat
from .outcomes import Unsupported
from .target.capabilities import FIELDS

DRIVERS = Path(__file__).parent / "clients"


@dataclass(frozen=True, slots=True)
class Library:
    """A client library: its driver, where it is installed, and which clauses it shows."""

    name: str
    runtime: Literal["python", "node"]
    argument: str
    """What the driver calls it."""
    package: str
    """The module, or the package under ``node_modules``."""
    place: str
    """The folder of its own under that of the clients."""
    install: str
    clauses: frozenset[str]
    imported: bool = True
    """Whether the interpreter of the suite may hold it."""


def _clauses(*numbers: int) -> frozenset[str]:
    return frozenset(f"CC-SDK-{number:03}" for number in numbers)


NPM = "npm install --no-package-lock --prefix .cache/clients"

LIBRARIES: Mapping[str, Library] = {
    library.name: library
    for library in (
        Library(
            *("openai-python", "python", "openai", "openai", "python", "pip install openai"),
            _clauses(1, 2, 3, 8, 9, 10, 13),
        ),
        Library(
            *("openai-python 1.x", "python", "openai", "openai", "openai1", "make clients"),
            _clauses(9),
            imported=False,
        ),
        Library(
            *("openai-node", "node", "openai", "openai", "node_modules", f"{NPM} openai"),
            _clauses(4, 8),
        ),
        Library(
            *("@ai-sdk/openai-compatible", "node", "ai-sdk", "@ai-sdk/openai-compatible"),
            *("node_modules", f"{NPM} @ai-sdk/openai-compatible"),
            _clauses(5, 8),
        ),
        Library(
            *("langchain-openai", "python", "langchain", "langchain_openai", "python"),
            "pip install langchain-openai",
            _clauses(6),
        ),
        Library(
            *("litellm", "python", "litellm", "litellm", "python", "pip install litellm"),
            _clauses(7),
        ),
    )
}


# -- where they are ---------------------------------------------------------------------------


def folder() -> Path:
    """Where libraries lie that the suite's own interpreter does not hold."""
    return Path(os.environ.get("CONFORMANCE_CLIENTS") or Path(".cache") / "clients").absolute()


def command(library: Library) -> list[str]:
    """The command that drives `library`; raises `Unsupported` where it is not installed."""
    if library.runtime == "node":
        return _node(library)
    driver = [str(DRIVERS / "drive.py"), library.argument]
    if library.imported and find_spec(library.package) is not None:
        return [sys.executable, *driver]
    home = folder() / library.place
    held = any(home.glob(f"lib/python*/site-packages/{library.package}/__init__.py"))
    python = home / "bin" / "python"
    if not held or not python.exists():
        raise Unsupported(f"{library.name} is not installed: {library.install}")
    return [str(python), *driver]


def _node(library: Library) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise Unsupported(f"{library.name} is not run: there is no node on the PATH")
    if not (folder() / "node_modules" / library.package / "package.json").exists():
        raise Unsupported(f"{library.name} is not installed: {library.install}")
    return [node, str(DRIVERS / "drive.mjs"), library.argument]


def absent() -> frozenset[str]:
    """The clauses that no installed library shows."""
    shown: set[str] = set()
    named: set[str] = set()
    for library in LIBRARIES.values():
        named |= library.clauses
        try:
            command(library)
        except Unsupported:
            continue
        shown |= library.clauses
    return frozenset(named - shown)


# -- what they are asked ----------------------------------------------------------------------


def programme(chat: Chat, name: str) -> list[dict[str, Any]]:
    """The steps of a library, as its driver reads them; those that the target can take."""
    hello = chat.body()
    hello[chat.bound_name] = max(hello[chat.bound_name], ROOM)
    counted = {"stream_options": {"include_usage": True}} if chat.has("stream_usage") else {}
    streaming = {**hello, **counted}
    wrong = [*_wrong(chat, hello), *_keyed(chat, hello)]
    models = [{"name": kind, "kind": kind, "body": {"model": chat.model}} for kind in _listed(chat)]
    steps: list[dict[str, Any]] = []
    match name:
        case "openai-python":
            steps += [*models, *_steps(hello, "create", "async_create")]
            steps += _streams(chat, streaming, "chunks", "final", "async_chunks")
            steps += [*_round(chat), *_labels(chat), *wrong]
        case "openai-python 1.x":
            steps += models
        case "openai-node":
            if chat.has("stream"):  # as its clause needs
                steps += [*models[:1], *_streams(chat, streaming, "final")]
                steps += [*_round(chat), *_structured(chat, "structured")]
            steps += wrong
        case "@ai-sdk/openai-compatible":
            steps += [*_steps(hello, "generate"), *_streams(chat, streaming, "stream")]
            steps += [*_round(chat), *_structured(chat, "generate")]
            # One class for all statuses: a status less to provoke.
            steps += [step for step in _wrong(chat, hello) if step["name"] != WRONG[1]]
        case "langchain-openai":
            steps += [*_steps(hello, "invoke"), *_streams(chat, streaming, "stream")]
            steps += [*_round(chat), *_structured(chat, "structured"), *wrong]
        case "litellm":
            there = chat.client.endpoint.base_url.rstrip("/").endswith("/v1")
            steps += [*(models[:1] if there else ()), *_steps(hello, "openai", "hosted_vllm")]
            steps += _streams(chat, streaming, "openai_stream", "hosted_vllm_stream")
            steps += [*_round(chat), *_structured(chat, "structured"), *wrong]
    return steps


ROOM = 512
"""Output bound: a model that thinks has to come to its end, since clients raise what was cut."""

WRONG = ("n in words", "unknown model", "wrong key")
"""The steps that are to be refused: with 400, 404 and 401."""

UNKNOWN = "zq-no-such-model"
LABELS = ("label", "label again", "label once more")


def _listed(chat: Chat) -> Iterator[str]:
    if chat.has("models"):
        yield "models"
        if chat.has("retrieve"):
            yield "retrieve"


def _steps(body: Mapping[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [{"name": kind, "kind": kind, "body": body} for kind in kinds]


def _streams(chat: Chat, body: Mapping[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return _steps(body, *kinds) if chat.has("stream") else []


def _wrong(chat: Chat, hello: Mapping[str, Any]) -> list[dict[str, Any]]:
    in_words, unknown, wrong_key = WRONG
    steps: list[dict[str, Any]] = [
        {"name": in_words, "kind": "create", "body": {**hello, "n": "two"}},
        {"name": unknown, "kind": "create", "body": {**hello, "model": UNKNOWN}},
    ]
    if chat.has("auth"):
        steps.append({"name": wrong_key, "kind": "create", "body": hello, "key": WRONG_KEY})
    return steps


KEYED = ("restricted", "limited", "exhausted")
"""The steps with other keys, by what these are for: to be refused with 403, and twice with 429."""


def _keyed(chat: Chat, hello: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": purpose, "kind": "create_once", "body": hello, "key_env": key_variable(name)}
        for purpose in KEYED
        if (name := chat.profile.keys.get(purpose)) is not None
    ]


def key_variable(name: str) -> str:
    """Where a driver finds another key: in a variable named after the one that holds it."""
    return f"CONFORMANCE_CLIENT_KEY_{name}"


ROUND = "tool round"
"""A call, its result, and the answer that is made of it: two requests."""


def _round(chat: Chat) -> list[dict[str, Any]]:
    if not chat.has("tools"):
        return []
    body = chat.body(prompts.WEATHER, tools=[prompts.WEATHER_TOOL], max_tokens=512)
    return [{"name": ROUND, "kind": "tool_round", "body": body}]


STRUCTURED = "structured"


def _structured(chat: Chat, kind: str) -> list[dict[str, Any]]:
    if not chat.has("json_schema"):
        return []
    fields = FIELDS["json_schema"]
    asked = {"messages": fields["messages"], "response_format": fields["response_format"]}
    return [{"name": STRUCTURED, "kind": kind, "body": chat.body(**asked, max_tokens=512)}]


def _labels(chat: Chat) -> list[dict[str, Any]]:
    if not chat.has("json_schema"):
        return []
    messages = FIELDS["json_schema"]["messages"]
    body = chat.body(messages=messages, max_tokens=512)
    return [{"name": name, "kind": "parse", "body": body} for name in LABELS]
