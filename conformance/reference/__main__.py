"""``python -m conformance.reference``: starts the reference server, whole or with one fault.

The law: a mistake is one line, which quotes what was given only where it may be the name of a
fault: it may be a key.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from conformance.reference.faults import FAULTS, Fault, named, timing
from conformance.reference.models import served
from conformance.reference.pipeline import Service
from conformance.reference.routes import DEFAULT_KEY, Site
from conformance.reference.server import serve
from conformance.reference.wire import Speed

QUOTED = re.compile(r"'(?![a-z0-9_]+(?:~\d+)?')[^']*'")
"""What is quoted and cannot be the name of a fault."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments:"):
            names = [word.partition("=")[0] for word in message.split() if word[0] == "-"]
            message = " ".join(["unrecognized arguments:", *names]).rstrip(":")
        message = QUOTED.sub("what was given", message)
        self.exit(2, f"{self.prog}: {message}; {self.prog} -h tells what is taken\n")


def _speed(ttft_ms: float, itl_ms: float) -> Speed:
    return Speed(ttft_ms / 1000, itl_ms / 1000)


def model_speed(text: str) -> tuple[str, Speed]:
    """Reads ``ID=ttft,itl`` (milliseconds).

    Raises:
        argparse.ArgumentTypeError: it has another form.
    """
    id_, _, pace = text.rpartition("=")
    ttft, _, itl = pace.partition(",")
    try:
        return id_, _speed(float(ttft), float(itl))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ID=ttft,itl") from None


def a_fault(text: str) -> Fault:
    """The fault of that name.

    Raises:
        argparse.ArgumentTypeError: there is none.
    """
    fault = named(text)
    if fault is None:
        raise argparse.ArgumentTypeError(f"no fault is called {text!r}: see --faults")
    return fault


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = _Parser(
        prog="python -m conformance.reference",
        description="Starts the reference server, whole or with one fault.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8080, help="0 picks a free one (default: %(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--key", help=f"the API key that is accepted (default: {DEFAULT_KEY})")
    add("--key-env", metavar="NAME", help="environment variable that holds that key")
    often = "break one thing on purpose; NAME~3: in one call of three"
    add("--fault", type=a_fault, metavar="NAME", help=often)
    add("--faults", action="store_true", help="list the faults and stop")
    add("--patience", type=float, metavar="SECONDS", help="how long a fault keeps one waiting")
    add("--ttft-ms", type=float, default=0.0, help="time to the first token")
    add("--itl-ms", type=float, default=0.0, help="time between two tokens")
    add("--model-speed", type=model_speed, action="append", default=[], metavar="ID=TTFT,ITL")
    add("--models", default="", metavar="ID,ID…", help="serve these instead of the documented ten")
    add("--exit-with-parent", action="store_true", help="stop when standard input ends")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0, or 2 for a command line that makes no sense."""
    parser = options()
    given = parser.parse_args(arguments)
    if given.faults:
        for fault in FAULTS.values():
            print(fault.name, fault.seam, ",".join(sorted(fault.breaks)), fault.says, sep="  ")
        return 0
    key = given.key or DEFAULT_KEY
    if given.key_env:
        key = os.environ.get(given.key_env, "")
        if not key:
            parser.error("the environment variable that --key-env names is not set")
    if given.patience is not None:
        timing.PATIENCE = given.patience
    service = Service(
        site=Site(served(filter(None, given.models.split(","))), key),
        speed=_speed(given.ttft_ms, given.itl_ms),
        speeds=dict(given.model_speed),
        fault=given.fault,
    )
    try:
        asyncio.run(serve(service, given.host, given.port, with_parent=given.exit_with_parent))
    except OSError as problem:
        where = f"port {given.port} of the --host given"
        print(f"cannot listen on {where}: {problem.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
