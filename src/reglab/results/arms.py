"""One arm's scores, one a seed: what claims and tables compare.

An arm is named as in `paper.toml`: a cell of the factorial ("bn", "l2+dropout"), or "STUDY:LABEL"
("literal:dropout=0.5", "lambda:per_sample 0.1").
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd

from reglab.cells import CELL_NAMES
from reglab.errors import ReglabError
from reglab.results import tables
from reglab.study import measures

# How fast a network learns: its mean validation accuracy over this many epochs from the first.
EARLY = 5

# The share of the unregularized network's best validation accuracy that counts as "there".
TARGET = 0.98

# What may be compared, and what a sentence calls it.
METRICS = {
    "test_acc": "test accuracy",
    "train_acc": "training accuracy",
    "val_acc": "validation accuracy",
    "last_test_acc": "test accuracy after the last epoch",
    "last_train_acc": "training accuracy after the last epoch",
    "last_val_acc": "validation accuracy after the last epoch",
    "early_val_acc": f"mean validation accuracy of the first {EARLY} epochs",
    "gap": "the gap between training and test accuracy",
    "last_gap": "the gap between training and test accuracy after the last epoch",
    "epochs": "epochs until the stop",
    "time_to_target": f"epochs to {TARGET:.0%} of the unregularized best validation accuracy",
}
# The same of a regression, under the names that its columns have.
METRICS |= {
    name.replace("acc", "r2"): words.replace("accuracy", "R²")
    for name, words in METRICS.items()
    if name.endswith("acc")
}
UNITS = {"epochs": "epochs", "time_to_target": "epochs"}  # points where nothing else is said


def runs(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the runs of the arm called ``name``; errors as `reglab.results.tables.arm`."""
    study, _, label = name.rpartition(":")
    return tables.arm(frame, study or "factorial", label)


def values(rows: pd.DataFrame, metric: str | None = None) -> pd.Series:
    """Return an arm's scores by seed: accuracies in percent, gaps in points, epochs as counted.

    Args:
        rows: of one arm (`runs`).
        metric: None = the test part's accuracy, or R² (`reglab.study.measures`).

    Raises:
        ReglabError: unknown metric.
    """
    measure, rows = measures.of(rows), rows.set_index("seed")
    metric = metric or measure.test
    if metric not in METRICS or metric == "time_to_target":
        raise ReglabError(f"no metric {metric!r} of one arm; there are {', '.join(METRICS)}")
    if metric.startswith("early"):
        return 100 * rows["history"].map(lambda it: _early(it[measure.val]))
    if metric.endswith("gap"):
        last = metric.removesuffix("gap")
        train, test = (rows[f"{last}{name}"] for name in (measure.train, measure.test))
        return 100 * (train - test).astype(float)
    scale = 100 if metric.endswith(("acc", "r2")) else 1
    return scale * rows[metric].astype(float)


def targets(baseline: pd.DataFrame) -> pd.Series:
    """Return by seed the validation accuracy or R² that counts as "there": `TARGET` of the best."""
    column = measures.of(baseline).val
    curves = baseline.set_index("seed")["history"].map(lambda it: _known(it[column]))
    best = curves.map(lambda curve: max(curve, default=0.0))
    # R² can be below zero, where a share of it would be better than all of it
    return pd.Series(np.where(best < 0, (2 - TARGET) * best, TARGET * best), best.index)


def times(rows: pd.DataFrame, wanted: pd.Series) -> pd.Series:
    """Return by seed the epochs until validation accuracy reaches a target, interpolated.

    Linear between the ends of two epochs, from guessing at the start; one more than the most epochs
    allowed where it is never reached.

    Args:
        rows: of one arm (`runs`).
        wanted: as `targets` gives them; seeds without one are left out.
    """
    measure, rows = measures.of(rows), rows.set_index("seed")
    kept = rows.loc[rows.index.intersection(wanted.index)]
    epochs = {seed: _time(row, wanted[seed], measure) for seed, row in kept.iterrows()}
    return pd.Series(epochs, dtype=float)


def _time(row: pd.Series, wanted: float, measure: measures.Measure) -> float:
    curve = [measure.start, *_known(row["history"][measure.val])]
    for epoch, (before, after) in enumerate(pairwise(curve)):
        if after >= wanted:
            return epoch + max(0.0, wanted - before) / (after - before) if after > before else epoch
    return row["max_epochs"] + 1.0


def _early(curve: list[float]) -> float:
    """Return the mean of a curve's first epochs; NaN where there were fewer."""
    first = _known(curve[:EARLY])
    return sum(first) / EARLY if len(first) == EARLY else math.nan


def _known(curve: list[float | None]) -> list[float]:
    """Return a curve without the epochs of which there is no R²: of a part with one number."""
    return [value for value in curve if value is not None]


def own_rate(frame: pd.DataFrame, cell: str) -> float:
    """Return the rate of the study of learning rates at which a cell validates best.

    By validation loss, averaged over the selection seeds, as the protocol chooses rates; a run
    without a finite epoch is worst of all.

    Raises:
        ReglabError: no run of the cell in that study.
    """
    rows = tables.study_rows(frame, "rate")
    rows = rows[rows["cell"] == cell]
    if rows.empty:
        raise ReglabError(f"no run of {cell} at other learning rates")
    losses = rows["val_loss"].astype(float).fillna(math.inf)
    return float(losses.groupby(rows["lr"].astype(float)).mean().idxmin())


def in_words(rows: pd.DataFrame) -> str:
    """Return what an arm is, for a sentence: "dropout at a rate of 0.5", "λ = 0.1 per sample"."""
    arm = rows.iloc[0]
    study, name = arm["study"], CELL_NAMES.get(arm.get("cell"), "")
    if study == "literal":
        return f"{name} at {'λ =' if arm['cell'] == 'l2' else 'a rate of'} {arm['strength']:g}"
    if study == "lambda":
        if not arm["strength"]:
            return "no penalty (AdamW)" if arm["reading"] == "decoupled" else "no penalty"
        return f"λ = {arm['strength']:g} {arm['reading'].replace('_', ' ')}"
    if study == "dropout":
        where = f"dropout after the {tables.PLACES[arm['place']]} at a rate of"
        return f"{where} {arm['strength']:g}" if arm["strength"] else "no dropout"
    if study == "rate":
        return f"{name} at a learning rate of {arm['lr']:g}"
    if study == "size":
        return f"{name} on {arm['n_train']:,} images"
    return name + {"fair": " at its own rate", "no_early_stop": ", not stopped"}.get(study, "")
