"""``python -m load``: Locust on `load/chat.py`; without ``--host`` on the embedded server.

Laws: every argument is Locust's own, but for ``--help``, which shows our options (Locust prints its
own help before it has read a locustfile); the reference server is a process of its own that ends
with this one; the exit status is Locust's.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from load.early import heed

SHORT = ("--headless", "--users", "20", "--spawn-rate", "20", "--run-time", "20s")
"""A run that takes less than half a minute, where nothing else is asked for."""

SPEED = ("--ttft-ms", "80", "--itl-ms", "10")
"""The pace of the reference server's models."""

ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Locust. The exit status is Locust's."""
    heed()
    from load.keys import ENVIRONMENT, key_in_the_wrong_place, keyless
    from load.options import add_options

    given = list(sys.argv[1:] if arguments is None else arguments)
    if (why := key_in_the_wrong_place(given)) is not None:  # before a server is started for it
        print(why, file=sys.stderr)
        return 2
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environ = {**os.environ, "PYTHONPATH": path}
    if {"-h", "--help"} & set(given):
        parser = argparse.ArgumentParser(
            prog="python -m load",
            usage="python -m load [--host URL] [options of Locust, and these]",
            epilog="Locust's own options: locust --help",
            add_help=False,
        )
        add_options(parser)
        parser.print_help()
        return 0
    given, environ = keyless(given, environ)
    if any(argument.split("=")[0] in ("-H", "--host") for argument in given):
        return _locust(given, environ)
    key = f"sk-embedded-{secrets.token_hex(16)}"
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", *SPEED]
    server = subprocess.Popen(
        [*command, "--key-env", "EMBEDDED_API_KEY", "--exit-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, ENVIRONMENT: "", "EMBEDDED_API_KEY": key},
        start_new_session=True,  # a Ctrl-C meant for the run does not kill the target first
    )
    with server:
        line = server.stdout.readline().strip() if server.stdout is not None else ""
        if not line.startswith("listening on "):
            print(f"load: the reference server did not start: {line}", file=sys.stderr)
            return 2
        options = ["--host", line.removeprefix("listening on "), *(given or SHORT)]
        status = _locust(options, {**environ, ENVIRONMENT: key})
        server.terminate()
    return status


def _locust(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    locustfile = str(Path(__file__).with_name("chat.py"))
    command = [sys.executable, "-m", "load.start", "-f", locustfile, *arguments]
    process = subprocess.Popen(command, env=dict(environ))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Locust has it too, and ends in its own way
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
