"""Shows what every fault does to some requirements: `python -m tests.faults.sweep CC-TOOL …`.

For the author of a chapter: who else turns my checks red? Arguments that name a fault select it;
the others select requirements, as `--requirement` does. One line for each mismatch; exit status 1
when there is one.
"""

import sys
import tempfile
from pathlib import Path

from conformance.checks import judged
from conformance.libraries import absent
from conformance.reference.faults import FAULTS
from conformance.requirements import select

from .trial import judge_all


def main(words: list[str]) -> int:
    """Judge and print; returns the exit status."""
    names = [word for word in words if word in FAULTS]
    patterns = tuple(word for word in words if word not in FAULTS)
    asked = {entry.id for entry in select(patterns)} if patterns else set(judged())
    with tempfile.TemporaryDirectory() as folder:
        found = judge_all(Path(folder), ["", *(names or FAULTS)], only=patterns)
    wrong = 0
    for name, trial in found.items():
        declared = (FAULTS[name].breaks if name else frozenset()) & judged().keys() & asked
        declared -= absent()
        seen = trial.ids("FAIL", "WARN")
        errors = trial.ids("ERROR") if trial.verdicts else {"no results"}
        undecided = set() if name else trial.ids("INCONCLUSIVE", "BLOCKED")
        if seen != declared or errors or undecided:
            wrong += 1
            print(
                f"{name or '(no fault)'}: missed {sorted(declared - seen)}, "
                f"unasked {sorted(seen - declared)}, errors {sorted(errors)}, "
                f"undecided {sorted(undecided)}"
            )
    print(f"{len(found)} servers judged, {wrong} not as declared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
