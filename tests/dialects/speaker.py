"""``python -m tests.dialects.speaker MODULE``: the reference server, speaking MODULE's dialects.

Each is served under a path of its own, ``/fault/NAME/v1``, as faults are.
"""

import importlib
import sys

from conformance.reference.__main__ import main
from conformance.reference.faults.registry import REGISTERED, Fault

from .dialect import DIALECTS


def speak(module: str) -> int:
    """Serves the dialects that `module` registers until standard input ends."""
    importlib.import_module(module)
    for one in DIALECTS.values():
        REGISTERED[one.name] = Fault(one.name, one.warns, one.seam, one.says, one.act, one.parts)
    return main(["--port", "0", "--exit-with-parent"])


if __name__ == "__main__":
    sys.exit(speak(sys.argv[1]))
