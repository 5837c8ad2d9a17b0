"""A canary: secrets that a target echoes everywhere, and a search through all that a run left.

The laws: whatever can be turned back into text is, before it is searched (gzip, Base64, at any
depth); a spelling that the search knows is one that the target echoes in, so that a search that
finds nothing has had something to find.
"""

import base64
import gzip
import html
import json
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from tests.wire.tiny import Tiny

KEY = "sk-canary/7+Q=&<x>'\"0123456789abcdef"


# -- spellings --------------------------------------------------------------------------------


def whole(text: str) -> dict[str, str]:
    """`text` in each spelling that keeps to its own octets."""
    octets = text.encode()
    quoted = quote(text, safe="")
    escaped = "".join(f"\\u{ord(c):04x}" for c in text)
    lists = ", ".join(map(str, octets))
    return {
        "raw": text,
        "URL": quoted,
        "URL, lower case": re.sub("%..", lambda m: m[0].lower(), quoted),
        "URL, every octet": "".join(f"%{octet:02X}" for octet in octets),
        "URL of a URL": quote(quoted, safe=""),
        "JSON": json.dumps(text)[1:-1],
        "JSON, every character": escaped,
        "JSON, upper case": escaped.upper().replace("\\U", "\\u"),
        "JSON in JSON": json.dumps(json.dumps(text)[1:-1])[1:-1],
        "JSON in JSON, every character": escaped.replace("\\", "\\\\"),
        "Python": "".join(f"\\x{octet:02x}" for octet in octets),
        "HTML": html.escape(text),
        "HTML, some quotes": html.escape(text, quote=False),
        "HTML, numbers": "".join(f"&#{ord(c)};" for c in text),
        "HTML in HTML": html.escape(html.escape(text)),
        "hexadecimal": octets.hex(),
        "hexadecimal, apart": octets.hex(":").upper(),
        "a list of numbers": lists,
        "a list of numbers, close": lists.replace(" ", ""),
    }


def coded(text: str) -> dict[str, str]:
    """Base64 of `text` at each position, in both alphabets."""
    found = {}
    for lead in range(3):
        octets = b"x" * lead + text.encode()
        found[f"Base64 at {lead}"] = base64.b64encode(octets).decode()
        found[f"Base64 of URLs at {lead}"] = base64.urlsafe_b64encode(octets).decode()
    return found


def spellings(secret: str) -> Iterator[tuple[str, str]]:
    """Name and text of every form in which a secret must not be found, pieces among them."""
    yield from whole(secret).items()
    yield "a piece", secret[10:24]
    yield "the beginning", secret[:20]
    yield "the end", secret[-12:]
    for name, text in coded(secret).items():
        yield name, text[4:-4]  # without what it shares with its neighbours


# -- the search -------------------------------------------------------------------------------


BASE64 = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")


def readings(octets: bytes, depth: int = 3) -> Iterator[str]:
    """The texts that `octets` are or hold: unpacked, and the Base64 in them decoded."""
    if octets[:2] == b"\x1f\x8b":
        try:
            yield from readings(gzip.decompress(octets), depth)
        except (OSError, EOFError, zlib.error):
            pass
        else:
            return
    text = octets.decode("utf-8", "replace")
    yield text
    for found in BASE64.findall(text) if depth else ():
        yield from readings(base64.b64decode(found + "=" * (-len(found) % 4)), depth - 1)


def found_in(
    folder: Path, said: Sequence[str], secrets: Sequence[str] = (KEY,), spare: Sequence[str] = ()
) -> list[str]:
    """Where a secret is among what a run left in `folder` and said, and in which spelling.

    `spare` names files that the test itself put there.
    """
    texts = [(f"output {number}", text.encode()) for number, text in enumerate(said)]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in spare and path.suffix != ".pyc":
            texts.append((str(path.relative_to(folder)), path.read_bytes()))
    return [
        f"{name}: {spelling}"
        for name, octets in texts
        for text in readings(octets)
        for secret in secrets
        for spelling, spelled in spellings(secret)
        if spelled in text
    ]


# -- the target -------------------------------------------------------------------------------


SENT = ("authorization", "x-gateway-token")
"""The headers whose values are echoed."""


def echo_of(raw: bytes) -> str:
    """What the target got as credentials."""
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    pairs = [line.decode("latin-1").partition(":") for line in lines]
    return " ".join(value.strip() for name, _, value in pairs if name.lower() in SENT) or "none"


def every_spelling(text: str) -> list[str]:
    """The forms in which the target echoes; the last one is cut."""
    return [*whole(text).values(), *coded(text).values(), text[: 7 + 2 * len(text) // 3]]


def _events(echo: str, text: str) -> str:
    """A stream that echoes in an event, and that shares the echo out over several."""
    half = len(echo) // 2
    pieces = [echo[:half], echo[half:], *(echo[at : at + 3] for at in range(0, len(echo), 3))]
    deltas = [{"role": "assistant", "content": text}, *({"content": piece} for piece in pieces)]
    choices: list[dict[str, object]] = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": echo})
    events = [json.dumps({"id": text, "choices": [choice]}) for choice in choices]
    return "".join(f"data: {event}\n\n" for event in (*events, text)) + f": {text}\n\n"


def reply(raw: bytes, *, lists: bool = False) -> bytes:
    """An answer in which every part holds the credentials in every spelling.

    `lists`: GET brings a list of models, whose ids are the echo and ``m``, and no redirect.
    """
    echo = echo_of(raw)
    forms = every_spelling(echo) + every_spelling(echo.removeprefix("Bearer "))
    text = " ".join(forms)
    headers = [f"X-Echo-{number}: {form}" for number, form in enumerate(forms)]
    headers += [f"Location: https://elsewhere.example/?key={forms[1]}", f"Set-Cookie: key={echo}"]
    body = json.dumps({"id": text, "object": text, "error": {"message": text, "code": echo}})
    kind, status = "application/json", "200 OK"
    if b'"stream": true' in raw or b'"stream":true' in raw:
        body, kind = _events(echo, text), "text/event-stream"
        headers = headers[:-2]
    elif raw.startswith(b"GET") and lists:
        body = json.dumps({"object": "list", "data": [{"id": echo}, {"id": "m", "object": text}]})
    elif raw.startswith(b"GET"):
        status = "307 Temporary Redirect"
    elif b"sk-wrong" in raw or echo == "none":
        status = f"401 {echo}"
    length = len(body.encode())
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {length}", *headers]
    return "\r\n".join([*head, "", body]).encode("latin-1", "replace")


def echoing(
    limit: int = 10_000,
    at_limit: Callable[[Tiny], None] = Tiny.die,
    *,
    lists: bool = False,
    at_each: Callable[[bytes], object] = len,
) -> Callable[[Tiny, socket.socket], None]:
    """A server that echoes its first `limit` requests, then does `at_limit`.

    What it sends arrives in two parts, cut within an echo. `at_each` gets each request, while its
    sender waits.
    """

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while raw := tiny.read_request(sock):
            if len(tiny.received) > limit:
                at_limit(tiny)
                return
            at_each(raw)
            octets = reply(raw, lists=lists)
            middle = octets.rfind(KEY[:20].encode()) + 10
            sock.sendall(octets[:middle])
            time.sleep(0.002)
            sock.sendall(octets[middle:])

    return behave


def echoed(tiny: Tiny, secret: str = KEY) -> bool:
    """Whether the secret was there to be leaked."""
    return any(secret.encode() in raw for raw in tiny.received)
