"""The eight cells without early stopping, and early stopping replayed on them.

A stopped run is the beginning of an unstopped one (tested), so one trajectory gives both: what a
patience would have kept, and where the last epoch ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import tables
from reglab.results.further import contrast
from reglab.stats import Estimate

PATIENCE = 5  # of the protocol


def kept_epoch(val_loss: Sequence[float | None], patience: int) -> tuple[int, int]:
    """Return the epoch whose weights a patience keeps, and the one at which it stops, from 1.

    Args:
        val_loss: validation cross-entropy of each epoch.
        patience: epochs without a lower one; 0 = go on to the end.
    """
    best, lowest = 0, math.inf
    for epoch, loss in enumerate(val_loss, 1):
        if loss is not None and loss < lowest:
            best, lowest = epoch, loss
        if patience and epoch - best >= patience:
            return best, epoch
    return best, len(val_loss)


def replay(frame: pd.DataFrame, cell: str, patience: int = PATIENCE) -> pd.DataFrame:
    """Return a cell's runs, a row a seed, stopped by a patience and at their last epoch.

    Columns: ``accuracy`` (percent) and ``loss`` (nats) on the test images with the weights kept,
    ``last accuracy`` and ``last loss``, and ``epochs`` until the stop. Diverged runs and those
    without test curves are left out.
    """
    rows = tables.arm(frame, "early_stopping", cell).set_index("seed")
    rows = rows[~rows["diverged"].astype(bool) & rows["trace"].notna()]
    return pd.DataFrame({seed: _replayed(row, patience) for seed, row in rows.iterrows()}).T


def _replayed(row: pd.Series, patience: int) -> dict[str, float]:
    best, stop = kept_epoch(row["history"]["val_loss"], patience)
    accuracy, loss = row["trace"]["test_acc"], row["trace"]["test_loss"]
    return {
        "accuracy": 100 * accuracy[best - 1],
        "loss": loss[best - 1],
        "last accuracy": 100 * accuracy[-1],
        "last loss": loss[-1],
        "epochs": float(stop),
    }


def change(frame: pd.DataFrame, cell: str, measure: str = "accuracy") -> Estimate | None:
    """Return the last epoch minus what stopping keeps, for ``accuracy`` or ``loss``."""
    runs = replay(frame, cell)
    if runs.empty:
        return None
    return contrast(runs, {f"last {measure}": 1, measure: -1})


def gain(frame: pd.DataFrame, cell: str, *, last: bool) -> Estimate | None:
    """Return a cell's test accuracy minus that of no technique, both stopped or both not."""
    measure = "last accuracy" if last else "accuracy"
    pair = {name: replay(frame, name) for name in (cell, "none")}
    if any(runs.empty for runs in pair.values()):
        return None
    return contrast({name: runs[measure] for name, runs in pair.items()}, {cell: 1, "none": -1})


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each cell stopped and not stopped, and what it brings either way."""
    rows = []
    for cell in CELL_ORDER:
        runs = replay(frame, cell)
        row = {"network": CELL_NAMES[cell]}
        for name in ("epochs", "accuracy", "last accuracy"):
            row[_HEADS[name]] = None if runs.empty else contrast(runs, {name: 1})
        row["change"] = change(frame, cell)
        row["change of test loss"] = change(frame, cell, "loss")
        for head, last in (("gain, stopped", False), ("gain, not stopped", True)):
            row[head] = None if cell == "none" else gain(frame, cell, last=last)
        rows.append(row)
    return pd.DataFrame(rows)


_HEADS = {
    "epochs": "epochs until the stop",
    "accuracy": "accuracy, stopped",
    "last accuracy": "accuracy, not stopped",
}
