"""One arm's scores, one a seed: what claims and tables compare.

An arm is named as in `paper.toml`: a cell of the factorial ("bn", "l2+dropout"), or "STUDY:LABEL"
("literal:dropout=0.5", "lambda:per_sample 0.1").
"""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd

from reglab.cells import CELL_NAMES
from reglab.errors import ReglabError
from reglab.results import tables

# How fast a network learns: its mean validation accuracy over this many epochs from the first.
EARLY = 5

# The share of the unregularized network's best validation accuracy that counts as "there".
TARGET = 0.98
GUESSING = 0.1  # validation accuracy before the first epoch, with the paper's ten classes

# What may be compared, and what a sentence calls it.
METRICS = {
    "test_acc": "test accuracy",
    "train_acc": "training accuracy",
    "val_acc": "validation accuracy",
    "last_test_acc": "test accuracy after the last epoch",
    "last_train_acc": "training accuracy after the last epoch",
    "last_val_acc": "validation accuracy after the last epoch",
    "early_val_acc": f"mean validation accuracy of the first {EARLY} epochs",
    "gap": "training minus test accuracy",
    "last_gap": "training minus test accuracy after the last epoch",
    "epochs": "epochs until the stop",
    "time_to_target": f"epochs to {TARGET:.0%} of the unregularized best validation accuracy",
}
UNITS = {"epochs": "epochs", "time_to_target": "epochs"}  # points where nothing else is said


def runs(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the runs of the arm called ``name``; errors as `reglab.results.tables.arm`."""
    study, _, label = name.rpartition(":")
    return tables.arm(frame, study or "factorial", label)


def values(rows: pd.DataFrame, metric: str = "test_acc") -> pd.Series:
    """Return an arm's scores by seed: accuracies in percent, gaps in points, epochs as counted.

    Args:
        rows: of one arm (`runs`).

    Raises:
        ReglabError: unknown metric.
    """
    rows = rows.set_index("seed")
    if metric not in METRICS or metric == "time_to_target":
        raise ReglabError(f"no metric {metric!r} of one arm; there are {', '.join(METRICS)}")
    if metric == "early_val_acc":
        return 100 * rows["history"].map(_early)
    if metric.endswith("gap"):
        last = metric.removesuffix("gap")
        return 100 * (rows[f"{last}train_acc"] - rows[f"{last}test_acc"]).astype(float)
    return (100 if metric.endswith("acc") else 1) * rows[metric].astype(float)


def targets(baseline: pd.DataFrame) -> pd.Series:
    """Return by seed the validation accuracy that counts as "there": `TARGET` of the best."""
    best = baseline.set_index("seed")["history"].map(lambda it: max(it["val_acc"], default=0.0))
    return TARGET * best


def times(rows: pd.DataFrame, wanted: pd.Series) -> pd.Series:
    """Return by seed the epochs until validation accuracy reaches a target, interpolated.

    Linear between the ends of two epochs, from guessing at the start; one more than the most epochs
    allowed where it is never reached.

    Args:
        rows: of one arm (`runs`).
        wanted: as `targets` gives them; seeds without one are left out.
    """
    rows = rows.set_index("seed")
    kept = rows.loc[rows.index.intersection(wanted.index)]
    epochs = {seed: _time(row, wanted[seed]) for seed, row in kept.iterrows()}
    return pd.Series(epochs, dtype=float)


def _time(row: pd.Series, wanted: float) -> float:
    curve = [GUESSING, *row["history"]["val_acc"]]
    for epoch, (before, after) in enumerate(pairwise(curve)):
        if after >= wanted:
            return epoch + max(0.0, wanted - before) / (after - before) if after > before else epoch
    return row["max_epochs"] + 1.0


def _early(history: dict) -> float:
    """Return the mean validation accuracy of the first epochs; NaN where there were fewer."""
    first = history["val_acc"][:EARLY]
    return sum(first) / EARLY if len(first) == EARLY else math.nan


def in_words(rows: pd.DataFrame) -> str:
    """Return what an arm is, for a sentence: "dropout at 0.5", "λ = 0.1 (per sample)"."""
    arm = rows.iloc[0]
    if arm["study"] == "literal":
        strength = "λ = " if arm["cell"] == "l2" else "drop rate "
        return f"{CELL_NAMES[arm['cell']]} at {strength}{arm['strength']:g}"
    if arm["study"] == "lambda":
        name = f"λ = {arm['strength']:g}" if arm["strength"] else "no penalty"
        return f"{name} ({tables.READINGS[arm['reading']]})"
    if arm["study"] == "dropout":
        return f"drop rate {arm['strength']:g} ({tables.PLACES[arm['place']]})"
    name = CELL_NAMES[arm["cell"]]
    if arm["study"] == "rate":
        return f"{name} at a learning rate of {arm['lr']:g}"
    if arm["study"] == "size":
        return f"{name} on {arm['n_train']:,} images"
    return f"{name}, not stopped" if arm["study"] == "no_early_stop" else name
