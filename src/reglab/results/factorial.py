"""Per-seed scores of the factorial's cells, and the contrasts between them.

Everything here is paired: one number a seed, formed within the seed, since the cells of a seed
share split, initialization and batch order.
"""

from __future__ import annotations

import pandas as pd

from reglab import formulas
from reglab.cells import CELL_NAMES, CELL_ORDER, CELLS, TECHNIQUES, WITHOUT
from reglab.results import arms, tables
from reglab.stats import Estimate, mean_interval


def scores(frame: pd.DataFrame, metric: str = "test_acc") -> pd.DataFrame:
    """Return one row a seed and one column a cell of the factorial.

    Metrics and units are those of `reglab.results.arms.values`, with one more:
    ``epochs_to_target`` counts epochs until validation accuracy first reaches the seed's target
    (`reglab.results.arms.targets`), one more than were allowed where it never does.
    """
    cells = {name: tables.arm(frame, "factorial", name).set_index("seed") for name in CELL_ORDER}
    if metric == "epochs_to_target":
        wanted = arms.targets(cells["none"].reset_index())
        values = {name: _epochs(rows, wanted) for name, rows in cells.items()}
    else:
        values = {name: arms.values(rows.reset_index(), metric) for name, rows in cells.items()}
    return pd.DataFrame(values).astype(float).sort_index()


def _epochs(rows: pd.DataFrame, targets: pd.Series) -> pd.Series:
    counted = {}
    for seed, row in rows.iterrows():
        reached = (n for n, value in enumerate(row["history"]["val_acc"], 1)
                   if value >= targets[seed])  # fmt: skip
        counted[seed] = next(reached, row["max_epochs"] + 1)
    return pd.Series(counted)


def contrast(
    frame: pd.DataFrame, treated: str, control: str, metric: str = "test_acc"
) -> Estimate | None:
    """Return one cell minus another, over the seeds that have both; None where no seed has.

    Args:
        frame: a finished study.
        treated, control: names of cells.
        metric: as `scores`, whose unit the estimate has.
    """
    cells = scores(frame, metric)
    values = (cells[treated] - cells[control]).dropna().tolist()
    return mean_interval(values) if values else None


def main_effects(frame: pd.DataFrame, metric: str = "test_acc") -> pd.DataFrame:
    """Return each seed's main effects, one column a technique.

    A main effect is what a technique adds, averaged over the four settings of the other two: the
    mean of the four cells with it minus the mean of the four without it. Unit as `scores`.
    """
    cells, effects = scores(frame, metric).dropna(), {}
    for place, technique in enumerate(TECHNIQUES):
        with_it = [name for name, *switches in CELLS if switches[place]]
        without = [name for name, *switches in CELLS if not switches[place]]
        effects[technique] = cells[with_it].mean(axis=1) - cells[without].mean(axis=1)
    return pd.DataFrame(effects, index=cells.index)


def measures_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each technique is worth by four measures, in points of test accuracy.

    Alone against nothing, averaged over the settings of the others, averaged over the orders of
    adding, and added last to the two others; over the seeds that have all eight cells.
    """
    cells, effects = scores(frame).dropna(), main_effects(frame)
    shares = pd.DataFrame([formulas.shapley_shares(row.to_dict()) for _, row in cells.iterrows()])
    rows = []
    for technique in TECHNIQUES:
        gain = cells[technique] - cells["none"]
        drop = cells["all"] - cells[WITHOUT[technique]]
        rows.append(
            {
                "technique": CELL_NAMES[technique],
                "gain alone": mean_interval(gain.tolist()),
                "main effect": mean_interval(effects[technique].tolist()),
                "Shapley share": mean_interval(shares[technique].tolist()),
                "drop when left out": mean_interval(drop.tolist()),
                "n": len(cells),
            }
        )
    return pd.DataFrame(rows)


def interactions(frame: pd.DataFrame, metric: str = "test_acc") -> pd.DataFrame:
    """Return each seed's `formulas.interaction_contrasts`, one column each."""
    cells = scores(frame, metric).dropna()
    contrasts = [formulas.interaction_contrasts(row.to_dict()) for _, row in cells.iterrows()]
    return pd.DataFrame(contrasts, index=cells.index)


def interaction_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the interaction contrasts with their intervals, in points of test accuracy."""
    contrasts = interactions(frame)
    return pd.DataFrame(
        [
            {
                "contrast": CELL_NAMES[name],
                "interaction": mean_interval(contrasts[name].tolist()),
                "n": len(contrasts),
            }
            for name in contrasts.columns
        ]
    )


def gap_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return training and test accuracy (percent) and their gap (points) of each cell."""
    columns = {
        "training accuracy": scores(frame, "train_acc"),
        "test accuracy": scores(frame),
        "gap": scores(frame, "gap"),
    }
    rows = []
    for name in CELL_ORDER:
        values = {label: cells[name].dropna().tolist() for label, cells in columns.items()}
        estimates = {label: mean_interval(gaps) for label, gaps in values.items() if gaps}
        rows.append({"network": CELL_NAMES[name], **estimates, "n": len(values["test accuracy"])})
    return pd.DataFrame(rows)


def size_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies (percent) and gap (points) over training-set size, a row a network."""
    runs = pd.concat([tables.study_rows(frame, "size"), tables.study_rows(frame, "factorial")])
    rows = []
    for name in CELL_ORDER[:4]:
        for n, group in runs[runs["cell"] == name].groupby("n_train"):
            train, test = (100 * group[part].astype(float) for part in ("train_acc", "test_acc"))
            columns = {"training accuracy": train, "test accuracy": test, "gap": train - test}
            rows.append(
                {"network": CELL_NAMES[name], "images": f"{n:,}"}
                | {label: mean_interval(v.dropna().tolist()) for label, v in columns.items()}
                | {"n": len(group)}
            )
    return pd.DataFrame(rows)


def rate_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies (percent) without and with BN at each learning rate, and the difference.

    Over selection seeds; ``n`` counts the pairs in which both runs stayed finite.
    """
    rows = []
    for lr in sorted(tables.study_rows(frame, "rate")["lr"].unique()):
        none, norm = (tables.arm(frame, "rate", f"{name} {lr:g}") for name in ("none", "bn"))
        gain = tables.difference(norm, none)
        columns = {"no BN": tables.accuracy(none), "BN": tables.accuracy(norm), "BN − no BN": gain}
        rows.append({"learning rate": f"{lr:g}", **columns, "n": gain.n if gain else 0})
    return pd.DataFrame(rows)


def time_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return epochs and seconds of each cell: means with intervals over seeds."""
    rows = []
    to_target = scores(frame, "epochs_to_target")
    for name in CELL_ORDER:
        runs = tables.arm(frame, "factorial", name)
        columns = {
            "epochs until the stop": runs["epochs"],
            "epochs to the target": to_target[name],
            "seconds an epoch": runs["seconds_per_epoch"],
            "seconds in all": runs["seconds"],
        }
        estimates = {label: mean_interval(values.tolist()) for label, values in columns.items()}
        rows.append({"network": CELL_NAMES[name], **estimates, "n": len(runs)})
    return pd.DataFrame(rows)
