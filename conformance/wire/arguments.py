"""Secrets where others read them: in a command line, an environment, a URL.

Laws
----
1. What was given on the command line is taken out of it: ``ps`` and ``/proc/PID/cmdline`` show the
   arguments of a process to every user of the machine, and a process that forks hands them on.
2. That is a courtesy: where a system does not allow it, nothing happens and nothing is said. Until
   an argument has been read, it could be seen; who wants none of this uses the environment.
3. A process that is started finds no secret in its environment but those that it is given.
4. A URL is quoted without the user, the password and the query that it may carry.

Theory
------
Linux keeps the arguments in the memory of the process, each with a NUL after it, from ``arg_start``
to ``arg_end`` (fields 48 and 49 of ``/proc/self/stat``, proc(5)), and reads them there whenever
somebody asks. What is written over them is what is shown.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PROCESS = Path("/proc/self")
ARG_START, ARG_END = 48, 49


def blank(secret: str) -> None:
    """Put ``x`` over `secret` where it is an argument of this process, or follows its ``=``."""
    octets = secret.encode("utf-8", "surrogateescape")
    if not octets:
        return
    with suppress(OSError, ValueError, IndexError):
        # The second field is the name in brackets, which may hold anything: count from its end.
        fields = (PROCESS / "stat").read_bytes().rpartition(b")")[2].split()
        start, end = (int(fields[number - 3]) for number in (ARG_START, ARG_END))
        with (PROCESS / "mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            known = memory.read(end - start)
            for found in re.finditer(rb"(?<=[\0=])%b(?=\0)" % re.escape(octets), known):
                memory.seek(start + found.start())
                memory.write(b"x" * len(octets))


def without(environ: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """`environ` without the variables that hold one of `secrets`."""
    hidden = {secret.strip() for secret in secrets if secret}
    return {name: value for name, value in environ.items() if value.strip() not in hidden}


def bare(url: str) -> str:
    """`url` as it may be quoted: what stands before an ``@``, and the query, left out."""
    return re.sub(r"[^/@]*@", "…@", url.partition("?")[0])
