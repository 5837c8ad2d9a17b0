"""An exchange as a curl command that runs as pasted into a POSIX shell.

The laws:

1. The key is a double-quoted `$VARIABLE`, so that the shell expands it; everything else is quoted
   so that the shell changes nothing.
2. A command is one printable line: octets that a terminal would obey are spelled for `printf`.
3. What curl adds of its own (a form's Content-Type) or reads into a URL (globs) is switched off.
"""

import re
import shlex
from collections.abc import Iterator

from .exchange import KEY, Request

LONGEST_BODY = 16 * 1024
"""Longer bodies do not fit a line that somebody pastes."""


JOINER = "\u200d"
"""The character that joins emoji: no terminal obeys it, though Python calls it unprintable."""


def _double_quoted(text: str, variable: str) -> str:
    """`text` in double quotes, `$KEY` as a variable that expands, the rest literal.

    `Bearer ${NAME}`, which stands for another key, expands as it is.
    """
    if re.fullmatch(r"Authorization: Bearer \$\{\w+\}", text):
        return f'"{text}"'
    pieces = [re.sub(r'([\\"$`])', r"\\\1", piece) for piece in text.split(KEY)]
    joined = pieces[0]
    for piece in pieces[1:]:
        name = f"${{{variable}}}" if re.match(r"\w", piece) else f"${variable}"
        joined += name + piece
    return f'"{joined}"'


def _printf(body: bytes) -> str:
    """A `printf` that writes `body`, whatever it holds."""
    plain = (
        chr(octet) if 0x20 <= octet < 0x7F and octet not in b"\\%'" else f"\\{octet:03o}"
        for octet in body
    )
    return f"printf '{''.join(plain)}'"


_RUN = re.compile(rb"([ -~])\1{999}")
"""Where a run begins. How far it goes is sought apart: what repeats a group without bound keeps
eighty bytes of memory for each octet of it."""


def _runs(body: bytes) -> Iterator[tuple[int, int]]:
    """Where a thousand equal octets, or more of them, begin and end."""
    at = 0
    while found := _RUN.search(body, at):
        other = re.compile(rb"[^%b]" % re.escape(found[1])).search(body, found.end())
        at = other.start() if other else len(body)
        yield found.start(), at


def _long(body: bytes) -> str:
    """A group of commands that writes a long body: runs of one octet are counted, not spelled.

    What is long without such a run is cut off, and the command says so when it is pasted.
    """
    commands: list[str] = []
    at = 0
    for start, stop in _runs(body):
        commands.append(_printf(body[at:start]))
        octet = shlex.quote(chr(body[start]))
        commands.append(f"head -c {stop - start} /dev/zero | tr '\\0' {octet}")
        at = stop
    rest = body[at:]
    if len(rest) > LONGEST_BODY:
        rest = rest[:LONGEST_BODY]
        commands.append(f"echo 'a body of {len(body)} bytes, cut off here' >&2")
    return "{ " + "; ".join([*commands, _printf(rest)]) + "; }"


def _body(body: bytes) -> tuple[str, str]:
    """What goes before `curl` and the option that reads it."""
    if len(body) > LONGEST_BODY:
        return f"{_long(body)} | ", "--data-binary @-"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if not text.replace(JOINER, "").isprintable():
        return f"{_printf(body)} | ", "--data-binary @-"
    return "", f"--data-raw {shlex.quote(text)}"


def curl(
    request: Request,
    url: str,
    *,
    key_variable: str = "TARGET_API_KEY",
    extra_headers: tuple[tuple[str, str], ...] = (),
) -> str:
    """The command that sends `request` to `url` again.

    `extra_headers` are the profile's, as they may be shown: a value that begins with `$` is the
    name of an environment variable.
    """
    lead = ""
    parts = ["curl", "-sS", "-i", "-N"]
    if request.method == "HEAD":
        parts.append("--head")
    elif request.method != ("GET" if request.body is None else "POST"):
        parts += ["-X", request.method]
    if set(url) & set("[]{}"):
        parts.append("-g")
    parts.append(shlex.quote(url))
    own = {name.lower() for name, _ in request.headers}
    kept = [(name, value) for name, value in extra_headers if name.lower() not in own]
    headers = [*kept, *request.headers]
    if request.body is not None and "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", ""))
    for name, value in headers:
        if value == "":
            parts += ["-H", shlex.quote(f"{name}:")]
        elif (name, value) in kept and value.startswith("$"):
            parts += ["-H", f'"{name}: {value}"']
        else:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.authorization is not None:
        parts += ["-H", _double_quoted(f"Authorization: {request.authorization}", key_variable)]
    if request.body is not None:
        lead, option = _body(request.body)
        parts.append(option)
    return lead + " ".join(parts)
