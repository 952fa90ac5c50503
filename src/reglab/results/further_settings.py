"""Arms of the further studies as settings, each beside the network that it was made of.

For the explorer; `reglab.results.costs.Setting` says what runs and control have in common.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from reglab.results import augmentation, distillation, pruning
from reglab.results.costs import Setting
from reglab.study.further.distillation import STUDENTS, TEMPERATURES
from reglab.study.further.pruning import SPARSITIES

Row = tuple[str, pd.DataFrame]  # a strength for people, and its runs


def settings(frame: pd.DataFrame) -> list[Setting]:
    """Return the settings of a further study of one data set, the control first.

    Args:
        frame: of augmentation, pruning or distillation (`reglab.results.recorded.further`).

    Raises:
        ReglabError: runs and control differ in seeds, images, rate or width.
    """
    return MADE[frame["study"].iloc[0]](frame)


def _augmented(frame: pd.DataFrame) -> list[Setting]:
    kinds = augmentation.titles(frame).items()
    rows = [(words, augmentation.runs(frame, "none", text)) for text, words in kinds]
    base = augmentation.NOTHING, augmentation.runs(frame, "none")
    return _beside(frame, "augmentation", base, rows)


def _pruned(frame: pd.DataFrame) -> list[Setting]:
    rows = [
        (f"{100 * sparsity:g} % of the weights zero", pruning.runs(frame, "magnitude", sparsity))
        for sparsity in SPARSITIES
    ]
    return _beside(frame, "pruning", ("dense", pruning.runs(frame, "dense")), rows)


def _taught(frame: pd.DataFrame) -> list[Setting]:
    found = []
    for student in STUDENTS:
        rows = [
            (f"taught at T = {temperature:g}",
             distillation.runs(frame, f"{student} taught", temperature))
            for temperature in TEMPERATURES
        ]  # fmt: skip
        rows += [
            (words, distillation.runs(frame, f"{student} {how}"))
            for how, words in distillation.CONTROLS.items()
        ]
        base = "alone", distillation.runs(frame, f"{student} alone")
        found += _beside(frame, f"distillation, {distillation.WIDTHS[student]}", base, rows)
    return found


def _beside(frame: pd.DataFrame, technique: str, base: Row, rows: list[Row]) -> list[Setting]:
    study, (name, runs) = frame["study"].iloc[0], base
    control = runs.reset_index()
    found = [Setting(study, technique, name, control, None)]
    for strength, treated in rows:
        found.append(Setting(study, technique, strength, treated.reset_index(), control))
    return found


MADE: dict[str, Callable[[pd.DataFrame], list[Setting]]] = {
    "augmentation": _augmented,
    "pruning": _pruned,
    "distillation": _taught,
}
