"""Processes that die, injected: nothing finished is lost, nothing counts twice.

After each fault the study is finished by the same command and compared with an undisturbed one.
`make torture` kills fifty times instead of three. The table at the end of the output is the tally.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults import (
    DEADLINE,
    ROOT,
    alone,
    finish,
    group_is_gone,
    judge,
    last_line,
    runs_in,
    wait_for_runs,
)


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
            now = runs_in(store)
            lost += sum(now.get(name) != run for name, run in kept.items())
            kept = now
        finish(alone(here))
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
        now = runs_in(store)
        lost += sum(now.get(name) != run for name, run in kept.items())
        kept = now
    finish(alone(command))
    more_lost, *rest = judge(store, kept, undisturbed)
    tally.add("worker killed (SIGKILL)", times, lost + more_lost, *rest)


def is_worker(pid):
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_papermill_killed(undisturbed, store, tally, tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_STORE", str(store))
    page = tmp_path / "pages" / "tiny.ipynb"
    rerun = [sys.executable, "tools/run_notebooks.py", "rerun", "notebooks/rerun.ipynb", str(page)]
    rerun += ["--dataset", "tiny", "--profile", "smoke"]
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
    finish(alone(command))
    tally.add("Ctrl-C", 1, *judge(store, kept, undisturbed))


def test_two_drivers_on_one_store(command, store, undisturbed, tally):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    drivers = [subprocess.Popen(alone(command), **pipes) for _ in range(2)]
    outputs = [driver.communicate(timeout=DEADLINE) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], outputs
    made = [int(out.rpartition("(")[2].split()[0]) for out, _ in outputs]
    lost, duplicates, equal = judge(store, {}, undisturbed)
    twice = sum(made) - len(runs_in(store))
    tally.add("two drivers on one store", 1, lost, duplicates + twice, equal)
