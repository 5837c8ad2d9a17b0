"""The clock of the socket: it stands still while the process is held up, and only then."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wire import clock
from conformance.wire.clock import GRACE, Clock
from tests.wire.tiny import Tiny, serve

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

READER = """
import sys
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Request
with Client(Endpoint(sys.argv[1], None, timeout=1.5, linger=0.5)) as client:
    found = client.send(Request("POST", "/chat/completions", b"{}"))
print(found.failure, found.ended_at - found.arrivals[0].at)
"""


class Told:
    """Time as a test tells it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("woke_first", [True, False], ids=["the thread", "who asks"])
def test_what_was_missed_is_not_counted(woke_first: bool) -> None:
    told = Told()
    clock = Clock(told)
    began = clock.now()
    told.now += 5
    if woke_first:
        clock.tick()
    assert clock.now() - began == pytest.approx(GRACE)
    clock.tick()
    told.now += 0.1
    assert clock.now() - began == pytest.approx(GRACE + 0.1)


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans())))
def test_it_never_goes_back_nor_faster_than_time(steps: list[tuple[float, bool]]) -> None:
    told = Told()
    clock = Clock(told)
    for step, ticks in steps:
        before = clock.now()
        told.now += step
        if ticks:
            clock.tick()
        assert -1e-9 <= clock.now() - before <= step + 1e-9


@given(st.lists(st.floats(0, GRACE)))
def test_a_process_that_runs_misses_nothing(steps: list[float]) -> None:
    told = Told()
    clock = Clock(told)
    for step in steps:
        told.now += step
        clock.tick()
    assert clock.now() == pytest.approx(told.now)


def test_it_is_kept_going() -> None:
    began, true = clock.now(), time.monotonic()
    time.sleep(3 * GRACE)
    assert clock.now() - began >= 2 * GRACE or time.monotonic() - true > 6 * GRACE


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
def test_a_stream_is_not_late_because_its_reader_was_stopped() -> None:
    process: list[subprocess.Popen[str]] = []

    def stops_its_reader(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE + b"data: [DONE]\n\n")
        time.sleep(0.1)
        os.kill(process[0].pid, signal.SIGSTOP)
        sock.shutdown(socket.SHUT_WR)
        time.sleep(2.5)
        os.kill(process[0].pid, signal.SIGCONT)

    with serve(stops_its_reader) as tiny:
        command = [sys.executable, "-c", READER, tiny.url]
        process.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        said = process[0].communicate(timeout=30)[0]
    failure, wait = said.split()
    assert failure == "None"
    assert 0 < float(wait) < 1
