"""`make book`: its steps and their numbers, and a book of recorded runs before any training.

With tools that do nothing but leave the files that make looks for.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOL = """#!/bin/sh
for last; do :; done
echo "$0 $*" | grep -q "reglab $FAILING" && exit 1
case "$0 $*" in
*" rerun "*) mkdir -p "$(dirname "$4")" && : >"$4" ;;
*make_summary*) mkdir -p "$(dirname "$last")" && : >"$last" ;;
*make_front*) mkdir -p "$last" && : >"$last/front.md" ;;
*jupyter-book*) mkdir -p "$4/_build/html" ;;
esac
"""


@pytest.fixture
def make(tmp_path):
    """Return a function that calls `make book` and returns its lines."""
    tools, site = tmp_path / "venv" / "bin", tmp_path / "site"
    tools.mkdir(parents=True)
    for name in ("python", "reglab", "jupyter-book"):
        (tools / name).write_text(TOOL)
        (tools / name).chmod(0o755)
    (site / "notebooks").mkdir(parents=True)
    (site / "book").mkdir()
    for name in ("_config.yml", "_toc.yml", "notebooks/rerun.ipynb", "book/page.md"):
        (site / name).touch()
    for name in ("Makefile", "src", "tools", "pyproject.toml", "requirements.lock"):
        (site / name).symlink_to(ROOT / name)
    (tmp_path / "venv" / ".installed").touch()

    def call(*profile, failing="nothing", status=0):
        command = ["make", "book", *profile, f"VENV={tmp_path}/venv"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        clean["FAILING"] = failing
        done = subprocess.run(command, cwd=site, env=clean, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stdout.splitlines()

    return call, site


def steps(lines):
    return [line for line in lines if line.startswith("== ")]


def test_make_book_numbers_the_steps_it_takes(make):
    call, site = make
    (site / "_build").mkdir()
    (site / "_build/.steps").write_text("\n\n")  # of a call that was interrupted
    first = steps(call("PROFILE=smoke"))
    assert first[0] == "== 1/7 training (smoke)"
    assert "== 3/7 rerun of fashion_mnist" in first
    assert [line.split()[1] for line in first] == [f"{k}/7" for k in range(1, 8)]
    again = call("PROFILE=smoke")
    assert steps(again) == []
    assert again[0] == "Nothing to do."
    newer = (site / "_build/html/.built").stat().st_mtime + 1
    os.utime(site / "book/page.md", (newer, newer))
    assert [line.split()[1] for line in steps(call("PROFILE=smoke"))] == ["1/1"]


def test_the_first_book_is_made_of_recorded_runs(make):
    """Then the pilot is trained, and the pages that show it are renewed."""
    call, _ = make
    lines = call()
    address = "_build/html/index.html"
    assert lines.count(f"The book, from recorded runs: {address}") == 1
    ahead = lines.index(f"The book, from recorded runs: {address}")
    first, second = steps(lines[:ahead]), steps(lines[ahead:])
    assert first[:2] == ["== part 1/2: the book from recorded runs", "== 1/7 recorded runs"]
    assert len(first) == 8
    assert second[:2] == [
        "== part 2/2: runs of your own (pilot), and the pages that show them",
        "== 1/6 training (pilot)",
    ]
    assert len(second) == 7
    assert lines[-1] == f"The book: {address}"
    assert call()[0] == "Nothing to do."


def test_interrupted_in_training_a_whole_book_is_there(make):
    call, site = make
    call(failing="reproduce", status=2)
    assert (site / "_build/html/.built").exists()
    assert [line.split()[1] for line in steps(call())] == [f"{k}/6" for k in range(1, 7)]


def test_without_whole_recorded_runs_the_pilot_is_trained_all_the_same(make):
    call, _ = make
    assert steps(call(failing="results"))[-1].startswith("== 7/7 book")


def test_a_book_of_recorded_runs_has_one_part(make):
    call, _ = make
    assert [line.split()[1] for line in steps(call("PROFILE=reduced"))] == [
        f"{k}/7" for k in range(1, 8)
    ]
