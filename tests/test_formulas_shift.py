"""Shift and predictiveness against numbers worked out by hand."""

import pytest
import torch

from reglab import formulas
from reglab.errors import ReglabError


def test_noise_moves_and_spreads_each_channel_by_its_own():
    y = torch.zeros(2, 2, 1, 2)
    xi = torch.tensor([1.0, -1.0]).repeat(2, 2, 1, 1)
    noisy = formulas.drifting_noise(y, torch.tensor([0.5, -2.0]), torch.tensor([0.1, 3.0]), xi)
    assert noisy[0].tolist() == [[[pytest.approx(0.6), pytest.approx(0.4)]], [[1.0, -5.0]]]
    flat = formulas.drifting_noise(
        torch.ones(3, 2), torch.ones(2), torch.zeros(2), torch.ones(3, 2)
    )
    assert flat.tolist() == [[2.0, 2.0]] * 3


def test_input_shift_is_in_deviations_and_leaves_constant_channels_out():
    before = torch.tensor([[0.0, 1.0, 7.0], [2.0, 5.0, 7.0]])  # deviations 1, 2 and 0
    after = before + torch.tensor([0.5, -3.0, 100.0])
    assert formulas.input_shift(before, after) == pytest.approx((0.5 / 1 + 3 / 2) / 2)
    images = before[:, :, None, None].expand(2, 3, 4, 4)
    assert formulas.input_shift(images, images) == 0
    with pytest.raises(ReglabError, match="not constant"):
        formulas.input_shift(before[:, 2:], before[:, 2:])


def test_change_of_a_gradient_is_relative_to_it():
    g = torch.tensor([3.0, 4.0])
    assert formulas.relative_change(g, torch.tensor([3.0, 6.5])) == pytest.approx(0.5)
    assert formulas.relative_change(g, -g) == pytest.approx(2.0)
    assert formulas.gradient_predictiveness(g, [g, 3 * g, 0 * g]) == pytest.approx(2.0)


def test_predictiveness_of_a_quadratic_is_step_times_curvature():
    """L = a/2 |w|^2 has gradient a w, so a step eta along it changes it by the share eta a."""
    w, a = torch.tensor([1.0, -2.0, 0.5]), 3.0
    further = [a * (w - eta * a * w) for eta in (0.1, 0.2)]
    assert formulas.gradient_predictiveness(a * w, further) == pytest.approx(0.2 * a)


def test_bad_input_is_one_line():
    g = torch.ones(2)
    with pytest.raises(ReglabError, match=r"shapes must agree, got \(2,\) and \(3,\)"):
        formulas.relative_change(g, torch.ones(3))
    with pytest.raises(ReglabError, match="not zero"):
        formulas.relative_change(0 * g, g)
    with pytest.raises(ReglabError, match="one point ahead"):
        formulas.gradient_predictiveness(g, [])
