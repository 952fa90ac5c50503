"""What a point of accuracy costs: the seven combinations beside no regularization, in epochs.

Both the gain and the extra epochs are paired differences over evaluation seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import factorial
from reglab.stats import Estimate


@dataclass(frozen=True)
class Price:
    """What one combination gained over no regularization, and the epochs that it took more.

    Attributes:
        name: of the combination, for people.
        gain: in points of test accuracy.
        epochs: more until the stop; negative where training was shorter.
    """

    name: str
    gain: Estimate
    epochs: Estimate

    @property
    def a_point(self) -> float | None:
        """Epochs for each point, the ratio of the two means; None where nothing was gained."""
        return self.epochs.mean / self.gain.mean if self.gain.mean > 0 else None


def prices(frame: pd.DataFrame) -> list[Price]:
    """Return the price of each combination that has a gain, in the order of the tables.

    Raises:
        ReglabError: no run of the factorial.
    """
    measured = (
        (
            name,
            *(factorial.contrast(frame, name, "none", metric) for metric in ("test_acc", "epochs")),
        )
        for name in CELL_ORDER
        if name != "none"
    )
    return [
        Price(CELL_NAMES[name], gain, epochs) for name, gain, epochs in measured if gain and epochs
    ]


def choosing(frame: pd.DataFrame) -> tuple[int, float] | None:
    """Return how many runs chose rate and strengths, and their epochs over those of one network.

    None where there were no such runs, or where the plain network has none.
    """
    runs = frame[frame["study"].isin(("lr", "lambda", "dropout"))].drop_duplicates("key")
    plain = frame[(frame["study"] == "factorial") & (frame["arm"] == "none")]["epochs"].mean()
    if runs.empty or not plain > 0:
        return None
    return len(runs), float(runs["epochs"].sum() / plain)
