"""Run a program that is no Python script, in this process's group, until it ends.

python program.py PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    sys.exit(subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode)
