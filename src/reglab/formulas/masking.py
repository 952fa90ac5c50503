"""Dropout: masks, their moments, and what averaging over them does to a loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from reglab.errors import ReglabError

__all__ = [
    "dropout",
    "dropout_excess",
    "dropout_moments",
    "dropout_regression",
    "dropout_ridge_penalty",
    "expected_dropout_loss",
    "geometric_ensemble",
    "mask_distribution",
    "printed_dropout_penalty",
    "wager_penalty",
]

MOST_UNITS = 16  # 65,536 masks


def dropout(h: Tensor, mask: Tensor, drop: float) -> Tensor:
    r"""Return inverted dropout :math:`\tilde h = r \odot h / (1 - \delta)`.

    The paper's :math:`\tilde h = r \odot h` has mean :math:`p\,h`, p the keep probability; dividing
    by :math:`p = 1 - \delta` while training makes the mean h, so that evaluation needs no change.

    Args:
        h: activations, any shape.
        mask: r, ones (kept) and zeros (dropped), the shape of ``h``.
        drop: drop rate delta in [0, 1).
    """
    check_drop(drop)
    return h * mask / (1 - drop)


def dropout_moments(h: Tensor, drop: float, *, inverted: bool = True) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance over masks of a dropped-out activation, elementwise.

    Inverted: :math:`h` and :math:`\frac{\delta}{1-\delta}h^2`; as the paper writes it, without
    the division: :math:`(1-\delta)h` and :math:`\delta(1-\delta)h^2`.
    """
    check_drop(drop)
    if inverted:
        return h, drop / (1 - drop) * h.square()
    return (1 - drop) * h, drop * (1 - drop) * h.square()


def mask_distribution(units: int, drop: float) -> tuple[Tensor, Tensor]:
    r"""Return all masks of some units, shape (2^units, units), and their probabilities.

    :math:`q(r) = \prod_j (1-\delta)^{r_j}\,\delta^{1-r_j}`, float64.

    Raises:
        ReglabError: drop is no drop rate, or units is not in 1..16.
    """
    check_drop(drop)
    if not 1 <= units <= MOST_UNITS:
        raise ReglabError(f"masks are listed for 1 to {MOST_UNITS} units, got {units}")
    masks = (torch.arange(2**units)[:, None] >> torch.arange(units) & 1).double()  # (2^u, u)
    return masks, (masks * (1 - drop) + (1 - masks) * drop).prod(dim=1)


def geometric_ensemble(probabilities: Tensor, weights: Tensor) -> Tensor:
    r"""Return the normalized geometric mean of M predictions of one example, shape (K,).

    :math:`\bar p_c \propto \prod_r p_c(r)^{q(r)}`: the product of experts of which dropout before a
    softmax layer is exactly one evaluation (Srivastava et al. 2014; Warde-Farley et al. 2013).

    Args:
        probabilities: all > 0, shape (M, K), rows sum to one.
        weights: q, shape (M,), sums to one.
    """
    if not bool((probabilities > 0).all()):
        raise ReglabError("a geometric mean needs probabilities > 0")
    return torch.softmax(weights @ probabilities.log(), dim=0)  # (M,) @ (M, K) -> (K,)


def dropout_ridge_penalty(x: Tensor, b: Tensor, drop: float) -> Tensor:
    r"""Return :math:`\frac{\delta}{1-\delta}\sum_j b_j^2\lVert X_j\rVert^2`.

    What inverted dropout of the inputs adds to the expected squared error of a linear model.

    Args:
        x: inputs X, shape (n, d); column j is :math:`X_j`.
        b: coefficients, shape (d,).
        drop: drop rate delta in [0, 1).
    """
    check_drop(drop)
    return drop / (1 - drop) * (b.square() * x.square().sum(dim=0)).sum()


def expected_dropout_loss(x: Tensor, y: Tensor, b: Tensor, drop: float) -> Tensor:
    r"""Return :math:`\mathbb{E}_R\lVert y - (R \odot X / (1-\delta))\,b\rVert^2`, in closed form.

    The squared error without dropout plus `dropout_ridge_penalty` (Srivastava et al. 2014).
    Shapes: x (n, d), y (n,), b (d,).
    """
    return (y - x @ b).square().sum() + dropout_ridge_penalty(x, b, drop)


def dropout_regression(x: Tensor, y: Tensor, drop: float) -> Tensor:
    r"""Return the minimizer of `expected_dropout_loss` over b, shape (d,).

    :math:`\bigl(X^\top X + \frac{\delta}{1-\delta}\operatorname{diag}(X^\top X)\bigr)^{-1}X^\top y`

    Raises:
        ReglabError: the minimizer is not unique: a column is zero, or columns are dependent and
            nothing is dropped.
    """
    check_drop(drop)
    gram = x.mT @ x  # (d, d)
    system = gram + drop / (1 - drop) * gram.diag().diag()
    if torch.linalg.matrix_rank(system) < len(system):
        raise ReglabError("the minimizer is not unique: a column of zeros, or dependent columns")
    return torch.linalg.solve(system, x.mT @ y)


def dropout_excess(x: Tensor, b: Tensor, drop: float) -> Tensor:
    r"""Return what dropout of the inputs adds to logistic regression's summed loss, exactly.

    :math:`\sum_i \mathbb{E}_r A(\tilde z_i) - A(z_i)` in nats, :math:`A(z) = \log(1 + e^z)`,
    :math:`z_i = x_i^\top b`, :math:`\tilde z_i = (r \odot x_i)^\top b/(1-\delta)`; over all masks.
    The labels cancel. Shapes: x (n, d) with d <= 16, b (d,).
    """
    masks, probability = mask_distribution(len(b), drop)
    scores = x @ (masks * b / (1 - drop)).mT  # (n, 2^d)
    return (softplus(scores) @ probability - softplus(x @ b)).sum()


def wager_penalty(x: Tensor, b: Tensor, drop: float) -> Tensor:
    r"""Return the quadratic approximation of `dropout_excess` (Wager, Wang & Liang 2013), in nats.

    :math:`\frac12\,\frac{\delta}{1-\delta}\sum_i A''(z_i)\sum_j x_{ij}^2 b_j^2` with
    :math:`A''(z) = \sigma(z)(1-\sigma(z))`: ridge on inputs scaled by the diagonal of the Fisher
    information. Shapes: x (n, d), b (d,).
    """
    check_drop(drop)
    chance = torch.sigmoid(x @ b)  # (n,)
    curvature = chance * (1 - chance)
    return drop / (1 - drop) / 2 * (curvature @ (x.square() @ b.square()))


def printed_dropout_penalty(theta: Tensor, drop: float, lam: float) -> Tensor:
    r"""Return the paper's :math:`\frac\lambda2\mathbb{E}\lVert r\odot\theta\rVert^2`, as it reads.

    It is :math:`\frac\lambda2(1-\delta)\lVert\theta\rVert^2`: falling in the drop rate, zero at
    lambda = 0. Not what dropout does; see `expected_dropout_loss` for that.
    """
    check_drop(drop)
    return lam / 2 * (1 - drop) * theta.square().sum()


def check_drop(drop: float) -> None:
    if not 0 <= drop < 1:
        raise ReglabError(f"drop must be a drop rate in [0, 1), got {drop}")
