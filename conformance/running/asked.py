"""A command line before it is parsed: is it one of ours, and is a key where none belongs?

The law: nothing of a run hangs on whether it looks like one of ours, for that may err
(`options.is_ours` decides later, and does not). It says how a start is broken off, and whether a
mistyped key is our business.
"""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.wire.arguments import (
    WHERE_A_KEY_GOES,
    key_as_a_value,
    looks_like_a_key,
    misplaced_key,
)

PACKAGE = Path(__file__).parents[1]

OPTIONS = frozenset({"--target-url", "--plan", "--requirement", "--requirements"})
"""Options that nobody gives but to us."""


def is_asked(arguments: Sequence[str]) -> bool:
    """Whether these arguments of pytest, given in the working folder, look like a run of ours."""
    return _at_home() or any(
        word.partition("=")[0] in OPTIONS or PACKAGE.name in re.split(r"[\\/.:]+", word)
        for word in arguments
    )


def _at_home() -> bool:
    """Whether the working folder is the one whose checks run where nothing is named."""
    try:
        return Path.cwd() == PACKAGE.parent
    except OSError:  # it is gone
        return False


def refuse_key_as_a_value(arguments: Sequence[str]) -> None:
    """Complain of a key where an option's value stands, before any plugin's option is read.

    Where pytest reads an option of its own (`--maxfail`, `--tb`, `-c`), no plugin has been loaded
    yet: what it says of those, none can change. Raises `pytest.UsageError`.
    """
    try:
        added = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    except ValueError:  # pytest says what is wrong with it
        added = []
    if (why := key_as_a_value([*added, *arguments])) is not None:
        raise pytest.UsageError(f"{why}: {WHERE_A_KEY_GOES}")


def refuse_misplaced_key(parser: pytest.Parser, arguments: Sequence[str]) -> None:
    """Complain of a key where none belongs, before pytest does, which would quote it.

    To be called once every option is known. Raises `pytest.UsageError`.
    """
    known, unknown = parser.parse_known_and_unknown_args(list(arguments))
    why = misplaced_key([*unknown, *known.file_or_dir], {})
    for option, value in (
        ("-k", known.keyword),
        ("-m", known.markexpr),
        ("--api-key-env", known.api_key_env),
        ("--target-url", known.target_url),
        ("--profile", known.profile),
    ):
        if looks_like_a_key((value or "").partition("://")[0]):
            why = f"what follows {option} looks like a key"
    if why is not None:
        raise pytest.UsageError(f"{why}: {WHERE_A_KEY_GOES}")
