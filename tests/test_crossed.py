"""Intervals over seeds and test images: by hand, by the bootstrap of both, by their coverage."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import fake_record, study_frame
from scipy import stats as scipy_stats

from reglab.errors import ReglabError
from reglab.record import pack_bits
from reglab.results import factorial, levels, tables
from reglab.stats import crossed_interval, image_variance, mean_interval


def drawn(rng, seeds, images, spread=0.2):
    """Right or wrong: some seeds are better, some images easier; and the share that is expected."""
    level, easy = 1.0, 1.0
    better, easier = rng.normal(0, spread, (seeds, 1)), rng.normal(0, easy, (1, images))
    table = rng.normal(size=(seeds, images)) < level + better + easier
    return table, scipy_stats.norm.cdf(level / math.sqrt(1 + spread**2 + easy**2))


def mean_squares(table):
    """Of seeds, of images, and of what is left."""
    n, m = table.shape
    mean, rows, columns = table.mean(), table.mean(1, keepdims=True), table.mean(0, keepdims=True)
    left = table - rows - columns + mean
    return (
        m * ((rows - mean) ** 2).sum() / (n - 1),
        n * ((columns - mean) ** 2).sum() / (m - 1),
        (left**2).sum() / ((n - 1) * (m - 1)),
    )


@pytest.mark.parametrize(("seeds", "images"), [(2, 5), (3, 40), (6, 11)])
def test_shared_covariance_is_the_difference_of_mean_squares(seeds, images):
    table, _ = drawn(np.random.default_rng(seeds), seeds, images)
    table = table.astype(float)
    of_seeds, of_images, left = mean_squares(table)
    size = seeds * images
    assert image_variance(table) == pytest.approx((of_images - left) / size)
    # the seeds' part holds what is left as well, once, as the variance of the mean does
    assert mean_interval(table.mean(1)).sd ** 2 / seeds == pytest.approx(of_seeds / size)


def test_the_half_width_is_a_hypotenuse():
    table = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 0, 1, 1]], dtype=float)
    over_seeds = mean_interval(table.mean(axis=1))
    images = scipy_stats.norm.ppf(0.975) * math.sqrt(image_variance(table))
    both = crossed_interval(table)
    assert both.half_width == pytest.approx(math.hypot(over_seeds.half_width, images))
    assert (both.mean, both.n, both.sd) == (pytest.approx(0.6), 3, over_seeds.sd)


def test_it_is_never_narrower_than_over_seeds_alone():
    opposed = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], dtype=float)  # covariance below zero
    assert image_variance(opposed) < 0
    both, plain = crossed_interval(opposed), mean_interval(opposed.mean(axis=1))
    assert (both.low, both.high) == (plain.low, plain.high)
    assert math.isnan(crossed_interval(opposed[:1]).half_width)


def test_the_bootstrap_of_seeds_and_images_agrees():
    """Owen's pigeonhole bootstrap counts what is left too often, by a known amount."""
    rng = np.random.default_rng(0)
    table, _ = drawn(rng, 5, 300)
    n, m = table.shape
    repeats = 4000
    weights = (rng.multinomial(k, [1 / k] * k, repeats) / k for k in table.shape)
    seeds, images = weights
    boots = np.einsum("rs,si,ri->r", seeds, table.astype(float), images)
    of_seeds, of_images, left = mean_squares(table.astype(float))
    expected = (n - 1) / n * of_seeds + (m - 1) / m * (of_images + (n - 1) / n * left)
    assert boots.var() == pytest.approx(expected / (n * m), rel=0.1)  # four standard errors
    ours = (of_seeds / (n * m)) + image_variance(table)
    assert ours == pytest.approx((of_seeds + of_images - left) / (n * m))
    assert 0.7 * ours < boots.var() < 1.3 * ours
    seeds_alone = of_seeds / (n * m)
    assert seeds_alone < 0.6 * boots.var()  # which the images' part must make up for


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.05), (5, 0.0), (5, 0.2), (10, 0.05)])
def test_it_covers_the_expected_share_and_seeds_alone_do_not(seeds, spread):
    rng, repeats, hits = np.random.default_rng(seeds), 600, np.zeros(2)
    for _ in range(repeats):
        table, true = drawn(rng, seeds, 300, spread)
        both, alone = crossed_interval(table), mean_interval(table.mean(axis=1))
        hits += [one.low <= true <= one.high for one in (both, alone)]
    covered, plain = hits / repeats
    noise = 4 * math.sqrt(0.95 * 0.05 / repeats)
    assert 0.95 - noise < covered < 0.99
    assert plain < 0.93


@pytest.mark.parametrize("table", [[[1.0, 0.0]], [[1.0], [0.0]], [1.0, 0.0], [[1, math.nan]] * 2])
def test_a_table_that_is_none_is_one_line(table):
    with pytest.raises(ReglabError, match="needs two seeds and two images"):
        image_variance(np.array(table))


def with_bits(config, *rows):
    bits = np.array(rows[config.seed % len(rows)], dtype=bool)
    record = fake_record(config)
    return replace(record, best=replace(record.best, correct=pack_bits(bits),
                                        accuracy=bits.mean()))  # fmt: skip


BITS = ([1, 1, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0])


@pytest.fixture
def tiny(plan):
    """Two seeds and six test images; with batch normalization every image is right."""
    better = ([1] * 6, [1] * 6)
    return study_frame(plan, lambda c: with_bits(c, *(better if c.batch_norm else BITS)))


def test_levels_are_read_from_the_packed_bits(tiny):
    base, norm = (tables.arm(tiny, "factorial", name) for name in ("none", "bn"))
    shuffled = base.iloc[::-1]
    assert levels.correctness(shuffled).to_numpy().tolist() == [list(map(bool, b)) for b in BITS]
    assert levels.level(base) == crossed_interval(100 * np.array(BITS, dtype=float))
    gain = levels.difference(norm, base.iloc[::-1])
    assert gain == crossed_interval(100 * (1 - np.array(BITS, dtype=float)))
    assert gain.mean == pytest.approx(tables.difference(norm, base).mean)
    table = factorial.widths_table(tiny).set_index("network")
    assert table.loc["no regularization", "level, both"] == pytest.approx(
        levels.level(base).half_width
    )
    assert table.loc["BN", "gain, both"] == pytest.approx(gain.half_width)
    assert table.loc["BN", "level, both"] == 0
    assert math.isnan(table.loc["no regularization", "gain, both"])
    shown = tables.factorial_table(tiny).set_index("network")["± with images"]
    assert shown["L2"] == pytest.approx(levels.level(base).half_width)


def test_levels_that_have_no_interval(plan):
    one = study_frame(replace(plan, seeds=1))
    assert levels.with_images(tables.arm(one, "factorial", "none")) is None
    assert levels.difference(*[tables.arm(one, "factorial", "none")] * 2) is None
    lost = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm))
    assert levels.level(tables.arm(lost, "factorial", "bn")) is None
    mixed = study_frame(plan, lambda c: replace(fake_record(c), learned=c.seed == 0))
    assert levels.level(tables.arm(mixed, "factorial", "none")) is None
    halved = study_frame(plan, lambda c: with_bits(c, [1] * 6, [1] * 3))
    with pytest.raises(ReglabError, match="different numbers of images"):
        levels.level(tables.arm(halved, "factorial", "none"))
