"""Intervals and tests over paired seeds: Student's t, prediction, equivalence, Holm, McNemar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from reglab.errors import ReglabError


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval, in the unit of the values.

    Attributes:
        low: lower bound of the interval; NaN where n = 1.
        high: upper bound; NaN where n = 1.
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
    # by hand, since scipy's interval of equal values is NaN
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * sd / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, sd, n)


@dataclass(frozen=True)
class TwoKinds(Estimate):
    """A mean over runs of two kinds, some that learned and some that did not.

    No normal interval describes such values: ``low`` and ``high`` are NaN.

    Attributes:
        learned: how many runs learned, and the mean of these.
        others: how many did not, and the mean of those.
        pairs: whether the values are differences; then a pair learned if both of its runs did.
    """

    learned: tuple[int, float]
    others: tuple[int, float]
    pairs: bool = False

    @property
    def short(self) -> str:
        """As `words`, for a table; those that learned come first."""
        kinds = (f"{count} of {mean:.2f}" for count, mean in (self.learned, self.others))
        return f"{self.mean:.2f}: {', '.join(kinds)}"

    @property
    def words(self) -> str:
        """The mean and what it is made of, to stand where "58.36 ± 1.20" would."""
        (some, high), (rest, low) = self.learned, self.others
        if self.pairs:
            both, one = f"in {some} both runs learned", f"in {rest} not"
        else:
            both, one = f"{some} learned", f"{rest} did not"
        return f"{self.mean:.2f}: {both} ({high:.2f}), {one} ({low:.2f})"


def pooled(values: Sequence[float], learned: Sequence[bool], *, pairs: bool = False) -> Estimate:
    """Return `mean_interval`, or `TwoKinds` where some runs learned and some did not.

    Args:
        values: one finite number a run, or a pair of runs; at least one.
        learned: whether that run, or both runs of that pair, learned.
        pairs: whether the values are differences, for the words.

    Raises:
        ReglabError: as `mean_interval`.
    """
    whole, kinds = mean_interval(values), np.asarray(learned, dtype=bool)
    if kinds.all() or not kinds.any():
        return whole
    sample = np.asarray(values, dtype=float)
    groups = [(int(kind.sum()), float(sample[kind].mean())) for kind in (kinds, ~kinds)]
    return TwoKinds(whole.mean, math.nan, math.nan, whole.sd, whole.n, *groups, pairs)


def image_variance(table: np.ndarray) -> float:
    r"""Return what the choice of test images adds to the variance of a table's mean.

    With :math:`y_{si} = \mu + a_s + b_i + e_{si}` for n seeds and m images, the images' part is
    :math:`\sigma_b^2/m`, and :math:`\sigma_b^2` is the covariance, over images, of two seeds' rows:
    its unbiased estimate is the mean over all pairs of seeds. That can be negative.

    Args:
        table: (n, m), a row a seed and a column an image, n and m at least two: 0 or 1 for wrong
            or right, or differences of two such tables.

    Raises:
        ReglabError: another shape, or a value that is not finite.
    """
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise ReglabError(f"needs two seeds and two images, finite values; got {table.shape}")
    n, m = table.shape
    shared = np.cov(table)  # (n, n)
    return float((shared.sum() - np.trace(shared)) / (n * (n - 1))) / m


def crossed_interval(table: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Return a table's mean with an interval over seeds and images, both taken as drawn at random.

    Its half-width is the hypotenuse of two: Student's over seeds, on these images, and the normal
    one of the mean over images (Zou & Donner 2008). It is never narrower than `mean_interval` of
    the seeds' means, which is about these images only.

    Args:
        table: as `image_variance`; a single row has no interval.
        confidence: coverage, in (0, 1).

    Raises:
        ReglabError: as `image_variance` and `mean_interval`.
    """
    over_seeds = mean_interval(np.mean(table, axis=1), confidence)
    if over_seeds.n == 1:
        return over_seeds
    images = math.sqrt(max(0.0, image_variance(table)))
    half = math.hypot(over_seeds.half_width, float(stats.norm.ppf((1 + confidence) / 2)) * images)
    mean = over_seeds.mean
    return Estimate(mean, mean - half, mean + half, over_seeds.sd, over_seeds.n)


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


def prediction_interval(differences: Sequence[float], confidence: float = 0.95) -> Estimate:
    r"""Return the interval for *one new* paired difference, :math:`\bar d \pm t\,s\sqrt{1 + 1/n}`.

    A single printed difference is one draw, not a mean: it is held against this interval.

    Args:
        differences: treated minus control, one a seed, at least two for an interval.
        confidence: coverage, in (0, 1).

    Raises:
        ReglabError: as `mean_interval`.
    """
    mean = mean_interval(differences, confidence)
    half = mean.half_width * math.sqrt(mean.n + 1)  # t s / sqrt(n), widened
    return Estimate(mean.mean, mean.mean - half, mean.mean + half, mean.sd, mean.n)


def paired_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of the paired t test that the mean difference is 0.

    Equal differences have no t: theirs is the sign test's p, or 1 for zeros and for a single one.

    Raises:
        ReglabError: as `mean_interval`.
    """
    return min(1.0, 2 * min(_one_sided(differences, 0.0), _one_sided(differences, 0.0, upper=True)))


def equivalence(differences: Sequence[float], margin: float) -> float:
    """Return the p-value of two one-sided t tests (TOST) of equality within ``margin``.

    Small p: the mean difference lies inside (-margin, margin). It is the larger of the two
    one-sided p-values (Schuirmann 1987); a difference that is merely not significant shows nothing.

    Args:
        differences: treated minus control, one a seed.
        margin: > 0, in the unit of the differences, fixed before looking.

    Raises:
        ReglabError: a margin that is not > 0, or as `mean_interval`.
    """
    if not (math.isfinite(margin) and margin > 0):
        raise ReglabError(f"an equivalence margin must be > 0, got {margin}")
    return max(_one_sided(differences, -margin), _one_sided(differences, margin, upper=True))


def _one_sided(differences: Sequence[float], bound: float, *, upper: bool = False) -> float:
    """Return the p-value for "the mean is above ``bound``" (below it where ``upper``)."""
    estimate = mean_interval(differences)
    if estimate.n == 1:
        return 1.0
    if np.ptp(differences) == 0:  # no spread, so no t: the sign test of n values on one side
        beyond = estimate.mean < bound if upper else estimate.mean > bound
        return 0.5**estimate.n if beyond else 1.0
    # as scipy's ttest_1samp, but in microseconds
    t = (estimate.mean - bound) / (estimate.sd / math.sqrt(estimate.n))
    return float(special.stdtr(estimate.n - 1, t if upper else -t))


def welch(first: Sequence[float], second: Sequence[float]) -> tuple[Estimate, float]:
    """Return the difference of two independent means with its 95 % interval, and its p-value.

    Welch's t, which supposes no equal spread. ``n`` is the smaller sample's size; ``sd`` is that of
    the difference of two single values.

    Args:
        first, second: finite numbers, at least one each; with a single one on either side, or no
            spread on both, there is no interval and p = 1.

    Raises:
        ReglabError: as `mean_interval`.
    """
    a, b = mean_interval(first), mean_interval(second)
    mean, n = a.mean - b.mean, min(a.n, b.n)
    if n == 1 or np.ptp(first) == np.ptp(second) == 0:
        return Estimate(mean, math.nan, math.nan, math.nan, n), 1.0
    test = stats.ttest_ind(first, second, equal_var=False)
    bounds = test.confidence_interval(0.95)
    sd = math.hypot(a.sd, b.sd)
    return Estimate(mean, float(bounds.low), float(bounds.high), sd, n), float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values of one family, in the order given.

    Raises:
        ReglabError: a p-value outside [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ReglabError(f"p-values must be in [0, 1], got {list(p_values)}")
    return holm_rows(np.array([p_values], dtype=float))[0].tolist()


def holm_rows(p: np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p-values, each row a family of its own.

    By hand, since statsmodels collects garbage at each call: over half of a ledger's time.

    Args:
        p: in [0, 1], family x comparison.
    """
    order, m = np.argsort(p, axis=1), p.shape[1]  # (families, m)
    stepped = np.minimum(1, np.take_along_axis(p, order, 1) * np.arange(m, 0, -1))
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(stepped, axis=1), 1)
    return adjusted


def mcnemar(only_first: int, only_second: int) -> float:
    """Return McNemar's exact two-sided p-value for two classifiers on the same test images.

    Args:
        only_first: images that only the first gets right, >= 0.
        only_second: images that only the second gets right, >= 0.

    Raises:
        ReglabError: a negative or fractional count.
    """
    counts = (only_first, only_second)
    if not all(isinstance(count, int | np.integer) and count >= 0 for count in counts):
        raise ReglabError(f"McNemar's counts must be whole numbers >= 0, got {counts}")
    if sum(counts) == 0:
        return 1.0
    return float(stats.binomtest(int(only_first), int(sum(counts))).pvalue)
