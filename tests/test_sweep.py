"""The sweep: only what is missing, whatever happens on the way, the same results."""

import os
import pickle
import re
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.runs import executors, workers
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.plan import make_plan


@pytest.fixture
def configs(tiny):
    plan = make_plan(tiny, "smoke", device="cpu")
    return [plan.baseline(seed, 0.01) for seed in range(3)]


def test_the_command_says_what_it_does_in_a_log(undisturbed):
    first, *_, last = undisturbed.stderr.splitlines()
    made = len(list(undisturbed.folder.glob("*/*.json")))
    assert re.match(r"reglab: tiny \(smoke\): up to \d+ runs, none of them finished; ", first)
    assert "to make with 2 workers, about " in first
    assert re.fullmatch(rf"reglab: {made} runs made in .* s", last)
    assert "\r" not in undisturbed.stderr
    out = undisturbed.stdout
    assert re.fullmatch(rf"tiny: profile smoke complete in .* s \({made} runs made now\)\n", out)


def test_the_library_is_quiet_without_a_terminal(tmp_path, configs, capfd):
    sweep.run(configs[:1], RunStore(tmp_path), workers=1)
    assert capfd.readouterr() == ("", "")


def test_the_library_says_so_where_it_is_asked_to(tmp_path, configs, capfd):
    sweep.run(configs[:2], RunStore(tmp_path), workers=1)
    sweep.run(configs, RunStore(tmp_path), workers=1, progress=True)
    first, *_, last = capfd.readouterr().err.splitlines()
    assert first == "reglab: 3 runs, 2 of them finished; 1 to make with 1 worker"
    assert last.startswith("reglab: 1 runs made in ")


def test_second_call_makes_no_run(undisturbed):
    store = undisturbed.folder
    plan = make_plan("tiny", "smoke", device="cpu")
    before = {p: p.stat().st_mtime_ns for p in store.rglob("*.json")}
    assert sweep.reproduce([plan], RunStore(store)) == 0
    assert {p: p.stat().st_mtime_ns for p in store.rglob("*.json")} == before


def test_workers_do_not_change_results(tmp_path, configs):
    one = sweep.run(configs, RunStore(tmp_path / "one"), workers=1, progress=False)
    two = sweep.run(configs, RunStore(tmp_path / "two"), workers=2, progress=False)
    assert [r.reproducible() for r in one] == [r.reproducible() for r in two]
    assert [r.config for r in one] == configs


def test_equal_configs_run_once(tmp_path, configs, monkeypatch):
    trained = []
    real = executors.train
    monkeypatch.setattr(
        executors, "train", lambda config, **_: trained.append(config) or real(config)
    )
    store = RunStore(tmp_path)
    first = sweep.run([configs[0]] * 3, store, workers=1)
    assert len(trained) == 1
    again = sweep.run(configs[:2], store, workers=1)
    assert trained == configs[:2]
    assert again[0] == first[0] == first[2]


@pytest.mark.parametrize("where", ["here", "there"])
def test_failed_run_keeps_the_others(tmp_path, configs, where):
    """One config's data are missing: the error is one line, the finished run is there."""
    bad = configs[1].replace(data_version="sample:000000000000")
    how = {"workers": 1} if where == "here" else {"executor": ThreadPoolExecutor(1)}
    with pytest.raises(ReglabError, match="data_version") as caught:
        sweep.run([configs[0], bad], RunStore(tmp_path), **how, progress=False)
    assert RunStore(tmp_path).get(configs[0])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # from a process


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


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_ctrl_c_reaches_no_worker_that_is_starting():
    """Blocked from its first instruction on; what is interrupted meanwhile is the driver."""

    def blocks_interrupts(pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        mask = next(line for line in lines if line.startswith("SigBlk")).split()[1]
        return bool(int(mask, 16) & 1 << signal.SIGINT - 1)

    assert not blocks_interrupts("self")
    worker = workers.Workers().Process(target=time.sleep, args=(60,))
    worker.start()
    try:
        assert blocks_interrupts(worker.pid)
        assert not blocks_interrupts("self")
    finally:
        worker.kill()
        worker.join()
    with workers.processes(1) as pool:
        assert blocks_interrupts(pool.submit(os.getpid).result())


def test_ctrl_c_while_a_worker_starts_is_heard_afterwards():
    """By the handler that was there, once, and after the start is over."""
    heard, handler = [], signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with workers._interrupts_put_off():
            os.kill(os.getpid(), signal.SIGINT)
            assert heard == []
        assert heard == [True]
        with workers._interrupts_put_off():
            pass
        assert heard == [True]
    finally:
        signal.signal(signal.SIGINT, handler)
