"""Run the reference server, and a gateway in front of it, until the gateway ends.

    python gateway.py --python PYTHON --upstream PORT --key KEY -- PROGRAM [ARGUMENT ...]

What a gateway breaks shows best before a server that breaks nothing. PYTHON has this suite
installed; both listen on 127.0.0.1, and the provider's key is the one that clients send.
"""

from __future__ import annotations

import argparse
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True, help="runs the reference server")
    parser.add_argument("--upstream", required=True, help="the reference server's port")
    parser.add_argument("--key", required=True)
    parser.add_argument("program", nargs="+")
    args = parser.parse_args()
    reference = [args.python, "-m", "conformance.reference", "--exit-with-parent"]
    with subprocess.Popen(
        [*reference, "--port", args.upstream, "--key", args.key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as upstream:
        assert upstream.stdout
        print(upstream.stdout.readline(), end="", flush=True)  # it listens now
        try:
            return subprocess.run(args.program, stdin=subprocess.DEVNULL, check=False).returncode
        finally:
            upstream.terminate()


if __name__ == "__main__":
    sys.exit(main())
