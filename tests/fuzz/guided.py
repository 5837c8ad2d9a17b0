"""Coverage-guided fuzzing of the rows of `targets`, by atheris (libFuzzer): by hand, not in CI.

    python -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install -e '.[load]' atheris
    /tmp/fuzz/bin/python -m tests.fuzz.guided chunk-machine -max_total_time=300 -timeout=10

What follows the name goes to libFuzzer. The corpus of the run is kept in ``.cache/fuzz/NAME``; a
crasher goes to ``tests/fuzz/found/NAME``, with the fix.
"""

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Fuzz the row that the command line names."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["conformance", "load"]):
        from tests.fuzz.targets import SEEDS, TARGETS, WORDS
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"name a row: {', '.join(TARGETS)}")
    corpus = Path(".cache/fuzz") / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = corpus.with_suffix(".dict")
    spelled = ["".join(f"\\x{byte:02x}" for byte in word) for word in WORDS[name] if len(word) < 64]
    words.write_text("".join(f'"{word}"\n' for word in spelled), "ascii")
    options = [f"-dict={words}", f"-artifact_prefix={corpus}-", "-max_len=4096", *sys.argv[2:]]
    atheris.Setup([sys.argv[0], str(corpus), *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
