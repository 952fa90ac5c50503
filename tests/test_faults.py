"""What goes wrong on real machines, injected: nothing finished is lost, nothing counts twice.

After each fault the study is finished by the same command and compared with an undisturbed one.
`make torture` kills fifty times instead of five. The table at the end of the output is the tally.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import REPRODUCE

from reglab.data.sources import load_sample
from reglab.runs import executors
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.frame import load_frame
from reglab.study.plan import make_plan
from reglab.training.together import train_many

ROOT = Path(__file__).resolve().parents[1]
COSTS = ["seconds", "seconds_per_epoch", "inference_ms", "peak_memory_bytes", "code_version"]
DEADLINE = 300  # seconds; only to end a test that hangs


@pytest.fixture
def command(tmp_path):
    return [*REPRODUCE, "--workers", "2", "--store", str(tmp_path / "runs")]


@pytest.fixture
def store(tmp_path):
    return tmp_path / "runs"


def runs_in(store):
    """Each finished run's file: which file it is, and what is in it."""
    files = store.glob("*/*.json")
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in files}


def table(store):
    """The finished study, without what may differ between two runs of one config."""
    return load_frame(make_plan("mnist", "smoke", device="cpu"), RunStore(store)).drop(
        columns=COSTS
    )


def last_line(errors):
    """The error that ended a command; before it there is nothing but its progress."""
    *progress, last = errors.splitlines()
    assert all(re.match(r"reglab: .* runs( after|, )", line) for line in progress), errors
    return last


def finish(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return done


def judge(store, kept, undisturbed):
    """Return (finished runs lost, runs counted twice, whether the table is the undisturbed one)."""
    there, found = runs_in(store), table(store)
    lost = sum(there.get(name) != run for name, run in kept.items())
    return (
        lost,
        int(found.duplicated(["study", "arm", "seed"]).sum()),
        found.equals(table(undisturbed.folder)),
    )


def wait_for(condition, process):
    deadline = time.monotonic() + DEADLINE
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_runs(store, number, process):
    wait_for(lambda: len(runs_in(store)) >= number, process)


def group_is_gone(group):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def children_of(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_driver_killed_at_random_moments(
    command, store, undisturbed, tally, pytestconfig, tmp_path
):
    kills, done, lost, duplicates, equal = pytestconfig.getoption("kills"), 0, 0, 0, True
    chance = random.Random(1)
    while done < kills:
        store = tmp_path / f"runs-{done}"
        here, kept, ended = [*command[:-1], str(store)], {}, False
        while done < kills and not ended:
            driver = subprocess.Popen(here, stdout=subprocess.DEVNULL, start_new_session=True)
            more, extra = chance.randrange(9), chance.uniform(0, 0.4)
            wait_for_runs(store, len(kept) + more, driver)
            time.sleep(extra)
            if ended := driver.poll() is not None:
                break
            if chance.random() < 0.5:
                os.kill(driver.pid, signal.SIGKILL)  # its workers have to notice
            else:
                os.killpg(driver.pid, signal.SIGKILL)  # all at once, in the middle of a write
            driver.wait()
            done += 1
            assert group_is_gone(driver.pid), "workers of a killed driver are still there"
            found = runs_in(store)
            lost += sum(found.get(name) != run for name, run in kept.items())
            kept = found
        finish(here)
        more_lost, twice, same = judge(store, kept, undisturbed)
        lost, duplicates, equal = lost + more_lost, duplicates + twice, equal and same
    tally.add("driver killed (SIGKILL)", done, lost, duplicates, equal)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_worker_killed(command, store, undisturbed, tally, pytestconfig):
    times = max(1, pytestconfig.getoption("kills") // 5)
    kept, lost = {}, 0
    for more in [3] + [1] * (times - 1):
        driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        wait_for_runs(store, len(kept) + more, driver)
        workers = [pid for pid in children_of(driver.pid) if is_worker(pid)]
        os.kill(workers[0], signal.SIGKILL)
        _, errors = driver.communicate(timeout=DEADLINE)
        assert driver.returncode == 1
        assert last_line(errors).startswith("reglab: a worker process died")
        found = runs_in(store)
        lost += sum(found.get(name) != run for name, run in kept.items())
        kept = found
    finish(command)
    more_lost, *rest = judge(store, kept, undisturbed)
    tally.add("worker killed (SIGKILL)", times, lost + more_lost, *rest)


def is_worker(pid):
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_papermill_killed(undisturbed, store, tally, tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_STORE", str(store))
    page = tmp_path / "pages" / "mnist.ipynb"
    rerun = [sys.executable, "tools/run_notebooks.py", "rerun", "notebooks/rerun.ipynb", str(page)]
    rerun += ["--dataset", "mnist", "--profile", "smoke"]
    maker = subprocess.Popen(rerun, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for_runs(store, 5, maker)
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()
    assert not page.exists()
    kept = runs_in(store)
    done = subprocess.run(rerun, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert page.exists()
    tally.add("papermill killed (SIGKILL)", 1, *judge(store, kept, undisturbed))


def test_interrupt(command, store, undisturbed, tally):
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_runs(store, 1, driver)
    os.killpg(driver.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
    _, errors = driver.communicate(timeout=DEADLINE)
    assert driver.returncode == 130
    assert last_line(errors).startswith("reglab: interrupted; finished runs are kept")
    assert group_is_gone(driver.pid)
    kept = runs_in(store)
    assert kept
    finish(command)
    tally.add("Ctrl-C", 1, *judge(store, kept, undisturbed))


def test_two_drivers_on_one_store(command, store, undisturbed, tally):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    drivers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    outputs = [driver.communicate(timeout=DEADLINE) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], outputs
    made = [int(out.rpartition("(")[2].split()[0]) for out, _ in outputs]
    lost, duplicates, equal = judge(store, {}, undisturbed)
    twice = sum(made) - len(runs_in(store))
    tally.add("two drivers on one store", 1, lost, duplicates + twice, equal)


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
    lines += 'mount -o remount,size=50m "$STORE" && "$@" && cp -a "$STORE" "$AFTER"; exit $code'
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
            at = whole.index(b'"accuracy": 0.') + 14  # a digit, so that it stays JSON
            whole[at] = ord("1") if whole[at] != ord("1") else ord("2")
            path.write_bytes(whole)
        elif number % 4 == 2:
            path.write_bytes(b"")
        else:  # half-written: only the temporary name is there
            path.rename(path.with_name(f".{path.name}.abc"))
    kept = {name: run for name, run in runs_in(store).items()
            if name not in {path.name for path in hurt}}  # fmt: skip
    done = finish(command)
    assert f"({len(hurt)} runs made now)" in done.stdout
    assert done.stderr.count("is damaged") == 6
    assert len(list(store.glob("*/*.broken"))) == 6  # set aside, not deleted
    tally.add("store files damaged or half-written", len(hurt), *judge(store, kept, undisturbed))


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damaged_data_file(damage, store, tally, tmp_path, monkeypatch):
    """A study is interrupted by its data file going bad; the file is restored; it goes on."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("REGLAB_DATA_DIR", str(folder))
    arrays, own = load_sample("mnist"), folder / "own.npz"
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(own, **{name: getattr(arrays, name)[:300] for name in names})
    whole = own.read_bytes()
    reproduce = [*REPRODUCE, "--store", str(store), "--dataset", "own", "--seeds", "1"]
    driver = subprocess.Popen([*reproduce, "--workers", "1"], stdout=subprocess.DEVNULL)
    wait_for_runs(store, 2, driver)
    driver.kill()
    driver.wait()
    kept = runs_in(store)
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 8]) + whole[middle + 1 :]
    own.write_bytes(whole[:middle] if damage == "truncated" else flipped)
    refused = subprocess.run(reproduce, capture_output=True, text=True, timeout=DEADLINE)
    assert refused.returncode == 1
    assert refused.stderr.startswith("reglab: ")
    assert refused.stderr.count("\n") == 1
    assert runs_in(store) == kept
    own.write_bytes(whole)
    finish(reproduce)
    plan = make_plan("own", "smoke", seeds=1, device="cpu")
    sweep.reproduce([plan], RunStore(tmp_path / "undisturbed"), workers=1)
    found, expected = (
        load_frame(plan, RunStore(folder)).drop(columns=COSTS)
        for folder in (store, tmp_path / "undisturbed")
    )
    there = runs_in(store)
    lost = sum(there.get(name) != run for name, run in kept.items())
    twice = int(found.duplicated(["study", "arm", "seed"]).sum())
    tally.add(f"data file {damage}", 1, lost, twice, found.equals(expected))


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
    finish(command)
    tally.add("clock jumps back", 1, *judge(store, kept, undisturbed))


def test_home_is_read_only(command, store, undisturbed, tally, monkeypatch):
    for name in ("REGLAB_DATA_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/proc/nothing")  # not even root can write there
    finish(command)
    results = [*command[:3], "results", "--dataset", "mnist", "--profile", "smoke"]
    shown = finish([*results, "--store", str(store), "--format", "json"])
    assert '"arm": "l2+dropout"' in shown.stdout
    tally.add("home read-only", 1, *judge(store, {}, undisturbed))


def small_configs():
    plan = make_plan("mnist", "smoke", device="cpu")
    return [plan.baseline(seed, 0.01) for seed in range(5)]


@pytest.mark.parametrize("most", [2, 1])
def test_out_of_device_memory(most, store, tally, tmp_path, monkeypatch, caplog):
    """A device with memory for ``most`` runs at once; where it is 1, the plain loop is left."""
    tried = []

    def limited(configs, size):
        tried.append(size)
        for number, record in enumerate(train_many(configs, size=size)):
            if size > most and number == 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield record

    monkeypatch.setattr(executors, "train_many", limited)
    configs = small_configs()
    found = sweep.run(configs, RunStore(store), together=4)
    assert tried == [4, 2]
    assert any("out of device memory" in message for message in caplog.messages)
    plain = sweep.run(configs, RunStore(tmp_path / "plain"), workers=1)
    equal = [r.reproducible() for r in found] == [r.reproducible() for r in plain]
    twice = len(configs) - len(runs_in(store))
    tally.add("out of device memory (simulated)", 1, 0, twice, equal)


def test_not_even_one_run_fits(store, monkeypatch):
    def never(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(executors, "train", never)
    with pytest.raises(executors.ReglabError, match="with a single run of width 8") as caught:
        sweep.run(small_configs(), RunStore(store), workers=1)
    assert "\n" not in str(caught.value)


def test_loss_becomes_nan(store, tally):
    """A run that diverges is a finished run: counted, shown, and not tried again."""
    configs = small_configs()
    configs[2] = configs[2].replace(lr=1e6)
    first = sweep.run(configs, RunStore(store), workers=1)
    kept = runs_in(store)
    assert [record.diverged for record in first] == [False, False, True, False, False]
    again = sweep.run(configs, RunStore(store), workers=1)
    lost = sum(runs_in(store).get(name) != run for name, run in kept.items())
    tally.add("loss becomes NaN", 1, lost, len(kept) - len(configs), again == first)
