"""What a dialect is, and how the suite is run against one.

A dialect is a way of speaking the contract that is not the reference server's and yet is right: a
gateway's header, no usage, one model, refusals by FastAPI. The laws:

1. A dialect is one function at one seam of the reference server (`reference.faults.registry`); its
   name is the function's, its sentence the docstring.
2. Nothing it does is a breach of a MUST: a run against it has no FAIL, no ERROR, and nothing
   BLOCKED. What it warns of, and what it leaves undecided, is declared to the letter.
3. The suite runs as a user runs it, with the profile that any endpoint gets.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from conformance.reference.faults.registry import Fault, Seam
from tests.inprocess import Judgement, judgement, serving, trial_pool

MODEL = "meta/llama-3.3-70b-instruct"
THINKER = "deepseek-ai/deepseek-r1"
"""The other model of the reference server: it thinks before it answers."""

PROFILE = """
name = "dialect"

[limits]
slow_reader_s = 0.1
"""
"""Nothing is declared, everything probed, as for any endpoint; only what the suite itself waits for
is scaled down."""

REPLIES = ("CC-RESP", "CC-MSG", "CC-USAGE", "CC-FIN", "CC-EQUIV")
STREAMS = ("CC-SSE", "CC-STREAM", "CC-EQUIV", "CC-SERR", "CC-MSG-011", "CC-MSG-013", "CC-FIN")
"""What sees a dialect of replies, and one of streams (`only`)."""

FAILS = 'triggers = { stream_error = "Fail in the middle of the stream." }\n'
"""The profile of an operator who can order an error in the middle of a stream."""

T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Dialect:
    """A right server, and what a run against it may say of it.

    `warns` are the ids that it gets a WARN for, `undecided` those left INCONCLUSIVE, `unsure` those
    of which the clock decides whether it gets one of the two; `only` selects chapters
    (`--requirement`) where the others see nothing of the dialect; `profile` is TOML that its
    operator declares; `module` defines it. `parts`: what acts in place of `act`, where the dialect
    is a combination of several (axes.py). `arguments`: more of them for the suite.
    """

    name: str
    says: str
    seam: Seam
    act: Callable[..., Any]
    warns: frozenset[str]
    undecided: frozenset[str]
    only: tuple[str, ...]
    model: str
    profile: str
    module: str
    unsure: frozenset[str] = frozenset()
    parts: tuple[Fault, ...] = ()
    arguments: tuple[str, ...] = ()


DIALECTS: dict[str, Dialect] = {}
"""Every dialect that was imported, by name."""


def dialect(
    *,
    seam: Seam,
    warns: tuple[str, ...] = (),
    undecided: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    model: str = MODEL,
    profile: str = "",
    arguments: tuple[str, ...] = (),
) -> Callable[[T], T]:
    """Registers a function as a dialect at `seam`; see `Dialect` for the rest."""

    def register(act: T) -> T:
        says, name = act.__doc__ or "", act.__name__
        known = DIALECTS.get(name)
        if not says.endswith(".") or (known and known.act.__module__ != act.__module__):
            raise ValueError(f"dialect {name!r} lacks a sentence or is there already")
        DIALECTS[name] = Dialect(
            name=name,
            says=says,
            seam=seam,
            act=act,
            warns=frozenset(warns),
            undecided=frozenset(undecided),
            only=only,
            model=model,
            profile=profile,
            module=act.__module__,
            arguments=arguments,
        )
        return act

    return register


def server(module: str) -> contextlib.AbstractContextManager[str]:
    """A reference server that speaks every dialect of `module`; yields its address without path."""
    return serving([sys.executable, "-m", "tests.dialects.speaker", module])


def judge(
    address: str,
    folder: Path,
    *,
    name: str,
    only: tuple[str, ...] = (),
    model: str = MODEL,
    profile: str = "",
    arguments: tuple[str, ...] = (),
) -> Judgement:
    """Run the suite against a dialect, in this process, and read its results.

    Requests are generated where the whole suite is run, or `arguments` ask for it.
    """
    declared = folder / f"{name}.toml"
    declared.write_text(profile + PROFILE, encoding="utf-8")
    chosen = [word for pattern in only for word in ("--requirement", pattern)]
    chosen += ["--examples", "0"] if only else []
    base, results = f"{address}/fault/{name}/v1", folder / f"{name}.json"
    words = ("--model", model, *chosen, *arguments)
    clients = any(pattern.startswith("CC-SDK") for pattern in only)
    return judgement(base, results, declared, *words, timeout=8, clients=clients)


def spoken_by(module: str) -> list[Dialect]:
    """The dialects that `module` defines."""
    return [one for one in DIALECTS.values() if one.module == module]


@contextlib.contextmanager
def outcomes(module: str, folder: Path) -> Iterator[Mapping[str, Future[Judgement]]]:
    """One run for every dialect that `module` defines, two at a time."""
    with server(module) as address, trial_pool() as pool:
        yield {
            one.name: pool.submit(
                judge,
                address,
                folder,
                name=one.name,
                only=one.only,
                model=one.model,
                profile=one.profile,
                arguments=one.arguments,
            )
            for one in spoken_by(module)
        }
        pool.shutdown(cancel_futures=True)


def check(spoken: Dialect, outcome: Judgement) -> None:
    """A right server is blamed for nothing, and warned of exactly what it declares."""
    assert outcome.verdicts, outcome.output
    assert outcome.ids("FAIL", "ERROR", "BLOCKED") == frozenset(), outcome.output
    assert outcome.ids("WARN") - spoken.unsure == spoken.warns, outcome.output
    assert outcome.ids("INCONCLUSIVE") - spoken.unsure == spoken.undecided, outcome.output


def test_a_right_server_is_blamed_for_nothing(
    spoken: Mapping[str, Future[Judgement]], name: str
) -> None:
    """The trial that a file of dialects imports: once for each that it defines (conftest.py)."""
    check(DIALECTS[name], spoken[name].result())
