"""What users install: a wheel, in an environment of its own, run from a folder of theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGES = ("conformance", "schemas", "load", "reports")
DATA = {".toml", ".json", ".html", ".css", ".js", ".typed"}

THEIRS = """
[pytest]
addopts = --strict-markers --strict-config
filterwarnings = error
"""
"""The ini file of a project that has nothing to do with conformance, and is strict."""


def run(python: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python in `folder`, without what this checkout and its pytest put in the environment.

    The combined output is in `stdout`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "COV_", "VIRTUAL_ENV"))
    }
    return subprocess.run(
        [python, *arguments],
        cwd=folder,
        env=kept | {"TARGET_API_KEY": "sk-reference"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def succeeds(python: Path, *arguments: str, folder: Path) -> str:
    """What the command says; fails the test where its exit status is not 0."""
    done = run(python, *arguments, folder=folder)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    succeeds(
        *(Path(sys.executable), "-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", str(folder)),
        folder=ROOT,
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and what it depends on."""
    place = tmp_path_factory.mktemp("their environment")
    venv.create(place, with_pip=True)
    installed = place / "bin" / "python"
    succeeds(
        *(installed, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--constraint", str(ROOT / "constraints.txt"), str(wheel)),
        folder=place,
    )
    return installed


@pytest.fixture
def target(python: Path) -> Iterator[str]:
    """The base URL of a reference server, started from the wheel."""
    server = subprocess.Popen(
        [python, "-m", "conformance.reference", "--port", "0", "--exit-with-parent"],
        cwd=python.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().removeprefix("listening on ")
        server.terminate()


def carried(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def tracked() -> set[str]:
    """The files of the packages that git knows; without git, those that lie there."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_carries_every_module_and_every_data_file(wheel: Path) -> None:
    wanted = {n for n in tracked() if Path(n).suffix in DATA | {".py"}}
    assert {Path(n).suffix for n in wanted} == DATA | {".py"}  # each kind is there to be missed
    assert wanted - carried(wheel) == set()


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    assert {name.split("/")[0] for name in carried(wheel)} == set(PACKAGES)
    assert not [name for name in carried(wheel) if name.startswith("reports/out")]
    assert not [name for name in carried(wheel) if "__pycache__" in name]


def test_an_installed_suite_judges_a_target(python: Path, target: str, tmp_path: Path) -> None:
    said = succeeds(
        *(python, "-m", "pytest", "--pyargs", "conformance", "--target-url", target),
        folder=tmp_path,
    )
    out = tmp_path / "reports" / "out"
    assert {path.name for path in out.iterdir()} == {
        "results.json",
        "junit.xml",
        "compliance.html",
    }
    results = json.loads((out / "results.json").read_text("utf-8"))
    assert results["target"]["url"] == target
    verdicts = {entry["verdict"] for entry in results["requirements"]}
    # INCONCLUSIVE: the profile of a URL names no prompt that makes a stream fail.
    assert "PASS" in verdicts
    assert verdicts <= {"PASS", "UNSUPPORTED", "INCONCLUSIVE", "OBSERVED"}
    assert "Conformant" in said
    # The folder `reports` that the run has made does not hide the package.
    shown = succeeds(python, "-m", "reports", "show", "reports/out/results.json", folder=tmp_path)
    assert "Conformant" in shown


def theirs(folder: Path, test: str) -> None:
    """Write that project, with one test."""
    (folder / "pytest.ini").write_text(THEIRS, encoding="utf-8")
    (folder / "test_theirs.py").write_text(test, encoding="utf-8")


@pytest.mark.parametrize(
    "arguments", [(), ("-p", "no:html"), ("-n", "2")], ids=["plain", "without html", "xdist"]
)
def test_the_plugin_is_inert_in_other_projects(
    python: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    theirs(tmp_path, "def test_theirs():\n    assert 1 + 1 == 2\n")
    said = succeeds(python, "-m", "pytest", *arguments, folder=tmp_path)
    assert "1 passed" in said
    heard = [line for line in said.splitlines() if not line.startswith("plugins:")]
    assert not [line for line in heard if "conforman" in line or "target" in line]
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("name", ["schemas", "load", "reports"])
def test_other_projects_may_have_packages_of_the_same_names(
    python: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "mine.py").write_text("ANSWER = 42\n", encoding="utf-8")
    theirs(tmp_path, f"from {name}.mine import ANSWER\n\ndef test_theirs():\n    assert ANSWER\n")
    assert "1 passed" in succeeds(python, "-m", "pytest", folder=tmp_path)
