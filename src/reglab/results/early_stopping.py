"""The eight cells without early stopping, and what a patience of 5 would have made of each.

From the study *early_stopping* of one data set, by `reglab.results.criteria`; the protocol's
patience is 5. Accuracies are in percent, losses in nats, of the test images; differences are formed
within a seed.
"""

from __future__ import annotations

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import criteria
from reglab.results.criteria import ALL, BY_ACCURACY, LAST, PROTOCOL, against, replay
from reglab.results.further import contrast
from reglab.stats import Estimate


def change(frame: pd.DataFrame, cell: str, measure: str = "accuracy") -> Estimate | None:
    """Return the last epoch minus what stopping keeps, for ``accuracy`` or ``loss``."""
    return against(replay(frame, (cell,)), measure, LAST)


def gain(frame: pd.DataFrame, cell: str, *, last: bool) -> Estimate | None:
    """Return a cell's test accuracy minus that of no technique, both stopped or both not."""
    name = LAST if last else PROTOCOL
    pair = {one: replay(frame, (one,))["accuracy"][name] for one in (cell, "none")}
    return contrast(pair, {cell: 1, "none": -1})


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each cell stopped and not stopped, and what it brings either way."""
    rows = []
    for cell in CELL_ORDER:
        runs = replay(frame, (cell,))
        row = {"network": CELL_NAMES[cell]}
        for head, (measure, name) in _HEADS.items():
            row[head] = contrast(runs[measure], {name: 1})
        row["change"] = change(frame, cell)
        row["change of test loss"] = change(frame, cell, "loss")
        for head, last in (("gain, stopped", False), ("gain, not stopped", True)):
            row[head] = None if cell == "none" else gain(frame, cell, last=last)
        rows.append(row)
    return pd.DataFrame(rows)


_HEADS = {
    "epochs until the stop": ("epochs", PROTOCOL),
    "accuracy, stopped": ("accuracy", PROTOCOL),
    "accuracy, not stopped": ("accuracy", LAST),
}


def price_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what patience 5 saves in epochs, and what three other choices of weights bring.

    The other choices spend all epochs and keep the lowest validation loss, the highest validation
    accuracy, or the last epoch: test accuracy minus that of patience 5, in points.
    """
    rows = []
    for cell in CELL_ORDER:
        runs = replay(frame, (cell,))
        row = {"network": CELL_NAMES[cell], "epochs saved": against(runs, "epochs", ALL)}
        for name, head in _OTHERS.items():
            row[head] = against(runs, "accuracy", name)
        rows.append(row)
    return pd.DataFrame(rows)


_OTHERS = {
    ALL: "lowest validation loss of all",
    BY_ACCURACY: "highest validation accuracy of all",
    LAST: "last epoch",
}


def best_epochs(frame: pd.DataFrame, cell: str) -> pd.DataFrame:
    """Return the epoch of each run's best figures, a row a seed; the first of equal ones.

    Columns ``validation loss``, ``validation accuracy``, ``test loss`` and ``test accuracy``. Those
    of the test images describe; nothing may be chosen by them.
    """
    found = {}
    for seed, row in criteria.runs(frame, cell).iterrows():
        history, trace = row["history"], row["trace"]
        found[seed] = {
            "validation loss": criteria.lowest(history["val_loss"]),
            "validation accuracy": criteria.highest(history["val_acc"]),
            "test loss": criteria.lowest(trace["test_loss"]),
            "test accuracy": criteria.highest(trace["test_acc"]),
        }
    return pd.DataFrame.from_dict(found, orient="index", dtype=float)


def later(frame: pd.DataFrame, cell: str, images: str = "test") -> Estimate | None:
    """Return by how many epochs the best accuracy comes after the lowest loss.

    Args:
        frame, cell: as `best_epochs`.
        images: on which ones, "test" or "validation".
    """
    epochs = best_epochs(frame, cell)
    if epochs.empty:
        return None
    return contrast(epochs, {f"{images} accuracy": 1, f"{images} loss": -1})


def best_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row a cell: the epochs of its best figures, and how much later accuracy's come."""
    rows = []
    for cell in CELL_ORDER:
        epochs = best_epochs(frame, cell)
        row = {"network": CELL_NAMES[cell]} | {name: contrast(epochs, {name: 1}) for name in epochs}
        for images in ("validation", "test"):
            row[f"later ({images})"] = later(frame, cell, images)
        rows.append(row)
    return pd.DataFrame(rows)
