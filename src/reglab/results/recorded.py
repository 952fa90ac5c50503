"""The recorded results: the best profile of each data set, and the chapters' tables of them.

Recorded runs are committed under ``book/results/PROFILE/DATASET.jsonl.gz`` (`reglab record`). Only
the reduced and the paper profile are recorded; a pilot made on a reader's machine decides nothing.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.pages import display
from reglab.paths import results_folder
from reglab.results import factorial, tables
from reglab.runs.store import RunStore, read_table
from reglab.study.frame import frame, load_records
from reglab.study.plan import Plan
from reglab.study.profiles import profile_named
from reglab.study.protocol import Arm

# Best first. The reduced profile decides directions; sizes are judged at paper scale only.
DECIDING = ("paper", "reduced")


def studies(folder: Path | str | None = None) -> dict[str, pd.DataFrame]:
    """Return each known data set's best recorded study, as `reglab.study.frame` gives it.

    A data set without a recorded factorial is left out; so is a study of which a run is missing.

    Raises:
        ReglabError: a recorded table is damaged; it names the file.
    """
    folder = results_folder(folder)
    found = {name: _best(name, folder) for name in KNOWN}
    return {name: study for name, study in found.items() if study is not None}


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
    plan = Plan.under(profile_named(profile), dataset, device, precision=precision)
    store = RunStore(folder / "nothing-but-recorded", recorded=folder)
    arms, records = load_records(plan, store, partial=True)
    incomplete = {arm.study for arm in arms if arm.config.key not in records}
    kept: list[Arm] = [arm for arm in arms if arm.study not in incomplete]
    if not any(arm.study == "factorial" for arm in kept):
        return None
    return frame(plan, kept, records)


@dataclass(frozen=True)
class Stack:
    """Tables under one another, one a data set, and a sentence on what is not recorded."""

    shown: tuple[display.Shown, ...]
    remark: str = ""

    def _repr_html_(self) -> str:
        parts = [table._repr_html_() for table in self.shown]
        return "\n".join(parts + ([f"<p>{html.escape(self.remark)}</p>"] if self.remark else []))

    def _repr_markdown_(self) -> str:
        return "\n\n".join([*(table._repr_markdown_() for table in self.shown), self.remark])

    def __repr__(self) -> str:
        return "\n\n".join([*map(repr, self.shown), self.remark])


# kind -> (numbers of a study, caption)
_TABLES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "l2": (lambda study: tables.effect_table(study, "l2"), "L2 beside the paper's Table 1."),
    "lambda": (tables.lambda_table, "Three readings of lambda over the grids."),
    "dropout": (
        lambda study: tables.effect_table(study, "dropout"),
        "Dropout beside the paper's unnumbered table.",
    ),
    "dropout_rates": (tables.dropout_sweep_table, "Drop rates, and what each is called."),
    "bn": (
        lambda study: tables.effect_table(study, "bn"),
        "Batch normalization beside the paper's Table 2.",
    ),
    "gap": (factorial.gap_table, "Training minus test accuracy, in points."),
    "size": (factorial.size_table, "Accuracy and gap over the number of images taken."),
    "rates": (factorial.rate_table, "Learning rate and batch normalization."),
    "time": (factorial.time_table, "Epochs and seconds of each cell."),
    "combined": (tables.combined_table, "Combinations beside the paper's Table 3."),
    "interactions": (factorial.interaction_table, "Interaction contrasts, in points."),
    "ablation": (tables.ablation_table, "What leaving one technique out costs, in points."),
    "shapley": (factorial.shapley_table, "Shares of the gain of all three, in points."),
}
# The study that a kind is made from, where it is not the factorial.
_NEEDED = {"lambda": "lambda", "dropout_rates": "dropout", "size": "size", "rates": "rate"}
_PRINTED = {"l2": "l2", "dropout": "dropout", "bn": "bn", "combined": "combined"}


def table(kind: str, found: Mapping[str, pd.DataFrame] | None = None) -> Stack:
    """Return one of the chapters' tables for every data set that has recorded runs.

    Args:
        kind: l2, lambda, dropout, dropout_rates, bn, gap, size, rates, time, combined,
            interactions, ablation or shapley.
        found: studies by data set; None = `studies()`.

    Raises:
        ReglabError: unknown kind, or a damaged table.
    """
    if kind not in _TABLES:
        raise ReglabError(f"no table {kind!r}; there are {', '.join(_TABLES)}")
    numbers, caption = _TABLES[kind]
    found = studies() if found is None else found
    needed = _NEEDED.get(kind, "factorial")
    found = {name: study for name, study in found.items() if (study["study"] == needed).any()}
    shown = [
        display.show(numbers(study), f"{paper.title(name)}. {caption}", tables.provenance(study))
        for name, study in found.items()
    ]
    missing = [paper.title(name) for name in KNOWN if name not in found]
    if missing and kind in _PRINTED:
        shown.append(_printed(_PRINTED[kind], missing))
    remark = f"Not recorded yet at a deciding scale: {', '.join(missing)}." if missing else ""
    return Stack(tuple(shown), remark)


def _printed(which: str, titles: list[str]) -> display.Shown:
    """Return the paper's own table for data sets that have nothing of ours to stand beside."""
    rows = [
        {"data set": paper.title(name)}
        | {CELL_NAMES[cell]: str(paper.printed(which, name, cell)) for cell in _cells(which)}
        for name in KNOWN
        if paper.title(name) in titles
    ]
    return display.show(pd.DataFrame(rows), "As the paper prints it: test accuracy in percent.")


def _cells(which: str) -> tuple[str, ...]:
    return tuple(cell for cell in paper.contents()["tables"][which]["mnist"])
