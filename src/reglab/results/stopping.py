"""What early stopping hides: the unregularized network at its last epoch beside the stopped one.

The arm without early stopping goes on to the last epoch. At the epoch of its lowest validation loss
it is, as a rule, the stopped run; only its last epoch tells what more fitting did. Differences are
formed within a seed.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import criteria, tables
from reglab.results.further import contrast
from reglab.stats import Estimate, mean_interval, paired_difference
from reglab.study import measures as kinds

# What is measured -> what a table calls it. The gaps are training minus test accuracy, and test
# minus training loss: both grow with overfitting.
MEASURES = {
    "accuracy": "test accuracy (%)",
    "gap": "gap in accuracy (points)",
    "loss": "test loss (nats)",
    "loss gap": "gap in loss (nats)",
    "calibration": "calibration error (points)",
}
# Of a regression; its predictions have no confidence that could be calibrated.
MEASURES_OF_NUMBERS = {
    "R²": "test R² (%)",
    "gap": "gap in R² (points)",
    "loss": "test loss (variances)",
    "loss gap": "gap in loss (variances)",
}


def measures(rows: pd.DataFrame, *, last: bool = False) -> pd.DataFrame:
    """Return an arm's `MEASURES`, one row a seed; seeds whose run diverged are left out.

    Of a regression they are `MEASURES_OF_NUMBERS`.

    Args:
        rows: one arm's runs (`reglab.results.tables.arm`).
        last: at the last epoch, not at the restored one.
    """
    prefix, measure = "last_" if last else "", kinds.of(rows)
    names = (measure.train, measure.test, "train_loss", "test_loss", "test_ece")
    scores = rows.set_index("seed")[[prefix + name for name in names]].astype(float)
    scores.columns = list(names)
    values = {
        measure.name: 100 * scores[measure.test],
        "gap": 100 * (scores[measure.train] - scores[measure.test]),
        "loss": scores["test_loss"],
        "loss gap": scores["test_loss"] - scores["train_loss"],
    }
    if measure is kinds.ACCURACY:
        values["calibration"] = 100 * scores["test_ece"]
    return pd.DataFrame(values).dropna().sort_index()


def changes(treated: pd.DataFrame, control: pd.DataFrame) -> dict[str, Estimate | None]:
    """Return treated minus control for each measure, over the seeds that both have.

    Args:
        treated, control: what `measures` returns. None stands for a measure without any pair.
    """
    common = treated.index.intersection(control.index)
    if not len(common):
        return dict.fromkeys(control.columns)
    sides = [side.loc[common].to_dict() for side in (treated, control)]
    return {name: paired_difference(*(side[name] for side in sides)) for name in control.columns}


def unstopped(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return `measures` of the unstopped baseline at its last epoch; None where it is absent."""
    if not (frame["study"] == "no_early_stop").any():
        return None
    return measures(tables.arm(frame, "no_early_stop", "none"), last=True)


def unstopped_changes(frame: pd.DataFrame) -> dict[str, Estimate | None]:
    """Return the unstopped baseline at its last epoch minus the stopped one, for each measure."""
    last = unstopped(frame)
    if last is None:
        return dict.fromkeys(_labels(frame))
    return changes(last, measures(tables.arm(frame, "factorial", "none")))


def singles_against_unstopped(frame: pd.DataFrame) -> dict[str, Estimate | None]:
    """Return test scores of each technique alone, stopped, minus the unstopped baseline's.

    By cell ("l2", "dropout", "bn"), in points of accuracy or R², the baseline at its last epoch.
    """
    last, cells = unstopped(frame), CELL_ORDER[1:4]
    if last is None:
        return dict.fromkeys(cells)
    return {
        name: changes(measures(tables.arm(frame, "factorial", name)), last)[kinds.of(frame).name]
        for name in cells
    }


def _labels(frame: pd.DataFrame) -> dict[str, str]:
    return MEASURES if kinds.of(frame) is kinds.ACCURACY else MEASURES_OF_NUMBERS


def stopping_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the stopped and the unstopped baseline for each measure, with their difference.

    Raises:
        ReglabError: the study has no arm without early stopping.
    """
    arms = {
        "stopped": measures(tables.arm(frame, "factorial", "none")),
        "not stopped": measures(tables.arm(frame, "no_early_stop", "none"), last=True),
    }
    differences = changes(arms["not stopped"], arms["stopped"])
    rows = []
    for name, label in _labels(frame).items():
        levels = {
            arm: mean_interval(values[name].tolist()) if len(values) else None
            for arm, values in arms.items()
        }
        change = differences[name]
        rows.append({CELL_NAMES["none"]: label, **levels, "difference": change})
        rows[-1]["n"] = change.n if change else 0
    return pd.DataFrame(rows)


def not_stopped(studies: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the studies that have the unstopped baseline, by data set."""
    return {it: study for it, study in studies.items() if (study["study"] == "no_early_stop").any()}


def criteria_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each criterion would have spent on the unstopped baseline, and what it finds.

    Of validation loss alone, as those runs have no test curves; see
    `reglab.results.criteria.on_validation`. How far the loss kept lies above the lowest is never
    negative and as a rule zero: hence the mean and the largest, and no interval.

    Raises:
        ReglabError: the study has no arm without early stopping.
    """
    table = criteria.on_validation(tables.arm(frame, "no_early_stop", "none"))
    rows = []
    for name, excess in table["excess"].items() if len(table["excess"]) else ():
        row = {"criterion": name, "epochs spent": contrast(table["epochs"], {name: 1})}
        row["finds the lowest loss"] = f"{(excess == 0).sum()} of {len(excess)}"
        row |= {"above it, mean (%)": f"{excess.mean():.1f}", "largest": f"{excess.max():.1f}"}
        rows.append(row)
    return pd.DataFrame(rows)
