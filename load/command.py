"""The command line of a run, as its results quote it: it runs again as pasted, and holds no secret.

Laws: the key is neither in it nor needed in it (the environment has it); of a URL neither user,
password nor query is quoted; what lies below the working folder is named from there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.wire.arguments import bare
from conformance.wire.redact import Redactor

__all__ = ["command_line"]

KEY = "--api-key"


def command_line(arguments: Sequence[str], redactor: Redactor, folder: Path) -> str:
    """``sys.argv`` as a line for a shell.

    Args:
        arguments: the program, then what it was given.
        redactor: knows the secrets of the run.
        folder: the working folder.

    >>> command_line(["/x/bin/locust", "--api-key", "sk", "-u", "5"], Redactor(), Path("/w"))
    'locust -u 5'
    """
    if not arguments:
        return ""
    program, *rest = arguments
    name = Path(program).name
    first = ["python", "-m", Path(program).parent.name] if name == "__main__.py" else [name]
    return redactor.text(shlex.join([*first, *(_named(each, folder) for each in _keyless(rest))]))


def _keyless(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments without the key."""
    each = iter(arguments)
    for argument in each:
        if argument == KEY:
            next(each, None)
        elif not argument.startswith(f"{KEY}="):
            yield argument


def _named(argument: str, folder: Path) -> str:
    option, equals, value = argument.partition("=") if argument[:2] == "--" else ("", "", argument)
    if "://" in value:
        scheme, _, rest = value.partition("://")
        return f"{option}{equals}{scheme}://{bare(rest)}"
    path = Path(value)
    if path.is_absolute() and path.is_relative_to(folder):
        value = str(path.relative_to(folder))
    return f"{option}{equals}{value}"
