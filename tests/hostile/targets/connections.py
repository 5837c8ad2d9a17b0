"""What a target does with a connection rather than with a reply."""

from __future__ import annotations

import socket
import time

from tests.hostile.targets.row import (
    BAD_CERTIFICATE,
    BROKEN,
    CLOSED,
    CUT_LIST,
    GREETED,
    target,
)
from tests.hostile.targets.wire import LIST, Wire, head, whole


@target(CLOSED, BROKEN, BROKEN, load=("reset", "no_reply"))
def reset_before_the_answer(wire: Wire) -> None:
    """Reads the request and resets the connection."""
    wire.reset()


@target(CLOSED, BROKEN, BROKEN, load=("reset", "no_reply"))
def reset_in_the_head(wire: Wire) -> None:
    """Resets the connection within the head."""
    wire.send(whole(wire)[:30])
    time.sleep(0.05)
    wire.reset()


@target(CUT_LIST, BROKEN, BROKEN, load=("reset", "truncated"))
def reset_in_the_body(wire: Wire) -> None:
    """Resets the connection in the middle of the body."""
    octets = whole(wire)
    wire.send(octets[: len(octets) - len(wire.body) // 2])
    time.sleep(0.05)
    wire.reset()


@target(CUT_LIST, BROKEN, BROKEN, load="truncated")
def half_close_in_the_body(wire: Wire) -> None:
    """Ends its half of the connection in the middle of the body, and reads on."""
    octets = whole(wire)
    wire.send(octets[: len(octets) - len(wire.body) // 2])
    wire.sock.shutdown(socket.SHUT_WR)
    wire.hold()


@target(CLOSED, load=("no_reply", "reset", "unreachable"), speaks_first=True)
def reset_on_accept(wire: Wire) -> None:
    """Accepts the connection and resets it."""
    wire.reset()


@target(CLOSED, load="no_reply", speaks_first=True)
def half_close_on_accept(wire: Wire) -> None:
    """Ends its half of the connection before anything was asked, and reads on."""
    wire.sock.shutdown(socket.SHUT_WR)
    wire.hold()


@target(GREETED, load="bad_http", speaks_first=True)
def speaks_ssh(wire: Wire) -> None:
    """Says what an SSH server says first."""
    wire.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    wire.hold()


@target(GREETED, load="bad_http", speaks_first=True)
def speaks_smtp(wire: Wire) -> None:
    """Says what a mail server says first."""
    wire.send(b"220 mail.example ESMTP ready\r\n")
    wire.hold()


@target(GREETED, load=("not_a_stream", "no_reply", "reset"), speaks_first=True)
def answers_before_the_request(wire: Wire) -> None:
    """Sends a right answer to a list of models before the request is there."""
    body = LIST
    wire.send(head("200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}"))
    wire.send(body)
    wire.hold()


@target(BAD_CERTIFICATE, load="tls", certificate="wrong-host.pem")
def tls_for_another_host(wire: Wire) -> None:
    """A certificate, rightly signed, of another host."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="tls", certificate="expired.pem")
def tls_expired(wire: Wire) -> None:
    """A certificate that has expired."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="tls", certificate="self-signed.pem")
def tls_self_signed(wire: Wire) -> None:
    """A certificate that nobody signed."""
    wire.send(whole(wire))


@target(BAD_CERTIFICATE, load="connect_timeout", speaks_first=True, slow=True)
def tls_that_never_shakes_hands(wire: Wire) -> None:
    """A port for https that accepts and says nothing."""
    wire.hold()
