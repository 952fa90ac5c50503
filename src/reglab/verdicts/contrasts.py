"""A contrast: one comparison of a claim, and the p-values that decide about it.

It is oriented so that the claim says "greater than zero". What a contrast is about (a direction, a
printed size, a level) decides which tests speak for the claim and which against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from scipy import stats

from reglab.stats import Estimate, equivalence, mean_interval, paired_p, prediction_interval, welch
from reglab.verdicts.words import ROUNDING, WHOLE


@dataclass(frozen=True)
class Contrast:
    """One comparison.

    Attributes:
        label: what is compared, in words.
        dataset: where.
        values: one number a seed, in ``unit``, > 0 as the claim has it.
        against: numbers that are subtracted, where the two sides share no seed (two data sets).
        size: the difference that the paper prints, where it prints one.
        level: the paper's printed levels, where the claim is one of level (values are accuracies).
        images: of a level, the half-width over seeds and test images (`reglab.results.levels`).
        small: below it a difference counts as none; None where no margin is fixed (epochs).
        unit: of the values.
        profile: of the runs.
        measure: what is compared, in words.
        below: where the claim is that something is below this bound, which is what the label says
            and a reader is shown; ``values`` are then the bound minus it.
        elsewhere: the data set that ``against`` is of.
        kinds: in words, how many runs of an arm did not learn where others of it did, so that
            the values are of two kinds; "" where they are of one.
    """

    label: str
    dataset: str
    values: tuple[float, ...]
    against: tuple[float, ...] | None = None
    size: float | None = None
    level: tuple[float, ...] | None = None
    images: float | None = None
    small: float | None = None
    unit: str = "points"
    profile: str = "reduced"
    measure: str = "test accuracy"
    below: float | None = None
    elsewhere: str | None = None
    kinds: str = ""

    @cached_property
    def estimate(self) -> Estimate:
        """The mean over seeds with its 95 % interval."""
        if self.against is None:
            return mean_interval(self.values)
        return welch(self.values, self.against)[0]

    @property
    def shown(self) -> Estimate:
        """The estimate of what the label says: not turned round to suit the claim."""
        ours = self.estimate
        if self.below is None:
            return ours
        turned = (self.below - value for value in (ours.mean, ours.high, ours.low))
        return Estimate(*turned, ours.sd, ours.n)

    @cached_property
    def sized(self) -> bool:
        """Whether a printed size is judged: on all training images only."""
        return self.size is not None and self.profile in WHOLE

    @cached_property
    def for_it(self) -> float:
        """The p-value that speaks for the claim: small = as the claim has it."""
        if self.level:
            return max(self._equal(value) for value in self.level)
        if self.sized:
            return self._equal(self.size)
        return self.upwards

    @cached_property
    def upwards(self) -> float:
        """The p-value of "above zero", whatever size is printed."""
        return self._two_sided if self.estimate.mean > 0 else 1.0

    @cached_property
    def against_it(self) -> float:
        """The p-value that speaks against it: small = the opposite, or the size is excluded.

        A level is never refuted: the paper describes no network, and one width cannot.
        """
        if self.level:
            return 1.0
        opposite = self._two_sided if self.estimate.mean < 0 else 1.0
        return min(1.0, 2 * min(opposite, self._excluded)) if self.sized else opposite

    @cached_property
    def is_small(self) -> float:
        """The p-value of "smaller than the margin, either way"; 1 where no direction is claimed."""
        if self.small is None or self.sized or self.level:
            return 1.0
        if self.against is None:
            return equivalence(self.values, self.small)
        shifted = (
            [value - self.small for value in self.values],
            [value + self.small for value in self.values],
        )
        below, above = (welch(values, self.against) for values in shifted)
        return max(
            p / 2 if side * estimate.mean > 0 else 1 - p / 2
            for side, (estimate, p) in ((-1, below), (1, above))
        )

    @cached_property
    def _two_sided(self) -> float:
        return (
            paired_p(self.values) if self.against is None else welch(self.values, self.against)[1]
        )

    def _equal(self, printed: float) -> float:
        return equivalence([value - printed for value in self.values], self.small)

    @cached_property
    def _excluded(self) -> float:
        """Two-sided p-value of the printed size as one new difference, rounding allowed for."""
        new = prediction_interval(self.values)
        apart = max(0.0, abs(new.mean - self.size) - ROUNDING)
        if new.n < 2 or apart == 0:
            return 1.0
        spread = new.sd * math.sqrt(1 + 1 / new.n)
        return 2 * float(stats.t.sf(apart / spread, new.n - 1)) if spread else 0.0
