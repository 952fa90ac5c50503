"""Shared by the tests of faults: a study's runs, its table, and what a fault did to them."""

import os
import re
import subprocess
import time
from pathlib import Path

from reglab.runs.store import RunStore
from reglab.study.frame import load_frame
from reglab.study.plan import make_plan

ROOT = Path(__file__).resolve().parents[1]
COSTS = ["seconds", "seconds_per_epoch", "inference_ms", "peak_memory_bytes", "code_version"]
DEADLINE = 300  # seconds; only to end a test that hangs


def runs_in(store):
    """Each finished run's file: which file it is, and what is in it."""
    files = store.glob("*/*.json")
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in files}


def table(store):
    """The finished study, without what may differ between two runs of one config."""
    return load_frame(make_plan("tiny", "smoke", device="cpu"), RunStore(store)).drop(columns=COSTS)


def last_line(errors):
    """The error that ended a command; before it there is nothing but its progress."""
    *progress, last = errors.splitlines()
    assert all(re.match(r"reglab: .* runs( after|, )", line) for line in progress), errors
    return last


def alone(command):
    """The same without workers, where they are not what is tested: each imports torch anew."""
    return [*command, "--workers", "1"]


def finish(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return done


def judge(store, kept, undisturbed):
    """Return (finished runs lost, runs counted twice, whether the table is the undisturbed one)."""
    there, rows = runs_in(store), table(store)
    lost = sum(there.get(name) != run for name, run in kept.items())
    return (
        lost,
        int(rows.duplicated(["study", "arm", "seed"]).sum()),
        rows.equals(table(undisturbed.folder)),
    )


def wait_for(condition, process):
    deadline = time.monotonic() + DEADLINE
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_runs(store, number, process):
    wait_for(lambda: len(runs_in(store)) >= number, process)


def group_is_gone(group):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
