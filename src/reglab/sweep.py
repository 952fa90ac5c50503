"""Run what is missing, wherever it can be run, and keep every finished run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from tqdm import tqdm

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.executors import Crew, crew, make
from reglab.protocol import Plan, expected_runs, stages
from reglab.records import RunRecord
from reglab.store import RunStore

PATIENCE = 0.5  # seconds between two looks at what another driver is still making


def run(
    configs: Sequence[RunConfig],
    store: RunStore,
    *,
    workers: int | None = None,
    together: int | None = None,
    executor: Executor | None = None,
    in_flight: int | None = None,
    progress: bool = True,
) -> list[RunRecord]:
    """Return the records of ``configs``, training only those the store lacks.

    Several drivers may share one store: each run is made by one of them, and all wait for it.

    Args:
        configs: runs in any order; equal ones are made once.
        store: where finished runs are looked up and kept.
        workers: processes, one CPU thread each; None = one a core (one in all on CUDA);
            1 = in this process.
        together: runs that take turns on one device (`reglab.population`), instead of worker
            processes; None = 32 on CUDA, 1 (the plain loop) elsewhere or with workers.
        executor: anything with the interface of `concurrent.futures.Executor`, in place of
            worker processes, e.g. `reglab.cluster`'s. Its workers need reglab and the data; they
            need not see the store.
        in_flight: tasks handed over at once; None = twice the workers, or 64 for an executor.
        progress: show runs done, total and time left; quiet anyway where there is no terminal.

    Raises:
        ReglabError: the store cannot be written, or a worker died; finished runs are kept.
    """
    unique = {config.key: config for config in configs}

    def left() -> tuple[list[RunConfig], int]:
        missing = [config for config in unique.values() if store.get(config) is None]
        return missing, len(unique) - len(missing)

    missing, _ = left()
    if missing:
        store.check_writable()
        with (
            crew(missing[0].device, workers, together, executor, in_flight) as by,
            _bar(len(missing), progress) as bar,
        ):
            _make_all(left, store, by, bar)
    records = store.load(unique.values())
    return [records[config.key] for config in configs]


def reproduce(
    plans: Sequence[Plan],
    store: RunStore,
    *,
    workers: int | None = None,
    together: int | None = None,
    executor: Executor | None = None,
    in_flight: int | None = None,
    progress: bool = True,
) -> int:
    """Run every stage of every plan that the store lacks; return how many runs were made.

    The plans advance together, so that a stage's last runs of one data set share the cores with
    another's. Arguments and errors as `run`.
    """

    def left() -> tuple[list[RunConfig], int]:
        return _missing(plans, store)

    missing, done = left()
    with crew(plans[0].device, workers, together, executor, in_flight) as by:
        if not missing:
            return 0
        store.check_writable()
        total = max(done + len(missing), sum(expected_runs(plan) for plan in plans))
        with _bar(total, progress, done) as bar:
            made = _make_all(left, store, by, bar)
            bar.total = bar.n
    return made


def _make_all(
    left: Callable[[], tuple[list[RunConfig], int]], store: RunStore, by: Crew, bar: tqdm
) -> int:
    """Make runs until none is left, those included that only the ones before make known."""
    made: set[str] = set()
    begin = bar.n
    missing, at_first = left()
    while missing:
        new = make(missing, store, by, bar)
        made |= new
        missing, done = left()
        if lost := [config for config in missing if config.key in made]:
            raise ReglabError(
                f"the store does not keep what is written to it: {store.path(lost[0])} cannot be "
                "read back; choose another folder and run the same command again"
            )
        bar.n = begin + done - at_first
        bar.set_postfix_str("" if new or not missing else "waiting for another driver's runs")
        if missing and not new:
            time.sleep(PATIENCE)
    return len(made)


def _missing(plans: Sequence[Plan], store: RunStore) -> tuple[list[RunConfig], int]:
    """Return the configs that can run now and the number of finished runs."""
    unique: dict[str, RunConfig] = {}
    done = 0
    for plan in plans:
        arms, missing = stages(plan, store.load)
        unique |= {config.key: config for config in missing}
        done += len({arm.config.key for arm in arms}) - len(missing)
    return list(unique.values()), done


def _bar(total: int, progress: bool, done: int = 0) -> tqdm:
    # disable=None: silent where standard error is no terminal
    return tqdm(total=total, initial=done, unit="run", disable=None if progress else True)
