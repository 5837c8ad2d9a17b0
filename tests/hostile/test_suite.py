"""The suite against rows of the table: it ends as the table says, and says so.

They share one process, which pays once for the start of the suite. All rows in all scopes, each in
a process of its own, and what they cost in time and memory, are `make hostile`.
"""

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.hostile.stage import Stage, staged
from tests.hostile.targets import TARGETS
from tests.hostile.targets.row import CERTIFICATES, Scope
from tests.plugin.batch import run_all
from tests.plugin.bench import KEY, Ran, reference

SAMPLE = {
    *("endless-events", "never-answers", "nesting-of-100-000", "ansi-escapes-in-an-error"),
    *("redirect-to-another-host", "invalid-utf8", "reset-in-the-body"),
}
"""Rows that are tried in every scope; the others only where a run ends before its checks."""

TRIALS = [
    (name, scope)
    for name, row in TARGETS.items()
    for scope, end in row.ends.items()
    if name in SAMPLE or end.statuses == (4,)
]
CHOSEN = (
    *("CC-HTTP-001", "CC-HTTP-002", "CC-HTTP-009", "CC-RESP-002", "CC-ERR-001"),
    *("CC-SSE-001", "CC-SSE-002", "CC-SSE-003", "CC-SSE-005", "CC-SSE-017"),
)
"""Clauses of a body, its framing, a refusal, and the bytes of a stream."""


@contextlib.contextmanager
def stages() -> Iterator[dict[tuple[str, Scope], Stage]]:
    """Every row, in each of its scopes."""
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(reference())
        yield {
            (name, scope): stack.enter_context(staged(TARGETS[name], scope, address))
            for name, scope in TRIALS
        }


Ended = dict[tuple[str, Scope], tuple[Ran, Stage]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """How the suite ended against each of them."""
    folder = tmp_path_factory.mktemp("hostile")
    clauses = [word for clause in CHOSEN for word in ("--requirement", clause)]
    with pytest.MonkeyPatch.context() as patch, stages() as known:
        patch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
        lines = {}
        for (name, scope), stage in known.items():
            own = ["--results", f"{name}-{scope}.json", "-p", "no:html", "--timeout", "1"]
            lines[f"{name}-{scope}"] = [
                *("--target-url", stage.url, *own, "--examples", "0", "--no-clients", *clauses)
            ]
        ran = run_all(folder, lines)
        return {(n, s): (ran[f"{n}-{s}"], known[n, s]) for n, s in TRIALS}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scope"), TRIALS, ids=[f"{n}-{s}" for n, s in TRIALS])
def test_the_suite_ends_as_the_table_says(name: str, scope: Scope, ended: Ended) -> None:
    ran, stage = ended[name, scope]
    end = TARGETS[name].ends[scope]
    assert stage.hostile or TARGETS[name].certificate
    assert ran.status in end.statuses, ran.said
    assert end.says in ran.said
    assert all(c.isprintable() or c in "\n\r" for c in ran.said), "raw on the terminal"
    assert "Traceback" not in ran.said
    assert stage.elsewhere.received == []
    if ran.status == 4:
        assert ran.complaint
        return
    written = (ran.folder / f"{name}-{scope}.json").read_text("utf-8")
    assert KEY not in written
    verdicts = {entry["verdict"] for entry in json.loads(written)["requirements"]}
    assert "ERROR" not in verdicts
