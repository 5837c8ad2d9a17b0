"""Secrets where others read them: in a command line, an environment, a URL.

Laws
----
1. What was given on the command line is taken out of it: ``ps`` and ``/proc/PID/cmdline`` show the
   arguments of a process to every user of the machine, and a process that forks hands them on.
2. That is a courtesy: where a system does not allow it, nothing happens and nothing is said. Until
   an argument has been read, it could be seen; who wants none of this uses the environment.
3. A process that is started finds no secret in its environment but those that it is given.
4. A URL is quoted without the user, the password, the query and the fragment that it may carry.
5. A key in the wrong place (behind an option that nobody knows, or one that wants a number; a path)
   is not quoted either: whoever complains names the place.

Theory
------
Linux keeps the arguments in the memory of the process, each with a NUL after it, from ``arg_start``
to ``arg_end`` (fields 48 and 49 of ``/proc/self/stat``, proc(5)), and reads them there whenever
somebody asks. What is written over them is what is shown.

A parser of arguments quotes what it does not know, and the log of a CI job keeps it. What follows
``--apikey`` is a key by the name of its option, whatever it looks like; what stands alone is one by
its form: the prefixes that issuers give their keys so that such searches find them, or three parts
of Base64 with dots between them (a JWT, RFC 7519). What follows a known option is one only where
all of it has that form, with a digit in it and no suffix of a file: ``sk-learn-results`` is none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .ordinary import is_word

PROCESS = Path("/proc/self")
ARG_START, ARG_END = 48, 49

CALLS_FOR_A_KEY = re.compile(
    r"^-*(?!(?:max|min|budget|stop)\b)(?:[^\W_]+[-_.])*"
    r"(?:(?:api|access|auth|secret)?[-_.]?keys?|(?:auth)?token|bearer|auth|authorization|secrets?"
    r"|passw(?:or)?d|credentials?)"
    r"(?:[-_.](?:key|token|value|header))?$",
    re.IGNORECASE,
)
"""Names of options after which people write a key."""

LOOKS_LIKE_A_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk|gsk|hf|ak|xai|nvapi|pplx|csk|tgp|fw|r8|ghp|glpat)[-_][A-Za-z0-9_\-.+/=]{12,}"
    r"|AIza[A-Za-z0-9_-]{20,}"
    r"|Bearer\s+\S{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r")"
)
"""What keys of inference services look like."""


NO_MODEL = ("sk-", "sk_", "gsk", "xai", "nvapi", "AIza", "eyJ", "Bearer")
"""How no model's name begins. Some do begin like other keys, ``pplx-7b-online-alpha``."""

_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,5}$")


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


def looks_like_a_key(text: str) -> bool:
    """Whether `text` holds what has the form of a key."""
    return LOOKS_LIKE_A_KEY.search(text) is not None


def is_a_key(value: str) -> bool:
    """Whether all of `value` has the form of a key.

    >>> [is_a_key(value) for value in ("sk-live-0123456789ab", "hf_results_of_2026.json", "not x")]
    [True, False, False]
    """
    text = value.strip(" '\"")
    found = LOOKS_LIKE_A_KEY.fullmatch(text)
    random = text.startswith("Bearer") or any(map(str.isdigit, text))
    return found is not None and random and (text.startswith("eyJ") or not _SUFFIX.search(text))


def key_as_a_value(arguments: Iterable[str]) -> str | None:
    """Where a key is the value of an option for something else: one line without it; None: nowhere.

    To be asked before a parser, which would quote the value that it cannot read. What follows
    ``--api-key``, or another name that calls for a key, is left to `misplaced_key`.

    >>> key_as_a_value(["--api-key", "sk-0123456789abcdef", "-n", "sk-0123456789abcdef"])
    'what follows -n looks like a key'
    """
    previous = ""
    for argument in arguments:
        name, value = previous, argument
        if argument.startswith("-"):
            name, _, value = argument.partition("=")
            if name[1:2] != "-" and is_a_key(argument[2:]):
                name, value = argument[:2], argument[2:]
        previous = argument if argument.startswith("-") and "=" not in argument else ""
        if CALLS_FOR_A_KEY.match(name) or not _holds_a_key(value):
            continue
        if name == "--model" and not value.strip().startswith(NO_MODEL):
            continue
        return f"what follows {name} looks like a key" if name else LONELY
    return None


def _holds_a_key(value: str) -> bool:
    """Whether a value is a key, or gives one to a name, as ``-o`` does."""
    return is_a_key(value) or is_a_key(value.partition("=")[2])


def misplaced_key(arguments: Sequence[str], options: Mapping[str, bool]) -> str | None:
    """Where a key stands in `arguments` that no option takes: one line without it; None: nowhere.

    `options` are those that there are: name, and whether the argument after it is its value.

    >>> misplaced_key(["--apikey=hush"], {})
    '--apikey is no option'
    >>> misplaced_key(["--model", "sk-0123456789abcdef"], {"--model": True}) is None
    True
    """
    previous = ""
    for argument in arguments:
        name, _, value = argument.partition("=")
        is_value = options.get(previous, False)
        previous = argument
        if is_value:
            continue
        if argument.startswith("-"):
            if _is_known(name, options):
                continue
            if looks_like_a_key(value) or CALLS_FOR_A_KEY.match(name):
                return f"{name} is no option"
        elif looks_like_a_key(argument):
            return LONELY
    return None


def _is_known(name: str, options: Mapping[str, bool]) -> bool:
    """Whether `name` is an option, one that is cut short, or a short one with its value behind."""
    if name in options or (name[1:2] != "-" and name[:2] in options):
        return True
    return sum(option.startswith(name) for option in options) == 1


LONELY = "an argument without an option looks like a key"

WHERE_A_KEY_GOES = (
    "put the key into the environment, as TARGET_API_KEY or under the name that --api-key-env gives"
)
"""The end of the line that says where one stands that does not belong there."""


IS_SHOWN = (
    "holds the API key, or another secret, and every report names it: give one without the other"
)
"""The end of the line that says so of an address, a model or a file."""


def without(environ: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """`environ` without the variables that hold one of `secrets`, by itself or in a longer text.

    An ordinary word is one only in a variable whose name calls for a key: ``CI=true`` stays.
    """
    given = {secret.strip() for secret in secrets} - {""}
    words = {secret for secret in given if is_word(secret)}

    def hidden(name: str, value: str) -> bool:
        if value.strip() in words and CALLS_FOR_A_KEY.match(name):
            return True
        return any(secret in value for secret in given - words)

    return {name: value for name, value in environ.items() if not hidden(name, value)}


def bare(url: str) -> str:
    """`url` as it may be quoted: what stands before an ``@``, and after its path, left out.

    Of what is no URL and a key nothing is left.
    """
    if is_a_key(url):
        return "…"
    return re.sub(r"[^/@]*@", "…@", re.split(r"[?#]", url)[0])
