"""The study of pruning as numbers: networks with few weights, paired by seed.

Each function takes the study of one data set (`reglab.results.recorded.further`). Accuracies are in
percent, differences in points; a *gap* is training accuracy minus test accuracy, with the weights
that validation kept.
"""

from __future__ import annotations

import pandas as pd

from reglab.results import tables
from reglab.results.further import contrast, mean
from reglab.stats import Estimate
from reglab.study.further.pruning import REWOUND, SPARSITIES

CONTROLS = {"random": "by chance", "rewound": "from initial values", "narrow": "a narrow network"}


def runs(
    frame: pd.DataFrame, variant: str, sparsity: float | None = None, cell: str = "none"
) -> pd.DataFrame:
    """Return an arm's runs by seed, e.g. of ``"magnitude"`` at 0.9."""
    label = f"{cell} {variant}" if sparsity is None else f"{cell} {variant} {sparsity:g}"
    return tables.arm(frame, "pruning", label).set_index("seed")


def accuracy(
    frame: pd.DataFrame, variant: str, sparsity: float | None = None, cell: str = "none"
) -> pd.Series:
    """Return test accuracy in percent by seed."""
    return 100 * runs(frame, variant, sparsity, cell)["test_acc"].astype(float)


def gap(
    frame: pd.DataFrame, variant: str, sparsity: float | None = None, cell: str = "none"
) -> pd.Series:
    """Return training minus test accuracy in points by seed."""
    found = runs(frame, variant, sparsity, cell)
    return 100 * (found["train_acc"].astype(float) - found["test_acc"].astype(float))


def against_dense(frame: pd.DataFrame, sparsity: float, cell: str = "none") -> Estimate | None:
    """Return what pruning by magnitude does beside a dense network that went on for as long."""
    pair = {
        "pruned": accuracy(frame, "magnitude", sparsity, cell),
        "dense": accuracy(frame, "continued", cell=cell),
    }
    return contrast(pair, {"pruned": 1, "dense": -1})


def going_on(frame: pd.DataFrame, cell: str = "none") -> Estimate | None:
    """Return what it brings a dense network to go on from its best weights."""
    pair = {name: accuracy(frame, name, cell=cell) for name in ("continued", "dense")}
    return contrast(pair, {"continued": 1, "dense": -1})


def beside(frame: pd.DataFrame, control: str, sparsity: float) -> Estimate | None:
    """Return a control minus pruning by magnitude at a sparsity; None where it was not run.

    Args:
        control: of `CONTROLS`.
    """
    if control == "rewound" and sparsity not in REWOUND:
        return None
    pair = {name: accuracy(frame, name, sparsity) for name in (control, "magnitude")}
    return contrast(pair, {control: 1, "magnitude": -1})


def gap_change(frame: pd.DataFrame, sparsity: float, cell: str = "none") -> Estimate | None:
    """Return by how much pruning raises the gap, beside a dense network that went on."""
    pair = {
        "pruned": gap(frame, "magnitude", sparsity, cell),
        "dense": gap(frame, "continued", cell=cell),
    }
    return contrast(pair, {"pruned": 1, "dense": -1})


def l2_gain(frame: pd.DataFrame, sparsity: float | None) -> Estimate | None:
    """Return what L2 brings to pruned networks, or to those that went on dense (None)."""
    variant = "continued" if sparsity is None else "magnitude"
    pair = {cell: accuracy(frame, variant, sparsity, cell) for cell in ("l2", "none")}
    return contrast(pair, {"l2": 1, "none": -1})


def beside_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return pruning by magnitude at each sparsity, and what the controls have beside it."""
    rows = []
    parameters = runs(frame, "dense")["n_params"].iloc[0]
    for sparsity in SPARSITIES:
        narrow = runs(frame, "narrow", sparsity)["n_params"].iloc[0]
        row = {"weights left": f"{100 * (1 - sparsity):g} %"}
        row["accuracy, pruned by magnitude"] = mean(accuracy(frame, "magnitude", sparsity))
        row["against dense"] = against_dense(frame, sparsity)
        for control, words in CONTROLS.items():
            row[f"{words}, against magnitude"] = beside(frame, control, sparsity)
        rows.append(row | {"parameters of the narrow": f"{100 * narrow / parameters:.1f} %"})
    return pd.DataFrame(rows)


def gap_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and gap, dense and pruned, without L2 and with it, and what L2 brings."""
    rows = []
    for sparsity in (None, *SPARSITIES):
        variant = "continued" if sparsity is None else "magnitude"
        row = {"weights left": f"{100 * (1 - (sparsity or 0)):g} %"}
        for cell, words in (("none", "without L2"), ("l2", "with L2")):
            row[f"accuracy {words}"] = mean(accuracy(frame, variant, sparsity, cell))
            row[f"gap {words}"] = mean(gap(frame, variant, sparsity, cell))
        row["epochs"] = mean(runs(frame, variant, sparsity)["epochs"])
        rows.append(row | {"gain of L2": l2_gain(frame, sparsity)})
    return pd.DataFrame(rows)
