"""Interactions, shares and pairs of techniques, by hand and by their properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reglab import formulas
from reglab.cells import CELLS
from reglab.errors import ReglabError

NAMES = [name for name, *_ in CELLS]
# The paper's CIFAR-10 tables, in points above the baseline's 81.2.
PAPERS = {"none": 0.0, "l2": 2.0, "dropout": 2.8, "bn": 3.1, "l2+dropout": 2.4, "l2+bn": 3.1,
          "dropout+bn": 3.8, "all": 5.0}  # fmt: skip
factorials = st.fixed_dictionaries({name: st.floats(-100, 100) for name in NAMES})


def test_interactions_by_hand():
    contrasts = formulas.interaction_contrasts(PAPERS)
    assert contrasts == pytest.approx(
        {"l2+dropout": -2.4, "l2+bn": -2.0, "dropout+bn": -2.1, "all": 5.0 - 7.9 + 6.5}
    )


def test_shares_by_hand():
    shares = formulas.shapley_shares(PAPERS)
    l2 = 2.0 / 3 + (2.4 - 2.8) / 6 + (3.1 - 3.1) / 6 + (5.0 - 3.8) / 3
    assert shares["l2"] == pytest.approx(l2)


@given(factorials)
def test_shares_sum_to_the_joint_gain(cells):
    assert sum(formulas.shapley_shares(cells).values()) == pytest.approx(
        cells["all"] - cells["none"], abs=1e-9
    )


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4))
def test_gains_that_add_up_have_no_interaction(values):
    base, *gains = values
    gain = dict(zip(("l2", "dropout", "bn"), gains, strict=True))
    cells = {
        name: base + sum(gain[part] for part, added in zip(gain, on_off, strict=True) if added)
        for name, *on_off in CELLS
    }
    contrasts = formulas.interaction_contrasts(cells)
    assert list(contrasts.values()) == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert formulas.shapley_shares(cells) == pytest.approx(gain, abs=1e-9)


@given(factorials)
def test_gains_and_contrasts_rebuild_the_cell_of_all_three(cells):
    singles = sum(cells[name] - cells["none"] for name in ("l2", "dropout", "bn"))
    contrasts = sum(formulas.interaction_contrasts(cells).values())
    assert cells["none"] + singles + contrasts == pytest.approx(cells["all"], abs=1e-9)


@pytest.mark.parametrize("formula", [
    formulas.interaction_contrasts, formulas.shapley_shares, formulas.leave_one_out,
    formulas.additive_prediction, formulas.multiplicative_prediction,
])  # fmt: skip
def test_a_missing_cell_is_one_line(formula):
    with pytest.raises(ReglabError, match="missing: all, l2\\+bn"):
        formula({name: 1.0 for name in NAMES if name not in ("all", "l2+bn")})


def test_leaving_one_out_by_hand():
    assert formulas.leave_one_out(PAPERS) == pytest.approx({"l2": 1.2, "dropout": 1.9, "bn": 2.6})


@given(factorials)
def test_what_additivity_misses_is_the_sum_of_the_interactions(cells):
    missed = cells["all"] - formulas.additive_prediction(cells)
    assert missed == pytest.approx(sum(formulas.interaction_contrasts(cells).values()), abs=1e-9)


def test_error_shares_multiply():
    cells = dict.fromkeys(NAMES, 0.0) | {"none": 80.0, "l2": 90.0, "dropout": 85.0, "bn": 90.0}
    assert formulas.multiplicative_prediction(cells) == pytest.approx(100 - 20 * 0.5 * 0.75 * 0.5)


def test_an_errorless_baseline_is_refused():
    with pytest.raises(ReglabError, match="below 100"):
        formulas.multiplicative_prediction(dict.fromkeys(NAMES, 100.0))


def test_combined_loss_is_the_mean_over_masks_plus_the_penalty():
    losses = [torch.tensor(1.0), torch.tensor(3.0)]
    total = formulas.combined_loss(losses, [0.25, 0.75], [torch.tensor([2.0])], 0.5)
    assert total.item() == pytest.approx(2.5 + 1.0)
    for bad in ([1.0], [0.5, 0.6]):
        with pytest.raises(ReglabError, match="one probability"):
            formulas.combined_loss(losses, bad, [torch.tensor([2.0])], 0.5)


def test_the_variance_shift_of_a_rectified_normal_is_the_published_one():
    moments = formulas.rectified_moments(1.0)
    assert formulas.variance_shift(*moments, 0.5) == pytest.approx(2.467, abs=5e-4)
    assert formulas.variance_shift(*moments, 0.3) == pytest.approx(1.629, abs=5e-4)
    assert formulas.variance_shift(*moments, 0.0) == 1


@given(st.floats(0.01, 100), st.floats(0, 0.95))
def test_the_variance_shift_of_a_centred_unit_is_one_over_keep(variance, drop):
    assert formulas.variance_shift(0.0, variance, drop) == pytest.approx(1 / (1 - drop))


def test_rectified_moments_by_integration():
    z = np.linspace(-12, 12, 2_000_001)
    density = np.exp(-((z / 1.5) ** 2) / 2) / (1.5 * math.sqrt(2 * math.pi))
    h = np.maximum(z, 0)
    mean = np.trapezoid(h * density, z)
    variance = np.trapezoid((h - mean) ** 2 * density, z)
    assert formulas.rectified_moments(1.5) == pytest.approx((mean, variance), rel=1e-6)


def test_the_equilibrium_stays_and_attracts():
    lr, lam, gradient = 0.1, 0.05, 3.0
    target = formulas.equilibrium_squared_norm(lr, lam, gradient)
    for start in (target, 0.1, 50.0):
        squared = start
        for _ in range(3000):
            squared = (1 - lr * lam) ** 2 * squared + lr**2 * gradient**2 / squared
        assert squared == pytest.approx(target, rel=1e-9)


def test_binomial_standard_error_by_hand():
    assert formulas.binomial_standard_error(84.0, 10_000) == pytest.approx(0.3666, abs=1e-4)
    assert formulas.binomial_standard_error(100, 10) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: formulas.variance_shift(0.0, 0.0, 0.5),
        lambda: formulas.variance_shift(0.0, 1.0, 1.0),
        lambda: formulas.equilibrium_squared_norm(0.1, 0.0, 1.0),
        lambda: formulas.equilibrium_squared_norm(1.0, 2.0, 1.0),
        lambda: formulas.equilibrium_squared_norm(0.1, 0.1, 0.0),
        lambda: formulas.binomial_standard_error(101, 10),
        lambda: formulas.binomial_standard_error(50, 0),
    ],
)
def test_bad_input_is_refused_in_one_line(call):
    with pytest.raises(ReglabError) as error:
        call()
    assert "\n" not in str(error.value)
