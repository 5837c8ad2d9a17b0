"""Starts the reference server on loopback for the length of a run.

The law: it is a process of its own, spoken to over its socket like any target; nothing of it is
imported. It ends with the run, however the run ends (its standard input closes).
"""

import contextlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

STARTUP_SECONDS = 20.0
READY = "listening on "

STREAM_ERROR = "Fail in the middle of the stream."
"""The message that makes it fail in the middle of a stream."""

SLOW_READER_S = 0.5
"""Seconds after which a stream that nobody reads has filled every buffer: it is made at once."""


class EmbeddedServer(AbstractContextManager["EmbeddedServer"]):
    """A running reference server: `url` (with `/v1`) and `key`.

    Raises `RuntimeError` when it does not come up.
    """

    def __init__(
        self,
        models: Sequence[str] = (),
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.key = f"sk-embedded-{secrets.token_hex(16)}"
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, environ.get("PYTHONPATH", "")]))
        command = [sys.executable, "-m", "conformance.reference", "--port", "0"]
        command += ["--key-env", "EMBEDDED_API_KEY", "--exit-with-parent", *arguments]
        if models:
            command += ["--models", ",".join(models)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environ, "PYTHONPATH": path, "EMBEDDED_API_KEY": self.key},
            start_new_session=True,  # a Ctrl-C meant for the run does not kill the target first
        )
        self.url = self._wait()

    def _wait(self) -> str:
        stdout = self._process.stdout
        if stdout is None:
            raise RuntimeError("the reference server has no standard output")
        timer = threading.Timer(STARTUP_SECONDS, self._process.kill)
        timer.start()
        try:
            line = stdout.readline().strip()
        finally:
            timer.cancel()  # or the end of this process waits for it
        if not line.startswith(READY):
            self.close()
            raise RuntimeError(f"the reference server did not start: {line or 'no output'}")
        return line.removeprefix(READY)

    def close(self) -> None:
        """End the process; safe to call twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __exit__(self, *ended: object) -> None:
        self.close()
