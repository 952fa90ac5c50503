"""Intervals over seeds: Student's t, alone and paired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reglab.errors import ReglabError


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval, in the unit of the values.

    Attributes:
        low, high: bounds of the interval; NaN where n = 1.
        sd: standard deviation over seeds (n - 1 in the denominator); NaN where n = 1.
        n: number of seeds.
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's width; NaN where n = 1."""
        return (self.high - self.low) / 2


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Return the mean of independent runs and its Student t interval.

    Args:
        values: one finite number a seed, at least one. Diverged runs are the caller's to leave
            out, and to count.
        confidence: coverage, in (0, 1).

    Raises:
        ReglabError: no value, one that is not finite, or a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ReglabError(f"confidence must be between 0 and 1, got {confidence}")
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or len(sample) == 0 or not np.isfinite(sample).all():
        raise ReglabError(f"an interval needs one finite number a seed, got {list(values)!r}")
    mean, n = float(sample.mean()), len(sample)
    if n == 1:
        return Estimate(mean, math.nan, math.nan, math.nan, 1)
    sd = float(sample.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, sd, n)


def paired_difference(
    treated: Mapping[int, float], control: Mapping[int, float], confidence: float = 0.95
) -> Estimate:
    """Return the mean of treated minus control over paired seeds, with its interval.

    Args:
        treated, control: one finite number a seed, by seed; both the same seeds.
        confidence: coverage, in (0, 1).

    Raises:
        ReglabError: the seeds differ, or as `mean_interval`.
    """
    if set(treated) != set(control):
        raise ReglabError(f"pairs need the same seeds, got {sorted(treated)} and {sorted(control)}")
    return mean_interval([treated[seed] - control[seed] for seed in sorted(treated)], confidence)
