"""Servers that others wrote: installed by name, started, and ended.

    with running(RECIPES["llama.cpp"]) as server:
        httpx.get(server.url + "/models", headers={"Authorization": f"Bearer {server.key}"})

Laws
    1. A server runs in a clean environment with a home of its own, told to stay offline.
    2. When `running` ends, by whatever way, the server's process group is gone; its log stays.
    3. Any number of processes may install or run the same recipe at once.

Where it lives, under `root` ($CONFORMANCE_SERVERS, else .cache/servers in this repository):
    NAME-VERSION/          the virtual environment; `stamp` in it says what was installed
    NAME-VERSION/home/     the server's home and working directory
    NAME-VERSION.lock      held while installing
    logs/                  one file per installation and per port

For a developer: `python -m tests.servers.serving NAME [--port N]` runs one in the foreground.
POSIX only (process groups, flock).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.servers.recipes import HERE, HOST, RECIPES, Recipe
from tests.wire.tiny import unused_port

STOP_DEADLINE = 10.0  # seconds from SIGTERM to SIGKILL
POLL = 0.1  # seconds


class ServerError(Exception):
    """An installation or a start that failed, told in one line that names the log."""


@dataclass(frozen=True)
class Server:
    """A server that answers now."""

    url: str  # the base URL, with /v1
    key: str
    model: str
    log: Path  # its standard output and error
    pid: int  # also its process group
    headers: Mapping[str, str] = field(default_factory=dict)  # which every request needs


OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def default_root() -> Path:
    """$CONFORMANCE_SERVERS, else .cache/servers in this repository."""
    chosen = os.environ.get("CONFORMANCE_SERVERS")
    return Path(chosen).resolve() if chosen else HERE.parents[1] / ".cache" / "servers"


def fingerprint(recipe: Recipe) -> str:
    """A hash of all that an installation depends on: requirements, scripts and this Python."""
    words = [*recipe.requirements, *recipe.unwanted]
    files = [recipe.constraints] if recipe.constraints.exists() else []
    for step in recipe.prepare:
        words += step
        files += [Path(step[0].format(here=HERE)), *sorted(HERE.glob("tiny_*.py"))]
    parts = [
        "\n".join(words).encode(),
        *(path.read_bytes() for path in files),
        f"{sys.implementation.name} {sys.version_info[:2]}".encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install(recipe: Recipe, root: Path | None = None) -> Path:
    """The recipe's virtual environment, made now unless an equal one is there.

    Raises:
        ServerError: the environment could not be made.
    """
    root = (root or default_root()).resolve()
    venv = root / recipe.home
    stamp = venv / "stamp"
    wanted = fingerprint(recipe)
    logs = root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with venv.with_name(venv.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        if stamp.exists() and stamp.read_text() == wanted and (venv / "bin/python").exists():
            return venv
        if venv.exists():
            shutil.rmtree(venv)
        log = logs / f"{venv.name}-install.log"
        log.unlink(missing_ok=True)
        (venv / "home").mkdir(parents=True)
        for step in installation(recipe, venv):
            perform(recipe, step, log)
        stamp.write_text(wanted)
    return venv


def installation(recipe: Recipe, venv: Path) -> list[list[str]]:
    """The commands that make the environment, in order."""
    create = [sys.executable, "-m", "venv", str(venv)]
    python = f"{venv}/bin/python"
    prepare = [[python, *filled(recipe, step, venv)] for step in recipe.prepare]
    return [create, *packages(recipe, venv), *prepare]


def packages(recipe: Recipe, venv: Path) -> list[list[str]]:
    """The commands that install what is required, by the ordinary client of its registry."""
    if recipe.registry == "npm":
        npm = ["npm", "install", "--prefix", str(venv), "--no-package-lock", "--ignore-scripts"]
        pinned = (
            recipe.constraints.read_text("utf-8").split() if recipe.constraints.exists() else []
        )
        return [[*npm, "--no-audit", "--no-fund", "--silent", *recipe.requirements, *pinned]]
    pip = [f"{venv}/bin/python", "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--constraint", str(recipe.constraints)]
    steps = [[*install, *recipe.requirements]]
    if recipe.unwanted:
        steps.append([*pip, "uninstall", "--quiet", "--yes", *recipe.unwanted])
    return steps


def perform(recipe: Recipe, step: Sequence[str], log: Path) -> None:
    """Run one command of an installation, its output added to the log."""
    if shutil.which(step[0]) is None:
        raise ServerError(f"{recipe.name}: {step[0]} is not installed")
    with log.open("ab") as sink:
        code = subprocess.run(step, stdout=sink, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        raise ServerError(f"{recipe.name}: {' '.join(step)} exits with {code}: {last_line(log)}")


def filled(
    recipe: Recipe, words: Sequence[str], venv: Path, port: int = 0, upstream: int = 0
) -> list[str]:
    """The words with all that `Recipe` names filled in."""
    values = {"venv": venv, "here": HERE, "port": port, "key": recipe.key, "model": recipe.model}
    values |= {"python": sys.executable, "upstream": upstream}
    return [word.format_map(values) for word in words]


def last_line(log: Path) -> str:
    """The last line of a log that says something, and the log's path."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].strip() if lines else 'no output'} [{log}]"


@contextmanager
def running(recipe: Recipe, root: Path | None = None, port: int | None = None) -> Iterator[Server]:
    """Install the recipe if need be, start its server, and end it with the block.

    Args:
        port: on 127.0.0.1; a free one unless given.

    Raises:
        ServerError: it could not be installed, or did not answer within the recipe's `patience`.
    """
    with process(recipe, root, port) as (_, server):
        yield server


@contextmanager
def process(
    recipe: Recipe, root: Path | None, port: int | None
) -> Iterator[tuple[subprocess.Popen[bytes], Server]]:
    """`running`, with the process beside the server."""
    venv = install(recipe, root)
    port = port or unused_port()
    upstream = unused_port()
    log = venv.parent / "logs" / f"{recipe.name}-{recipe.version}-{port}.log"
    node = [str(Path(found).parent) for found in [shutil.which("node")] if found]
    settings = filled(recipe, list(recipe.environment.values()), venv, port, upstream)
    environment = {
        "PATH": os.pathsep.join([f"{venv}/bin", *node, os.defpath]),
        "HOME": str(venv / "home"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **OFFLINE,
        **dict(zip(recipe.environment, settings, strict=True)),
    }
    words = filled(recipe, recipe.command, venv, port, upstream)
    values = filled(recipe, list(recipe.headers.values()), venv, port, upstream)
    headers = dict(zip(recipe.headers, values, strict=True))
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [f"{venv}/bin/python", f"{HERE}/leash.py", *words],
            stdin=subprocess.PIPE,  # the leash: closed when this process dies
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=venv / "home",
            env=environment,
            start_new_session=True,
        )
    try:
        wait_until_ready(recipe, child, port, log)
        url = f"http://{HOST}:{port}/v1"
        yield child, Server(url, recipe.key, recipe.model, log, child.pid, headers)
    finally:
        end(child)


def wait_until_ready(recipe: Recipe, child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server answers; ServerError if it dies or takes too long."""
    deadline = time.monotonic() + recipe.patience
    while not ready(port, recipe.key):
        if child.poll() is not None:
            raise ServerError(f"{recipe.name}: exits with {child.returncode}: {last_line(log)}")
        if time.monotonic() > deadline:
            raise ServerError(
                f"{recipe.name}: no answer within {recipe.patience:.0f} s: {last_line(log)}"
            )
        time.sleep(POLL)


def ready(port: int, key: str) -> bool:
    """Whether GET /v1/models answers now; a server may lack it, but not by a 5xx."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def end(child: subprocess.Popen[bytes]) -> None:
    """End the whole process group: SIGTERM, and SIGKILL for what is left."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(STOP_DEADLINE)
    with suppress(ProcessLookupError, PermissionError):  # macOS: not permitted for the dead
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin:
        child.stdin.close()


def main() -> None:
    """Run one server in the foreground until it ends or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run one of the tests' servers.")
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--port", type=int, help="on 127.0.0.1; a free one unless given")
    args = parser.parse_args()
    try:
        with process(RECIPES[args.name], None, args.port) as (child, server):
            print(f"url    {server.url}\nkey    {server.key}")
            headers = [f"header {name}: {value}" for name, value in server.headers.items()]
            told = [f"models {', '.join(RECIPES[args.name].models)}", f"log    {server.log}"]
            print("\n".join([*told, *headers]), flush=True)
            child.wait()
    except ServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
