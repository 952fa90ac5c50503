"""Early stopping: what descent has reached after t steps, and criteria for when to stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = [
    "descent_filter",
    "epochs_since_best",
    "generalization_loss",
    "matching_lambda",
    "momentum_filter",
    "progress_quotient",
    "successive_rises",
    "training_progress",
]


def descent_filter(curvature: Tensor, lr: float, steps: int) -> Tensor:
    r"""Return :math:`1 - (1 - \eta h)^t`: the share of a minimum that descent has reached.

    Exact for gradient descent from 0 on a quadratic loss, along an eigenvector of its Hessian
    (Bishop 1995; Goodfellow, Bengio & Courville 2016, section 7.8). It goes to 1 for
    :math:`\eta h < 2` and to no limit above. Beside it stands `reglab.formulas.shrinkage`.

    Args:
        curvature: h, eigenvalues of the Hessian, all > 0, any shape.
        lr: eta > 0, so that :math:`\eta h` has no unit.
        steps: t >= 0.

    Returns:
        Shares of the same shape; no unit.

    Raises:
        ReglabError: an eigenvalue <= 0, lr <= 0, or steps that are no whole number >= 0.
    """
    _check_descent(curvature, lr, steps)
    return 1 - (1 - lr * curvature) ** steps


def matching_lambda(curvature: Tensor, lr: float, steps: int) -> Tensor:
    r"""Return the lambda whose `shrinkage` is `descent_filter`, for each eigenvalue its own.

    :math:`\lambda = h / ((1 - \eta h)^{-t} - 1)`, which is about :math:`1/(\eta t)` where
    :math:`\eta h t` is small, and falls below it as that grows.

    Args:
        curvature: h, eigenvalues with :math:`0 < \eta h \le 1`, any shape.
        lr: eta > 0.
        steps: t >= 1.

    Returns:
        Strengths of the same shape, in the unit of h; 0 where :math:`\eta h = 1`.

    Raises:
        ReglabError: as `descent_filter`; :math:`\eta h > 1`, where no lambda >= 0 matches after an
            odd number of steps; no step.
    """
    _check_descent(curvature, lr, steps)
    if steps < 1 or not bool((lr * curvature <= 1).all()):
        raise ReglabError(
            f"matching_lambda needs a step and lr * curvature <= 1, got {steps} and "
            f"{lr * curvature.max().item():g}"
        )
    # expm1 and log1p: for small lr * h the power is 1 to many digits
    return curvature / torch.expm1(-steps * torch.log1p(-lr * curvature))


def momentum_filter(curvature: Tensor, lr: float, momentum: float, steps: int) -> Tensor:
    r"""Return the share of a minimum that descent with momentum has reached after t steps.

    With :math:`v \leftarrow \rho v + g,\ w \leftarrow w - \eta v` (torch's SGD) the way that is
    left, as a share, follows :math:`e_{t+1} = (1 + \rho - \eta h) e_t - \rho e_{t-1}` from
    :math:`e_0 = e_{-1} = 1` (Polyak 1964). It can exceed 1: momentum overshoots.

    Args:
        curvature, lr, steps: as `descent_filter`.
        momentum: rho in [0, 1); 0 is `descent_filter`.

    Raises:
        ReglabError: as `descent_filter`, or momentum outside [0, 1).
    """
    _check_descent(curvature, lr, steps)
    if not 0 <= momentum < 1:
        raise ReglabError(f"momentum must be in [0, 1), got {momentum}")
    before = left = torch.ones_like(curvature)
    for _ in range(steps):
        before, left = left, (1 + momentum - lr * curvature) * left - momentum * before
    return 1 - left


def generalization_loss(val_losses: Sequence[float]) -> float:
    r"""Return Prechelt's :math:`\mathrm{GL}(t) = 100\,(L(t)/\min_{s \le t} L(s) - 1)`, in percent.

    By how much the validation loss of the last epoch given exceeds the lowest so far (Prechelt
    1998). Infinite if that is 0 and the last one is not.

    Args:
        val_losses: of each epoch so far, at least one, finite and >= 0, in any unit.

    Raises:
        ReglabError: no loss, or one that is negative or not finite.
    """
    losses = _checked("val_losses", val_losses)
    return 100 * _excess(losses[-1], min(losses))


def training_progress(train_losses: Sequence[float], strip: int) -> float:
    r"""Return Prechelt's :math:`P_k(t)`: how much training loss still fell, in thousandths.

    By how much the mean training loss of the last k epochs exceeds their lowest:
    :math:`1000\,\bigl(\frac1k\sum_s L(s) / \min_s L(s) - 1\bigr)` (Prechelt 1998). It is 0 where
    nothing moves, and large early on or where the loss is unsteady.

    Args:
        train_losses: of each epoch so far, at least ``strip``, finite and >= 0. Prechelt's are
            taken while an epoch trains; reglab's records have those after it, dropout off.
        strip: k >= 1, the number of epochs.

    Raises:
        ReglabError: too few losses or a wrong one, or strip < 1.
    """
    losses = _checked("train_losses", train_losses)
    _check_strip(strip)
    if len(losses) < strip:
        raise ReglabError(f"a strip of {strip} epochs needs as many losses, got {len(losses)}")
    last = losses[-strip:]
    return 1000 * _excess(sum(last) / strip, min(last))


def progress_quotient(
    train_losses: Sequence[float], val_losses: Sequence[float], strip: int
) -> float:
    r"""Return Prechelt's :math:`\mathrm{PQ}(t) = \mathrm{GL}(t) / P_k(t)`.

    High where the validation loss has risen although training hardly moves any more. 0 where GL is
    0, infinite where only :math:`P_k` is. The criterion is asked at the end of each strip.

    Args and errors as `generalization_loss` and `training_progress`; both losses of the same
    epochs.
    """
    if len(train_losses) != len(val_losses):
        counts = f"{len(train_losses)} and {len(val_losses)}"
        raise ReglabError(f"progress_quotient needs both losses of each epoch, got {counts}")
    loss, progress = generalization_loss(val_losses), training_progress(train_losses, strip)
    if loss == 0:
        return 0.0
    return loss / progress if progress > 0 else math.inf


def successive_rises(val_losses: Sequence[float], strip: int) -> int:
    r"""Return how many strips in a row have ended at a higher validation loss than the one before.

    Prechelt's :math:`\mathrm{UP}_s` stops at the first s, asked at the end of each strip (Prechelt
    1998). Epochs after the last whole strip are left out.

    Args:
        val_losses: of each epoch so far, at least one, finite and >= 0.
        strip: k >= 1, the number of epochs.

    Raises:
        ReglabError: no loss or a wrong one, or strip < 1.
    """
    losses = _checked("val_losses", val_losses)
    _check_strip(strip)
    ends, rises = losses[strip - 1 :: strip], 0
    for before, after in pairwise(ends):
        rises = rises + 1 if after > before else 0
    return rises


def epochs_since_best(val_losses: Sequence[float]) -> int:
    """Return how many epochs ago the lowest validation loss was; the first of equal ones counts.

    A patience of p stops at the first p, as `reglab.training.stopping.EarlyStopping` does.

    Args:
        val_losses: of each epoch so far, at least one, finite and >= 0.

    Raises:
        ReglabError: no loss or a wrong one.
    """
    losses = _checked("val_losses", val_losses)
    return len(losses) - 1 - losses.index(min(losses))


def _excess(value: float, base: float) -> float:
    """Return value / base - 1; of zeros 0."""
    if value == base:
        return 0.0
    return (value - base) / base if base > 0 else math.inf


def _checked(name: str, losses: Sequence[float]) -> list[float]:
    values = list(losses)
    if not values or not all(math.isfinite(value) and value >= 0 for value in values):
        raise ReglabError(f"{name} must be finite numbers >= 0, at least one, got {values!r}")
    return values


def _check_strip(strip: int) -> None:
    if strip < 1:
        raise ReglabError(f"a strip must have at least one epoch, got {strip}")


def _check_descent(curvature: Tensor, lr: float, steps: int) -> None:
    if not bool((curvature > 0).all()):
        raise ReglabError("descent needs eigenvalues > 0")
    if not (math.isfinite(lr) and lr > 0):
        raise ReglabError(f"lr must be finite and > 0, got {lr}")
    if not (isinstance(steps, int) and steps >= 0):
        raise ReglabError(f"steps must be a whole number >= 0, got {steps!r}")
