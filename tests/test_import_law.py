"""The import law, read off the source: who may import what.

A file's imports are all of its import statements, also those inside functions and those that only a
type checker runs; relative ones are resolved.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("conformance", "schemas", "reports", "load")
STDLIB = sys.stdlib_module_names

LAW: list[tuple[str, tuple[str, ...]]] = [
    # The first row whose prefix fits a module says what it may import besides the standard
    # library. A name allows itself and what lies below it; "=name" the name alone.
    ("conformance.protocol", ("conformance.protocol",)),
    ("conformance.reference", ("conformance.reference", "h11")),
    (
        "conformance.clients",
        (
            "conformance.clients",
            "openai",
            "langchain_core",
            "langchain_openai",
            "litellm",
            "pydantic",
        ),
    ),
    (
        "conformance.wire",
        ("conformance.wire", "conformance.protocol", "schemas", "httpx", "httpcore"),
    ),
    ("conformance.target", ("conformance.target", "conformance.wire", "conformance.protocol")),
    ("conformance.requirements", ("pytest",)),  # the decorator that marks a check
    ("conformance.checks", ()),
    ("conformance.asking.prompts", ()),
    ("conformance.asking.credentials", ()),
    (
        "conformance.generation",
        ("conformance.generation", "conformance.asking.prompts", "hypothesis"),
    ),
    ("conformance.corpus", ("conformance", "hypothesis")),
    ("conformance.strategies", ("conformance.generation", "hypothesis")),
    ("conformance.listing", ("conformance.checks", "conformance.requirements")),
    ("conformance.lost", ("conformance.wire",)),
    ("conformance.outcomes", ("conformance.wire", "conformance.protocol")),
    (
        "conformance.test_",
        (
            "=conformance",
            "conformance.asking",
            "conformance.chat",
            "conformance.corpus",
            "conformance.driving",
            "conformance.encounter",
            "conformance.expect",
            "conformance.generation",
            "conformance.guards",
            "conformance.libraries",
            "conformance.lost",
            "conformance.outcomes",
            "conformance.protocol",
            "conformance.requirements",
            "conformance.target",
            "conformance.wire",
            "schemas",
            "pytest",
            "hypothesis",
        ),
    ),
    ("conformance.plugin", ("conformance", "reports", "pytest", "xdist")),
    ("conformance.running.embedded", ()),
    ("conformance.running.collecting", ("conformance", "pytest", "xdist")),
    ("conformance.running", ("conformance", "reports", "schemas", "pytest")),
    ("conformance", ("conformance", "schemas", "pytest")),
    ("schemas", ("schemas", "jsonschema", "referencing")),
    ("reports.plugin", ("reports", "conformance.requirements", "schemas", "pytest")),
    # Plots are drawn by matplotlib; all else of a page does without it.
    ("reports.load.svg", ("reports", "matplotlib")),
    ("reports.load.axes", ("reports", "matplotlib")),
    ("reports.load.plots", ("reports", "matplotlib")),
    ("reports.load.sweep_plots", ("reports", "matplotlib")),
    # A command line, which may hold a key.
    (
        "reports.__main__",
        ("reports", "conformance.requirements", "conformance.wire.arguments"),
    ),
    ("reports", ("reports", "conformance.requirements", "schemas", "jinja2", "markupsafe")),
    # Locust's page is a Flask application; the report can be downloaded there.
    ("load.web", ("load", "locust", "gevent", "flask", "reports.load.page")),
    # A run ends with its page.
    ("load.conclusion", ("load", "conformance.wire.redact", "reports.load.page")),
    (
        "load",
        (
            "load",
            "schemas",
            "conformance.protocol",
            "conformance.target",
            "conformance.wire.arguments",
            "conformance.wire.redact",
            "locust",
            "gevent",
            "httptools",
        ),
    ),
]


def module_of(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODULES = {module_of(path): path for path in FILES}


def imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and absolute name of each import; `from a import b` is `a.b` where that is a module."""
    is_package = MODULES.get(module, Path()).name == "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")
                up = here[: len(here) - node.level + (1 if is_package else 0)]
                base = ".".join([*up, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full in MODULES else base


def allowed_for(module: str) -> tuple[str, ...]:
    """What the law lets `module` import."""
    return next(
        allowed
        for prefix, allowed in LAW
        if module == prefix or module.startswith(prefix if prefix.endswith("_") else f"{prefix}.")
    )


def breaches(module: str, source: str) -> list[str]:
    """Every import of `source` that the law forbids to `module`."""
    found = []
    for line, name in imports(module, ast.parse(source)):
        if name.partition(".")[0] in STDLIB or name == "conformance.__version__":
            continue
        kept = any(
            name == rule[1:]
            if rule.startswith("=")
            else name == rule or name.startswith(f"{rule}.")
            for rule in allowed_for(module)
        )
        if not kept:
            found.append(f"{module}:{line} imports {name}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_the_law_lets_it(module: str) -> None:
    assert breaches(module, MODULES[module].read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "name"),
    [
        ("conformance.protocol.sse", "import httpx", "httpx"),
        ("conformance.protocol.sse", "from ..wire import client", "conformance.wire.client"),
        ("conformance.protocol.sse", "def f():\n    import schemas", "schemas"),
        ("conformance.reference.server", "from conformance import chat", "conformance.chat"),
        (
            "conformance.reference.faults.sse",
            "from ...protocol.sse import x",
            "conformance.protocol.sse",
        ),
        ("conformance.wire.client", "from ..running.run import x", "conformance.running.run"),
        ("conformance.target", "from .. import guards", "conformance.guards"),
        ("conformance.test_auth", "from .running.session import x", "conformance.running.session"),
        ("conformance.test_auth", "import httpx", "httpx"),
        ("conformance.chat", "import reports.text", "reports.text"),
        ("conformance.running.session", "import locust", "locust"),
        ("reports.compliance.page", "import pytest", "pytest"),
        (
            "reports.compliance.page",
            "from conformance.wire import redact",
            "conformance.wire.redact",
        ),
        ("schemas", "import conformance", "conformance"),
        ("load", "from conformance import chat", "conformance.chat"),
    ],
)
def test_a_breach_is_seen(module: str, source: str, name: str) -> None:
    assert [found.partition(" imports ")[2] for found in breaches(module, source)] == [name]


def test_every_row_of_the_law_is_about_something() -> None:
    used = {next(p for p, a in LAW if a is allowed_for(m)) for m in MODULES}
    rows = {p for p, _ in LAW}
    # Rows that allow the same share their tuple: compare what they allow.
    assert {allowed for p, allowed in LAW if p in rows} == {
        allowed for p, allowed in LAW if p in used
    }
    assert len(MODULES) > 60
