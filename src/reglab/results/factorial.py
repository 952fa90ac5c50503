"""Per-seed scores of the factorial's cells, and the contrasts between them.

Everything here is paired: one number a seed, formed within the seed, since the cells of a seed
share split, initialization and batch order.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reglab import formulas
from reglab.cells import CELL_NAMES, CELL_ORDER, CELLS, COMBINATIONS, TECHNIQUES, WITHOUT
from reglab.results import arms, levels, tables
from reglab.stats import Estimate, mean_interval, pooled
from reglab.study import measures


def scores(
    frame: pd.DataFrame, metric: str | None = None, names: Sequence[str] = CELL_ORDER
) -> pd.DataFrame:
    """Return one row a seed and one column a cell of the factorial, for the cells named.

    Metrics and units are those of `reglab.results.arms.values`, with one more:
    ``epochs_to_target`` counts epochs until validation accuracy first reaches the seed's target
    (`reglab.results.arms.targets`), one more than were allowed where it never does.
    """
    cells = {name: tables.arm(frame, "factorial", name) for name in names}
    if metric == "epochs_to_target":
        wanted = arms.targets(tables.arm(frame, "factorial", "none"))
        values = {name: _epochs(rows, wanted) for name, rows in cells.items()}
    else:
        values = {name: arms.values(rows, metric) for name, rows in cells.items()}
    return pd.DataFrame(values).astype(float).sort_index()


def _epochs(rows: pd.DataFrame, targets: pd.Series) -> pd.Series:
    counted, column = {}, measures.of(rows).val
    for seed, row in rows.set_index("seed").iterrows():
        reached = (n for n, value in enumerate(row["history"][column], 1)
                   if value is not None and value >= targets[seed])  # fmt: skip
        counted[seed] = next(reached, row["max_epochs"] + 1)
    return pd.Series(counted)


def contrast(
    frame: pd.DataFrame, treated: str, control: str, metric: str | None = None
) -> Estimate | None:
    """Return one cell minus another, over the seeds that have both; None where no seed has.

    Args:
        frame: a finished study.
        treated, control: names of cells.
        metric: as `scores`, whose unit the estimate has.
    """
    cells = scores(frame, metric, (treated, control))
    values = (cells[treated] - cells[control]).dropna().tolist()
    return mean_interval(values) if values else None


def averaged_effects(frame: pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    """Return each seed's main effects and averaged interactions, over the seeds with all cells.

    One column a technique or combination. A main effect is what a technique adds, averaged over
    the four settings of the other two. An averaged interaction of two is by how much the one adds
    more where the other is on, averaged over the two settings of the third; of all three it is
    that of `formulas.interaction_contrasts`. Unit as `scores`.
    """
    cells, effects = scores(frame, metric).dropna(), {}
    for name, parts in ({one: (one,) for one in TECHNIQUES} | COMBINATIONS).items():
        off = [
            sum(not on for one, on in zip(TECHNIQUES, switches, strict=True) if one in parts)
            for _, *switches in CELLS
        ]
        signs = [(-1) ** count for count in off]
        settings = 2 ** (len(TECHNIQUES) - len(parts))  # of the techniques that are left
        effects[name] = cells[list(CELL_ORDER)] @ signs / settings
    return pd.DataFrame(effects, index=cells.index)


def main_effects(frame: pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    """Return each seed's main effects, one column a technique; see `averaged_effects`."""
    return averaged_effects(frame, metric)[list(TECHNIQUES)]


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


def interactions(frame: pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
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
    measure = measures.of(frame)
    columns = {
        f"training {measure.name}": scores(frame, measure.train),
        f"test {measure.name}": scores(frame),
        "gap": scores(frame, "gap"),
    }
    rows = []
    for name in CELL_ORDER:
        values = {label: cells[name].dropna().tolist() for label, cells in columns.items()}
        estimates = {label: mean_interval(gaps) for label, gaps in values.items() if gaps}
        rows.append({"network": CELL_NAMES[name], **estimates, "n": len(values["gap"])})
    return pd.DataFrame(rows)


def size_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies (percent) and gap (points) over training-set size, a row a network."""
    runs = pd.concat([tables.study_rows(frame, "size"), tables.study_rows(frame, "factorial")])
    rows, measure = [], measures.of(frame)
    for name in CELL_ORDER[:4]:
        for n, group in runs[runs["cell"] == name].groupby("n_train"):
            parts = [measure.train, measure.test]
            kept = group.dropna(subset=parts)
            train, test = (100 * kept[part].astype(float) for part in parts)
            names = (f"training {measure.name}", f"test {measure.name}", "gap")
            columns = dict(zip(names, (train, test, train - test), strict=True))
            rows.append(
                {"network": CELL_NAMES[name], "images": f"{n:,}"}
                | {label: pooled(v.tolist(), kept["learned"]) for label, v in columns.items()}
                | {"n": len(group), "did not learn": tables.unlearned(group) or None}
            )
    return pd.DataFrame(rows)


def rate_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies (percent) without and with BN at each learning rate, and the difference.

    Over selection seeds; ``n`` counts the pairs in which both runs stayed finite. How many runs did
    not learn is said of each network apart, first without and then with BN.
    """
    rows = []
    for lr in sorted(tables.study_rows(frame, "rate")["lr"].unique()):
        none, norm = (tables.arm(frame, "rate", f"{name} {lr:g}") for name in ("none", "bn"))
        gain = tables.difference(norm, none)
        columns = {"no BN": tables.score(none), "BN": tables.score(norm), "BN − no BN": gain}
        failed = f"{tables.unlearned(none)} / {tables.unlearned(norm)}"
        rows.append(
            {"learning rate": f"{lr:g}", **columns, "n": gain.n if gain else 0}
            | {"did not learn": failed}
        )
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


def widths_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return half-widths in points of each cell's accuracy, and of its gain over none.

    Each over seeds alone, and over seeds and test images both (`reglab.results.levels`); NaN where
    there is no interval.
    """
    base, rows = tables.arm(frame, "factorial", "none"), []
    for name in CELL_ORDER:
        runs = tables.arm(frame, "factorial", name)
        estimates = {"level, seeds": tables.score(runs), "level, both": levels.level(runs)}
        if name != "none":
            estimates["gain, seeds"] = tables.difference(runs, base)
            estimates["gain, both"] = levels.difference(runs, base)
        halves = {label: one.half_width for label, one in estimates.items() if one is not None}
        rows.append({"network": CELL_NAMES[name], **halves})
    names = ("level, seeds", "level, both", "gain, seeds", "gain, both")
    return pd.DataFrame(rows, columns=["network", *names])
