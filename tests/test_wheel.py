"""What is built to be installed: the wheel and the source archive know the recorded runs."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from reglab import verdicts
from reglab.pages import ledger
from reglab.results import recorded

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"


def recorded_files() -> dict[str, bytes]:
    """Return what lies in book/results, by path below it."""
    files = (path for path in RESULTS.rglob("*") if path.is_file())
    return {path.relative_to(RESULTS).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the source archive, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_has_each_recorded_file_once(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        shipped = {
            name.removeprefix("reglab/recorded/"): packed.read(name)
            for name in names
            if name.startswith("reglab/recorded/")
        }
    assert shipped == recorded_files()
    assert "reduced/mnist.jsonl.gz" in shipped
    assert {name.partition("/")[0] for name in names} == {"reglab", "reglab-0.1.0.dist-info"}


def test_a_wheel_can_be_built_from_the_source_archive(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "src/reglab/cli.py"}
    assert wanted | {f"book/results/{name}" for name in recorded_files()} <= names


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The command `reglab` of a bare environment: the wheel, and this one's libraries by path.

    A path file names their folder, whose own path files are not read: this checkout's editable
    install is not among them.
    """
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    command += ["--no-cache", "--python", str(python), *map(str, built.glob("*.whl"))]
    subprocess.run(command, check=True)
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    Path(packages, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "reglab"


def test_outside_a_checkout_the_ledger_is_the_same(installed, tmp_path, monkeypatch):
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("REGLAB", "PYTHON"))}
    done = subprocess.run(
        [installed, "claims", "--format", "json"],
        cwd=tmp_path,
        env=outside,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    there = json.loads(done.stdout)
    assert any(row["estimate"] is not None for row in there)
    monkeypatch.setenv("REGLAB_RESULTS", str(RESULTS))
    assert there == json.loads(ledger.render(verdicts.ledger(recorded.all_profiles()), "json"))
