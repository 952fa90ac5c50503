"""The study of augmentation as numbers: gains paired by seed, at the stop and at equal epochs.

Each function takes the study of one data set (`reglab.results.recorded.further`). Accuracies are in
percent, differences in points. *Within the epochs of training without it* means: the weights with
the lowest validation loss among the epochs that the same cell took on images as they are.
"""

from __future__ import annotations

import math

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import arms, tables
from reglab.results.criteria import lowest
from reglab.results.further import contrast, mean
from reglab.stats import Estimate
from reglab.study.further.augmentation import alone, together

NOTHING, TOGETHER = "images as they are", "all together"
TITLES = {
    "flip": "flip, at random",
    "alternating_flip": "flip, every other epoch",
    "rotation:15": "rotation by up to 15°",
    "scale:0.1": "scaling by up to a tenth",
    "shift:2": "shift by up to 2 pixels",
}


def titles(frame: pd.DataFrame) -> dict[str, str]:
    """Return what was asked of the network without a technique, each in words, all together last.

    Keys are as ``RunConfig.augment`` has them.
    """
    dataset = frame["dataset"].iloc[0]
    return {text: TITLES[text] for text in alone(dataset)} | {together(dataset): TOGETHER}


def whole(frame: pd.DataFrame) -> str:
    """Return all transformations together, as ``RunConfig.augment`` has them."""
    return together(frame["dataset"].iloc[0])


def runs(frame: pd.DataFrame, cell: str, augment: str = "") -> pd.DataFrame:
    """Return the runs of a cell under an augmentation, by seed."""
    return tables.arm(frame, "augmentation", f"{cell} {augment}".strip()).set_index("seed")


def scores(frame: pd.DataFrame, cell: str, augment: str = "", *, within: bool = False) -> pd.Series:
    """Return test accuracy by seed, with the weights that validation kept.

    Args:
        within: only of the epochs of training without augmentation (see above).
    """
    treated = runs(frame, cell, augment)
    if not within or not augment:
        return 100 * treated["test_acc"].astype(float)
    allowed = runs(frame, cell)["epochs"]
    kept = {seed: _kept(row, allowed[seed]) for seed, row in treated.iterrows()}
    return pd.Series(kept, dtype=float)


def _kept(row: pd.Series, epochs: int) -> float:
    losses = row["history"]["val_loss"][:epochs]
    return (
        100 * row["trace"]["test_acc"][lowest(losses) - 1] if losses and row["trace"] else math.nan
    )


def gain(
    frame: pd.DataFrame, augment: str, cell: str = "none", *, within: bool = False
) -> Estimate | None:
    """Return what an augmentation brings to a cell."""
    pair = {
        "with": scores(frame, cell, augment, within=within),
        "without": scores(frame, cell),
    }
    return contrast(pair, {"with": 1, "without": -1})


def cell_gain(frame: pd.DataFrame, cell: str, *, augmented: bool) -> Estimate | None:
    """Return what a cell brings over no technique, both augmented or both not."""
    augment = whole(frame) if augmented else ""
    values = {name: scores(frame, name, augment) for name in (cell, "none")}
    return contrast(values, {cell: 1, "none": -1})


def cell_change(frame: pd.DataFrame, cell: str) -> Estimate | None:
    """Return what a cell brings with augmentation minus what it brings without."""
    every = whole(frame)
    values = {(name, text): scores(frame, name, text)
              for name in (cell, "none") for text in (every, "")}  # fmt: skip
    weights = {(cell, every): 1, ("none", every): -1, (cell, ""): -1, ("none", ""): 1}
    return contrast(values, weights)


def alternating(frame: pd.DataFrame) -> Estimate | None:
    """Return flips in every other epoch minus flips at random; None where nothing is mirrored."""
    if "flip" not in titles(frame):
        return None
    values = {text: scores(frame, "none", text) for text in ("alternating_flip", "flip")}
    return contrast(values, {"alternating_flip": 1, "flip": -1})


def more(frame: pd.DataFrame, column: str, cell: str = "none") -> Estimate | None:
    """Return by how much all transformations raise a cell's ``epochs`` or ``seconds``."""
    every = whole(frame)
    pair = {text: runs(frame, cell, text)[column].astype(float) for text in (every, "")}
    return contrast(pair, {every: 1, "": -1})


def reach(frame: pd.DataFrame, cell: str) -> dict[str, Estimate | str | None]:
    """Return how many epochs a cell takes to the same validation accuracy without and with all.

    The accuracy is that of the weights that are kept without augmentation, a seed's own; epochs are
    interpolated (`reglab.results.arms.times`), over the seeds that reach it with augmentation. How
    many do is said as well.
    """
    clean, treated = (runs(frame, cell, text).reset_index() for text in ("", whole(frame)))
    wanted = clean.set_index("seed")["val_acc"].astype(float).dropna()
    best = treated.set_index("seed")["history"].map(lambda it: max(it["val_acc"], default=0.0))
    reached = wanted[best.reindex(wanted.index) >= wanted]
    times = {"without": arms.times(clean, reached), "with": arms.times(treated, reached)}
    some = {
        name: contrast({name: it}, {name: 1}) if len(it) else None for name, it in times.items()
    }
    return some | {"seeds": f"{len(reached)} of {len(wanted)}"}


def kinds_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each transformation on the network without a technique: accuracy, gains, cost."""
    rows = []
    for text, words in {"": NOTHING, **titles(frame)}.items():
        rows.append(
            {
                "training images": words,
                "accuracy": mean(scores(frame, "none", text)),
                "gain": gain(frame, text) if text else None,
                "gain within as many epochs": gain(frame, text, within=True) if text else None,
                "epochs": mean(runs(frame, "none", text)["epochs"]),
                "seconds an epoch": mean(runs(frame, "none", text)["seconds_per_epoch"]),
            }
        )
    return pd.DataFrame(rows)


def cells_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each cell without and with all transformations, and what it brings either way."""
    every = whole(frame)
    rows = []
    for cell in CELL_ORDER:
        own = cell != "none"
        rows.append(
            {
                "network": CELL_NAMES[cell],
                "accuracy without": mean(scores(frame, cell)),
                "accuracy with": mean(scores(frame, cell, every)),
                "gain of augmentation": gain(frame, every, cell),
                "its own gain without": cell_gain(frame, cell, augmented=False) if own else None,
                "its own gain with": cell_gain(frame, cell, augmented=True) if own else None,
                "difference": cell_change(frame, cell) if own else None,
            }
        )
    return pd.DataFrame(rows)


def costs_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what all transformations cost each cell, and what they bring at equal epochs."""
    every = whole(frame)
    rows = []
    for cell in CELL_ORDER:
        columns = {"network": CELL_NAMES[cell]}
        for name, text in (("without", ""), ("with", every)):
            columns[f"epochs {name}"] = mean(runs(frame, cell, text)["epochs"])
            columns[f"seconds {name}"] = mean(runs(frame, cell, text)["seconds"])
        columns["gain within as many epochs"] = gain(frame, every, cell, within=True)
        equal = reach(frame, cell)
        for name in ("without", "with"):
            columns[f"epochs to equal accuracy {name}"] = equal[name]
        rows.append(columns | {"seeds that reach it": equal["seeds"]})
    return pd.DataFrame(rows)
