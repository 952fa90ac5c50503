"""The ledger's numbers a second time, from the raw records: NumPy, SciPy and plain Python only.

Nothing of reglab is imported here, so that a slip in its rules or its statistics shows when the two
are compared (`test_ledger_apart.py`, which has the claims).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

ALPHA, ROUNDING = 0.05, 0.1


@dataclass(frozen=True)
class Contrast:
    """Numbers of which the claim says that they are above zero, or equal a printed number.

    ``against``: numbers of another data set, whose mean is subtracted. ``margin``: below it a
    difference is none; None where no margin is fixed. ``size`` and ``levels`` are printed.
    ``where``: the data set, or "several".
    """

    values: tuple
    where: str
    margin: float | None = None
    against: tuple | None = None
    size: float | None = None
    levels: tuple = ()
    whole: bool = False

    @property
    def n(self):
        return (
            len(self.values) if self.against is None else min(map(len, (self.values, self.against)))
        )

    @property
    def sized(self):
        return self.size is not None and self.whole


def above(values, bound):
    """Return the p-value of "the mean is above the bound"; without spread, a sign test's."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return 1.0
    if np.ptp(values) == 0:
        return 0.5 ** len(values) if values[0] > bound else 1.0
    t = (values.mean() - bound) / (values.std(ddof=1) / math.sqrt(len(values)))
    return float(stats.t.sf(t, len(values) - 1))


def below(values, bound):
    return above(-np.asarray(values, dtype=float), -bound)


def equal(values, printed, margin):
    """Return the p-value of "the mean is within the margin of what is printed" (two one-sided)."""
    return max(above(values, printed - margin), below(values, printed + margin))


def spread(contrast):
    """Return mean, standard error and degrees of freedom: Student's, of two data sets Welch's."""
    mean, error, freedom = _student(contrast.values)
    if contrast.against is None:
        return mean, error, freedom
    other, other_error, other_freedom = _student(contrast.against)
    both = error**2 + other_error**2
    freedom = both**2 / (error**4 / freedom + other_error**4 / other_freedom)
    return mean - other, math.sqrt(both), freedom


def estimate(contrast):
    """Return mean, the bounds of the 95 % interval and n."""
    mean, error, freedom = spread(contrast)
    half = float(stats.t.ppf(0.975, freedom)) * error
    n = min(len(contrast.values), len(contrast.against or contrast.values))
    return mean, mean - half, mean + half, n


def _student(values):
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float(values.mean()), math.nan, math.nan
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values) - 1


def two_sided(contrast):
    """Return the two-sided p-value of "the mean is not zero"."""
    if contrast.against is None:
        return min(1.0, 2 * min(above(contrast.values, 0), below(contrast.values, 0)))
    if min(len(contrast.values), len(contrast.against)) < 2:
        return 1.0
    return float(stats.ttest_ind(contrast.values, contrast.against, equal_var=False).pvalue)


def p_for(contrast):
    """Return the p-value that speaks for the claim."""
    if contrast.levels:
        return max(equal(contrast.values, level, contrast.margin) for level in contrast.levels)
    if contrast.sized:
        return equal(contrast.values, contrast.size, contrast.margin)
    return two_sided(contrast) if estimate(contrast)[0] > 0 else 1.0


def p_against(contrast):
    """Return the p-value of the opposite; of two ways to refute a size, twice the smaller."""
    if contrast.levels:
        return 1.0
    opposite = two_sided(contrast) if estimate(contrast)[0] < 0 else 1.0
    return min(1.0, 2 * min(opposite, _excluded(contrast))) if contrast.sized else opposite


def _excluded(contrast):
    """Return the p-value of the printed size as one new difference, give or take its rounding."""
    values = np.asarray(contrast.values, dtype=float)
    apart = abs(values.mean() - contrast.size) - ROUNDING
    if len(values) < 2 or apart <= 0:
        return 1.0
    new = values.std(ddof=1) * math.sqrt(1 + 1 / len(values))
    return float(2 * stats.t.sf(apart / new, len(values) - 1))


def p_small(contrast):
    """Return the p-value of "within the margin"; 1 where no direction is claimed."""
    if contrast.margin is None or contrast.sized or contrast.levels:
        return 1.0
    if contrast.against is None:
        return equal(contrast.values, 0, contrast.margin)
    mean, error, freedom = spread(contrast)
    return float(stats.t.sf((contrast.margin - abs(mean)) / error, freedom))


def reading_for(contrasts):
    return max(map(p_for, contrasts))


def reading_sign(contrasts):
    """As `reading_for`, but of a printed size the sign alone is claimed."""
    return max(p_for(c) if c.size is None else _upwards(c) for c in contrasts)


def _upwards(contrast):
    return two_sided(contrast) if estimate(contrast)[0] > 0 else 1.0


def reading_against(contrasts):
    return min(1.0, len(contrasts) * min(map(p_against, contrasts)))


def is_negligible(contrasts):
    """Whether each difference is as claimed or shown to be small, and one of them is small."""
    small = [p_small(contrast) < ALPHA for contrast in contrasts]
    left = [c for c, is_none in zip(contrasts, small, strict=True) if not is_none]
    return any(small) and all(p_for(contrast) < ALPHA for contrast in left)


def claim_p(readings):
    """Return a claim's p-values, as printed and of the sign alone, each of its best reading.

    Each is multiplied by the number of readings.
    """
    best = min(map(reading_for, readings)), min(map(reading_sign, readings))
    return tuple(min(1.0, len(readings) * p) for p in best)


def holm(p_values):
    """Return Holm's adjusted p-values, by claim; the two kinds are corrected each by itself."""
    both = [_holm({name: pair[kind] for name, pair in p_values.items()}) for kind in (0, 1)]
    return {name: (both[0][name], both[1][name]) for name in p_values}


def _holm(p_values):
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.get)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def charitable(readings):
    """Return the reading that speaks most for the claim."""
    return min(readings, key=lambda reading: (reading_for(reading), -reading_against(reading)))


def verdict(readings, adjusted):
    """Return the word. A claim is refuted if every reading of it is."""
    open_still = [reading for reading in readings if reading_against(reading) >= ALPHA]
    if not open_still:
        return "refuted"
    printed, sign = adjusted
    sizes = [c for reading in readings for c in reading if c.size is not None]
    if printed < ALPHA and all(c.whole for c in sizes):
        return "confirmed"
    if sizes and sign < ALPHA:
        return "direction confirmed"
    return "negligible" if all(map(is_negligible, open_still)) else "undecided"


def least_favourable(contrasts):
    """Return the estimate of the contrast whose mean is lowest, counted in half-widths."""

    def favour(contrast):
        mean, low, high, _ = estimate(contrast)
        if contrast.levels:
            mean = -max(abs(mean - level) for level in contrast.levels)
        elif contrast.sized:
            mean = -abs(mean - contrast.size)
        half = (high - low) / 2
        return mean / half if half > 0 else math.copysign(math.inf, mean)

    return estimate(min(contrasts, key=favour))
