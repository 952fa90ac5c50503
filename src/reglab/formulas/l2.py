"""L2: penalty, gradient, readings of lambda."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["effective_lambda", "l2_gradient", "l2_penalty"]


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


def check_lam(lam: float) -> None:
    if not (math.isfinite(lam) and lam >= 0):
        raise ReglabError(f"lam must be finite and >= 0, got {lam}")
