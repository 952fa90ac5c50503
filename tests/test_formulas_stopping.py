"""Descent against its own steps and torch's; Prechelt's criteria against figures done by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reglab import formulas
from reglab.errors import ReglabError
from reglab.training.stopping import EarlyStopping

H = torch.tensor([0.01, 0.3, 2.0], dtype=torch.float64)
POSITIVE = st.lists(st.floats(0.01, 100), min_size=1, max_size=30)


def steps_taken(momentum, steps, lr=0.4, optimizer=torch.optim.SGD):
    """What torch's optimizer has reached of a minimum at 1 in each direction."""
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    descent = optimizer([w], lr=lr, momentum=momentum)
    for _ in range(steps):
        descent.zero_grad()
        (H * (w - 1).square()).sum().div(2).backward()
        descent.step()
    return w.detach()


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_filters_are_what_torch_has_reached(steps):
    torch.testing.assert_close(formulas.descent_filter(H, 0.4, steps), steps_taken(0, steps))
    for momentum in (0.0, 0.9):
        reached = formulas.momentum_filter(H, 0.4, momentum, steps)
        torch.testing.assert_close(reached, steps_taken(momentum, steps))


@given(st.floats(1e-6, 1), st.floats(1e-3, 1e3), st.integers(1, 10_000))
def test_a_matching_lambda_shrinks_as_descent_does(step, curvature, steps):
    h, lr = torch.tensor([curvature], dtype=torch.float64), step / curvature * (1 - 1e-12)
    lam = formulas.matching_lambda(h, lr, steps).item()
    kept = formulas.descent_filter(h, lr, steps).item()
    assert formulas.shrinkage(h, lam).item() == pytest.approx(kept, rel=1e-6)
    assert 0 <= lam <= 1 / (lr * steps)


def test_a_matching_lambda_is_one_over_time_early_on():
    h = torch.tensor([1e-9], dtype=torch.float64)
    assert formulas.matching_lambda(h, 0.5, 40).item() == pytest.approx(1 / 20, rel=1e-6)
    assert formulas.matching_lambda(torch.ones(1), 1.0, 3).item() == 0


@given(POSITIVE)
def test_patience_counts_as_the_training_loop_does(losses):
    stopper = EarlyStopping(3)
    for loss in losses:
        stopper.improved(loss)
    since = formulas.epochs_since_best(losses)
    assert since == len(losses) - stopper.best_epoch
    assert (since >= 3) == stopper.should_stop


def test_generalization_loss_by_hand():
    assert formulas.generalization_loss([2.0, 1.0, 1.25]) == pytest.approx(25)
    assert formulas.generalization_loss([2.0, 1.0]) == 0
    assert formulas.generalization_loss([0.0, 0.1]) == math.inf
    assert formulas.generalization_loss([0.0]) == 0


def test_training_progress_by_hand():
    losses = [9.0, 3.0, 2.0, 1.0]
    assert formulas.training_progress(losses, 3) == pytest.approx(1000 * (2 / 1 - 1))
    assert formulas.training_progress(losses, 1) == 0
    assert formulas.training_progress([0.5] * 4, 4) == 0


@given(POSITIVE, st.floats(0.1, 10))
def test_criteria_have_no_unit(losses, factor):
    scaled = [factor * loss for loss in losses]
    gl, strip = formulas.generalization_loss(losses), len(losses)
    assert formulas.generalization_loss(scaled) == pytest.approx(gl, rel=1e-9, abs=1e-9)
    progress = formulas.training_progress(losses, strip)
    assert formulas.training_progress(scaled, strip) == pytest.approx(progress, rel=1e-9, abs=1e-9)


def test_progress_quotient_by_hand():
    train, val = [3.0, 2.0, 1.0], [1.0, 0.8, 1.0]
    assert formulas.progress_quotient(train, val, 3) == pytest.approx(25 / 1000)
    assert formulas.progress_quotient([1.0, 1.0], [1.0, 1.1], 2) == math.inf
    assert formulas.progress_quotient([1.0, 1.0], [1.0, 1.0], 2) == 0


def test_rises_of_strips_by_hand():
    losses = [5, 1, 9, 2, 0, 3, 8, 3]  # strips of two end at 1, 2, 3 and 3
    assert [formulas.successive_rises(losses[:n], 2) for n in (1, 3, 4, 5, 6, 8)] == [
        0, 0, 1, 1, 2, 0,
    ]  # fmt: skip
    assert formulas.successive_rises(losses, 1) == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: formulas.descent_filter(-H, 0.1, 1), "eigenvalues > 0"),
        (lambda: formulas.descent_filter(H, 0.0, 1), "lr must be finite and > 0, got 0"),
        (lambda: formulas.descent_filter(H, 0.1, 1.5), "steps must be a whole number >= 0"),
        (lambda: formulas.matching_lambda(H, 0.6, 1), "lr \\* curvature <= 1, got 1 and 1.2"),
        (lambda: formulas.matching_lambda(H, 0.1, 0), "needs a step"),
        (lambda: formulas.momentum_filter(H, 0.1, 1.0, 1), "momentum must be in \\[0, 1\\)"),
        (lambda: formulas.generalization_loss([]), "at least one, got \\[\\]"),
        (lambda: formulas.generalization_loss([1.0, math.nan]), "val_losses must be finite"),
        (lambda: formulas.epochs_since_best([-1.0]), "numbers >= 0"),
        (lambda: formulas.training_progress([1.0], 2), "strip of 2 epochs needs as many losses"),
        (lambda: formulas.successive_rises([1.0], 0), "at least one epoch, got 0"),
        (lambda: formulas.progress_quotient([1.0], [1.0, 2.0], 1), "both losses of each epoch"),
    ],
)
def test_bad_input_is_one_line(call, said):
    with pytest.raises(ReglabError, match=said) as why:
        call()
    assert "\n" not in str(why.value)
