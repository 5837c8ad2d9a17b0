"""Who holds a secret, among the processes that a test has started: in arguments, in environments.

The law: it is looked at while a request is under way, so that whoever sent it is still there.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def _read(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:  # it has ended, or is another user's
        return []


@dataclass(slots=True)
class Watch:
    """Looks at each new kind of sender, and at `most` requests at most."""

    secrets: Sequence[str]
    most: int = 40
    looks: int = 0
    arguments: list[str] = field(default_factory=list)
    """Command lines that hold a secret."""
    variables: set[tuple[str, str]] = field(default_factory=set)
    """The programme, and the variable of its environment that holds a secret."""
    _agents: set[bytes] = field(default_factory=set)

    def __call__(self, raw: bytes) -> None:
        """A request has come."""
        head = raw.partition(b"\r\n\r\n")[0].lower()
        agent = head.partition(b"\r\nuser-agent:")[2].partition(b"\r\n")[0]
        if agent in self._agents and self.looks >= self.most:
            return
        self._agents.add(agent)
        self.looks += 1
        for process in _below(os.getpid()):
            self._look(process)

    def _look(self, process: Path) -> None:
        words = _read(process / "cmdline")
        line = " ".join(words)
        if any(secret in line for secret in self.secrets):
            self.arguments.append(line)
        for setting in _read(process / "environ"):
            name, _, value = setting.partition("=")
            if any(secret in value for secret in self.secrets):
                self.variables.add((_programme(words), name))


def _below(pid: int) -> Iterator[Path]:
    """The processes that come of `pid`: other tests' have secrets of their own."""
    parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return (Path("/proc", str(one)) for one in found - {pid})


def _parent(stat: Path) -> int:
    """The fourth field; the second, in brackets, may hold anything."""
    told = "".join(_read(stat))
    return int(told.rpartition(")")[2].split()[1]) if told else 0


def _programme(words: list[str]) -> str:
    """What a process is, in a word: its script or module, else what runs it."""
    known = ("pytest", "locust", "load", "conformance.reference", "drive.py", "drive.mjs")
    for word in words:
        for name in known:
            if word == name or word.endswith(f"/{name}"):
                return name
    return Path(words[0]).name if words else ""
