"""Augmentation: where a transformed image's pixels come from, orbit averages, Tikhonov's term."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = [
    "bilinear",
    "effective_images",
    "noise_penalty",
    "one_sided_share",
    "orbit_average",
    "source_point",
    "tangent_penalty",
    "tikhonov_term",
    "variance_lost",
]


def source_point(
    point: Tensor, degrees: float, factor: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)
) -> Tensor:
    r"""Return :math:`\frac1s\,R_{-\alpha}(u - t)`: where a motion fetched what is now at u.

    The motion turns by :math:`\alpha` and scales by s about the centre, then shifts by t.

    Args:
        point: u, (..., 2): x to the right and y down, in pixels from the image's centre.
        degrees: the angle, counter-clockwise as one looks at the image.
        factor: s > 0; above 1 the image becomes larger.
        shift: t, in pixels to the right and down.

    Raises:
        ReglabError: s is not above zero.
    """
    if not factor > 0:
        raise ReglabError(f"factor must be > 0, got {factor}")
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = torch.tensor([[cos, -sin], [sin, cos]], dtype=point.dtype)
    return (point - torch.tensor(shift, dtype=point.dtype)) @ back.T / factor


def bilinear(image: Tensor, column: float, row: float) -> Tensor:
    r"""Return :math:`\sum_{ij} (1 - |x - j|)_+\,(1 - |y - i|)_+\, I_{ij}`; outside I is zero.

    Args:
        image: I, (H, W).
        column, row: x and y; pixel (i, j) is at x = j, y = i.
    """
    height, width = image.shape
    across = (1 - (column - torch.arange(width, dtype=image.dtype)).abs()).clamp(min=0)
    down = (1 - (row - torch.arange(height, dtype=image.dtype)).abs()).clamp(min=0)
    return down @ image @ across


def orbit_average(values: Tensor) -> Tensor:
    r"""Return :math:`\bar f(x) = \frac{1}{|G|}\sum_g f(gx)`, (N,).

    Args:
        values: f of every transformed copy, (N, m): a row an image, a column an element of G.

    Raises:
        ReglabError: another shape.
    """
    _orbits(values)
    return values.mean(dim=1)


def variance_lost(values: Tensor) -> Tensor:
    r"""Return :math:`\mathbb{E}_x \operatorname{Var}_g f(gx)`, the variance that averaging removes.

    Where gx is distributed as x, :math:`\operatorname{Var} f(x) = \operatorname{Var}\bar f(x)` plus
    this (Chen, Dobriban & Lee 2020): the law of total variance, given the orbit.

    Args:
        values: as `orbit_average`; the N images are equally likely.

    Raises:
        ReglabError: another shape.
    """
    _orbits(values)
    return values.var(dim=1, correction=0).mean()


def effective_images(n: float, variance: float, lost: float) -> float:
    r"""Return :math:`n\,\operatorname{Var} f / \operatorname{Var} \bar f`.

    So many images, each used once, estimate a mean as exactly as n whose orbits are averaged.

    Args:
        n: images.
        variance: of f.
        lost: see `variance_lost`; at most the variance, and infinitely many images at that.

    Raises:
        ReglabError: a negative number, or lost > variance.
    """
    if not 0 <= lost <= variance or n < 0:
        raise ReglabError(
            f"needs n >= 0 and 0 <= lost <= variance, got n={n}, lost={lost}, variance={variance}"
        )
    return n * variance / (variance - lost) if lost < variance else math.inf


def one_sided_share(epochs: int) -> float:
    r"""Return :math:`2^{1-T}`: the chance that T flips of a coin show an image from one side only.

    In every other epoch flipped, an image is seen from both sides from T = 2 on (Jordan 2024).

    Raises:
        ReglabError: T < 1.
    """
    if epochs < 1:
        raise ReglabError(f"epochs must be >= 1, got {epochs}")
    return 2.0 ** (1 - epochs)


def noise_penalty(b: Tensor, n: int, variance: float) -> Tensor:
    r"""Return :math:`n\,\sigma^2\lVert b\rVert^2`, what noise in all inputs adds to least squares.

    :math:`\mathbb{E}\lVert y - (X + E)b\rVert^2 - \lVert y - Xb\rVert^2` for E of independent
    entries with mean 0 and variance :math:`\sigma^2`: ridge, exactly (Bishop 1995).

    Args:
        b: coefficients, (d,).
        n: rows of X.
        variance: of an entry of E, in squared units of the inputs.

    Raises:
        ReglabError: a negative variance.
    """
    _not_negative(variance)
    return n * variance * b.square().sum()


def tangent_penalty(tangents: Tensor, b: Tensor, variance: float) -> Tensor:
    r"""Return :math:`\sigma^2 \sum_i (\tau_i^\top b)^2`, what motion along tangents adds.

    As `noise_penalty`, with :math:`x_i + a_i\tau_i` for each row and independent :math:`a_i` of
    mean 0 and variance :math:`\sigma^2` (Simard et al. 1992): only the direction in which an image
    moves is penalized.

    Args:
        tangents: :math:`\tau_i`, (n, d): how row i changes with the motion's amount a.
        b: coefficients, (d,).
        variance: of a, in squared units of a.

    Raises:
        ReglabError: a negative variance.
    """
    _not_negative(variance)
    return variance * (tangents @ b).square().sum()


def tikhonov_term(residual: Tensor, slope: Tensor, bend: Tensor, variance: float) -> Tensor:
    r"""Return :math:`\sigma^2(f'^2 + (f - y) f'')`: what a small motion adds to a squared error.

    The mean of :math:`(f(a) - y)^2` over amounts a of mean 0, variance :math:`\sigma^2` and no
    third moment, minus its value at 0, to an error of order :math:`\sigma^4` (Bishop 1995).

    Args:
        residual: f - y at a = 0.
        slope, bend: first and second derivative of f by a at 0, the residual's shape.
        variance: of a.

    Raises:
        ReglabError: a negative variance.
    """
    _not_negative(variance)
    return variance * (slope.square() + residual * bend)


def _not_negative(variance: float) -> None:
    if not variance >= 0:
        raise ReglabError(f"variance must be >= 0, got {variance}")


def _orbits(values: Tensor) -> None:
    if values.ndim != 2 or 0 in values.shape:
        raise ReglabError(f"needs a row an image and a column a copy, got {tuple(values.shape)}")
