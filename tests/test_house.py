"""The house: one direction of imports, one module that knows folders, files of a readable size."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reglab
from reglab import paths

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "reglab"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST = 300


def lint_imports(folder: Path, source: Path) -> subprocess.CompletedProcess:
    """Check the contracts of pyproject.toml on the package that lies in ``source``."""
    code = "import sys; from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path):
    """A copy of the package and of its contracts, to be spoilt."""
    shutil.copytree(SOURCE, tmp_path / "src" / "reglab", ignore=shutil.ignore_patterns("sample"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_modules_know_only_what_is_below_them():
    linted = lint_imports(ROOT, ROOT / "src")
    assert linted.returncode == 0, linted.stdout
    assert "2 kept, 0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("results/tables.py", "from reglab.pages import display", "one direction"),
        ("study/plan.py", "from reglab.study import sweep", "no circle between the"),
    ],
)
def test_an_import_the_wrong_way_is_found(house, module, line, contract):
    path = house / "src" / "reglab" / module
    text = path.read_text("utf-8")
    path.write_text(text.replace("\nfrom reglab", f"\n{line}\nfrom reglab", 1), "utf-8")
    linted = lint_imports(house, house / "src")
    assert linted.returncode == 1
    assert re.search(f"^{contract}.* BROKEN$", linted.stdout, re.M)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_only_paths_looks_for_folders(path):
    asked = re.findall(
        r"environ\W+(?:get\W+)?(REGLAB_(?:STORE|RESULTS|DATA_DIR))", path.read_text()
    )
    assert bool(asked) == (path.name == "paths.py")


@pytest.mark.parametrize("folder", ["src", "tests", "tools"])
def test_files_stay_short(folder):
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert long == {}


@pytest.mark.parametrize("name", ["", "notebooks"])
def test_a_kernel_finds_the_same_folders_as_a_command(tmp_path, monkeypatch, name):
    for variable in ("REGLAB_STORE", "REGLAB_RESULTS"):
        monkeypatch.delenv(variable)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "results").mkdir(parents=True)
    (tmp_path / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path / name)
    assert paths.store_folder().resolve() == tmp_path / "runs"
    assert paths.results_folder().resolve() == tmp_path / "book" / "results"


def test_outside_a_checkout_the_working_directory_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("REGLAB_STORE")
    monkeypatch.chdir(tmp_path)
    assert paths.store_folder().resolve() == tmp_path / "runs"


def test_outside_a_checkout_the_results_are_those_that_came_with_reglab(tmp_path, monkeypatch):
    monkeypatch.delenv("REGLAB_RESULTS")
    monkeypatch.chdir(tmp_path)
    assert paths.results_folder() == ROOT / "book" / "results"  # of an editable install
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "package")  # of a wheel
    (tmp_path / "package" / "recorded").mkdir(parents=True)
    assert paths.results_folder() == tmp_path / "package" / "recorded"
    assert paths.record_folder().resolve() == tmp_path / "book" / "results"
    paths.record_folder().mkdir(parents=True)  # what was recorded here comes first
    assert paths.results_folder().resolve() == tmp_path / "book" / "results"


def test_what_is_given_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_RESULTS", str(tmp_path / "mine"))
    assert paths.results_folder() == tmp_path / "mine"
    assert paths.results_folder(tmp_path / "yours") == tmp_path / "yours"
    assert paths.record_folder(tmp_path / "yours") == tmp_path / "yours"


def test_the_package_exports_what_most_users_need():
    for name in reglab.__all__:
        assert getattr(reglab, name) is not None
    for name, home in reglab._HOMES.items():
        assert getattr(reglab, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="no attribute 'l3'"):
        _ = reglab.l3


def test_a_bare_import_is_light():
    code = "import reglab, sys; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_checkout_has_unix_line_endings_whatever_git_is_told(tmp_path):
    """With CRLF no shell script runs, and files no longer have their digests."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    shutil.copy(ROOT / ".gitattributes", here)
    (here / "script.sh").write_bytes(b"#!/bin/sh\ntrue\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "Script"]):
        subprocess.run(["git", *command], cwd=here, check=True)
    command = ["git", "-c", "core.autocrlf=true", "clone", "-q", str(here), str(there)]
    subprocess.run(command, check=True)
    assert (there / "script.sh").read_bytes() == b"#!/bin/sh\ntrue\n"
