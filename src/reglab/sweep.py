"""Run what is missing, over processes, and keep every finished run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from tqdm import tqdm

from reglab import runtime
from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.population import train_many
from reglab.protocol import Plan, expected_runs, stages
from reglab.records import RunRecord
from reglab.store import RunStore
from reglab.training import train

TOGETHER = 32  # runs at once on CUDA; not yet measured on one


def run(
    configs: Sequence[RunConfig],
    store: RunStore,
    *,
    workers: int | None = None,
    together: int | None = None,
    progress: bool = True,
) -> list[RunRecord]:
    """Return the records of ``configs``, training only those the store lacks.

    Args:
        configs: runs in any order; equal ones are made once.
        store: where finished runs are looked up and kept.
        workers: processes, one CPU thread each; None = one a core (one in all on CUDA);
            1 = in this process.
        together: runs that take turns in one process (`reglab.population`), instead of worker
            processes; None = `TOGETHER` on CUDA, 1 (the plain loop) elsewhere or with workers.
        progress: show runs done, total and time left; quiet anyway where there is no terminal.

    Raises:
        ReglabError: the store cannot be written, or a worker died; finished runs are kept.
    """
    unique = {config.key: config for config in configs}
    missing = [config for config in unique.values() if store.get(config) is None]
    if missing:
        store.check_writable()
        device = missing[0].device
        together = _together(together, workers, device)
        workers = 1 if together > 1 else workers
        with _pool(workers, device) as pool, _bar(len(missing), progress) as bar:
            _run_all(missing, store, pool, together, bar)
    records = store.load(unique.values())
    return [records[config.key] for config in configs]


def reproduce(
    plans: Sequence[Plan],
    store: RunStore,
    *,
    workers: int | None = None,
    together: int | None = None,
    progress: bool = True,
) -> int:
    """Run every stage of every plan that the store lacks; return how many runs were made.

    The plans advance together, so that a stage's last runs of one data set share the cores with
    another's. Arguments and errors as `run`.
    """
    made = 0
    missing, done = _missing(plans, store)
    if not missing:
        return 0
    store.check_writable()
    total = max(done + len(missing), sum(expected_runs(plan) for plan in plans))
    device = missing[0].device
    together = _together(together, workers, device)
    workers = 1 if together > 1 else workers
    with _pool(workers, device) as pool, _bar(total, progress, done) as bar:
        while missing:
            _run_all(missing, store, pool, together, bar)
            made += len(missing)
            missing, done = _missing(plans, store)
        bar.total = bar.n
        bar.refresh()
    return made


def default_workers(device: str) -> int:
    """Return the cores this process may use; 1 on CUDA, where runs share one device."""
    if device == "cuda":
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _missing(plans: Sequence[Plan], store: RunStore) -> tuple[list[RunConfig], int]:
    """Return the configs that can run now and the number of finished runs."""
    unique: dict[str, RunConfig] = {}
    done = 0
    for plan in plans:
        arms, missing = stages(plan, store.load)
        unique |= {config.key: config for config in missing}
        done += len({arm.config.key for arm in arms}) - len(missing)
    return list(unique.values()), done


def _together(together: int | None, workers: int | None, device: str) -> int:
    if together is None:
        return TOGETHER if device == "cuda" and workers in (None, 1) else 1
    if together < 1:
        raise ReglabError(f"together must be an integer >= 1, got {together}")
    return together


def _run_all(
    configs: Sequence[RunConfig],
    store: RunStore,
    pool: Executor | None,
    together: int,
    bar: tqdm,
) -> None:
    if together > 1:
        for record in train_many(configs, size=together):
            store.put(record)
            bar.update()
        return
    work = partial(_work, root=store.root)
    if pool is None:
        for config in configs:
            work(config)
            bar.update()
        return
    try:
        for future in as_completed([pool.submit(work, config) for config in configs]):
            _result(future)
            bar.update()
    except BrokenProcessPool:
        raise ReglabError(
            "a worker process died (killed, or out of memory?); finished runs are kept, run the "
            "same command again, with fewer workers if memory is short"
        ) from None


def _result(future: Future) -> None:
    try:
        future.result()
    except MemoryError:
        raise ReglabError(
            "out of memory; finished runs are kept, run the same command again with fewer workers"
        ) from None


def _work(config: RunConfig, root: Path) -> None:
    """Make one run and keep it. The worker writes, so a driver's death loses no finished run."""
    RunStore(root).put(train(config))


@contextlib.contextmanager
def _pool(workers: int | None, device: str) -> Iterator[Executor | None]:
    """Give a process pool, or None for one worker; on an error or Ctrl-C end it at once."""
    workers = default_workers(device) if workers is None else workers
    if workers < 1:
        raise ReglabError(f"workers must be an integer >= 1, got {workers}")
    if workers == 1:
        runtime.keep_freed_memory()
        yield None
        return
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(os.getpid(),),
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    pool.shutdown()


def _start_worker(driver: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    runtime.keep_freed_memory()
    threading.Thread(target=_die_with, args=(driver,), daemon=True).start()


def _die_with(driver: int) -> None:
    """End this worker when the driver is gone: a killed driver cannot tell it to."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


def _bar(total: int, progress: bool, done: int = 0) -> tqdm:
    # disable=None: silent where standard error is no terminal
    return tqdm(total=total, initial=done, unit="run", disable=None if progress else True)
