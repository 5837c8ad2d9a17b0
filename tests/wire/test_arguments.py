"""Keys on command lines, in environments and in URLs."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.wire import arguments
from conformance.wire.arguments import bare, blank, without

SHOWN = """
import sys
from pathlib import Path
from conformance.wire.arguments import blank
blank(sys.argv[2])
print(Path("/proc/self/cmdline").read_text().replace("\\0", " "), sys.argv[2:])
"""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux shows arguments there")
def test_a_key_leaves_the_command_line_once_it_is_read() -> None:
    words = ["--api-key", "sk-1234", "--api-key=sk-1234", "sk-12345", "nosk-1234"]
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    line, _, known = done.stdout.rpartition("[")
    assert "--api-key xxxxxxx --api-key=xxxxxxx sk-12345 nosk-1234" in line
    assert "sk-1234'" in known  # the programme itself has what it was given


def test_where_a_system_has_no_such_memory_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "PROCESS", tmp_path)
    blank("sk-1234")
    (tmp_path / "stat").write_bytes(b"1 (a ) b) S 2 3")
    blank("sk-1234")
    blank("")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:1/v1", "http://host:1/v1"),
        ("http://user:sk-1234@host/v1", "http://…@host/v1"),
        ("user:sk-1234@host/v1", "…@host/v1"),
        ("https://host/v1?api-key=sk-1234", "https://host/v1"),
        ("https://host/a@b", "https://host/…@b"),
        ("sk-live-0123456789abcdef", "…"),
        ("https://host/sk-live-0123456789abcdef/v1", "https://host/sk-live-0123456789abcdef/v1"),
    ],
)
def test_a_url_is_quoted_without_what_it_carries(url: str, shown: str) -> None:
    assert bare(url) == shown


def test_variables_that_hold_a_secret_are_left_out() -> None:
    environ = {"A": "sk-1234", "B": " sk-1234\n", "C": "Bearer sk-1234", "D": "", "E_KEY": "other"}
    assert without(environ, ["sk-1234", "", "other "]) == {"D": ""}
