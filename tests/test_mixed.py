"""The mixed model over seeds beside effects formed within seeds: equal, and where it is not."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import fake_record, study_frame

from reglab.cells import CELLS, TECHNIQUES
from reglab.errors import ReglabError
from reglab.results import factorial, mixed
from reglab.stats import mean_interval

TRUE = {"l2": 1.0, "dropout": -2.0, "bn": 0.5}


def drawn(seeds, seed_sd, rest_sd, start=0):
    """A balanced design with known main effects, no interaction, and noise of two kinds."""
    rng = np.random.default_rng(start)
    rows = []
    for seed in range(seeds):
        shift = rng.normal(0, seed_sd)
        for _, *on in CELLS:
            coded = {name: there - 0.5 for name, there in zip(TECHNIQUES, on, strict=True)}
            mean = 80 + sum(TRUE[name] * x for name, x in coded.items())
            accuracy = mean + shift + rng.normal(0, rest_sd)
            rows.append({"seed": seed, "accuracy": accuracy, **coded})
    return pd.DataFrame(rows)


def two_way(rows):
    """Mean squares of seeds and of what is left, by hand."""
    table = rows.pivot_table(index="seed", columns=list(TECHNIQUES), values="accuracy").to_numpy()
    n, cells = table.shape
    seeds = table.mean(1, keepdims=True)
    left = table - table.mean(0) - seeds + table.mean()
    return (
        cells * ((seeds - table.mean()) ** 2).sum() / (n - 1),
        (left**2).sum() / ((n - 1) * (cells - 1)),
    )


@pytest.mark.parametrize("seeds", [4, 10])
def test_variances_and_widths_are_those_of_the_closed_form(seeds):
    rows = drawn(seeds, 2.0, 1.0)
    model = mixed.fit(rows)
    of_seeds, left = two_way(rows)
    assert model.rest_sd == pytest.approx(math.sqrt(left), rel=1e-3)
    assert model.seed_sd == pytest.approx(math.sqrt((of_seeds - left) / 8), rel=1e-3)
    assert not model.on_boundary and model.remarks == ()
    for name, effect in model.effects.items():
        parts = 1 if name in TECHNIQUES else 3 if name == "all" else 2
        # of 8 n runs; a product of k codes of 1/2 has the size 2^-k
        expected = 1.959964 * math.sqrt(left / (8 * seeds)) * 2**parts
        assert effect.half_width == pytest.approx(expected, rel=1e-3), name


def test_effects_are_equal_to_those_within_seeds(study):
    table = mixed.comparison_table(study)
    within = factorial.averaged_effects(study)
    assert table["effect"].tolist()[:4] == ["L2", "dropout", "BN", "L2 × dropout"]
    for row, name in zip(table.itertuples(), within.columns, strict=True):
        ours, theirs = row[2], row[3]
        assert ours == mean_interval(within[name].tolist())
        assert theirs.mean == pytest.approx(ours.mean, abs=1e-6)
        assert theirs.low < theirs.mean < theirs.high
        assert row.n == 2


def test_without_a_variance_of_seeds_it_is_said_and_nothing_leaks():
    rows = drawn(5, 0.0, 1.0)
    levelled = rows["accuracy"] - rows.groupby("seed")["accuracy"].transform("mean") + 80
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = mixed.fit(rows.assign(accuracy=levelled))
    assert model.on_boundary
    assert model.seed_sd < 0.05
    assert model.remarks
    assert all("\n" not in line for line in model.remarks)


def test_seeds_that_lack_a_cell_are_left_out(plan):
    lost = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm and c.seed == 0))
    assert len(mixed.long_form(lost)) == 8
    with pytest.raises(ReglabError, match="needs two seeds with all eight cells"):
        mixed.fit(mixed.long_form(lost))
