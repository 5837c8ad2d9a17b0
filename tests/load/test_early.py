"""Ctrl-C, before a run has begun and in it, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.load.running import ROOT

HEAD = "import os, signal; from load.early import begun, heed; "
PRESS = "signal.raise_signal(signal.SIGINT); "
USUAL = "signal.signal(signal.SIGINT, signal.default_int_handler); "
IGNORED = "signal.signal(signal.SIGINT, signal.SIG_IGN); "
RUN = """
import gevent
def press():
    for _ in range({times}):
        signal.raise_signal(signal.SIGINT)
        gevent.sleep(0.01)
    print("others go on", flush=True)
for _ in range(3):  # as many runs, one watcher
    gevent.spawn(begun)
gevent.spawn_later(0.01, press)
try:
    gevent.sleep(5)
    print("waited", flush=True)
except KeyboardInterrupt:
    print("ended", flush=True)
    gevent.sleep(0.2)
"""


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (USUAL + "heed(); " + PRESS, 2, "load: interrupted before the run began\n"),
        (USUAL + "heed(); os.fork() or " + PRESS.rstrip("; "), 0, ""),  # the first process says it
        (IGNORED + "heed(); " + PRESS, 0, ""),
        (USUAL + "heed()" + RUN.format(times=1), 0, "ended\nothers go on\n"),
        (USUAL + RUN.format(times=1), 0, "ended\nothers go on\n"),  # plain locust
        (
            USUAL + "heed()" + RUN.format(times=2),
            0,
            "ended\nload: the run is ending; once more, and it ends at once\nothers go on\n",
        ),
        (
            USUAL + "heed()" + RUN.format(times=3),
            2,
            "ended\nload: the run is ending; once more, and it ends at once\n",
        ),
    ],
)
def test_ctrl_c(code: str, status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, said)
