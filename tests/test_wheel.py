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
from conftest import finish

from reglab import verdicts
from reglab.pages import ledger
from reglab.results import recorded
from reglab.runs.store import RunStore
from reglab.study.plan import make_plan
from reglab.training.run import train

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


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_source_archive_gives_the_same_wheel(built, tmp_path):
    (archive,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    assert contents(again) == contents(wheel)


def test_the_source_archive_has_what_a_reader_looks_for(built):
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


@pytest.fixture
def outside(tmp_path):
    """Return a function that runs the installed command far from any checkout and its settings."""

    def run(*command):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("REGLAB", "PYTHON"))}
        here = {"cwd": tmp_path, "env": clean}
        return subprocess.run(command, **here, capture_output=True, text=True)

    return run


def test_outside_a_checkout_a_study_is_made(installed, outside, tmp_path):
    """Of bundled images; all but a few of its runs are made up."""
    plan = make_plan("mnist", "smoke", seeds=1, device="cpu")
    records, store = list(finish(plan).values()), RunStore(tmp_path / "runs")
    missing = records[::20]
    for record in records:
        if record not in missing:
            store.put(record)
    asked = ["--dataset", "mnist", "--profile", "smoke", "--seeds", "1", "--device", "cpu"]
    done = outside(installed, "reproduce", *asked, "--workers", "1", "--store", str(store.root))
    assert done.returncode == 0, done.stderr
    assert f"({len(missing)} runs made now)" in done.stdout
    for config in (record.config for record in missing):
        assert store.get(config).reproducible() == train(config).reproducible()


def test_outside_a_checkout_the_ledger_is_the_same(installed, outside, monkeypatch):
    done = outside(installed, "claims", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    there = json.loads(done.stdout)
    assert any(row["estimate"] is not None for row in there)
    monkeypatch.setenv("REGLAB_RESULTS", str(RESULTS))
    assert there == json.loads(ledger.render(verdicts.ledger(recorded.all_profiles()), "json"))
