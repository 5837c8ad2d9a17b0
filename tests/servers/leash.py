"""Run a Python script in this process, and end it when standard input closes.

    python leash.py SCRIPT [ARGUMENT ...]

The parent holds the other end of the pipe. However the parent dies, kill -9 included, the system
closes that end, and the server's whole process group goes with it: no orphan keeps a port.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
