"""An exchange as a curl command that runs as pasted into a POSIX shell.

The law: the key is a double-quoted `$VARIABLE`, so that the shell expands it; everything else is
quoted so that the shell changes nothing.
"""

import shlex

from .exchange import KEY, Request

LONGEST_BODY = 16 * 1024
"""Longer bodies do not fit a line that somebody pastes."""


def _double_quoted(text: str, variable: str) -> str:
    """`text` in double quotes, `$KEY` as a variable that expands, the rest literal."""
    pieces = [
        piece.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
        for piece in text.split(KEY)
    ]
    return '"' + f"${variable}".join(pieces) + '"'


def _body(body: bytes) -> tuple[str, str]:
    """What goes before `curl` and the option that reads it."""
    if len(body) > LONGEST_BODY:
        return f"head -c {len(body)} BODY.json | ", "--data-binary @-"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        octal = "".join(f"\\{octet:03o}" for octet in body)
        return f"printf '{octal}' | ", "--data-binary @-"
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
    if request.method != "POST" or request.body is None:
        parts += ["-X", request.method]
    parts.append(shlex.quote(url))
    for name, value in (*extra_headers, *request.headers):
        if value == "":
            parts += ["-H", shlex.quote(f"{name}:")]
        elif (name, value) in extra_headers and value.startswith("$"):
            parts += ["-H", f'"{name}: {value}"']
        else:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.authorization is not None:
        parts += ["-H", _double_quoted(f"Authorization: {request.authorization}", key_variable)]
    if request.body is not None:
        lead, option = _body(request.body)
        parts.append(option)
    return lead + " ".join(parts)
