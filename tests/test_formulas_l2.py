"""The L2 chapter's formulas against solvers, autograd and torch's optimizers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from reglab import formulas
from reglab.errors import ReglabError


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def randn(*shape, generator):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@given(st.floats(1e-6, 1e6), st.floats(0, 1e6))
def test_shrinkage_minimizes_the_penalized_parabola(curvature, lam):
    kept = formulas.shrinkage(torch.tensor([curvature], dtype=torch.float64), lam).item()
    slope = curvature * (kept - 1) + lam * kept
    assert abs(slope) <= 1e-9 * (curvature + lam)
    assert 0 <= kept <= 1


def test_ridge_is_the_minimizer(generator):
    x, y = randn(20, 4, generator=generator), randn(20, generator=generator)
    b = formulas.ridge(x, y, 0.3).requires_grad_()
    loss = (y - x @ b).square().mean() / 2 + formulas.l2_penalty([b], 0.3)
    assert torch.autograd.grad(loss, b)[0].abs().max() < 1e-12


def test_ridge_without_penalty_is_least_squares(generator):
    x, y = randn(20, 4, generator=generator), randn(20, generator=generator)
    torch.testing.assert_close(formulas.ridge(x, y, 0.0), torch.linalg.lstsq(x, y).solution)


@pytest.mark.parametrize("lam", [0.01, 0.1, 1.0, 10.0])
def test_a_fitted_classifier_obeys_the_bound(generator, lam):
    x, labels = randn(60, 5, generator=generator) * 10, torch.arange(60) % 10
    w = torch.zeros(5, 10, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(x @ w, labels) + formulas.l2_penalty([w], lam)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert 0 < w.detach().square().sum() <= formulas.norm_bound(lam, 10)


def test_lambda_of_prior():
    assert formulas.lambda_of_prior(0.25, 8) == 0.5


def test_the_collapse_radius_balances_pull_and_penalty():
    for lam, depth, largest in ((0.1, 3, 2.0), (2.0, 6, 0.5)):
        r = formulas.collapse_radius(lam, depth, largest)
        pull = math.sqrt(2) * depth * largest * (r * r / depth) ** (depth / 2)
        assert pull == pytest.approx(lam * r * r)


def test_sgd_step_is_torchs(generator):
    w, gradient = randn(6, generator=generator), randn(6, generator=generator)
    parameter = w.clone().requires_grad_()
    parameter.grad = gradient
    torch.optim.SGD([parameter], lr=0.1, weight_decay=0.7).step()
    torch.testing.assert_close(formulas.sgd_step(w, gradient, 0.1, 0.7), parameter.detach())


@pytest.mark.parametrize("decoupled", [False, True])
def test_adams_first_step_is_torchs(generator, decoupled):
    w, gradient = randn(50, generator=generator), randn(50, generator=generator)
    parameter = w.clone().requires_grad_()
    parameter.grad = gradient
    optimizer = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer([parameter], lr=0.1, weight_decay=0.7, eps=1e-30).step()
    ours = formulas.adam_first_step(w, gradient, 0.1, 0.7, decoupled=decoupled)
    torch.testing.assert_close(ours, parameter.detach())


def test_decay_factor_is_repeated_multiplication():
    assert formulas.decay_factor(0.1, 2.0, 3) == pytest.approx(np.prod([0.8] * 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda: formulas.lambda_of_prior(0.0, 5),
        lambda: formulas.lambda_of_prior(1.0, 0),
        lambda: formulas.shrinkage(torch.tensor([1.0, 0.0]), 0.1),
        lambda: formulas.shrinkage(torch.tensor([1.0]), -0.1),
        lambda: formulas.ridge(torch.ones(2, 1), torch.ones(2), math.nan),
        lambda: formulas.norm_bound(0.0, 10),
        lambda: formulas.norm_bound(0.1, 1),
        lambda: formulas.collapse_radius(0.1, 2, 1.0),
        lambda: formulas.collapse_radius(0.1, 3, 0.0),
        lambda: formulas.sgd_step(torch.ones(1), torch.ones(1), 0.1, -1.0),
        lambda: formulas.decay_factor(0.1, -1.0, 1),
        lambda: formulas.adam_first_step(torch.ones(1), torch.ones(1), 0.1, -1.0, decoupled=True),
    ],
)
def test_bad_input_is_refused_in_one_line(call):
    with pytest.raises(ReglabError) as error:
        call()
    assert "\n" not in str(error.value)
