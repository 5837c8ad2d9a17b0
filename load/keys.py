"""A key on a command line of the load generator: hidden where it belongs, elsewhere refused.

Laws: a key that was given is in no parsed option, in no argument of a process that is started, and
in no line that complains of an option.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from conformance.wire.arguments import (
    WHERE_A_KEY_GOES,
    blank,
    key_as_a_value,
    looks_like_a_key,
    misplaced_key,
)

__all__ = [
    "ENVIRONMENT",
    "Hide",
    "given_key",
    "key_in_the_wrong_place",
    "keyless",
    "refuse_misplaced_keys",
]

ENVIRONMENT: Final = "TARGET_API_KEY"
"""The variable that holds the key, unless another is named."""

_given: dict[str, str] = {}
"""A key from the command line."""


class Hide(argparse.Action):
    """Keeps a key out of the parsed options."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        _given["key"] = str(values)
        blank(str(values))
        setattr(namespace, self.dest, "")


def given_key() -> str | None:
    """The key of the command line."""
    return _given.get("key")


def keyless(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The arguments of a process to be started, ``--api-key`` moved into its environment."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--api-key")
    parser.add_argument("--api-key-env", default=ENVIRONMENT)
    given, rest = parser.parse_known_args(arguments)
    named = [] if given.api_key_env == ENVIRONMENT else ["--api-key-env", given.api_key_env]
    if given.api_key is None:
        return [*rest, *named], dict(environ)
    blank(given.api_key)
    return [*rest, *named], {**environ, given.api_key_env: given.api_key}


def refuse_misplaced_keys(parser: Any) -> None:
    """Let ``parser`` complain of a key where none belongs without quoting it, with status 2."""
    parse, complain = parser.parse_known_args, parser.error

    def checked(args: Sequence[str] | str | None = None, *more: Any, **named: Any) -> Any:
        given = sys.argv[1:] if args is None else args
        words = given.split() if isinstance(given, str) else given
        # Only now are all options known: whoever writes a locustfile may add some.
        takes_value = {
            name: action.nargs != 0 for action in parser._actions for name in action.option_strings
        }
        why = key_in_the_wrong_place(words, takes_value)
        if why is not None:
            parser.exit(2, f"{why}\n")
        return parse(args, *more, **named)

    def error(message: str) -> Any:
        if looks_like_a_key(message):  # of a LOCUST_ variable, or of a file of options
            message = f"the value of an option looks like a key: {WHERE_A_KEY_GOES}"
        return complain(message)

    parser.parse_known_args, parser.error = checked, error


def key_in_the_wrong_place(
    arguments: Sequence[str], options: Mapping[str, bool] | None = None
) -> str | None:
    """The line that refuses a key where none belongs; None where there is none.

    `options` as for `misplaced_key`; None where they are not known, and only values are looked at.
    """
    why = misplaced_key(arguments, options) if options is not None else None
    why = why or key_as_a_value(arguments)
    return why and f"load: {why}: {WHERE_A_KEY_GOES}"
