"""Intervals and tests: by hand, against scipy, and by their coverage."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from reglab.errors import ReglabError
from reglab.stats import (
    equivalence,
    holm,
    holm_rows,
    mcnemar,
    mean_interval,
    paired_difference,
    paired_p,
    prediction_interval,
    welch,
)


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


def test_prediction_interval_by_hand_and_by_coverage():
    # mean 2, sd 1, n 3: t(0.975, 2) * sqrt(1 + 1/3)
    estimate = prediction_interval([1.0, 2.0, 3.0])
    assert estimate.half_width == pytest.approx(4.302653 * math.sqrt(4 / 3), abs=1e-5)
    rng, inside = np.random.default_rng(5), 0
    for _ in range(2000):
        *sample, new = rng.normal(1, 3, 6)
        interval = prediction_interval(sample)
        inside += interval.low <= new <= interval.high
    assert 0.93 < inside / 2000 < 0.97


def test_paired_p_is_scipys():
    values = np.random.default_rng(3).normal(0.4, 1, 9).tolist()
    assert paired_p(values) == pytest.approx(scipy_stats.ttest_1samp(values, 0).pvalue)
    assert paired_p([-value for value in values]) == pytest.approx(paired_p(values))


@pytest.mark.parametrize(
    ("values", "p"),
    [([1.0], 1.0), ([0.0, 0.0], 1.0), ([0.5, 0.5], 0.5), ([-2.0] * 6, 0.03125), ([0.1] * 3, 0.25)],
)
def test_paired_p_without_spread(values, p):
    """The sign test: twice the chance of n tosses that all fall on one side."""
    assert paired_p(values) == p


def test_equivalence_is_statsmodels():
    from statsmodels.stats.weightstats import ttost_paired

    rng = np.random.default_rng(4)
    treated, control = rng.normal(90, 1, 12), rng.normal(90, 1, 12)
    for margin in (0.2, 0.5, 2.0):
        theirs = ttost_paired(treated, control, -margin, margin)[0]
        assert equivalence((treated - control).tolist(), margin) == pytest.approx(theirs)


def test_a_difference_that_is_only_not_significant_is_no_equality():
    noisy = [-3.0, 2.0, 1.5, -1.0]
    assert paired_p(noisy) > 0.5
    assert equivalence(noisy, 0.5) > 0.05
    assert equivalence([0.01, -0.02, 0.0, 0.01], 0.5) < 0.001


def test_equivalence_without_spread():
    assert equivalence([0.1, 0.1], 0.5) == 0.25
    assert equivalence([0.5, 0.5], 0.5) == 1.0
    assert equivalence([0.1], 0.5) == 1.0


def test_welch_is_scipys():
    rng = np.random.default_rng(6)
    first, second = rng.normal(1, 1, 8).tolist(), rng.normal(0, 3, 5).tolist()
    estimate, p = welch(first, second)
    theirs = scipy_stats.ttest_ind(first, second, equal_var=False)
    assert p == pytest.approx(theirs.pvalue)
    assert (estimate.low, estimate.high) == pytest.approx(theirs.confidence_interval(0.95))
    assert (estimate.mean, estimate.n) == (pytest.approx(np.mean(first) - np.mean(second)), 5)


@pytest.mark.parametrize("second", [[1.0], [1.0, 1.0]])
def test_welch_without_an_interval_decides_nothing(second):
    estimate, p = welch([3.0, 3.0], second)
    assert (estimate.mean, p) == (2.0, 1.0)
    assert math.isnan(estimate.low)


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.04, 0.5 times 4, 3, 2, 1, and never below the one before
    assert holm([0.04, 0.01, 0.5, 0.02]) == pytest.approx([0.08, 0.04, 0.5, 0.06])
    assert holm([0.03, 0.03, 0.03]) == pytest.approx([0.09, 0.09, 0.09])
    assert holm([]) == []


def test_holm_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(0, 0.4, (2, 4))
    p[0, :3] = p[0, 0]  # ties
    expected = [multipletests(row, method="holm")[1].tolist() for row in p]
    assert [holm(row.tolist()) for row in p] == holm_rows(p).tolist() == expected


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 9), (25, 25), (0, 6), (40, 12)])
def test_mcnemar_is_statsmodels(b, c):
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    assert mcnemar(b, c) == pytest.approx(float(theirs([[7, b], [c, 7]], exact=True).pvalue))


@pytest.mark.parametrize(
    "call",
    [
        lambda: equivalence([1.0, 2.0], 0.0),
        lambda: equivalence([1.0, 2.0], math.nan),
        lambda: holm([0.1, 1.2]),
        lambda: holm([math.nan]),
        lambda: mcnemar(-1, 2),
        lambda: mcnemar(1.5, 2),
        lambda: prediction_interval([]),
    ],
)
def test_bad_input_to_a_test_is_one_line(call):
    with pytest.raises(ReglabError) as caught:
        call()
    assert "\n" not in str(caught.value)
