"""Disks, files, clocks and homes that fail: nothing finished is lost, nothing counts twice."""

import os
import random
import shutil
import subprocess

import pytest
from conftest import REPRODUCE, write_tiny
from conftest import finish as made_up
from faults import (
    COSTS,
    DEADLINE,
    alone,
    finish,
    judge,
    last_line,
    runs_in,
    wait_for_runs,
)

from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.frame import load_frame
from reglab.study.plan import make_plan
from reglab.training.run import train


def small_disk(size, inside):
    """Return a command that runs shell lines in a name space with a small tmpfs of its own."""
    mount = f'mount -t tmpfs -o size={size} tmpfs "$STORE" && '
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount + inside]


def can_mount(tmp_path):
    if not shutil.which("unshare"):
        return False
    probe = small_disk("100k", "true")
    done = subprocess.run(probe, env={**os.environ, "STORE": str(tmp_path)}, capture_output=True)
    return done.returncode == 0


def test_full_disk(command, store, undisturbed, tally, tmp_path):
    """The disk fills up, is made larger, and the same command goes on."""
    if not can_mount(tmp_path):
        pytest.skip("needs unshare(1) and leave to mount a tmpfs")
    store.mkdir()
    before, after = tmp_path / "before", tmp_path / "after"
    lines = '"$@" 2>"$ERR"; code=$?; cp -a "$STORE" "$BEFORE"; '
    lines += 'mount -o remount,size=50m "$STORE" && "$@" --workers 1 && '
    lines += 'cp -a "$STORE" "$AFTER"; exit $code'
    names = {"STORE": store, "BEFORE": before, "AFTER": after, "ERR": tmp_path / "errors"}
    environment = {**os.environ, **{name: str(path) for name, path in names.items()}}
    full = [*small_disk("64k", lines), "sh", *command]
    done = subprocess.run(full, env=environment, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 1, done.stderr
    errors = (tmp_path / "errors").read_text()
    assert "No space left on device; free some space" in last_line(errors)
    kept = {name: text for name, (_, text) in runs_in(before).items()}
    assert kept
    finished = {name: text for name, (_, text) in runs_in(after).items()}
    lost = sum(finished.get(name) != text for name, text in kept.items())
    _, *rest = judge(after, {}, undisturbed)
    tally.add("disk full", 1, lost, *rest)


def test_damaged_store_files(command, store, undisturbed, tally):
    shutil.copytree(undisturbed.folder, store)
    chance = random.Random(2)
    files = sorted(store.glob("*/*.json"))
    hurt = chance.sample(files, 8)
    for number, path in enumerate(hurt):
        whole = bytearray(path.read_bytes())
        if number % 4 == 0:
            path.write_bytes(whole[: chance.randrange(len(whole))])  # truncated
        elif number % 4 == 1:
            digit = whole.index(b'"accuracy": 0.') + 14  # a digit, so that it stays JSON
            whole[digit] = ord("1") if whole[digit] != ord("1") else ord("2")
            path.write_bytes(whole)
        elif number % 4 == 2:
            path.write_bytes(b"")
        else:  # half-written: only the temporary name is there
            path.rename(path.with_name(f".{path.name}.abc"))
    kept = {name: run for name, run in runs_in(store).items()
            if name not in {path.name for path in hurt}}  # fmt: skip
    done = finish(alone(command))
    assert f"({len(hurt)} runs made now)" in done.stdout
    assert done.stderr.count("is damaged") == 6
    assert len(list(store.glob("*/*.broken"))) == 6  # set aside, not deleted
    tally.add("store files damaged or half-written", len(hurt), *judge(store, kept, undisturbed))


def test_damaged_data_file(store, tally, tmp_path):
    """A study is interrupted by its data file going bad; the file is restored; it goes on."""
    folder = tmp_path / "data"
    write_tiny(folder)
    own = folder / "own.npz"
    (folder / "tiny.npz").rename(own)
    whole = own.read_bytes()
    reproduce = [*REPRODUCE, "--store", str(store), "--dataset", "own", "--seeds", "1"]
    driver = subprocess.Popen(alone(reproduce), stdout=subprocess.DEVNULL)
    wait_for_runs(store, 2, driver)
    driver.kill()
    driver.wait()
    kept = runs_in(store)
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 8]) + whole[middle + 1 :]
    for damaged in (whole[:middle], flipped):
        own.write_bytes(damaged)
        refused = subprocess.run(reproduce, capture_output=True, text=True, timeout=DEADLINE)
        assert refused.returncode == 1
        assert refused.stderr.startswith("reglab: ")
        assert refused.stderr.count("\n") == 1
        assert runs_in(store) == kept
    own.write_bytes(whole)
    finish(alone(reproduce))
    plan = make_plan("own", "smoke", seeds=1, device="cpu")
    sweep.reproduce([plan], RunStore(tmp_path / "undisturbed"), workers=1)
    rows, expected = (
        load_frame(plan, RunStore(folder)).drop(columns=COSTS)
        for folder in (store, tmp_path / "undisturbed")
    )
    there = runs_in(store)
    lost = sum(there.get(name) != run for name, run in kept.items())
    twice = int(rows.duplicated(["study", "arm", "seed"]).sum())
    tally.add("data file truncated, flipped", 2, lost, twice, rows.equals(expected))


CLOCK = """
import itertools, time
ticks = itertools.count()
time.time = lambda: 1e9 - 60.0 * next(ticks)  # 2001, and a minute earlier each time
"""


def test_clock_jumps_back(command, store, undisturbed, tally, tmp_path, monkeypatch):
    shutil.copytree(undisturbed.folder, store)
    for path in sorted(store.glob("*/*.json"))[::2]:
        path.unlink()
    kept = runs_in(store)
    for path in store.glob("*/*.json"):
        os.utime(path, (4e9, 4e9))  # written "in the year 2096"
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "clock"))
    finish(alone(command))
    tally.add("clock jumps back", 1, *judge(store, kept, undisturbed))


def test_home_is_read_only(store, tally, monkeypatch):
    """Three runs are left to make: of bundled images, as own ones need a folder."""
    for name in ("REGLAB_DATA_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    plan, runs = make_plan("mnist", "smoke", seeds=1, device="cpu"), RunStore(store)
    records = made_up(plan)
    left = list(records)[::20]
    for key in records.keys() - set(left):
        runs.put(records[key])
    kept = runs_in(store)
    monkeypatch.setenv("HOME", "/proc/nothing")  # not even root can write there
    asked = ["--dataset", "mnist", "--seeds", "1", "--store", str(store)]
    finish([*REPRODUCE, "--workers", "1", *asked])
    results = [*REPRODUCE[:3], "results", "--profile", "smoke", "--device", "cpu"]
    shown = finish([*results, *asked, "--format", "json"])
    assert '"arm": "l2+dropout"' in shown.stdout
    lost = sum(runs_in(store).get(name) != run for name, run in kept.items())
    configs = [records[key].config for key in left]
    equal = all(runs.get(config).reproducible() == train(config).reproducible()
                for config in configs)  # fmt: skip
    tally.add("home read-only", 1, lost, len(runs_in(store)) - len(records), equal)


def test_shared_memory_is_full(command, store, undisturbed, tmp_path):
    """Workers cannot be started, which is one line; without them the study is made."""
    if not can_mount(tmp_path):
        pytest.skip("needs unshare(1) and leave to mount a tmpfs")
    shutil.copytree(undisturbed.folder, store)
    for path in sorted(store.glob("*/*.json"))[::10]:
        path.unlink()
    fill = "mount -t tmpfs -o size=4k tmpfs /dev/shm; "
    fill += "head -c 9999 /dev/zero >/dev/shm/it 2>/dev/null; "
    full = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", fill + '"$@"', "sh"]
    done = subprocess.run([*full, *command], capture_output=True, text=True)
    assert done.returncode == 1
    assert "in /dev/shm; free some of it, or take --workers 1" in last_line(done.stderr)
    finish([*full, *alone(command)])
