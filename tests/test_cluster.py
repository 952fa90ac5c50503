"""Runs on a Dask cluster: real scheduler and worker processes on the loopback interface."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from conftest import example
from faults import DEADLINE

import reglab
from reglab.config import RunConfig
from reglab.data import sources
from reglab.errors import ReglabError
from reglab.runs.store import RunStore, open_store
from reglab.study import cluster, sweep
from reglab.study.plan import make_plan

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """Two worker processes that have none of the driver's data."""
    nothing = tmp_path_factory.mktemp("nothing")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=":0",
        env={"REGLAB_DATA_DIR": str(nothing)},
        local_directory=str(tmp_path_factory.mktemp("spill")),
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine answers late; no test here is about how late."""
    monkeypatch.setattr(cluster, "TIMEOUT", DEADLINE)


def write(folder):
    rng = np.random.default_rng(0)
    folder.mkdir()
    labels = np.arange(60) % 3
    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(folder / "own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)


@pytest.fixture
def own(tmp_path):
    """A data set of the user's own, which only the driver has."""
    write(tmp_path / "data")
    return "own"


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """The study of that data set, made in this process: the store, and how many runs it took."""
    folder = tmp_path_factory.mktemp("near")
    write(folder / "data")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REGLAB_DATA_DIR", str(folder / "data"))
        store = RunStore(folder / "runs")
        return store, sweep.reproduce([plan_of("own")], store, workers=1)


def plan_of(dataset, seeds=1):
    return make_plan(dataset, "smoke", seeds=seeds, device="cpu")


def on_workers(dask, function):
    with distributed.Client(dask, set_as_default=False) as client:
        return client.run(function)


def reproducible(store):
    texts = (path.read_text() for path in sorted(store.root.glob("*/*.json")))
    return [reglab.record.RunRecord.from_json(text).reproducible() for text in texts]


def test_same_bits_as_in_process_and_data_travel_once(dask, own, near, tmp_path):
    plan, far = plan_of(own), RunStore(tmp_path / "far")
    with cluster.connect(dask.scheduler_address, [plan]) as remote:
        assert remote.in_flight == 4
        made = sweep.reproduce(
            remote.plans, far, executor=remote.executor, in_flight=remote.in_flight
        )
    assert made == near[1] > 20
    assert reproducible(far) == reproducible(near[0])
    brought = on_workers(dask, lambda: id(sources._provided["own"]))
    with cluster.connect(dask.scheduler_address, [plan]):
        assert on_workers(dask, lambda: id(sources._provided["own"])) == brought
    assert len(brought) == 2


def test_a_killed_workers_runs_are_made_again(dask, own, near, tmp_path):
    plan, far = plan_of(own), RunStore(tmp_path / "far")
    victims = list(on_workers(dask, os.getpid).values())
    killer = threading.Thread(target=kill_after, args=(victims[0], far.root, 5))
    killer.start()
    with cluster.connect(dask.scheduler_address, [plan]) as remote:
        sweep.reproduce(remote.plans, far, executor=remote.executor, in_flight=remote.in_flight)
    killer.join(DEADLINE)
    assert not killer.is_alive()
    assert victims[0] not in on_workers(dask, os.getpid).values()
    assert reproducible(far) == reproducible(near[0])


def kill_after(pid, folder, runs):
    wait_for(lambda: len(list(folder.glob("*/*.json"))) >= runs)
    os.kill(pid, signal.SIGKILL)


def test_two_drivers_share_a_cluster_and_a_store(dask, own, tmp_path):
    command = [sys.executable, "-m", "reglab.cli", "reproduce", "--profile", "smoke"]
    command += ["--dataset", own, "--seeds", "1", "--store", str(tmp_path / "runs")]
    command += ["--scheduler", dask.scheduler_address]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    drivers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    outputs = [driver.communicate(timeout=DEADLINE) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], outputs
    made = [int(out.rpartition("(")[2].split()[0]) for out, _ in outputs]
    files = list((tmp_path / "runs" / own).glob("*.json"))
    assert sum(made) == len(files)  # none made twice
    assert sweep.reproduce([plan_of(own)], RunStore(tmp_path / "runs")) == 0


def test_populations_travel_as_one_task(dask, own, tmp_path):
    plan = plan_of(own)
    configs = [plan.baseline(seed, 0.01) for seed in range(3)]
    with cluster.connect(dask.scheduler_address, [plan]) as remote:
        far = sweep.run(configs, RunStore(tmp_path / "far"), executor=remote.executor, together=2)
    plain = sweep.run(configs, RunStore(tmp_path / "near"), workers=1)
    assert [r.reproducible() for r in far] == [r.reproducible() for r in plain]


class Deadly(RunConfig):
    """It ends the worker that it is sent to, and the next."""

    def __reduce__(self):
        return arrive, (os.getpid(), self.to_dict())


def arrive(driver, values):
    if os.getpid() != driver:
        os._exit(9)
    return Deadly(**values)  # the scheduler, which lives with the driver here


def test_a_run_that_ends_every_worker_is_one_line(dask, tmp_path, monkeypatch):
    monkeypatch.setattr(dask.scheduler, "allowed_failures", 1)  # of three, each takes its time
    good, bad = (plan_of("mnist").baseline(seed, 0.01) for seed in range(2))
    store, configs = RunStore(tmp_path), [good, Deadly(**bad.to_dict())]
    with (
        pytest.raises(ReglabError, match="ended several workers in turn") as caught,
        cluster.connect(dask.scheduler_address, []) as remote,
    ):
        sweep.run(configs, store, executor=remote.executor, in_flight=1)
    assert "\n" not in str(caught.value)
    assert store.get(good)
    assert store.lock(bad)  # given back


def test_a_killed_scheduler_is_one_line(tmp_path):
    """Scheduler, worker and driver are each a process, as on a real cluster."""
    file, store = tmp_path / "scheduler.json", tmp_path / "runs"
    python = [sys.executable, "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0"]
    scheduler = subprocess.Popen(
        [*python, "distributed.cli.dask_scheduler", *address, "--scheduler-file", file], **quiet
    )
    alone = ["--nthreads", "1", "--no-nanny", "--death-timeout", str(DEADLINE)]
    alone += ["--local-directory", tmp_path]
    worker = subprocess.Popen(
        [*python, "distributed.cli.dask_worker", *alone, "--scheduler-file", file],
        **quiet,
    )
    try:
        wait_for(lambda: written(file))
        with distributed.Client(written(file)["address"], timeout=DEADLINE) as client:
            client.wait_for_workers(1, timeout=DEADLINE)
        command = [*python, "reglab.cli", "reproduce", "--profile", "smoke", "--dataset", "mnist"]
        command += ["--scheduler", written(file)["address"], "--store", store]
        driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(list(store.glob("*/*.json"))) >= 2 or driver.poll() is not None)
        scheduler.kill()
        _, errors = driver.communicate(timeout=DEADLINE)
    finally:
        scheduler.kill()
        worker.kill()
    assert driver.returncode == 1
    *progress, last = errors.splitlines()
    assert last.startswith("reglab: the connection to ")
    assert "finished runs are kept" in last
    assert all(" runs" in line for line in progress)
    assert len(list(store.glob("*/*.json"))) >= 2


def written(file):
    """Return what the scheduler has written, or nothing as long as it has not written it all."""
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_example_of_the_book(dask, own):
    """On a data set that is quicker than the example's."""
    text = example("cluster.connect")
    for printed, here in {
        "tcp://10.0.0.1:8786": dask.scheduler_address,
        '"mnist"': f'"{own}"',
    }.items():
        assert printed in text
        text = text.replace(printed, here)
    exec(text, {})
    assert sweep.reproduce([plan_of(own, seeds=2)], open_store()) == 0


def refused(address, plans=(), device="auto"):
    with pytest.raises(ReglabError) as caught, cluster.connect(address, plans, device):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    assert "no Dask scheduler answers at" in refused("tcp://127.0.0.1:9")
    assert "no Dask scheduler answers at" in refused("nonsense://x")


def test_no_worker_is_one_line(monkeypatch):
    """Only the wait for workers is cut short: to connect may take long on a busy machine."""
    real = distributed.Client.wait_for_workers
    monkeypatch.setattr(
        distributed.Client, "wait_for_workers", lambda it, n, timeout: real(it, n, timeout=0.1)
    )
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0") as empty:
        assert "has no workers; start one: dask worker" in refused(empty.scheduler_address)


def test_other_versions_are_refused(dask, monkeypatch):
    monkeypatch.setattr(reglab, "__version__", "9.9")
    assert "this driver has 9.9" in refused(dask.scheduler_address)


def test_devices(dask):
    assert "no worker of the cluster has one" in refused(dask.scheduler_address, device="cuda")
    assert "device must be one of" in refused(dask.scheduler_address, device="tpu")
    versions = {"a": ("", 1, "", True), "b": ("", 1, "", False)}
    assert cluster._device(versions, "auto") == ("cpu", ["a"])
    assert cluster._device(versions, "cuda") == ("cuda", ["a"])
    assert cluster._device({"a": versions["a"]}, "auto") == ("cuda", ["a"])
    assert replace(plan_of("mnist"), device="cuda").device == "cuda"
