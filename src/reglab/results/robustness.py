"""The study of corrupted test images as numbers: what each cell of the factorial loses, and gains.

A run's figures are means over the three strengths of a corruption, then over the six kinds; all of
them, and the clean accuracy they are held against, are over the same images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.corruptions import CLEAN, CORRUPTIONS, condition
from reglab.stats import Estimate, mean_interval

STUDY = "robustness"


def figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a run of the study, with its cell and seed, in points and percent.

    Columns: ``clean`` and ``corrupted`` accuracy, the points ``lost`` between them, that loss as a
    ``share lost`` of the clean accuracy, ``clean_ece`` and ``corrupted_ece``, the calibration
    error; and under each kind's name the points lost to it. Runs without a probe, which diverged,
    are left out.
    """
    runs = frame[(frame["study"] == STUDY) & frame["probed"].notna()]
    return pd.DataFrame([_row(run) for _, run in runs.iterrows()])


def _row(run: pd.Series) -> dict[str, object]:
    accuracy, ece = (_by_kind(run["probed"], name) for name in ("accuracy", "ece"))
    clean, corrupted = accuracy.pop(CLEAN), sum(accuracy.values()) / len(CORRUPTIONS)
    calm, shaken = ece.pop(CLEAN), sum(ece.values()) / len(CORRUPTIONS)
    return {
        "cell": run["cell"],
        "seed": run["seed"],
        "clean": clean,
        "corrupted": corrupted,
        "lost": clean - corrupted,
        "share lost": 100 * (clean - corrupted) / clean if clean else math.nan,
        "clean_ece": calm,
        "corrupted_ece": shaken,
        **{kind: clean - value for kind, value in accuracy.items()},
    }


def _by_kind(probed: Mapping[str, Mapping[str, float | None]], name: str) -> dict[str, float]:
    """Return a figure in percent, clean and by kind, the mean of the kind's strengths."""

    def percent(conditions: Iterable[str]) -> float:
        values = [probed[each][name] for each in conditions]
        return math.nan if None in values else 100 * sum(values) / len(values)

    means = {CLEAN: percent([CLEAN])}
    for kind, strengths in CORRUPTIONS.items():
        means[kind] = percent(condition(kind, strength) for strength in strengths)
    return means


def gain(frame: pd.DataFrame, treated: str, control: str, metric: str) -> Estimate | None:
    """Return one cell minus another, paired by seed; None where no seed has both.

    Args:
        metric: a column of `figures`, whose unit the estimate has.
    """
    cells = figures(frame).pivot(index="seed", columns="cell", values=metric)
    if treated not in cells or control not in cells:
        return None
    values = (cells[treated] - cells[control]).dropna().tolist()
    return mean_interval(values) if values else None


def summary_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy clean and corrupted, what is lost, and calibration errors, of each cell."""
    titles = {
        "clean": "accuracy, clean",
        "corrupted": "accuracy, corrupted",
        "lost": "points lost",
        "share lost": "share lost, %",
        "clean_ece": "calibration error, clean, %",
        "corrupted_ece": "corrupted, %",
    }
    return _by_cell(frame, titles)


def kind_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the points of accuracy that each cell loses to each kind of corruption."""
    return _by_cell(frame, {kind: kind for kind in CORRUPTIONS})


def gain_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each cell against none, paired by seed: accuracies, and what is lost.

    A negative number under "lost" is a gain in robustness: less is lost than without techniques.
    """
    titles = {
        "clean": "accuracy, clean",
        "corrupted": "accuracy, corrupted",
        "lost": "points lost",
        "share lost": "share lost, %",
    }
    return pd.DataFrame(
        [
            {"against no regularization": CELL_NAMES[cell]}
            | {title: gain(frame, cell, "none", metric) for metric, title in titles.items()}
            for cell in CELL_ORDER
            if cell != "none"
        ]
    )


def _by_cell(frame: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    scores = figures(frame)
    rows = []
    for cell in CELL_ORDER:
        runs = scores[scores["cell"] == cell]
        values = {title: runs[metric].dropna().tolist() for metric, title in titles.items()}
        estimates = {title: mean_interval(v) if v else None for title, v in values.items()}
        rows.append({"cell": CELL_NAMES[cell]} | estimates | {"n": len(runs)})
    return pd.DataFrame(rows)
