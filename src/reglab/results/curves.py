"""Learning curves of recorded runs: a figure for each epoch and seed, and their means."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from reglab.errors import ReglabError
from reglab.stats import mean_interval

MEASURES = tuple(
    f"{part}_{it}" for part in ("train", "val", "test") for it in ("loss", "acc", "r2")
)


def by_epoch(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a row an epoch, from 1 on, and a column a seed; NaN after a seed's last epoch.

    Args:
        rows: of one arm, one a seed.
        measure: one of `MEASURES`. Losses are in nats, accuracies and R² in percent. Those of the
            test part are in newer records only. A seed without any figure has no column.

    Raises:
        ReglabError: unknown measure.
    """
    if measure not in MEASURES:
        raise ReglabError(f"no curve of {measure!r}; there are {', '.join(MEASURES)}")
    source = "trace" if measure.startswith("test") else "history"
    scale = 1 if measure.endswith("loss") else 100
    curves = {
        row["seed"]: pd.Series([math.nan if v is None else scale * v for v in kept[measure]])
        for _, row in rows.iterrows()
        if isinstance(kept := row.get(source), dict) and kept[measure]
    }
    table = pd.DataFrame(curves, dtype=float)
    return table.set_axis(np.arange(1, len(table) + 1), axis=0)


def mean(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean, low and high of the epochs that every seed has, the interval at 95 %.

    After the first stop the mean would be of other seeds than before it, hence not shown.
    """
    whole = table.dropna()
    estimates = {epoch: mean_interval(values.tolist()) for epoch, values in whole.iterrows()}
    points = {epoch: (it.mean, it.low, it.high) for epoch, it in estimates.items()}
    return pd.DataFrame.from_dict(points, orient="index", columns=["mean", "low", "high"])
