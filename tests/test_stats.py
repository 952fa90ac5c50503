"""Intervals: by hand, against scipy, and by their coverage."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from reglab.errors import ReglabError
from reglab.stats import mean_interval, paired_difference


def test_interval_by_hand():
    # mean 2, sd 1, n 3; t(0.975, 2) = 4.303
    estimate = mean_interval([1.0, 2.0, 3.0])
    assert (estimate.mean, estimate.sd, estimate.n) == (2.0, 1.0, 3)
    assert estimate.half_width == pytest.approx(4.302653 / math.sqrt(3), abs=1e-5)
    assert estimate.high - estimate.mean == pytest.approx(estimate.mean - estimate.low)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_interval_is_scipys(confidence):
    values = np.random.default_rng(1).normal(3, 2, 7)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(confidence)
    ours = mean_interval(values.tolist(), confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_paired_interval_is_scipys():
    rng = np.random.default_rng(2)
    a, b = rng.normal(1, 1, 6), rng.normal(0, 1, 6)
    theirs = scipy_stats.ttest_rel(a, b).confidence_interval(0.95)
    ours = paired_difference(dict(enumerate(a)), dict(enumerate(b)))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.mean == pytest.approx((a - b).mean())


def test_interval_covers_as_often_as_it_says():
    rng, repeats = np.random.default_rng(3), 2000
    hits = sum(
        e.low <= 5 <= e.high
        for e in (mean_interval(rng.normal(5, 1, 3).tolist()) for _ in range(repeats))
    )
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats)


def test_pairing_goes_by_seed_not_by_order():
    treated, control = {1: 10.0, 0: 20.0}, {0: 19.0, 1: 9.0}
    assert paired_difference(treated, control).mean == 1.0
    assert paired_difference(treated, control).sd == 0.0


def test_one_seed_has_no_interval():
    estimate = mean_interval([4.0])
    assert estimate.mean == 4.0
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.half_width)


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [math.inf], [[1.0, 2.0]]])
def test_no_interval_for_what_is_not_a_number_a_seed(values):
    with pytest.raises(ReglabError, match="one finite number a seed"):
        mean_interval(values)


def test_bad_confidence_and_unpaired_seeds():
    with pytest.raises(ReglabError, match="confidence"):
        mean_interval([1.0], 1.0)
    with pytest.raises(ReglabError, match="same seeds"):
        paired_difference({0: 1.0}, {1: 1.0})
