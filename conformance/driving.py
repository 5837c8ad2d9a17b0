"""Runs real client libraries against the target, and reads what each made of it (CC-SDK).

The laws:

1. A driver (`conformance/clients/drive.py`, `drive.mjs`) runs in a process of its own, and all that
   it says is data.
2. The libraries run side by side, each once for a model, its whole programme in one process.
3. The key goes to a driver through its environment, never through the command line, and what comes
   back is masked before anything of it is quoted.
"""

import base64
import binascii
import json
import os
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from .asking.sent import CHAT_PATH, encode
from .chat import Chat
from .libraries import LIBRARIES, Library, command, folder, key_variable, programme
from .outcomes import Inconclusive, Unjudged, Unsupported
from .protocol.finding import shorten
from .wire.arguments import without
from .wire.client import Client, Endpoint
from .wire.exchange import BEARER, Exchange, Failure, FailureKind, Request

START_UP = 120.0
"""Seconds that a client may take at least: importing one on a busy machine is no exchange."""

TRIES = 3
"""How often a library makes a call at most: twice more after a 408, 409, 429, 5xx or no reply; at
a rate, which it knows nothing of, it makes each once."""

RETOLD = 2048
"""Bytes that a call and its result are taken to add to the prompt that tells them back."""

UNWANTED = ("OPENAI_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_")
"""Beginnings of environment variables that change what a library does."""

# In both cases: who reads the one may not read the other. A proxy would see the key.
DIRECT = {"NO_PROXY": "*", "no_proxy": "*"}

SETTINGS = {**DIRECT, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"}
"""Nothing is fetched from anywhere but the target."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a library made of one step: `returned`, or `raised`; and its last exchange, if any.

    `before`: the exchanges that led up to it.
    """

    library: str
    name: str
    returned: Any
    raised: Mapping[str, Any] | None
    exchange: Exchange | None
    before: tuple[Exchange, ...] = ()

    def __str__(self) -> str:
        if self.raised is None:
            return f"{self.library} returns {shorten(self.returned)}"
        return f"{self.library} raises {self.raised['class']}: {shorten(self.raised['message'])}"


class Driven:
    """A driver at work."""

    def __init__(self, chat: Chat, library: Library) -> None:
        """Raises `Unsupported` where the library is not installed, `Inconclusive` where a budget
        does not cover its programme."""
        self.library = library
        self._endpoint = chat.client.endpoint
        words = command(library)
        chat.patience.may_ask()
        steps = programme(chat, library.name)
        self._planned = {str(step["name"]): requests_of(step) for step in steps}
        gate = chat.client.gate
        self._tries = 1 if gate.limits.rate else TRIES
        wait = gate.reserve(self._requests, self._tries)
        job = {
            **({"retries": 0} if gate.limits.rate else {}),
            "wait": wait,
            "gap": gate.gap,
            "base_url": self._endpoint.base_url,
            "model": chat.model,
            "timeout": self._endpoint.timeout,
            "steps": steps,
        }
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - the same
        slow = wait + gate.gap * len(self._requests)
        self._until = time.monotonic() + slow + START_UP + 2 * self._endpoint.timeout
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=self._err,
            env=environment(self._endpoint, steps),
        )
        weakref.finalize(self, self._process.kill)  # a run that is cut short leaves nobody behind
        _write(self._process.stdin, json.dumps(job).encode())
        self._steps: dict[str, Step] | None = None
        self._complaint = ""

    @property
    def _requests(self) -> list[Request]:
        """All that the programme sends."""
        return [request for requests in self._planned.values() for request in requests]

    def steps(self, chat: Chat) -> Mapping[str, Step]:
        """What the driver said, by step; waits for its end.

        Raises `Inconclusive` when it did not come to its first step.
        """
        if self._steps is None:
            self._steps = self._read(chat)
        if not self._steps:
            raise Inconclusive(f"{self.library.name} does not start: {self._complaint}")
        return self._steps

    def _read(self, chat: Chat) -> dict[str, Step]:
        try:
            self._process.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._out as out, self._err as err:
            lines = [_loaded(line) for line in _whole(out).splitlines()]
            said = _whole(err).decode("utf-8", "backslashreplace")
            complaint = chat.client.redactor.text(said).strip()
        lines = [line for line in lines if "name" in line]
        self._complaint = shorten((complaint.splitlines()[-1:] or ["it says nothing"])[0], 200)
        found = {}
        made: dict[str, list[Exchange]] = {}
        for line in lines[1:]:
            exchanges = [exchange_of(one, chat.client) for one in line.pop("exchanges", ())]
            made[line["name"]] = exchanges
            masked: Any = chat.client.redactor.tree(line, names=True)
            chat.client.log.extend((one.request, one.status) for one in exchanges)
            found[line["name"]] = Step(
                self.library.name,
                line["name"],
                masked.get("returned"),
                masked.get("raised"),
                exchanges[-1] if exchanges else None,
                tuple(exchanges[:-1]),
            )
        unmade = sum(
            self._tries * len(requests) - calls_of(made.get(name), len(requests), self._tries)
            for name, requests in self._planned.items()
        )
        over = [exchange for exchanges in made.values() for exchange in exchanges]
        chat.client.gate.restore(self._requests, unmade, over)
        return found


def requests_of(step: Mapping[str, Any]) -> list[Request]:
    """What a step of a programme sends, as far as it costs anything."""
    if step["kind"] in ("models", "retrieve"):
        return [Request("GET", "/models")]
    body = step["body"]
    asked = Request("POST", CHAT_PATH, encode(body))
    if step["kind"] != "tool_round":
        return [asked]
    told = [*body["messages"], {"role": "tool", "content": "x" * RETOLD}]
    return [asked, Request("POST", CHAT_PATH, encode({**body, "messages": told}))]


def calls_of(exchanges: Sequence[Exchange] | None, planned: int = 1, tries: int = TRIES) -> int:
    """How many calls a step made, or may have made, of the `planned`; None: it was not told of.

    A library does not show what it repeated, so that what it repeats counts as repeated.
    """
    if not exchanges:
        return planned * tries
    last = exchanges[-1].status
    settled = last is not None and last not in (408, 409, 429) and last < 500
    return min(planned * tries, len(exchanges) if settled else len(exchanges) - 1 + tries)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _write(pipe: IO[bytes] | None, octets: bytes) -> None:
    """Hand a driver its job; one that has died already will be found out when it is read."""
    if pipe is not None:
        try:
            with pipe:
                pipe.write(octets)
        except BrokenPipeError:
            return


def _loaded(line: bytes) -> dict[str, Any]:
    """One line of a driver; one that was cut off, or that a library printed, is no step."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def environment(endpoint: Endpoint, steps: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
    """What a driver finds in its environment: the key and the headers, no setting of the user's.

    Of the other keys those that `steps` name.
    """
    named = {step.get("key_env") for step in steps}
    spare = {key_variable(name): key for name, key in endpoint.spare_keys.items()}
    kept = without(os.environ, endpoint.secrets)
    kept = {name: value for name, value in kept.items() if not name.upper().startswith(UNWANTED)}
    return kept | {
        **SETTINGS,
        "CONFORMANCE_CLIENT_KEY": endpoint.key or "",
        **{variable: key for variable, key in spare.items() if variable in named},
        "CONFORMANCE_CLIENT_HEADERS": json.dumps(dict(endpoint.extra_headers)),
        "CONFORMANCE_CLIENT_MODULES": str(folder()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


LEFT = "left before its end"
"""How a driver says that its library read no further: after [DONE] none needs to."""


def exchange_of(told: Mapping[str, Any], client: Client) -> Exchange:
    """What a driver recorded, as an exchange of the suite: masked, as those are.

    A content coding, which the client asked for, is undone already, and its header is left out.
    """
    mask, endpoint = client.redactor, client.endpoint
    sent, body = (mask.octets(_octets(told.get(name))) for name in ("sent", "body"))
    url = str(told.get("url"))
    request = Request(
        method=str(told.get("method")),
        path=url.removeprefix(endpoint.base_url.rstrip("/")),
        body=sent or None,
        headers=(("Content-Type", "application/json"), ("User-Agent", str(told["user_agent"]))),
        authorization=BEARER,
    )
    status = told.get("status")
    given = [(str(name), str(value)) for name, value in told.get("headers", ())]
    return Exchange(
        request=request,
        url=url,
        status=status if isinstance(status, int) else None,
        headers=mask.headers(pair for pair in given if pair[0].lower() != "content-encoding"),
        body=body,
        failure=failure_of(mask.text(str(told.get("failure")))),
    )


def _octets(coded: object) -> bytes:
    try:
        return base64.b64decode(str(coded or ""))
    except binascii.Error:
        return b""


def failure_of(words: str) -> Failure | None:
    """Why a library has no whole reply; None where it has one, or wanted no more."""
    if words in ("", LEFT):
        return None
    for kind, signs in FAILURES.items():
        if any(sign in words for sign in signs):
            return Failure(kind, shorten(words))
    return Failure(FailureKind.RESET, shorten(words))


FAILURES: Mapping[FailureKind, tuple[str, ...]] = {
    FailureKind.TIMEOUT: ("Timeout", "timeout", "AbortError"),
    FailureKind.TOO_LARGE: ("the body exceeds",),
    FailureKind.TRUNCATED: ("without sending complete", "incomplete chunked", "terminated"),
    FailureKind.PROTOCOL: ("ProtocolError", "DecodingError"),
}
"""The words by which HTTP clients say so: httpx and undici."""


# -- all of them ------------------------------------------------------------------------------


def driven(chat: Chat, name: str) -> Mapping[str, Step]:
    """What the library of that name made of its programme.

    At the first call every library that a selected clause needs is started beside it. Raises
    `Unsupported` where the library is not installed or no client may run, `Inconclusive` where a
    budget does not cover its programme.
    """
    if chat.clients is None:
        raise Unsupported("no client is run: --no-clients")
    running: dict[str, Driven] = chat.memory.setdefault("clients", {})
    wanted = [library for library in LIBRARIES.values() if library.clauses & chat.clients]
    for library in (LIBRARIES[name], *(wanted if not running else ())):
        if library.name not in running:
            try:
                running[library.name] = Driven(chat, library)
            except Unjudged:
                if library.name == name:
                    raise
    return running[name].steps(chat)
