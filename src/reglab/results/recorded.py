"""The recorded results: the best profile of each data set.

Recorded runs are committed under ``book/results/PROFILE/DATASET.jsonl.gz`` (`reglab record`). Only
the profiles reduced, full and paper decide; a pilot made on a reader's machine decides nothing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reglab.data.sources import KNOWN
from reglab.paths import results_folder
from reglab.runs.store import RunStore, read_table
from reglab.study.frame import frame, load_records
from reglab.study.plan import Plan
from reglab.study.profiles import profile_named
from reglab.study.protocol import Arm

# Best first. The reduced profile decides directions; sizes need all training images.
DECIDING = ("paper", "full", "reduced")


def studies(folder: Path | str | None = None) -> dict[str, pd.DataFrame]:
    """Return each known data set's best recorded study, as `reglab.study.frame` gives it.

    A data set without a recorded factorial is left out; so is a study of which a run is missing.

    Raises:
        ReglabError: a recorded table is damaged; it names the file.
    """
    folder = results_folder(folder)
    best = {name: _best(name, folder) for name in KNOWN}
    return {name: study for name, study in best.items() if study is not None}


def _best(dataset: str, folder: Path) -> pd.DataFrame | None:
    for profile in DECIDING:
        path = folder / profile / f"{dataset}.jsonl.gz"
        if path.exists() and (study := _read(dataset, profile, path, folder)) is not None:
            return study
    return None


def _read(dataset: str, profile: str, path: Path, folder: Path) -> pd.DataFrame | None:
    first = next(read_table(path), None)
    if first is None:
        return None
    device, precision = first.config.device, first.config.precision
    plan = Plan.from_profile(profile_named(profile), dataset, device, precision=precision)
    store = RunStore(folder / "nothing-but-recorded", recorded=folder)
    arms, records = load_records(plan, store, partial=True)
    incomplete = {arm.study for arm in arms if arm.config.key not in records}
    kept: list[Arm] = [arm for arm in arms if arm.study not in incomplete]
    if not any(arm.study == "factorial" for arm in kept):
        return None
    return frame(plan, kept, records)
