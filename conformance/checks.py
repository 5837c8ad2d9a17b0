"""Which checks there are, and which requirement each one judges.

The law: "judged" is read off the checks themselves, so that it cannot be claimed. The files are
parsed, not imported: listing the catalogue runs nothing.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Check:
    """A test function that carries a requirement; a family carries several, each a check."""

    requirement: str
    file: str
    function: str
    line: int

    @property
    def title(self) -> str:
        """The fact that the function's name states."""
        return self.function.removeprefix("test_").replace("_", " ")


def _marked(node: ast.FunctionDef) -> Iterator[str]:
    """The clauses of a check, or of a family of checks, as they are written."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="requirement" | "requirements"), args=written):
                for word in written:
                    if isinstance(word, ast.Constant) and isinstance(word.value, str):
                        yield word.value


def _scan(file: Path) -> Iterator[Check]:
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for name in _marked(node):
                yield Check(name, file.name, node.name, node.lineno)


@cache
def checks() -> tuple[Check, ...]:
    """Every check of the suite, by file and line."""
    return tuple(check for file in sorted(PACKAGE.glob("test_*.py")) for check in _scan(file))


@cache
def judged() -> Mapping[str, tuple[Check, ...]]:
    """The checks of each judged requirement."""
    found: dict[str, tuple[Check, ...]] = {}
    for check in checks():
        found[check.requirement] = (*found.get(check.requirement, ()), check)
    return found
