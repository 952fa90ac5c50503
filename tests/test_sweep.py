"""The sweep: only what is missing, whatever happens on the way, the same results."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from reglab import executors, sweep
from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.protocol import lr_arms
from reglab.store import RunStore
from reglab.study import load_frame, make_plan

DRIVER = [sys.executable, "-m", "reglab.cli", "reproduce", "--profile", "smoke"]


@pytest.fixture
def configs():
    plan = make_plan("mnist", "smoke", device="cpu")
    return [plan.baseline(seed, 0.01) for seed in range(3)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """One whole smoke study of MNIST, made without a disturbance: its store."""
    store = tmp_path_factory.mktemp("undisturbed")
    command = [*DRIVER, "--dataset", "mnist", "--workers", "2", "--device", "cpu"]
    done = subprocess.run([*command, "--store", store], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return store, done


def contents(store):
    """Each run's file and when it was written, and what must be the same of its record."""
    plan = make_plan("mnist", "smoke", device="cpu")
    frame = load_frame(plan, RunStore(store))
    costs = ["seconds", "seconds_per_epoch", "inference_ms", "peak_memory_bytes", "code_version"]
    return frame.drop(columns=costs)


def test_quiet_without_a_terminal(undisturbed):
    _, done = undisturbed
    assert done.stderr == ""
    assert "profile smoke complete" in done.stdout


def test_second_call_makes_no_run(undisturbed):
    store, _ = undisturbed
    plan = make_plan("mnist", "smoke", device="cpu")
    before = {p: p.stat().st_mtime_ns for p in store.rglob("*.json")}
    assert sweep.reproduce([plan], RunStore(store)) == 0
    assert {p: p.stat().st_mtime_ns for p in store.rglob("*.json")} == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_driver_loses_nothing_and_ends_equal(undisturbed, tmp_path):
    store = tmp_path / "runs"
    command = [*DRIVER, "--dataset", "mnist", "--workers", "2", "--device", "cpu"]
    command += ["--store", str(store)]
    for at_least in (3, 20):
        driver = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + 120
        while len(list(store.rglob("*.json"))) < at_least:
            assert time.monotonic() < deadline
            assert driver.poll() is None
            time.sleep(0.02)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        assert_workers_end(driver.pid)
        kept = {p: (p.stat().st_ino, p.read_bytes()) for p in store.rglob("*.json")}
        assert len(kept) >= at_least
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {p: (p.stat().st_ino, p.read_bytes()) for p in kept} == kept  # none made again
    assert contents(store).equals(contents(undisturbed[0]))


def assert_workers_end(group):
    """A killed driver's workers notice and go, instead of waiting for ever."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("workers of a killed driver are still there")


def test_interrupt_keeps_finished_runs(tmp_path):
    command = [*DRIVER, "--dataset", "mnist", "--workers", "2", "--store", str(tmp_path)]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(tmp_path.rglob("*.json")):
        assert driver.poll() is None
        time.sleep(0.05)
    os.killpg(driver.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert errors.startswith("reglab: interrupted; finished runs are kept")
    assert errors.count("\n") == 1
    assert_workers_end(driver.pid)
    plan, store = make_plan("mnist", "smoke"), RunStore(tmp_path)
    assert any(store.get(arm.config) for arm in lr_arms(plan))


def test_workers_do_not_change_results(tmp_path, configs):
    one = sweep.run(configs, RunStore(tmp_path / "one"), workers=1, progress=False)
    two = sweep.run(configs, RunStore(tmp_path / "two"), workers=2, progress=False)
    assert [r.reproducible() for r in one] == [r.reproducible() for r in two]
    assert [r.config for r in one] == configs


def test_equal_configs_run_once(tmp_path, configs, monkeypatch):
    trained = []
    real = executors.train
    monkeypatch.setattr(executors, "train", lambda config: trained.append(config) or real(config))
    store = RunStore(tmp_path)
    first = sweep.run([configs[0]] * 3, store, workers=1)
    assert len(trained) == 1
    again = sweep.run(configs[:2], store, workers=1)
    assert trained == configs[:2]
    assert again[0] == first[0] == first[2]


def test_failed_run_keeps_the_others(tmp_path, configs):
    """One config's data are missing: the error is one line, the finished run is there."""
    bad = configs[1].replace(data_version="sample:000000000000")
    with pytest.raises(ReglabError, match="data_version"):
        sweep.run([configs[0], bad], RunStore(tmp_path), workers=1, progress=False)
    assert RunStore(tmp_path).get(configs[0])


def test_dead_worker_is_one_line(tmp_path, configs):
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.raises(ReglabError, match="a worker process died") as caught:
        sweep.run([DeadlyConfig(**configs[0].to_dict())], RunStore(tmp_path), executor=pool)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / ".locks").iterdir())


class DeadlyConfig(RunConfig):
    """It ends the worker that it is sent to."""

    def __reduce__(self):
        return os._exit, (9,)


@pytest.mark.parametrize("workers", [0, -1])
def test_bad_workers(tmp_path, configs, workers):
    with pytest.raises(ReglabError, match="workers must be an integer >= 1"):
        sweep.run(configs, RunStore(tmp_path), workers=workers)
