"""Runs the suite as a user does, in a process and a folder of its own, and reads what it left.

The laws: only what a user sees is looked at (exit status, terminal, artefacts); a run that does not
end is killed and fails the test; no assertion rests on the speed of the machine.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.wire.tiny import Tiny, answer

ROOT = Path(__file__).parents[2]
KEY = "sk-reference"
MODEL = "meta/llama-3.3-70b-instruct"
LONGEST = 90.0
"""Seconds after which a run counts as hung."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended; `folder` is where it ran."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def said(self) -> str:
        """Standard output and standard error."""
        return self.out + self.err

    @property
    def complaint(self) -> str:
        """The one line of a usage error (`ERROR: …`), without the word."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        assert len(lines) == 1, self.said
        assert lines[0].startswith("ERROR: "), self.said
        return lines[0].removeprefix("ERROR: ")

    def results(self, path: str = "reports/out/results.json") -> dict[str, Any]:
        """The results file."""
        found: dict[str, Any] = json.loads((self.folder / path).read_text("utf-8"))
        return found

    def verdicts(self) -> dict[tuple[str, str | None], str]:
        """The verdict of every requirement and model."""
        entries = self.results()["requirements"]
        return {(entry["id"], entry["model"]): entry["verdict"] for entry in entries}


def environment(key: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a run: ours, not those of the run that tests it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TARGET_"))}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    given = {} if key is None else {"TARGET_API_KEY": key}
    return {**kept, "PYTHONPATH": path, "COLUMNS": "200", **given, **extra}


def command(arguments: Sequence[str]) -> list[str]:
    """The command line of a run."""
    without = ("cacheprovider", "locust", "anyio", "hypothesispytest")  # half of the start-up
    plugins = ["-p", "conformance.plugin", *(word for w in without for word in ("-p", f"no:{w}"))]
    return [sys.executable, "-m", "pytest", "--pyargs", "conformance", *plugins, *arguments]


def run(
    folder: Path, *arguments: str, key: str | None = KEY, env: Mapping[str, str] | None = None
) -> Ran:
    """Run the suite in `folder` to its end."""
    done = subprocess.run(
        command(arguments),
        cwd=folder,
        env=environment(key, env or {}),
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=LONGEST,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr, folder)


def interrupted(
    folder: Path,
    when: Callable[[], object],
    *arguments: str,
    key: str = KEY,
    by: signal.Signals = signal.SIGINT,
) -> Ran:
    """Run the suite and press Ctrl-C once `when` returns, as a terminal does: on all processes.

    Any other signal `by` goes to the first process alone.
    """
    process = subprocess.Popen(
        command(arguments),
        cwd=folder,
        env=environment(key, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        when()
        if by is signal.SIGINT:
            os.killpg(process.pid, by)
        else:
            process.send_signal(by)
        out, err = process.communicate(timeout=LONGEST)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return Ran(process.returncode, out, err, folder)


@contextlib.contextmanager
def reference(*arguments: str) -> Iterator[str]:
    """A reference server that serves every fault; its address without a path."""
    words = ["--port", "0", "--exit-with-parent", *arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.reference", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith("listening on "), line
        yield line.removeprefix("listening on ").removesuffix("/v1")
    finally:
        process.terminate()
        process.communicate(timeout=10)


LIST = b'{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}'

COMPLETION = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"Hello.",'
    b'"refusal":null}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


def lists_and_resets(limit: int) -> Callable[[Tiny, socket.socket], None]:
    """Answers `limit` requests as `canned` does, and from then on the list of models alone: the
    connections of chat calls are closed before an answer."""
    good = canned(limit, lambda tiny: None)

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        if len(tiny.received) < limit:
            good(tiny, sock)
        elif tiny.read_request(sock).startswith(b"GET"):
            sock.sendall(answer(body=LIST))

    return behave


def canned(limit: int, at_limit: Callable[[Tiny], None]) -> Callable[[Tiny, socket.socket], None]:
    """Answers `limit` requests as the plainest API does, then does `at_limit`."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while octets := tiny.read_request(sock):
            if len(tiny.received) > limit:
                at_limit(tiny)
                return
            sock.sendall(answer(body=LIST if octets.startswith(b"GET") else COMPLETION))

    return behave
