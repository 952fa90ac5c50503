"""Each formula against torch, against autograd, or against a simulation."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from reglab import formulas
from reglab.errors import ReglabError


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(7)


def randn(*shape, generator, requires_grad=False):
    drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return drawn.requires_grad_(requires_grad)


def test_cross_entropy_is_torchs(generator):
    logits = randn(6, 4, generator=generator) * 30
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    torch.testing.assert_close(
        formulas.cross_entropy(logits, labels), nn.functional.cross_entropy(logits, labels)
    )


def test_cross_entropy_of_uniform_scores_is_log_k():
    value = formulas.cross_entropy(torch.zeros(5, 10), torch.arange(5))
    assert value.item() == pytest.approx(math.log(10))


def test_l2_gradient_is_the_penaltys_by_autograd(generator):
    w = randn(3, 4, generator=generator, requires_grad=True)
    v = randn(2, generator=generator, requires_grad=True)
    formulas.l2_penalty([w, v], 0.3).backward()
    torch.testing.assert_close(w.grad, formulas.l2_gradient(w.detach(), 0.3))
    torch.testing.assert_close(v.grad, formulas.l2_gradient(v.detach(), 0.3))


def test_l2_penalty_by_hand():
    weights = [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])]
    assert formulas.l2_penalty(weights, 0.5).item() == pytest.approx(0.5 * 0.5 * 14)


def test_coupled_l2_is_sgds_weight_decay_with_momentum(generator):
    start, target = randn(5, generator=generator), randn(5, generator=generator)
    results = []
    for decay, lam in ((0.2, 0.0), (0.0, 0.2)):
        w = start.clone().requires_grad_()
        optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=decay)
        for _ in range(5):
            optimizer.zero_grad()
            loss = (w - target).square().sum() + formulas.l2_penalty([w], lam)
            loss.backward()
            optimizer.step()
        results.append(w.detach())
    torch.testing.assert_close(*results)


def test_coupled_l2_is_not_adamws_weight_decay(generator):
    start, target = randn(5, generator=generator), randn(5, generator=generator)
    results = []
    for optimizer_class in (torch.optim.Adam, torch.optim.AdamW):
        w = start.clone().requires_grad_()
        optimizer = optimizer_class([w], lr=0.1, weight_decay=0.2)
        for _ in range(5):
            optimizer.zero_grad()
            (w - target).square().sum().backward()
            optimizer.step()
        results.append(w.detach())
    assert (results[0] - results[1]).abs().max() > 1e-3


def test_effective_lambda_of_each_reading():
    assert formulas.effective_lambda(0.1, "coupled", 1000) == 0.1
    assert formulas.effective_lambda(0.1, "per_sample", 1000) == pytest.approx(1e-4)
    assert formulas.effective_lambda(0.1, "decoupled", 1000) == 0.0


@pytest.mark.parametrize("inverted", [True, False])
def test_dropout_moments_by_simulation(generator, inverted):
    drop, n = 0.3, 200_000
    h = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    masks = (torch.rand(n, 3, generator=generator, dtype=torch.float64) >= drop).double()
    sampled = formulas.dropout(h.expand(n, 3), masks, drop) if inverted else masks * h
    mean, variance = formulas.dropout_moments(h, drop, inverted=inverted)
    standard_error = (variance / n).sqrt()
    assert ((sampled.mean(0) - mean).abs() < 5 * standard_error).all()
    torch.testing.assert_close(sampled.var(0), variance, rtol=0.02, atol=0)


def test_dropout_is_torchs_for_the_same_mask(generator):
    h = randn(1000, generator=generator).abs() + 0.1
    theirs = nn.functional.dropout(h, 0.4, training=True)
    mask = (theirs != 0).double()
    torch.testing.assert_close(formulas.dropout(h, mask, 0.4), theirs)


@pytest.mark.parametrize("shape", [(8, 3), (8, 3, 4, 5)])
def test_batch_norm_is_torchs(generator, shape):
    x = randn(*shape, generator=generator) * 3 + 1
    gamma, beta = randn(3, generator=generator), randn(3, generator=generator)
    theirs = nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-5)
    torch.testing.assert_close(formulas.batch_norm(x, gamma, beta), theirs)


def test_batch_norm_without_epsilon_is_nan_for_a_constant_channel():
    x = torch.ones(4, 2)
    one, zero = torch.ones(2), torch.zeros(2)
    assert formulas.batch_norm(x, one, zero, eps=0.0).isnan().all()
    assert (formulas.batch_norm(x, one, zero) == 0).all()


@pytest.mark.parametrize(("n", "d"), [(20, 5), (40, 10), (15, 12)])
def test_least_squares_risks_by_simulation(n, d):
    rng, sigma, repeats = np.random.default_rng(0), 0.5, 4000
    train, test = [], []
    for _ in range(repeats):
        x, noise = rng.standard_normal((n, d)), sigma * rng.standard_normal(n)
        error = np.linalg.lstsq(x, noise, rcond=None)[0]  # estimate minus truth
        train.append(np.mean((noise - x @ error) ** 2))
        test.append(sigma**2 + error @ error)
    expected = formulas.least_squares_risks(n, d, sigma**2)
    for sample, value in zip((train, test), expected, strict=True):
        assert abs(np.mean(sample) - value) < 5 * np.std(sample) / math.sqrt(repeats)


def test_generalization_gap_sign():
    assert formulas.generalization_gap(train_loss=0.1, test_loss=0.4) == pytest.approx(0.3)


def test_calibration_error_by_hand():
    # Two bins in use: confidence 0.9 (right once of twice), 0.6 (right twice of twice).
    p = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = torch.tensor([0, 1, 0, 0])
    expected = 0.5 * abs(0.5 - 0.9) + 0.5 * abs(1.0 - 0.6)
    assert formulas.calibration_error(p, labels).item() == pytest.approx(expected, abs=1e-6)


def test_calibration_error_of_calibrated_guesses_is_near_zero(generator):
    p = torch.softmax(2 * randn(100_000, 5, generator=generator), 1)
    labels = torch.multinomial(p, 1, generator=generator).squeeze(1)
    assert formulas.calibration_error(p, labels).item() < 0.01


@pytest.mark.parametrize(
    "call",
    [
        lambda: formulas.l2_penalty([torch.ones(1)], -0.1),
        lambda: formulas.l2_penalty([torch.ones(1)], float("nan")),
        lambda: formulas.l2_penalty([], 0.1),
        lambda: formulas.l2_gradient(torch.ones(1), -1.0),
        lambda: formulas.effective_lambda(0.1, "nielsen", 10),
        lambda: formulas.effective_lambda(0.1, "coupled", 0),
        lambda: formulas.dropout(torch.ones(1), torch.ones(1), 1.0),
        lambda: formulas.dropout_moments(torch.ones(1), -0.1),
        lambda: formulas.least_squares_risks(10, 9, 1.0),
    ],
)
def test_bad_input_is_one_line(call):
    with pytest.raises(ReglabError) as caught:
        call()
    assert "\n" not in str(caught.value)
