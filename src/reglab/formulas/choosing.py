"""Choosing the best of several estimates: by how much luck flatters the one that looks best."""

from __future__ import annotations

import math

import torch

from reglab.errors import ReglabError

__all__ = ["expected_maximum", "luck_of_the_best"]


def expected_maximum(count: int) -> float:
    r"""Return the mean of the largest of independent standard normal numbers.

    It is :math:`k\int x\,\varphi(x)\,\Phi(x)^{k-1}\,dx`, here by the trapezoidal rule.

    Args:
        count: k, >= 1.

    Raises:
        ReglabError: count < 1.
    """
    if count < 1:
        raise ReglabError(f"count must be at least 1, got {count}")
    x = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    below = torch.special.ndtr(x)
    return float(count * torch.trapezoid(x * density * below ** (count - 1), x))


def luck_of_the_best(count: int, error: float, correlation: float = 0.0) -> float:
    r"""Return by how much the largest of equally good estimates exceeds the truth, on average.

    For normal estimates of one standard error s whose errors all correlate by :math:`\rho`, it is
    :math:`s\sqrt{1-\rho}\;e_k` with `expected_maximum` :math:`e_k`: what they share moves all of
    them, the largest too, and has mean zero.

    Args:
        count: of estimates, >= 1.
        error: s, >= 0, in the unit of the estimates.
        correlation: of each two errors, in [0, 1].

    Raises:
        ReglabError: an argument out of its range.
    """
    if error < 0 or not 0 <= correlation <= 1:
        raise ReglabError(
            f"error must be >= 0 and correlation in [0, 1], got {error} and {correlation}"
        )
    return error * math.sqrt(1 - correlation) * expected_maximum(count)
