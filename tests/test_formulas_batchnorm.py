"""Batch normalization's formulas against torch, autograd and counting."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from reglab import formulas
from reglab.errors import ReglabError

SHAPES = [(8, 3), (4, 3, 5, 2)]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(11)


def randn(*shape, generator):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("eps", [1e-5, 0.3, 0.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_backward_is_autograds(generator, shape, eps):
    x = (2 * randn(*shape, generator=generator) + 1).requires_grad_()
    gamma = randn(3, generator=generator).requires_grad_()
    beta = randn(3, generator=generator).requires_grad_()
    upstream = randn(*shape, generator=generator)
    y = formulas.batch_norm(x, gamma, beta, eps)
    expected = torch.autograd.grad(y, (x, gamma, beta), upstream)
    for ours, theirs in zip(
        formulas.batch_norm_backward(x.detach(), gamma.detach(), upstream, eps),
        expected,
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("shape", SHAPES)
def test_running_statistics_and_evaluation_are_torchs(generator, shape):
    theirs = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3).double()
    with torch.no_grad():
        theirs.weight.copy_(randn(3, generator=generator))
        theirs.bias.copy_(randn(3, generator=generator))
    mean, variance = torch.zeros(3).double(), torch.ones(3).double()
    for _ in range(4):
        batch = 3 * randn(*shape, generator=generator) - 1
        theirs(batch)
        mean, variance = formulas.running_statistics(mean, variance, batch)
    torch.testing.assert_close(mean, theirs.running_mean)
    torch.testing.assert_close(variance, theirs.running_var)
    new = randn(*shape, generator=generator)
    ours = formulas.batch_norm_eval(new, mean, variance, theirs.weight, theirs.bias)
    torch.testing.assert_close(ours, theirs.eval()(new))


@given(
    st.lists(st.integers(-20, 20), min_size=2, max_size=4),
    st.integers(min_value=1, max_value=3),
)
@settings(max_examples=30, deadline=None)
def test_batch_moments_by_counting_every_batch(values, batch):
    """Draws with replacement are independent; every batch is counted, so nothing is random."""
    population = torch.tensor(values, dtype=torch.float64)
    batches = torch.stack([torch.stack(b) for b in itertools.product(population, repeat=batch)])
    of_mean, of_variance = formulas.batch_moments(population.var(correction=0).item(), batch)
    assert batches.mean(1).var(correction=0).item() == pytest.approx(of_mean, abs=1e-9)
    counted = batches.var(1, correction=0).mean().item()
    assert counted == pytest.approx(of_variance, abs=1e-9)


def loss_of(weight, x, target):
    y = formulas.batch_norm(x @ weight.T, torch.ones(2).double(), torch.zeros(2).double(), 0.0)
    return (y.relu() - target).square().sum()


@given(st.floats(0.1, 10), st.floats(1e-3, 10))
@settings(max_examples=25, deadline=None)
def test_scale_invariance_and_what_follows(scale, lr):
    generator = torch.Generator().manual_seed(5)
    x, target = randn(12, 4, generator=generator), randn(12, 2, generator=generator)
    weight = randn(2, 4, generator=generator)

    def gradient(w):
        w = w.clone().requires_grad_()
        return torch.autograd.grad(loss_of(w, x, target), w)[0]

    g = gradient(weight)
    torch.testing.assert_close(loss_of(scale * weight, x, target), loss_of(weight, x, target))
    torch.testing.assert_close(gradient(scale * weight), formulas.gradient_at_scale(g, scale))
    torch.testing.assert_close((g * weight).sum(1), torch.zeros(2).double(), atol=1e-9, rtol=0)
    for row in range(2):
        w, new = weight[row], weight[row] - lr * g[row]
        expected = formulas.squared_norm_after_step(w, g[row], lr)
        torch.testing.assert_close(new.square().sum(), expected)
        rate = formulas.effective_learning_rate(lr, w)
        unit = w / w.norm() - rate * formulas.gradient_at_scale(g[row], 1 / w.norm().item())
        torch.testing.assert_close(unit / unit.norm(), new / new.norm())


def test_training_times_by_hand():
    times = formulas.training_times([2.0, 3.0, 4.0], [0.5, 0.8, 0.7], 0.75)
    assert times == {
        "seconds_per_epoch": 3.0,
        "epochs": 3,
        "seconds": 9.0,
        "seconds_to_target": 5.0,
    }
    assert formulas.training_times([2.0], [0.5], 0.6)["seconds_to_target"] is None
    assert formulas.training_times([2.0], [0.5], 0.5)["seconds_to_target"] == 2.0


@given(st.floats(0.5, 3), st.floats(-0.5, 0.9), st.integers(1, 100))
def test_saving_is_kept_when_the_run_is_played_through(cost_ratio, saving, epochs):
    needed = epochs * formulas.epochs_for_saving(cost_ratio, saving)
    assert math.isclose(needed * cost_ratio, (1 - saving) * epochs, rel_tol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: formulas.batch_norm_backward(torch.ones(3, 2), torch.ones(2), torch.ones(3)),
        lambda: formulas.running_statistics(torch.zeros(2), torch.ones(2), torch.ones(1, 2)),
        lambda: formulas.running_statistics(torch.zeros(2), torch.ones(2), torch.ones(4, 2), 1.1),
        lambda: formulas.batch_moments(1.0, 0),
        lambda: formulas.batch_moments(-1.0, 2),
        lambda: formulas.gradient_at_scale(torch.ones(2), 0.0),
        lambda: formulas.effective_learning_rate(0.1, torch.zeros(3)),
        lambda: formulas.effective_learning_rate(-0.1, torch.ones(3)),
        lambda: formulas.squared_norm_after_step(torch.ones(2), torch.ones(3), 0.1),
        lambda: formulas.training_times([], [], 0.5),
        lambda: formulas.training_times([1.0], [0.5, 0.6], 0.5),
        lambda: formulas.epochs_for_saving(0.0, 0.1),
        lambda: formulas.epochs_for_saving(1.0, 1.0),
    ],
)
def test_bad_input_is_one_line(call):
    with pytest.raises(ReglabError) as caught:
        call()
    assert "\n" not in str(caught.value)
