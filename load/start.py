"""``python -m load.start``: Locust itself, with Ctrl-C heeded while it is imported (`early`)."""

from __future__ import annotations

import runpy

from load.early import heed

if __name__ == "__main__":
    heed()
    runpy.run_module("locust", run_name="__main__", alter_sys=True)
