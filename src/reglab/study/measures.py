"""What a network is judged by: accuracy where it names classes, R² where it predicts numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from reglab.data.tasks import REGRESSION


@dataclass(frozen=True)
class Measure:
    """A share of which more is better, and which is 1 at best; shown in percent.

    Attributes:
        suffix: what columns and curves of it end with, e.g. ``test_acc``.
        name: what a table calls it.
        start: of a network that has not learned yet.
        least: it cannot be below this, in percent; None = no bound.
        loss, loss_unit: what its loss is, and in which unit.
    """

    suffix: str
    name: str
    start: float
    least: float | None
    loss: str
    loss_unit: str

    @property
    def test(self) -> str:
        """The column of the test part's."""
        return f"test_{self.suffix}"

    @property
    def train(self) -> str:
        """The column of the training part's."""
        return f"train_{self.suffix}"

    @property
    def val(self) -> str:
        """The column of the validation part's."""
        return f"val_{self.suffix}"


GUESSING = 0.1  # with ten classes, as the paper's sets have
ACCURACY = Measure("acc", "accuracy", GUESSING, 0.0, "cross-entropy", "nats")
R2 = Measure("r2", "R²", 0.0, None, "squared error", "variances")


def of(rows: pd.DataFrame) -> Measure:
    """Return the measure of a study's runs; tables made before there were two have accuracies."""
    return R2 if "task" in rows and (rows["task"] == REGRESSION).any() else ACCURACY


def in_words(studies: Iterable[pd.DataFrame]) -> str:
    """Return what studies' networks are judged by: "accuracy", "R²" or "accuracy or R²"."""
    return " or ".join(dict.fromkeys(of(study).name for study in studies))
