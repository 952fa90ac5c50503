"""Who makes the runs: this process, processes of its own, or any executor that is handed over."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass
from pathlib import Path

import torch

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.record import RunRecord
from reglab.runs.progress import Progress
from reglab.runs.store import RunLock, RunStore
from reglab.runs.workers import Reports, processes, report
from reglab.training import machine
from reglab.training.callbacks import OnEpoch, silent
from reglab.training.kept import IN_PROCESS, Kept
from reglab.training.run import train
from reglab.training.together import train_many

log = logging.getLogger("reglab")

TOGETHER = 32  # runs at once on CUDA; not yet measured on one
IN_FLIGHT = 64  # tasks handed to a foreign executor at once, where nobody says how many
Held = dict[RunConfig, RunLock]
_AGAIN = "finished runs are kept, run the same command again"


@dataclass(frozen=True)
class Crew:
    """Who makes runs, and how.

    Attributes:
        executor: where tasks are submitted; None = this process.
        together: runs that take turns on one device (`reglab.training.together`); 1 = one.
        in_flight: tasks submitted and not yet done, at most. The rest stays free for others that
            work on the same store.
        writes: whether the executor's workers write to the store themselves. Otherwise a finished
            run travels back as text, and the driver writes it.
        workers: processes that make runs at once; None = as many as a foreign executor has.
        reports: where its workers say how many epochs their runs have; None = nowhere.
    """

    executor: Executor | None = None
    together: int = 1
    in_flight: int = 1
    writes: bool = False
    workers: int | None = 1
    reports: Reports | None = None

    @property
    def batch(self) -> int:
        """Runs in a task: enough for a freed place to be filled again, one in the plain loop."""
        return 1 if self.together == 1 else 4 * self.together

    def __str__(self) -> str:
        """Return how the runs are made, for a reader."""
        if self.together > 1:
            where = "" if self.workers else " on each of an executor's workers"
            return f"{self.together} at a time{where}"
        if self.workers is None:
            return "on an executor's workers"
        return f"with {self.workers} worker{'s' if self.workers > 1 else ''}"


@contextlib.contextmanager
def open_crew(
    device: str,
    workers: int | None = None,
    together: int | None = None,
    executor: Executor | None = None,
    in_flight: int | None = None,
) -> Iterator[Crew]:
    """Give the crew that the arguments of `reglab.study.sweep.run` ask for; end it afterwards.

    Raises:
        ReglabError: an argument is not an integer >= 1, or ``workers`` beside ``executor``.
    """
    for name, value in {"workers": workers, "together": together, "in_flight": in_flight}.items():
        if value is not None and (not isinstance(value, int) or value is True or value < 1):
            raise ReglabError(f"{name} must be an integer >= 1, got {value!r}")
    if executor is not None:
        if workers is not None:
            raise ReglabError("workers are the executor's own: give one of the two")
        size = together or (TOGETHER if device == "cuda" else 1)
        yield Crew(executor, size, in_flight or IN_FLIGHT, workers=None)
        return
    if together is None:
        together = TOGETHER if device == "cuda" and workers in (None, 1) else 1
    workers = 1 if together > 1 else workers or default_workers(device)
    if workers == 1:
        machine.keep_freed_memory()
        yield Crew(together=together)
        return
    reports, size = Reports(), in_flight or 2 * workers
    with processes(workers, reports) as pool:
        yield Crew(pool, in_flight=size, writes=True, workers=workers, reports=reports)


def default_workers(device: str) -> int:
    """Return the cores this process may use; 1 on CUDA, where runs share one device."""
    if device == "cuda":
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make(
    configs: Sequence[RunConfig],
    store: RunStore,
    crew: Crew,
    progress: Progress,
    needed: Collection[str] = (),
) -> set[str]:
    """Make the runs that are neither in the store nor being made by another driver.

    Args:
        needed: keys of runs that later ones begin with or learn from: their weights are kept.

    Returns:
        The keys of the runs made. Each is in the store before it is counted.

    Raises:
        ReglabError: one line; what was finished before is kept.
    """
    tasks = [configs[start : start + crew.batch] for start in range(0, len(configs), crew.batch)]
    if crew.executor is None:
        kept = Kept(store.weights, needed)
        made = (_make_here(task, store, crew.together, progress, kept) for task in tasks)
        return {key for keys in made for key in keys}
    return _make_there(tasks, store, crew, progress, needed)


def train_all(
    configs: Sequence[RunConfig],
    together: int,
    on_epoch: OnEpoch = silent,
    kept: Kept = IN_PROCESS,
) -> Iterator[RunRecord]:
    """Yield each run's record as it ends; fewer at once, down to one, where memory is short.

    Args:
        on_epoch: called after each epoch with its run's key and number of epochs.
        kept: weights of other runs (`reglab.training.run.train`).

    Raises:
        ReglabError: a single run does not fit into the device's memory.
    """
    left = {config.key: config for config in configs}
    while left and together > 1:
        try:
            several = list(left.values())
            for record in train_many(several, size=together, on_epoch=on_epoch, kept=kept):
                del left[record.config.key]
                yield record
        except torch.OutOfMemoryError:
            log.warning("out of device memory: %d runs at once from here on", together // 2)
            together //= 2
        if left:
            torch.cuda.empty_cache()  # does nothing where CUDA was never used
    for config in left.values():
        try:
            yield train(config, on_epoch=on_epoch, kept=kept)
        except torch.OutOfMemoryError:
            raise ReglabError(
                f"out of device memory with a single run of width {config.width}; {_AGAIN} on a "
                "device with more memory, or with --device cpu"
            ) from None


def work(
    configs: Sequence[RunConfig], together: int, root: Path | None, needed: Collection[str] = ()
) -> list[str]:
    """Make runs on a worker: write each to the store at ``root``, or return each as JSON."""
    texts = []
    kept = IN_PROCESS if root is None else Kept(RunStore(root).weights, needed)
    for record in train_all(configs, together, report, kept):
        if root is None:
            texts.append(record.to_json())
        else:
            RunStore(root).put(record)
    return texts


def _make_here(
    task: Sequence[RunConfig], store: RunStore, together: int, progress: Progress, kept: Kept
) -> list[str]:
    held, made = _take(task, store), []
    try:
        progress.begin(held)
        for record in train_all(list(held), together, progress.epoch, kept):
            store.put(record)
            made.append(record.config.key)
            progress.end([record.config])
    finally:
        _release(held)
    return made


def _make_there(
    tasks: Sequence[Sequence[RunConfig]],
    store: RunStore,
    crew: Crew,
    progress: Progress,
    needed: Collection[str],
) -> set[str]:
    waiting, made = deque(tasks), set()
    pending: dict[Future, Held] = {}
    progress.reports = crew.reports
    try:
        while waiting or pending:
            while waiting and len(pending) < crew.in_flight:
                if held := _take(waiting.popleft(), store):
                    pending[_submit(held, store, crew, needed)] = held
                    progress.begin(held)
            failed = None
            for future in wait(pending, return_when=FIRST_COMPLETED).done if pending else ():
                held = pending.pop(future)
                try:
                    made |= _keep(future, held, store, crew.writes)
                    progress.end(held)
                except Exception as error:  # first keep what others finished, then say so
                    failed = error
                _release(held)
            if failed:
                raise failed
    except (BrokenExecutor, CancelledError, MemoryError) as error:
        raise _lost(error) from None
    finally:
        for future, held in pending.items():
            future.cancel()
            _release(held)
    return made


def _submit(held: Held, store: RunStore, crew: Crew, needed: Collection[str]) -> Future:
    root = store.root if crew.writes else None
    try:
        return crew.executor.submit(work, tuple(held), crew.together, root, frozenset(needed))
    except BaseException:
        _release(held)
        raise


def _take(task: Sequence[RunConfig], store: RunStore) -> Held:
    """Lock those runs of a task that are nobody else's and not there by now."""
    held = {}
    for config in task:
        if lock := store.lock(config):
            if store.get(config) is None:
                held[config] = lock
            else:
                lock.release()
    return held


def _release(held: Held) -> None:
    for lock in held.values():
        lock.release()


def _keep(future: Future, held: Held, store: RunStore, written: bool) -> set[str]:
    """Write what a worker sent back, if it did not write it itself; return the runs' keys."""
    texts = future.result()
    if written:
        return {config.key for config in held}
    records = [RunRecord.from_json(text) for text in texts]
    for record in records:
        store.put(record)
    if {record.config for record in records} != set(held):
        raise ReglabError(f"a worker sent back other runs than it was given; {_AGAIN}")
    return {record.config.key for record in records}


def _lost(error: BaseException) -> ReglabError:
    if isinstance(error, MemoryError):
        return ReglabError(f"out of memory; {_AGAIN} with fewer workers")
    if isinstance(error, CancelledError):
        return ReglabError(f"the connection to the workers is lost; {_AGAIN}")
    return ReglabError(
        f"a worker process died (killed, or out of memory?); {_AGAIN}, with fewer workers if "
        "memory is short"
    )
