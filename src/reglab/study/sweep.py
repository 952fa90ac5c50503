"""Run what is missing, wherever it can be run, and keep every finished run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.record import RunRecord
from reglab.runs.executors import Crew, make, open_crew
from reglab.runs.progress import Progress, roughly
from reglab.runs.store import RunStore
from reglab.study.outlook import outlook
from reglab.study.plan import PROTOCOL, Plan
from reglab.study.profiles import run_seconds

PATIENCE = 0.5  # seconds between two looks at what another driver is still making


def run(
    configs: Sequence[RunConfig],
    store: RunStore,
    *,
    workers: int | None = None,
    together: int | None = None,
    executor: Executor | None = None,
    in_flight: int | None = None,
    progress: bool | None = None,
) -> list[RunRecord]:
    """Return the records of ``configs``, training only those the store lacks.

    Several drivers may share one store: each run is made by one of them, and all wait for it.

    Args:
        configs: runs in any order; equal ones are made once.
        store: where finished runs are looked up and kept.
        workers: processes, one CPU thread each; None = one a core (one in all on CUDA);
            1 = in this process.
        together: runs that take turns on one device (`reglab.training.together`), instead of worker
            processes; None = 32 on CUDA, 1 (the plain loop) elsewhere or with workers.
        executor: anything with the interface of `concurrent.futures.Executor`, in place of
            worker processes, e.g. `reglab.study.cluster`'s. Its workers need reglab and
            the data; they need not see the store.
        in_flight: tasks handed over at once; None = twice the workers, or 64 for an executor.
        progress: show on standard error how far the runs are: True = a bar in a terminal, a line
            every half minute elsewhere; None = the bar only; False = nothing.

    Raises:
        ReglabError: the store cannot be written, or a worker died; finished runs are kept.
    """
    unique = {config.key: config for config in configs}
    names = {key: config.dataset for key, config in unique.items()}

    def look() -> Left:
        missing = [config for config in unique.values() if store.get(config) is None]
        return Left(missing, len(unique) - len(missing), len(unique), names=names)

    left = look()
    if left.missing:
        store.check_writable()
        with (
            open_crew(left.missing[0].device, workers, together, executor, in_flight) as crew,
            Progress(progress) as shown,
        ):
            shown.start(f"{left}; {left.to_make} {crew}", left.total, left.done)
            _make_all(look, store, crew, shown)
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
    progress: bool | None = None,
) -> int:
    """Run every stage of every plan that the store lacks; return how many runs were made.

    The plans advance together, so that a stage's last runs of one data set share the cores with
    another's. Arguments and errors as `run`.
    """

    def look() -> Left:
        return _look(plans, store)

    left = look()
    with open_crew(plans[0].device, workers, together, executor, in_flight) as crew:
        if not left.missing:
            return 0
        store.check_writable()
        with Progress(progress) as shown:
            opening = _opening(plans, left, crew)
            shown.start(opening, left.total, left.done, exact=left.exact)
            return _make_all(look, store, crew, shown)


@dataclass
class Left:
    """What a store lacks.

    Attributes:
        missing: the runs that can be made now.
        done: finished runs.
        total: runs in all; the most there can be unless ``exact``.
        names: data set and study of a run, by key.
        needed: keys of runs whose weights others need.
    """

    missing: list[RunConfig] = field(default_factory=list)
    done: int = 0
    total: int = 0
    exact: bool = True
    names: dict[str, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)

    @property
    def to_make(self) -> str:
        """The number of runs still to be made, in words."""
        return f"{self._most}{self.total - self.done} to make"

    @property
    def _most(self) -> str:
        return "" if self.exact else "up to "

    def __str__(self) -> str:
        return f"{self._most}{self.total} runs, {self.done or 'none'} of them finished"


def _make_all(look: Callable[[], Left], store: RunStore, crew: Crew, progress: Progress) -> int:
    """Make runs until none is left, those included that only the ones before make known."""
    made: set[str] = set()
    left = look()
    while left.missing:
        progress.names = left.names
        new = make(left.missing, store, crew, progress, left.needed)
        made |= new
        left = look()
        if lost := [config for config in left.missing if config.key in made]:
            raise ReglabError(
                f"the store does not keep what is written to it: {store.path(lost[0])} cannot be "
                "read back; choose another folder and run the same command again"
            )
        progress.done, progress.total, progress.exact = left.done, left.total, left.exact
        progress.waiting = bool(left.missing) and not new
        if progress.waiting:
            time.sleep(PATIENCE)
    return len(made)


def _look(plans: Sequence[Plan], store: RunStore) -> Left:
    """Return what can run now, and how much there is; later stages are counted at their most."""
    unique: dict[str, RunConfig] = {}
    left = Left()
    for plan in plans:
        seen = outlook(plan, store.load)
        unique |= {config.key: config for config in seen.ready}
        left.needed |= seen.needed
        known = {arm.config.key: f"{plan.dataset} {arm.study}" for arm in reversed(seen.arms)}
        left.names |= known
        left.done += len(known) - len(seen.missing)
        left.total += seen.total
        left.exact = left.exact and seen.exact
    left.missing = list(unique.values())
    return left


def _opening(plans: Sequence[Plan], left: Left, crew: Crew) -> str:
    """Say what is going to be made, and about how long it takes where that was once measured."""
    names, profile = ", ".join(plan.dataset for plan in plans), plans[0].profile.name
    study = "" if plans[0].study == PROTOCOL else f", study {plans[0].study}"
    text = f"{names} ({profile}{study}): {left}; {left.to_make} {crew}"
    measured = [run_seconds(profile, plan.dataset) for plan in plans]
    if crew.together > 1 or crew.workers is None or None in measured:
        return text
    each = sum(measured) / len(measured)
    whole = roughly((left.total - left.done) * each / crew.workers)
    return f"{text}, about {whole} if a run takes {each:g} s, as on a core of an AMD EPYC"
