"""Techniques combined: the joint loss, pairs of techniques, interactions, shares of the gain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

from torch import Tensor

from reglab.cells import TECHNIQUES, cell_name
from reglab.errors import ReglabError
from reglab.formulas.l2 import check_lam, l2_penalty
from reglab.formulas.masking import check_drop

__all__ = [
    "additive_prediction",
    "binomial_standard_error",
    "combined_loss",
    "equilibrium_squared_norm",
    "interaction_contrasts",
    "leave_one_out",
    "multiplicative_prediction",
    "rectified_moments",
    "shapley_shares",
    "variance_shift",
]


def _check(cells: Mapping[str, float]) -> None:
    needed = {cell_name(subset) for size in range(4) for subset in combinations(TECHNIQUES, size)}
    if missing := sorted(needed - set(cells)):
        raise ReglabError(f"a factorial needs all eight cells, missing: {', '.join(missing)}")


def interaction_contrasts(cells: Mapping[str, float]) -> dict[str, float]:
    r"""Return :math:`\sum_{T \subseteq S} (-1)^{|S| - |T|} v(T)` for each S of two or three.

    Zero means that the gains over the unregularized cell add up; above zero is synergy, below zero
    redundancy. Keys are the cells' names, "all" for the three-way contrast; unit as ``cells``.

    Args:
        cells: v, one value for each of the eight cells of the factorial.

    Raises:
        ReglabError: a cell is missing.
    """
    _check(cells)
    interactions = {}
    for size in (2, 3):
        for chosen in combinations(TECHNIQUES, size):
            subsets = [part for n in range(size + 1) for part in combinations(chosen, n)]
            interactions[cell_name(chosen)] = sum(
                (-1) ** (size - len(part)) * cells[cell_name(part)] for part in subsets
            )
    return interactions


def shapley_shares(cells: Mapping[str, float]) -> dict[str, float]:
    """Return each technique's gain averaged over the six orders of adding the three.

    The shares sum to the gain of all three over none (Shapley 1953); unit as ``cells``.

    Args:
        cells: one value for each of the eight cells of the factorial.

    Raises:
        ReglabError: a cell is missing.
    """
    _check(cells)
    shares = dict.fromkeys(TECHNIQUES, 0.0)
    orders = list(permutations(TECHNIQUES))
    for order in orders:
        for place, name in enumerate(order):
            gain = cells[cell_name(order[: place + 1])] - cells[cell_name(order[:place])]
            shares[name] += float(gain) / len(orders)
    return shares


def leave_one_out(cells: Mapping[str, float]) -> dict[str, float]:
    r"""Return what each technique's removal from all three costs, :math:`v(all) - v(all - i)`.

    Args:
        cells: one value for each of the eight cells of the factorial.

    Raises:
        ReglabError: a cell is missing.
    """
    _check(cells)
    rest = {name: tuple(other for other in TECHNIQUES if other != name) for name in TECHNIQUES}
    return {name: cells["all"] - cells[cell_name(others)] for name, others in rest.items()}


def additive_prediction(cells: Mapping[str, float]) -> float:
    """Return what all three would give if their gains over the unregularized cell added up.

    Args, errors and unit as `interaction_contrasts`.
    """
    _check(cells)
    return cells["none"] + sum(cells[name] - cells["none"] for name in TECHNIQUES)


def multiplicative_prediction(cells: Mapping[str, float]) -> float:
    r"""Return the accuracy of all three if each removed its share of the errors that are left.

    :math:`100 - e_0 \prod_i e_i/e_0` with errors :math:`e = 100 - v`: no interaction in log error.

    Args:
        cells: accuracies in percent, below 100 for "none".

    Raises:
        ReglabError: a cell is missing, or the unregularized cell makes no errors.
    """
    _check(cells)
    if not cells["none"] < 100:
        raise ReglabError(f"needs an unregularized accuracy below 100 %, got {cells['none']}")
    errors = 100 - cells["none"]
    kept = 1
    for name in TECHNIQUES:
        kept *= (100 - cells[name]) / errors
    return 100 - errors * kept


def combined_loss(
    losses: Sequence[Tensor], probabilities: Sequence[float], weights: Sequence[Tensor], lam: float
) -> Tensor:
    r"""Return :math:`\sum_r P(r) L(r) + \frac\lambda2\lVert w\rVert^2`, dropout's loss with L2.

    Batch normalization has no term: it is part of the network whose losses these are.

    Args:
        losses: mean loss under each mask.
        probabilities: of the masks, summing to one; as many as losses.
        weights: what L2 applies to.
        lam: strength, >= 0.

    Raises:
        ReglabError: unequal lengths, or probabilities that do not sum to one.
    """
    if len(losses) != len(probabilities) or not math.isclose(sum(probabilities), 1, abs_tol=1e-9):
        raise ReglabError("combined_loss needs one probability a loss, and a sum of one")
    expected = sum(p * loss for p, loss in zip(probabilities, losses, strict=True))
    return expected + l2_penalty(weights, lam)


def rectified_moments(sigma: float) -> tuple[float, float]:
    r"""Return mean and variance of :math:`\max(0, z)` for :math:`z \sim N(0, \sigma^2)`.

    :math:`\sigma/\sqrt{2\pi}` and :math:`\sigma^2(\frac12 - \frac1{2\pi})`.
    """
    return sigma / math.sqrt(2 * math.pi), sigma**2 * (0.5 - 0.5 / math.pi)


def variance_shift(mean: float, variance: float, drop: float) -> float:
    r"""Return a unit's variance in training over that in evaluation, under inverted dropout.

    :math:`\bigl((\sigma^2 + \mu^2)/k - \mu^2\bigr)/\sigma^2`, k the keep probability: the mean is
    preserved, the variance is not (Li et al. 2019).

    Args:
        mean, variance: of the unit's activation over images, without dropout; variance > 0.
        drop: drop rate in [0, 1).

    Raises:
        ReglabError: variance <= 0, or a drop rate outside [0, 1).
    """
    check_drop(drop)
    if not variance > 0:
        raise ReglabError(f"needs a variance > 0, got {variance}")
    return ((variance + mean**2) / (1 - drop) - mean**2) / variance


def equilibrium_squared_norm(lr: float, lam: float, unit_gradient: float) -> float:
    r"""Return the :math:`\lVert w\rVert^2` at which decay and steps across balance.

    For scale-invariant weights under plain SGD with L2: decay shortens w by :math:`1-\eta\lambda`,
    the orthogonal gradient of norm :math:`G/\lVert w\rVert` lengthens it, and
    :math:`\lVert w\rVert^4 = \eta G^2/(2\lambda - \eta\lambda^2)` stays (van Laarhoven 2017).

    Args:
        lr: eta > 0.
        lam: strength, > 0, with lr * lam < 2.
        unit_gradient: G > 0, the gradient's norm at weights of norm one.

    Raises:
        ReglabError: a value out of range.
    """
    check_lam(lam)
    if not (lr > 0 and 0 < lr * lam < 2 and unit_gradient > 0):
        raise ReglabError(
            f"needs lr > 0, 0 < lr * lam < 2, gradient > 0; got {lr}, {lam}, {unit_gradient}"
        )
    return math.sqrt(lr * unit_gradient**2 / (2 * lam - lr * lam**2))


def binomial_standard_error(accuracy: float, images: int) -> float:
    r"""Return :math:`100\sqrt{a(1-a)/N}` in points: an accuracy's error from the choice of images.

    Of one trained network, over test sets of N independent images; the seed's share is not in it.

    Args:
        accuracy: in percent, in [0, 100].
        images: N >= 1.

    Raises:
        ReglabError: a value out of range.
    """
    if not (0 <= accuracy <= 100 and images >= 1):
        raise ReglabError(f"needs accuracy in [0, 100], images >= 1; got {accuracy}, {images}")
    share = float(accuracy) / 100
    return 100 * math.sqrt(share * (1 - share) / images)
