"""What a point of accuracy costs: the seven combinations beside no regularization, in epochs.

Both the gain and the extra epochs are paired differences over evaluation seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import factorial
from reglab.stats import Estimate, mean_interval


@dataclass(frozen=True)
class Price:
    """What one combination gained over no regularization, and the epochs that it took more.

    Attributes:
        name: of the combination, for people.
        gains: by seed, in points of test accuracy.
        extra: epochs more until the stop, of the same seeds; negative where training was shorter.
    """

    name: str
    gains: tuple[float, ...]
    extra: tuple[float, ...]

    @cached_property
    def gain(self) -> Estimate:
        """The mean gain with its 95 % interval over seeds."""
        return mean_interval(self.gains)

    @cached_property
    def epochs(self) -> Estimate:
        """The mean of the extra epochs with its 95 % interval over seeds."""
        return mean_interval(self.extra)

    @property
    def a_point(self) -> float | None:
        """Epochs for each point, the ratio of the two means; None where nothing was gained."""
        return self.epochs.mean / self.gain.mean if self.gain.mean > 0 else None

    @property
    def between(self) -> tuple[float, float] | None:
        """The 95 % interval of `a_point` (`ratio_interval`)."""
        return ratio_interval(self.extra, self.gains)


def ratio_interval(
    above: Sequence[float], below: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return Fieller's interval of a ratio of two paired means.

    It holds the ratios r for which a t test of the mean of above - r below does not reject. None
    where that is no bounded interval: the mean of ``below`` may be zero.

    Source: E. C. Fieller, Some problems in interval estimation, J. R. Stat. Soc. B 16, 1954.

    Args:
        above, below: numbers of the same seeds in the same order.
        confidence: of the interval.
    """
    n = len(above)
    if n < 2:
        return None
    share = stats.t.ppf((1 + confidence) / 2, n - 1) ** 2 / n
    y, x = np.mean(above), np.mean(below)
    (y_y, x_y), (_, x_x) = share * np.cov(above, below)  # squared half-widths
    a, b, c = x * x - x_x, x * y - x_y, y * y - y_y  # of a r^2 - 2 b r + c <= 0
    if a <= 0:
        return None
    root = math.sqrt(max(0.0, b * b - a * c))
    return float((b - root) / a), float((b + root) / a)


def prices(frame: pd.DataFrame) -> list[Price]:
    """Return the price of each combination that has a gain, in the order of the tables.

    Raises:
        ReglabError: no run of the factorial.
    """
    accuracy, epochs = factorial.scores(frame), factorial.scores(frame, "epochs")
    priced = []
    for name in CELL_ORDER:
        pairs = pd.DataFrame(
            {key: it[name] - it["none"] for key, it in (("gain", accuracy), ("more", epochs))}
        ).dropna()
        if name != "none" and len(pairs):
            priced.append(Price(CELL_NAMES[name], tuple(pairs["gain"]), tuple(pairs["more"])))
    return priced


def choosing(frame: pd.DataFrame) -> tuple[int, float] | None:
    """Return how many runs chose rate and strengths, and their epochs over those of one network.

    None where there were no such runs, or where the plain network has none.
    """
    runs = frame[frame["study"].isin(("lr", "lambda", "dropout"))].drop_duplicates("key")
    plain = frame[(frame["study"] == "factorial") & (frame["arm"] == "none")]["epochs"].mean()
    if runs.empty or not plain > 0:
        return None
    return len(runs), float(runs["epochs"].sum() / plain)
