"""The recorded results: every profile of each data set, the best first.

Recorded runs are committed under ``book/results/PROFILE/DATASET.jsonl.gz``, those of a further
study under ``book/results/PROFILE/STUDY/DATASET.jsonl.gz`` (`reglab record`). Only the profiles
reduced, full and paper decide; a pilot made on a reader's machine decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from reglab.config import RunConfig
from reglab.data.sources import KNOWN
from reglab.paths import results_folder
from reglab.runs.store import RunStore, read_table
from reglab.study.frame import frame, load_records
from reglab.study.further import datasets_of
from reglab.study.plan import PROTOCOL, Plan
from reglab.study.profiles import profile_named
from reglab.study.protocol import Arm, settings
from reglab.study.standing import Standing, survey

# Best first. The reduced profile decides directions; sizes need all training images.
DECIDING = ("paper", "full", "reduced")
FEWEST_SEEDS = 3  # a further study is shown from so many complete ones


def studies(
    folder: Path | str | None = None, names: Sequence[str] = KNOWN
) -> dict[str, pd.DataFrame]:
    """Return each data set's best recorded study, as `reglab.study.frame` gives it.

    A data set without a recorded factorial is left out; so is a study of which a run is missing.

    Args:
        names: of the data sets; those of the paper where nothing is said.

    Raises:
        ReglabError: a recorded table is damaged; it names the file.
    """
    folder = results_folder(folder)
    best = {name: next(_by_profile(name, folder), None) for name in names}
    return {name: study for name, study in best.items() if study is not None}


def all_profiles(folder: Path | str | None = None) -> dict[str, list[pd.DataFrame]]:
    """Return each known data set's recorded studies, the best profile first.

    What is left out, and errors, as `studies`, which gives the first of each.
    """
    folder = results_folder(folder)
    recorded = {name: list(_by_profile(name, folder)) for name in KNOWN}
    return {name: profiles for name, profiles in recorded.items() if profiles}


def begun(folder: Path | str | None = None) -> list[Standing]:
    """Return where the recorded studies stand whose factorial is not complete, best profile first.

    Args and errors as `studies`, which leaves these out.
    """
    folder = results_folder(folder)
    found = []
    for profile in DECIDING:
        for dataset in KNOWN:
            path = folder / table_name(dataset, profile)
            first = next(read_table(path), None) if path.exists() else None
            if first is not None and _read(dataset, profile, path, folder) is None:
                found.append(survey(_plan(first.config, profile), _store(folder)))
    return found


def table_name(dataset: str, profile: str, study: str = PROTOCOL) -> str:
    """Return where a study's table lies in the folder of recorded results."""
    parts = (
        (profile, f"{dataset}.jsonl.gz")
        if study == PROTOCOL
        else (profile, study, f"{dataset}.jsonl.gz")
    )
    return "/".join(parts)


def _by_profile(dataset: str, folder: Path) -> Iterator[pd.DataFrame]:
    for profile in DECIDING:
        path = folder / table_name(dataset, profile)
        if path.exists() and (study := _read(dataset, profile, path, folder)) is not None:
            yield study


def _read(dataset: str, profile: str, path: Path, folder: Path) -> pd.DataFrame | None:
    first = next(read_table(path), None)
    if first is None:
        return None
    plan, store = _plan(first.config, profile), _store(folder)
    arms, records = load_records(plan, store, partial=True)
    incomplete = {arm.study for arm in arms if arm.config.key not in records}
    kept: list[Arm] = [arm for arm in arms if arm.study not in incomplete]
    if not any(arm.study == "factorial" for arm in kept):
        return None
    return frame(plan, kept, records)


def further(
    study: str, folder: Path | str | None = None, datasets: Sequence[str] = ()
) -> dict[str, pd.DataFrame]:
    """Return a further study of each data set that has it recorded, at its best profile.

    Evaluation seeds from 0 on of which every run is there; a data set with fewer than
    `FEWEST_SEEDS` of them is left out.

    Args:
        study: its name (`reglab.study.further`).
        folder: as for `studies`.
        datasets: () = those that "all" stands for in the study.

    Raises:
        ReglabError: unknown study, or a recorded table is damaged.
    """
    folder, datasets = results_folder(folder), datasets or datasets_of(study)
    best = {name: _best_further(study, name, folder) for name in datasets}
    return {name: runs for name, runs in best.items() if runs is not None}


def _best_further(study: str, dataset: str, folder: Path) -> pd.DataFrame | None:
    for profile in DECIDING:
        path = folder / table_name(dataset, profile, study)
        first = next(read_table(path), None) if path.exists() else None
        if first is not None:
            plan = replace(_plan(first.config, profile), study=study)
            if (complete := _complete_seeds(plan, _store(folder))) is not None:
                return complete
    return None


def _complete_seeds(plan: Plan, store: RunStore) -> pd.DataFrame | None:
    """Return a further study up to its first seed with a run missing; None of too few seeds."""
    if settings(plan, store.load) is None:
        return None
    arms, records = load_records(plan, store, partial=True)
    lacking = [arm.config.seed for arm in arms if arm.config.key not in records]
    end = min(lacking, default=plan.seeds)
    kept = [arm for arm in arms if arm.config.seed < end]
    return frame(plan, kept, records) if end >= FEWEST_SEEDS else None


def _plan(config: RunConfig, profile: str) -> Plan:
    """Return the plan that a recorded run belongs to: its data set, device and precision."""
    return Plan.from_profile(
        profile_named(profile), config.dataset, config.device, precision=config.precision
    )


def _store(folder: Path) -> RunStore:
    return RunStore(folder / "nothing-but-recorded", recorded=folder)
