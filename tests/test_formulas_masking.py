"""The dropout chapter's formulas against enumeration, autograd and torch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reglab import formulas
from reglab.errors import ReglabError

RATES = st.floats(0, 0.95)
DROPS = [0.0, 0.2, 0.5, 0.7]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def randn(*shape, generator):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@given(st.integers(1, 6), RATES)
def test_masks_have_the_moments_of_dropout(units, drop):
    masks, probability = formulas.mask_distribution(units, drop)
    assert masks.shape == (2**units, units) and len(masks.unique(dim=0)) == 2**units
    assert probability.sum().item() == pytest.approx(1)
    h = torch.arange(1.0, units + 1, dtype=torch.float64)
    dropped = formulas.dropout(h.expand_as(masks), masks, drop)
    mean, variance = formulas.dropout_moments(h, drop)
    torch.testing.assert_close(probability @ dropped, mean)
    torch.testing.assert_close(probability @ (dropped - h).square(), variance)


def test_the_first_and_last_mask():
    masks, probability = formulas.mask_distribution(2, 0.25)
    assert masks[0].tolist() == [0, 0] and masks[-1].tolist() == [1, 1]
    assert (probability[0], probability[-1]) == (0.0625, 0.5625)


@pytest.mark.parametrize("drop", DROPS)
def test_before_a_softmax_layer_the_full_network_is_the_geometric_mean(generator, drop):
    h, w = randn(5, generator=generator), randn(3, 5, generator=generator)
    masks, probability = formulas.mask_distribution(5, drop)
    each = torch.softmax(formulas.dropout(h.expand_as(masks), masks, drop) @ w.T, dim=1)
    ensemble = formulas.geometric_ensemble(each, probability)
    torch.testing.assert_close(ensemble, torch.softmax(w @ h, dim=0))


def test_equal_members_are_their_geometric_mean():
    p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    weights = torch.tensor([0.4, 0.6], dtype=torch.float64)
    torch.testing.assert_close(formulas.geometric_ensemble(p.expand(2, 3), weights), p)


@pytest.mark.parametrize("drop", DROPS)
def test_expected_squared_error_over_all_masks(generator, drop):
    x, y, b = (randn(*shape, generator=generator) for shape in ((9, 3), (9,), (3,)))
    masks, probability = formulas.mask_distribution(3, drop)
    loss = sum(
        q * (y - formulas.dropout(x, mask.expand_as(x), drop) @ b).square().sum()
        for mask, q in zip(masks, probability, strict=True)
    )
    torch.testing.assert_close(formulas.expected_dropout_loss(x, y, b, drop), loss)


@pytest.mark.parametrize("drop", DROPS)
def test_dropout_regression_is_stationary(generator, drop):
    x, y = randn(20, 4, generator=generator), randn(20, generator=generator)
    b = formulas.dropout_regression(x, y, drop).requires_grad_()
    loss = formulas.expected_dropout_loss(x, y, b, drop)
    assert torch.autograd.grad(loss, b)[0].abs().max() < 1e-9


def test_dropout_regression_without_dropout_is_least_squares(generator):
    x, y = randn(20, 4, generator=generator), randn(20, generator=generator)
    solution = formulas.dropout_regression(x, y, 0.0)
    torch.testing.assert_close(solution, torch.linalg.lstsq(x, y).solution)


def test_dropout_regression_copes_with_more_columns_than_rows(generator):
    x, y = randn(3, 5, generator=generator), randn(3, generator=generator)
    assert formulas.dropout_regression(x, y, 0.5).isfinite().all()


@pytest.mark.parametrize("drop", DROPS)
def test_excess_is_the_mean_loss_minus_the_loss(generator, drop):
    x, b = randn(7, 4, generator=generator), randn(4, generator=generator)
    masks, probability = formulas.mask_distribution(4, drop)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    for labels in (torch.zeros(7, dtype=torch.float64), torch.ones(7, dtype=torch.float64)):
        mean = sum(
            q * loss(x @ (mask * b) / (1 - drop), labels, reduction="sum")
            for mask, q in zip(masks, probability, strict=True)
        )
        excess = formulas.dropout_excess(x, b, drop)
        torch.testing.assert_close(excess, mean - loss(x @ b, labels, reduction="sum"))


@given(RATES, st.floats(0, 3))
def test_excess_is_never_negative(drop, size):
    x = torch.tensor([[1.0, -2.0], [0.5, 0.25]], dtype=torch.float64)
    b = torch.tensor([size, -1.0], dtype=torch.float64)
    assert formulas.dropout_excess(x, b, drop) >= -1e-12


def test_wagers_penalty_is_half_curvature_times_variance(generator):
    x, b = randn(6, 3, generator=generator), randn(3, generator=generator)
    z = (x @ b).requires_grad_()
    slope = torch.autograd.grad(torch.nn.functional.softplus(z).sum(), z, create_graph=True)[0]
    curvature = torch.autograd.grad(slope.sum(), z)[0]
    variance = formulas.dropout_moments(x * b, 0.3)[1].sum(dim=1)
    penalty = formulas.wager_penalty(x, b, 0.3)
    torch.testing.assert_close(penalty, (curvature * variance).sum() / 2)


def test_wagers_penalty_approaches_the_excess_for_small_contributions(generator):
    x, b = randn(8, 5, generator=generator), randn(5, generator=generator)
    exact, quadratic = (
        f(x, b / 1000, 0.2) for f in (formulas.dropout_excess, formulas.wager_penalty)
    )
    assert quadratic.item() == pytest.approx(exact.item(), rel=0.01)


@given(RATES, st.floats(0, 10))
def test_the_printed_penalty_is_weaker_than_l2(drop, lam):
    theta = torch.tensor([1.0, -3.0], dtype=torch.float64)
    penalty = formulas.printed_dropout_penalty(theta, drop, lam).item()
    assert math.isclose(penalty, lam * 5 * (1 - drop), abs_tol=1e-12)


ONES = torch.ones(2, 2, dtype=torch.float64)


@pytest.mark.parametrize(
    "call",
    [
        lambda: formulas.mask_distribution(0, 0.5),
        lambda: formulas.mask_distribution(17, 0.5),
        lambda: formulas.mask_distribution(3, 1.0),
        lambda: formulas.geometric_ensemble(torch.eye(2), torch.tensor([0.5, 0.5])),
        lambda: formulas.dropout_ridge_penalty(ONES, ONES[0], 1.0),
        lambda: formulas.expected_dropout_loss(ONES, ONES[0], ONES[0], -0.1),
        lambda: formulas.dropout_regression(ONES, ONES[0], float("nan")),
        lambda: formulas.dropout_regression(ONES, ONES[0], 0.0),
        lambda: formulas.dropout_regression(0 * ONES, ONES[0], 0.5),
        lambda: formulas.dropout_excess(ONES, ONES[0], 1.5),
        lambda: formulas.dropout_excess(torch.ones(1, 20), torch.ones(20), 0.5),
        lambda: formulas.wager_penalty(ONES, ONES[0], 1.0),
        lambda: formulas.printed_dropout_penalty(ONES, 1.0, 0.1),
    ],
)
def test_bad_input_is_one_line(call):
    with pytest.raises(ReglabError) as caught:
        call()
    assert "\n" not in str(caught.value)
