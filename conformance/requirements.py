"""The catalogue: every clause that the suite judges, as frozen data.

Laws
----
* The text lives in ``conformance/requirements/*.toml``, one file per chapter; code has none of it.
* One id, one meaning, for ever. Gaps in the numbering are entries merged before the first issue.
* A bad catalogue stops the run at import, with one line that names the file and the entry.
* Whether an entry is *judged* is not written here: it follows from the checks that carry its id.

Theory
------
A chapter is an ordered group of requirements (``CC-SSE-003`` is in the chapter with the prefix
``CC-SSE``). A check names the requirement that it rests on by a marker::

    @requirement("CC-SSE-003")
    def test_every_chunk_is_one_event(...) -> None: ...

``observe`` says what the check does, ``source`` where the clause comes from (the abbreviations are
explained in ``conformance/requirements/README.md``), ``breaks`` which public reports show what goes
wrong without it, ``fix`` what the server's author changes.

Texts are wrapped in the TOML files; a line break in a text is one space.

``conformance/requirements/`` is data and has no ``__init__.py``: a regular module takes precedence
over a namespace package of the same name, so ``import conformance.requirements`` is this file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    import pytest

__all__ = [
    "CHAPTERS",
    "KINDS",
    "LEVELS",
    "REQUIREMENTS",
    "CatalogueError",
    "Chapter",
    "Kind",
    "Level",
    "Requirement",
    "Scope",
    "read_catalogue",
    "requirement",
    "requirements",
    "select",
]

Level = Literal["MUST", "SHOULD", "MAY", "INFO"]
Kind = Literal["protocol", "behaviour"]
Scope = Literal["model", "target"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class CatalogueError(ValueError):
    """The catalogue contradicts itself; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of the contract.

    An empty string or tuple says that the catalogue gives nothing there.
    """

    id: str
    """``CC-SSE-003``."""
    level: Level
    kind: Kind
    """``protocol``: deterministic whatever the model says; ``behaviour``: k of n trials."""
    sentence: str
    """The clause itself."""
    observe: str
    """The check in short."""
    source: str
    """Specification path, RFC section or measurement that the clause rests on."""
    evidence: str
    """What the source amounts to: ``specified + measured + 2 threads``."""
    chapter: str
    """Name of the chapter."""
    needs: tuple[str, ...] = ()
    """Capabilities that must all be there; without them the verdict is UNSUPPORTED."""
    breaks: tuple[str, ...] = ()
    """Links to public reports of what its breach broke."""
    breaks_note: str = ""
    """What broke, in words (Markdown)."""
    fix: str = ""
    """One sentence to the server's author: what to change."""
    title: str = ""
    """A name of at most 70 characters, where the sentence is too long for a table."""
    depends_on: tuple[str, ...] = ()
    """Ids without which this one cannot be judged (BLOCKED)."""
    unjudged: str = ""
    """Why no black-box test can judge the entry."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One file of the catalogue, one ``test_*.py``, one section of the report."""

    order: int
    """Place in the catalogue, from 1."""
    name: str
    prefix: str
    """``CC-SSE``: what the ids of the chapter begin with."""
    file: str
    """``stream_framing.toml``."""
    requirements: tuple[Requirement, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    chapters: tuple[Chapter, ...]
    requirements: Mapping[str, Requirement]


# --- reading: text in, frozen data out, no file system ------------------------------------------

_CHAPTER_KEYS: Final = {"chapter": str, "prefix": str, "order": int, "requirement": list}
_LISTS: Final = frozenset({"needs", "breaks", "depends_on"})
_REQUIRED: Final = ("id", "level", "kind", "sentence", "observe", "source", "evidence")
_KEYS: Final = frozenset(f.name for f in fields(Requirement)) - {"chapter"}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {"level": LEVELS, "kind": KINDS}


def read_catalogue(texts: Mapping[str, str]) -> tuple[Chapter, ...]:
    """Read a catalogue from ``{file name: TOML text}``, in the order that the chapters state.

    Raises:
        CatalogueError: no TOML, an unknown, missing or mistyped key, an unknown level or kind, an
            id twice or outside its chapter, a place or prefix taken twice, a ``depends_on`` that
            names no entry.
    """
    chapters = sorted(
        (_chapter(file, text) for file, text in texts.items()), key=lambda chapter: chapter.order
    )
    homes: dict[str, str] = {}  # what was claimed -> the file that claims it
    for chapter in chapters:
        for claim in (f"order = {chapter.order}", f"prefix {chapter.prefix}"):
            _claim(homes, claim, chapter.file)
        for entry in chapter.requirements:
            _claim(homes, entry.id, chapter.file)
    for chapter in chapters:
        for entry in chapter.requirements:
            if unknown := set(entry.depends_on) - set(homes):
                where = f"{chapter.file}: {entry.id}"
                raise CatalogueError(f"{where}: depends on unknown {', '.join(sorted(unknown))}")
    return tuple(chapters)


def _claim(homes: dict[str, str], what: str, file: str) -> None:
    if what in homes:
        raise CatalogueError(f"{file}: {what} is taken already, in {homes[what]}")
    homes[what] = file


def _chapter(file: str, text: str) -> Chapter:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise CatalogueError(f"{file}: {fault}") from fault
    _same_names(file, given=table, known=_CHAPTER_KEYS, required=_CHAPTER_KEYS)
    for key, kind in _CHAPTER_KEYS.items():
        if type(table[key]) is not kind:
            raise CatalogueError(f"{file}: {key} is not of type {kind.__name__}")
    if not all(isinstance(entry, dict) for entry in table["requirement"]):
        raise CatalogueError(f"{file}: requirement is not an array of tables")
    entries = tuple(_entry(file, table, entry) for entry in table["requirement"])
    return Chapter(table["order"], table["chapter"], table["prefix"], file, entries)


def _entry(file: str, chapter: Mapping[str, Any], entry: Mapping[str, Any]) -> Requirement:
    where = f"{file}: {entry.get('id', 'an entry without id')}"
    _same_names(where, given=entry, known=_KEYS, required=_REQUIRED)
    values: dict[str, Any] = {"chapter": chapter["chapter"]}
    for key, value in entry.items():
        if key in _LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise CatalogueError(f"{where}: {key} is not a list of strings")
            values[key] = tuple(value)
        elif not isinstance(value, str) or not value.strip():
            raise CatalogueError(f"{where}: {key} is not a non-empty string")
        else:
            values[key] = " ".join(value.split())
    for key, known in _VALUES.items():
        if values[key] not in known:
            raise CatalogueError(f"{where}: {key} {values[key]!r} is none of {', '.join(known)}")
    if values["id"].rpartition("-")[0] != chapter["prefix"]:
        raise CatalogueError(f"{where}: the id does not begin with {chapter['prefix']}-")
    return Requirement(**values)


def _same_names(
    where: str, *, given: Iterable[str], known: Iterable[str], required: Iterable[str]
) -> None:
    given = set(given)
    if unknown := given - set(known):
        raise CatalogueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    if missing := set(required) - given:
        raise CatalogueError(f"{where}: {', '.join(sorted(missing))} is missing")


# --- the catalogue that ships with the package --------------------------------------------------

CHAPTERS: tuple[Chapter, ...]
"""All chapters, in order."""
REQUIREMENTS: Mapping[str, Requirement]
"""All requirements by id, in catalogue order."""


@cache
def _catalogue() -> _Catalogue:
    folder = files("conformance").joinpath("requirements")
    chapters = read_catalogue(
        {
            file.name: file.read_text(encoding="utf-8")
            for file in folder.iterdir()
            if file.name.endswith(".toml")
        }
    )
    entries = {entry.id: entry for chapter in chapters for entry in chapter.requirements}
    return _Catalogue(chapters, MappingProxyType(entries))


def __getattr__(name: str) -> object:
    # Read at first use: a report on old results, or `--help`, needs no catalogue.
    match name:
        case "CHAPTERS":
            return _catalogue().chapters
        case "REQUIREMENTS":
            return _catalogue().requirements
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- choosing and naming ------------------------------------------------------------------------


def select(patterns: Iterable[str]) -> tuple[Requirement, ...]:
    """Return the requirements that ``patterns`` name, each once, in catalogue order.

    A pattern is an id (``CC-SSE-003``) or the prefix of a chapter (``CC-SSE``).

    Raises:
        ValueError: a pattern names nothing; the message suggests what was meant.
    """
    known = _catalogue().requirements
    prefixes = [chapter.prefix for chapter in _catalogue().chapters]
    wanted = set(patterns)
    for pattern in sorted(wanted - set(known) - set(prefixes)):
        raise ValueError(_unknown(pattern, [*prefixes, *known]))
    return tuple(
        entry
        for entry in known.values()
        if entry.id in wanted or entry.id.rpartition("-")[0] in wanted
    )


def requirement(
    clause: str, /, *, scope: Scope = "model", harms: bool = False
) -> pytest.MarkDecorator:
    """Mark a check as the judge of one requirement.

    Args:
        clause: id in the catalogue, ``CC-SSE-003``.
        scope: ``model``: judged for every model; ``target``: once for the whole target.
        harms: the check may leave the target unwell; the canary runs after it.

    Raises:
        ValueError: no such requirement (raised while the check's file is imported).
    """
    import pytest

    known = _catalogue().requirements
    if clause not in known:
        raise ValueError(_unknown(clause, list(known)))
    return pytest.mark.requirement(clause, scope=scope, harms=harms)


def requirements(*clauses: str, harms: bool = False) -> pytest.MarkDecorator:
    """Mark a family of checks: one function, run once for each clause, which it is given as
    `clause`. The clauses are literals, so that they can be read off the source (`checks`).

    Raises:
        ValueError: no such requirement (raised while the check's file is imported).
    """
    import pytest

    return pytest.mark.requirements(*(requirement(clause, harms=harms) for clause in clauses))


def _unknown(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.upper(), names, n=3, cutoff=0.6)
    hint = f"; near it: {', '.join(near)}" if near else ""
    return f"no requirement or chapter is called {name!r}{hint}"
