"""Many command lines in one process, for what ends before a check is collected.

    python -m tests.plugin.batch < '{"name": ["--option", …], …}'

prints {"name": [status, stdout, stderr], …}. Importing the suite costs a second; a table of thirty
mistakes pays for it once.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.plugin.bench import KEY, LONGEST, Ran, command, environment


def run_all(folder: Path, table: Mapping[str, Sequence[str]]) -> dict[str, Ran]:
    """How each command line of `table` ends in `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.plugin.batch"],
        cwd=folder,
        env=environment(KEY, {}),
        input=json.dumps({name: command(line)[3:] for name, line in table.items()}),
        capture_output=True,
        text=True,
        timeout=4 * LONGEST,  # they are many
        check=True,
    )
    ended = json.loads(done.stdout)
    return {name: Ran(status, out, err, folder) for name, (status, out, err) in ended.items()}


def main() -> None:
    """Read the table, run it, print how each line ended."""
    ended = {}
    for name, line in json.load(sys.stdin).items():
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = pytest.main([*line, "-c", os.devnull, "--rootdir", "."])
        ended[name] = [int(status), out.getvalue(), err.getvalue()]
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
