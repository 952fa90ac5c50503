"""L2: penalty and gradient, its readings, and what it does to a minimum and to a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = [
    "adam_first_step",
    "collapse_radius",
    "decay_factor",
    "effective_lambda",
    "l2_gradient",
    "l2_penalty",
    "lambda_of_prior",
    "norm_bound",
    "ridge",
    "sgd_step",
    "shrinkage",
]


def l2_penalty(weights: Iterable[Tensor], lam: float) -> Tensor:
    r"""Return :math:`\frac{\lambda}{2}\lVert\theta\rVert_2^2`, the term L2 adds to the mean loss.

    Its gradient is `l2_gradient`. Equal to SGD's ``weight_decay=lam``; not to AdamW's
    (Loshchilov & Hutter 2019). Biases and batch-norm parameters are the caller's to leave out.

    Args:
        weights: tensors of any shape on one device, at least one.
        lam: strength, in units of the loss; must be >= 0.

    Raises:
        ReglabError: if lam is negative or not finite, or there is no weight.
    """
    check_lam(lam)
    squares = [weight.square().sum() for weight in weights]
    if not squares:
        raise ReglabError("l2_penalty needs at least one weight tensor, got none")
    return 0.5 * lam * torch.stack(squares).sum()


def l2_gradient(weight: Tensor, lam: float) -> Tensor:
    r"""Return :math:`\lambda\theta`, the gradient of `l2_penalty`; same shape as ``weight``."""
    check_lam(lam)
    return lam * weight


def effective_lambda(lam: float, reading: str, n_fit: int) -> float:
    r"""Return the factor of :math:`\frac12\lVert w\rVert^2` beside the *mean* loss.

    ``"coupled"``: :math:`\lambda` itself. ``"per_sample"``: :math:`\lambda/n` (Nielsen 2015,
    chapter 3), n the number of images trained on. ``"decoupled"`` adds nothing to the loss: 0.

    Raises:
        ReglabError: unknown reading, lam < 0 or n_fit < 1.
    """
    check_lam(lam)
    if n_fit < 1:
        raise ReglabError(f"n_fit must be >= 1, got {n_fit}")
    factors = {"coupled": lam, "per_sample": lam / n_fit, "decoupled": 0.0}
    if reading not in factors:
        raise ReglabError(f"reading must be one of {', '.join(factors)}, got {reading!r}")
    return factors[reading]


def lambda_of_prior(variance: float, n: int) -> float:
    r"""Return :math:`\lambda = 1/(n\tau^2)`, the strength that a Gaussian prior amounts to.

    With weights :math:`N(0, \tau^2)` a priori and L the mean of n negative log likelihoods, the
    most probable weights minimize :math:`L + \frac\lambda2\lVert w\rVert^2`.

    Args:
        variance: :math:`\tau^2 > 0` of each weight.
        n: number of images in the likelihood, >= 1.

    Raises:
        ReglabError: variance <= 0 or n < 1.
    """
    if not (variance > 0 and n >= 1):
        raise ReglabError(f"needs variance > 0 and n >= 1, got {variance} and {n}")
    return 1 / (n * variance)


def shrinkage(curvature: Tensor, lam: float) -> Tensor:
    r"""Return :math:`h/(h + \lambda)`: what L2 leaves of a minimum along an eigenvector.

    Exact for a quadratic loss with Hessian eigenvalue h (Krogh & Hertz 1991 for linear networks).

    Args:
        curvature: h, eigenvalues of the Hessian, all > 0, any shape.
        lam: strength, >= 0.

    Raises:
        ReglabError: an eigenvalue <= 0, or lam < 0.
    """
    check_lam(lam)
    if not bool((curvature > 0).all()):
        raise ReglabError("shrinkage needs eigenvalues > 0")
    return curvature / (curvature + lam)


def ridge(x: Tensor, y: Tensor, lam: float) -> Tensor:
    r"""Return :math:`(X^\top X/n + \lambda I)^{-1} X^\top y/n`, ridge regression.

    It minimizes :math:`\frac1{2n}\lVert y - Xb\rVert^2 + \frac\lambda2\lVert b\rVert^2`
    (Hoerl & Kennard 1970, whose strength is :math:`n\lambda`). There is no intercept.

    Args:
        x: inputs X, shape (n, d).
        y: targets, shape (n,).
        lam: strength, >= 0; at 0 the columns of X must be independent.
    """
    check_lam(lam)
    n, d = x.shape
    return torch.linalg.solve(x.T @ x / n + lam * torch.eye(d, dtype=x.dtype), x.T @ y / n)


def norm_bound(lam: float, n_classes: int) -> float:
    r"""Return :math:`2\ln K/\lambda`, which no minimizer's :math:`\lVert\theta\rVert^2` exceeds.

    Of :math:`L + \frac\lambda2\lVert\theta\rVert^2`, L the mean cross-entropy of a network whose
    logits are equal at :math:`\theta = 0`: there the objective is :math:`\ln K`, and L >= 0.

    Args:
        lam: strength, > 0.
        n_classes: K, >= 2.

    Raises:
        ReglabError: lam <= 0 or K < 2.
    """
    check_lam(lam)
    if lam == 0 or n_classes < 2:
        raise ReglabError(f"needs lam > 0 and n_classes >= 2, got {lam} and {n_classes}")
    return 2 * math.log(n_classes) / lam


def collapse_radius(lam: float, depth: int, largest_input: float) -> float:
    r"""Return r such that the gradient points away from 0 wherever :math:`0<\lVert w\rVert<r`.

    Of cross-entropy plus L2, for a bias-free fully connected ReLU network of ``depth`` weight
    matrices and inputs of norm at most X: :math:`r^{D-2} = \lambda D^{D/2-1}/(\sqrt2 X)`. Gradient
    flow that enters the ball ends at 0, however small lambda is.

    Args:
        lam: strength, > 0.
        depth: D, number of weight matrices, >= 3.
        largest_input: X > 0.

    Raises:
        ReglabError: lam <= 0, depth < 3 or X <= 0.
    """
    check_lam(lam)
    if not (lam > 0 and depth >= 3 and largest_input > 0):
        raise ReglabError(
            f"needs lam > 0, depth >= 3, inputs > 0; got {lam}, {depth}, {largest_input}"
        )
    power = lam * depth ** (depth / 2 - 1) / (math.sqrt(2) * largest_input)
    return power ** (1 / (depth - 2))


def sgd_step(weight: Tensor, gradient: Tensor, lr: float, lam: float) -> Tensor:
    r"""Return :math:`(1 - \eta\lambda) w - \eta\nabla L`: plain SGD with L2, or weight decay.

    Args:
        weight, gradient: w and the gradient of the loss alone, one shape.
        lr: eta.
        lam: strength, >= 0.
    """
    check_lam(lam)
    return (1 - lr * lam) * weight - lr * gradient


def decay_factor(lr: float, lam: float, steps: int) -> float:
    r"""Return :math:`(1 - \eta\lambda)^t`: what decay alone leaves of a weight after t steps.

    Of plain SGD, or of AdamW in its decoupled form. Its size grows for :math:`\eta\lambda > 2`.
    """
    check_lam(lam)
    return (1 - lr * lam) ** steps


def adam_first_step(
    weight: Tensor, gradient: Tensor, lr: float, lam: float, *, decoupled: bool
) -> Tensor:
    r"""Return the weight after Adam's first step, for its epsilon 0.

    Coupled: :math:`w - \eta\operatorname{sign}(\nabla L + \lambda w)`. Decoupled (AdamW):
    :math:`(1 - \eta\lambda) w - \eta\operatorname{sign}(\nabla L)` (Loshchilov & Hutter 2019).
    After bias correction the first step's moments are the gradient and its square.
    """
    check_lam(lam)
    if decoupled:
        return (1 - lr * lam) * weight - lr * gradient.sign()
    return weight - lr * (gradient + lam * weight).sign()


def check_lam(lam: float) -> None:
    if not (math.isfinite(lam) and lam >= 0):
        raise ReglabError(f"lam must be finite and >= 0, got {lam}")
