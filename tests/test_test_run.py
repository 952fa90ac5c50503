"""`make test` runs all its parts whatever fails; `make flaky` counts the rounds with a failure."""

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from faults import group_is_gone

ROOT = Path(__file__).resolve().parents[1]
# A make that says which part it was asked for, and fails at those named in $BAD.
MAKE = """#!/bin/sh
echo "made $1"
case " $BAD " in *" $1 "*) exit 2 ;; esac
"""


@pytest.fixture
def parts(tmp_path):
    """Return a function that runs the four parts, of which some fail."""
    make = tmp_path / "make"
    make.write_text(MAKE)
    make.chmod(0o755)

    def run(bad):
        return subprocess.run(
            ["sh", str(ROOT / "tools/run_tests.sh"), str(make)],
            env={**os.environ, "BAD": bad}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return run


def made(done):
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("made ")]


def summary(done):
    lines = done.stdout.partition("== the four parts:\n")[2].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines)


def test_all_parts_pass(parts):
    done = parts("")
    assert (done.returncode, done.stderr) == (0, "")
    assert made(done) == ["unit", "chapters", "smoke", "browser"]
    assert summary(done) == dict.fromkeys(made(done), "passed")


@pytest.mark.parametrize("bad", ["unit", "chapters", "browser", "unit chapters"])
def test_a_part_that_fails_hides_no_other(parts, bad):
    done = parts(bad)
    assert (done.returncode, done.stderr) == (1, f"reglab: failed: {bad}\n")
    assert made(done) == ["unit", "chapters", "smoke", "browser"]
    outcome = summary(done)
    assert [name for name in outcome if outcome[name] == "FAILED"] == bad.split()
    assert set(outcome.values()) <= {"passed", "FAILED"}


def test_without_a_smoke_book_its_pages_count_as_failed(parts):
    done = parts("smoke")
    assert (done.returncode, done.stderr) == (1, "reglab: failed: smoke browser\n")
    assert made(done) == ["unit", "chapters", "smoke"]
    assert summary(done)["browser"] == "FAILED (skipped: the smoke book was not built)"


def test_what_the_smoke_book_says_comes_whole_and_in_its_turn(parts):
    lines = parts("smoke").stdout.splitlines()
    heads = [line for line in lines if line.startswith("== part ")]
    assert [head.split()[2].rstrip(":") for head in heads] == ["1/4", "2/4", "3/4", "4/4"]
    assert lines.index(heads[2]) < lines.index("made smoke") < lines.index(heads[3])


BOTH = """#!/bin/sh
# Each of the two parts goes on when the other has begun.
echo "made $1"
case $1 in
chapters) touch chapters; until [ -e smoke ]; do sleep 0.1; done ;;
smoke) touch smoke; until [ -e chapters ]; do sleep 0.1; done ;;
esac
"""


def test_the_smoke_book_is_built_beside_the_chapters(tmp_path):
    make = tmp_path / "make"
    make.write_text(BOTH)
    make.chmod(0o755)
    command = ["sh", str(ROOT / "tools/run_tests.sh"), str(make)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, made(done)) == (0, ["unit", "chapters", "smoke", "browser"])


ENDLESS = """#!/bin/sh
case $1 in
chapters) sleep 900 ;;
smoke) echo $$ >pid.new; mv pid.new pid; exec sleep 900 ;;
esac
"""


def test_an_interrupt_ends_the_smoke_book_too(tmp_path):
    make = tmp_path / "make"
    make.write_text(ENDLESS)
    make.chmod(0o755)
    command = ["sh", str(ROOT / "tools/run_tests.sh"), str(make)]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # tests that a shell runs in the background have inherited that it is ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
    assert running.wait(300) == 130
    assert group_is_gone(running.pid)


def test_a_round_that_fails_is_counted_and_the_rest_run(tmp_path):
    python, mark = tmp_path / "python", tmp_path / "mark"
    python.write_text(f'#!/bin/sh\necho "ran $*"\n[ -e {mark} ] || {{ touch {mark}; exit 1; }}\n')
    python.chmod(0o755)
    command = ["sh", str(ROOT / "tools/run_flaky.sh"), str(python), "3", "one", "two"]
    options = {"cwd": ROOT, "env": {**os.environ, "FLAKY_BUSY": "1"}, "timeout": 300}
    ends = []
    for _ in range(2):  # the mark is there the second time
        done = subprocess.run(command, capture_output=True, text=True, **options)
        ran = [line for line in done.stdout.splitlines() if line.startswith("ran ")]
        assert ran == ["ran -m pytest -q -p no:cacheprovider one two"] * 3
        ends.append((done.returncode, done.stdout.splitlines()[-1]))
    assert ends == [(1, "== rounds with a failure: 1"), (0, "== rounds with a failure: 0")]


def test_every_test_that_starts_processes_is_repeated():
    script = (ROOT / "tools/run_flaky.sh").read_text("utf-8")
    words = script.partition("grep -lE '")[2].partition("'")[0].split("|")
    for name in ("cli", "cluster", "faults_processes", "faults_storage", "golden", "sweep"):
        text = (ROOT / "tests" / f"test_{name}.py").read_text("utf-8")
        assert any(word in text for word in words), name
