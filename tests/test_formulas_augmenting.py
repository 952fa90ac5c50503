"""Formulas of augmentation, by other roads: all cases listed, autograd, the library's motion."""

import math
from itertools import product

import pytest
import torch

from reglab import formulas
from reglab.errors import ReglabError
from reglab.training.augmenting import warped


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_a_quarter_turn_takes_the_right_from_the_bottom():
    """Counter-clockwise, what was at the bottom comes to the right; y is down."""
    found = formulas.source_point(torch.tensor([1.0, 0.0]), 90)
    torch.testing.assert_close(found, torch.tensor([0.0, 1.0]))
    moved = formulas.source_point(torch.tensor([[3.0, 5.0]]), 0, 2.0, (1.0, -1.0))
    assert moved.tolist() == [[1.0, 3.0]]


def test_pixels_by_the_formulas_are_the_librarys():
    image = torch.randint(0, 256, (9, 7), generator=torch.Generator().manual_seed(0))
    degrees, factor, shift = 25.0, 1.3, (1.0, -2.0)
    by_formula = torch.zeros(9, 7, dtype=torch.float64)
    for row, column in product(range(9), range(7)):
        point = torch.tensor([column - 3.0, row - 4.0], dtype=torch.float64)
        x, y = formulas.source_point(point, degrees, factor, shift).tolist()
        by_formula[row, column] = formulas.bilinear(image.double(), x + 3, y + 4)
    moved = warped(
        image.to(torch.uint8)[None, None],
        torch.tensor([degrees]),
        torch.tensor([factor]),
        torch.tensor([shift]),
    )
    assert (moved[0, 0] - by_formula).abs().max() <= 0.5 + 1e-3
    assert by_formula.max() > 50


def test_bilinear_is_exact_at_pixels_and_zero_outside():
    image = rand(4, 5).abs()
    assert formulas.bilinear(image, 3, 2) == image[2, 3]
    assert formulas.bilinear(image, 3.25, 2) == pytest.approx(
        0.75 * image[2, 3].item() + 0.25 * image[2, 4].item()
    )
    assert formulas.bilinear(image, 5, 0) == formulas.bilinear(image, 0, -1) == 0


def test_averaging_over_orbits_keeps_the_mean_and_splits_the_variance():
    """All 3 x 3 images of two greys, turned by quarters."""
    images = torch.tensor(list(product((0.0, 1.0), repeat=9)), dtype=torch.float64).view(-1, 3, 3)
    w = rand(9)
    values = torch.stack(
        [torch.tanh(images.rot90(q, dims=(1, 2)).flatten(1) @ w) for q in range(4)], dim=1
    )
    plain, averaged = values[:, 0], formulas.orbit_average(values)
    assert averaged.mean().item() == pytest.approx(plain.mean().item(), abs=1e-12)
    lost = formulas.variance_lost(values).item()
    whole, rest = (it.var(correction=0).item() for it in (plain, averaged))
    assert lost > 0 and whole == pytest.approx(rest + lost)
    assert formulas.effective_images(10, whole, lost) == pytest.approx(10 * whole / rest)
    assert formulas.effective_images(10, 1.0, 0.0) == 10
    assert formulas.effective_images(10, 1.0, 1.0) == math.inf


def test_one_sided_share_by_listing_all_coins():
    for epochs in (1, 2, 5):
        seen = list(product((0, 1), repeat=epochs))
        one_sided = sum(len(set(coins)) == 1 for coins in seen) / len(seen)
        assert formulas.one_sided_share(epochs) == pytest.approx(one_sided)


def test_penalties_of_least_squares_by_listing_signs():
    """Amounts of plus or minus sigma, each row's own: all combinations of three rows."""
    x, y, b, sigma = rand(3, 2), rand(3, seed=1), rand(2, seed=2), 0.7
    tangents = rand(3, 2, seed=3)
    plain = (y - x @ b).square().sum()
    signs = torch.tensor(list(product((-sigma, sigma), repeat=3)), dtype=torch.float64)
    moved = torch.stack([(y - (x + a[:, None] * tangents) @ b).square().sum() for a in signs])
    torch.testing.assert_close(
        moved.mean() - plain, formulas.tangent_penalty(tangents, b, sigma**2)
    )
    noise = torch.tensor(list(product((-sigma, sigma), repeat=6)), dtype=torch.float64)
    noisy = torch.stack([(y - (x + e.view(3, 2)) @ b).square().sum() for e in noise])
    torch.testing.assert_close(noisy.mean() - plain, formulas.noise_penalty(b, 3, sigma**2))


def test_tikhonovs_term_is_right_to_the_fourth_order():
    def f(a):
        return torch.sin(2 * a + 0.3) + a.square()

    zero, y = torch.zeros((), dtype=torch.float64, requires_grad=True), 0.9
    (slope,) = torch.autograd.grad(f(zero), zero, create_graph=True)
    (bend,) = torch.autograd.grad(slope, zero)
    left = []
    for sigma in (0.1, 0.05):
        sides = [(f(torch.tensor(a, dtype=torch.float64)) - y).square() for a in (sigma, -sigma)]
        exact = sum(sides) / 2 - (f(zero) - y).square()
        term = formulas.tikhonov_term(f(zero) - y, slope, bend, sigma**2)
        left.append((exact - term).item())
    assert left[0] / left[1] == pytest.approx(16, rel=0.05)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: formulas.source_point(torch.zeros(2), 0, 0.0), "factor must be > 0"),
        (lambda: formulas.orbit_average(torch.zeros(3)), "a row an image"),
        (lambda: formulas.variance_lost(torch.zeros(0, 2)), "a row an image"),
        (lambda: formulas.effective_images(5, 1.0, 2.0), "0 <= lost <= variance"),
        (lambda: formulas.one_sided_share(0), "epochs must be >= 1"),
        (lambda: formulas.noise_penalty(torch.ones(2), 3, -1.0), "variance must be >= 0"),
        (lambda: formulas.tangent_penalty(torch.ones(1, 2), torch.ones(2), math.nan), "variance"),
    ],
)
def test_what_makes_no_sense_is_one_line(call, said):
    with pytest.raises(ReglabError, match=said) as why:
        call()
    assert "\n" not in str(why.value)
