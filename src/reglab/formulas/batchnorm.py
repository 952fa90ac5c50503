"""Batch normalization: forward, backward, running statistics, scale invariance, and its time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from reglab.errors import ReglabError

__all__ = [
    "batch_moments",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_eval",
    "effective_learning_rate",
    "epochs_for_saving",
    "gradient_at_scale",
    "running_statistics",
    "squared_norm_after_step",
    "training_times",
]


def batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
    r"""Return :math:`\gamma_c (x - \mu_c)/\sqrt{\sigma_c^2 + \epsilon} + \beta_c` (training mode).

    The mean and the *biased* variance are per channel, over the batch and all positions
    (Ioffe & Szegedy 2015). The paper's formula has no epsilon: ``eps=0`` gives NaN for a
    channel that is constant over the batch.

    Args:
        x: shape (N, C) or (N, C, H, W).
        gamma, beta: scale and shift, shape (C,).
        eps: added to the variance, >= 0.
    """
    axes = [0, *range(2, x.ndim)]
    shape = [1, -1, *[1] * (x.ndim - 2)]
    mean = x.mean(axes, keepdim=True)  # (1, C) or (1, C, 1, 1)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return gamma.view(shape) * (x - mean) / (variance + eps).sqrt() + beta.view(shape)


def batch_norm_backward(
    x: Tensor, gamma: Tensor, upstream: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the gradients of a loss with respect to x, gamma and beta (training mode).

    With :math:`g = \partial L/\partial y`, means over a channel's m values and
    :math:`s = \sqrt{\sigma^2 + \epsilon}`: :math:`\frac\gamma s(g - \overline g - \hat x\,
    \overline{g\hat x})`, :math:`\sum g\hat x` and :math:`\sum g` (Ioffe & Szegedy 2015, section 3,
    with the terms collected).

    Args:
        x: input of the layer, shape (N, C) or (N, C, H, W).
        gamma: scale, shape (C,).
        upstream: g, the gradient at the output, the shape of ``x``.
        eps: as in `batch_norm`.

    Raises:
        ReglabError: ``upstream`` does not have the shape of ``x``.
    """
    if upstream.shape != x.shape:
        raise ReglabError(
            f"upstream must have x's shape {tuple(x.shape)}, got {tuple(upstream.shape)}"
        )
    axes = [0, *range(2, x.ndim)]
    mean = x.mean(axes, keepdim=True)  # (1, C) or (1, C, 1, 1)
    s = ((x - mean).square().mean(axes, keepdim=True) + eps).sqrt()
    x_hat = (x - mean) / s
    along = x_hat * (upstream * x_hat).mean(axes, keepdim=True)  # the shape of x
    centred = upstream - upstream.mean(axes, keepdim=True) - along
    grad_x = gamma.view(1, -1, *[1] * (x.ndim - 2)) / s * centred
    return grad_x, (upstream * x_hat).sum(axes), upstream.sum(axes)  # as x, (C,), (C,)


def batch_norm_eval(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    r"""Return :math:`\gamma_c (x - m_c)/\sqrt{v_c + \epsilon} + \beta_c` (evaluation mode).

    Unlike `batch_norm` the statistics are given (`running_statistics`), so that an image's output
    does not depend on the other images of its batch.

    Args:
        x: shape (N, C) or (N, C, H, W).
        mean, variance: running statistics, shape (C,).
        gamma, beta: scale and shift, shape (C,).
        eps: added to the variance, >= 0.
    """
    shape = [1, -1, *[1] * (x.ndim - 2)]
    slope = gamma / (variance + eps).sqrt()  # (C,)
    return x * slope.view(shape) + (beta - mean * slope).view(shape)


def running_statistics(
    mean: Tensor, variance: Tensor, x: Tensor, momentum: float = 0.1
) -> tuple[Tensor, Tensor]:
    r"""Return the running mean and variance after one training batch, as torch updates them.

    :math:`m \leftarrow (1 - \alpha) m + \alpha\mu` and :math:`v \leftarrow (1 - \alpha) v +
    \alpha\frac{n}{n-1}\sigma^2`: the batch's *unbiased* variance, although the batch itself was
    normalized with the biased one. ``momentum`` is the weight of the new batch, the opposite of
    what it means in SGD.

    Args:
        mean, variance: statistics so far, shape (C,); torch starts them at 0 and 1.
        x: the batch, shape (N, C) or (N, C, H, W), n >= 2 values a channel.
        momentum: alpha, in [0, 1].

    Raises:
        ReglabError: one value a channel, or a momentum outside [0, 1].
    """
    if not 0 <= momentum <= 1:
        raise ReglabError(f"momentum must lie in [0, 1], got {momentum}")
    axes = [0, *range(2, x.ndim)]
    n = x.numel() // x.shape[1]
    if n < 2:
        raise ReglabError(f"the unbiased variance needs at least 2 values a channel, got {n}")
    unbiased = x.var(axes, correction=1)  # (C,)
    return (
        (1 - momentum) * mean + momentum * x.mean(axes),
        (1 - momentum) * variance + momentum * unbiased,
    )


def batch_moments(variance: float, batch: int) -> tuple[float, float]:
    r"""Return the variance of a batch's mean, and the mean of its biased variance.

    For B independent values of variance :math:`\sigma^2`: :math:`\sigma^2/B` and
    :math:`\sigma^2(B-1)/B`.

    Raises:
        ReglabError: batch < 1 or variance < 0.
    """
    if batch < 1 or variance < 0:
        raise ReglabError(f"needs batch >= 1 and variance >= 0, got {batch} and {variance}")
    return variance / batch, variance * (batch - 1) / batch


def gradient_at_scale(gradient: Tensor, scale: float) -> Tensor:
    r"""Return :math:`\nabla f(a w) = \nabla f(w)/a` for an f with f(a w) = f(w) for all a > 0.

    Args:
        gradient: the gradient at w, any shape.
        scale: a > 0.

    Raises:
        ReglabError: scale <= 0.
    """
    if not scale > 0:
        raise ReglabError(f"scale must be > 0, got {scale}")
    return gradient / scale


def effective_learning_rate(lr: float, weight: Tensor) -> float:
    r"""Return :math:`\eta/\lVert w\rVert^2`, the rate at which the *direction* of w is trained.

    One SGD step at rate lr from a weight followed by batch normalization (epsilon 0) turns it into
    the same direction as a step at this rate from :math:`w/\lVert w\rVert` (van Laarhoven 2017).

    Args:
        lr: learning rate, >= 0.
        weight: w, any shape, not all zero; for a convolution, one filter.

    Raises:
        ReglabError: a negative rate, or a weight of norm zero.
    """
    squared = weight.square().sum().item()
    if not (lr >= 0 and squared > 0):
        raise ReglabError(f"needs lr >= 0 and a weight that is not zero, got lr {lr}")
    return lr / squared


def squared_norm_after_step(weight: Tensor, gradient: Tensor, lr: float) -> Tensor:
    r"""Return :math:`\lVert w - \eta g\rVert^2 = \lVert w\rVert^2 + \eta^2\lVert g\rVert^2`.

    Pythagoras, for a gradient orthogonal to the weight, as that of a scale-invariant loss is; one
    step of SGD without momentum and without weight decay.

    Args:
        weight, gradient: of one shape.
        lr: learning rate.

    Raises:
        ReglabError: the shapes differ.
    """
    if weight.shape != gradient.shape:
        raise ReglabError(
            f"weight and gradient must have one shape, got {tuple(weight.shape)} "
            f"and {tuple(gradient.shape)}"
        )
    return weight.square().sum() + lr**2 * gradient.square().sum()


def training_times(
    epoch_seconds: Sequence[float], accuracy: Sequence[float], target: float
) -> dict[str, float | None]:
    """Return four things called training time, of one run.

    ``seconds_per_epoch``: the mean; ``epochs``: how many until the run stopped; ``seconds``: their
    sum; ``seconds_to_target``: until validation accuracy first reaches ``target``, None = never.

    Args:
        epoch_seconds: seconds of each epoch, in order, at least one.
        accuracy: validation accuracy after each of them.
        target: in the units of ``accuracy``.

    Raises:
        ReglabError: no epoch, or two lengths.
    """
    if not epoch_seconds or len(epoch_seconds) != len(accuracy):
        raise ReglabError(
            f"needs as many accuracies as epochs, at least one; "
            f"got {len(accuracy)} and {len(epoch_seconds)}"
        )
    total = math.fsum(epoch_seconds)
    reached = next((n for n, value in enumerate(accuracy, 1) if value >= target), None)
    return {
        "seconds_per_epoch": total / len(epoch_seconds),
        "epochs": len(epoch_seconds),
        "seconds": total,
        "seconds_to_target": None if reached is None else math.fsum(epoch_seconds[:reached]),
    }


def epochs_for_saving(cost_ratio: float, saving: float) -> float:
    r"""Return :math:`(1 - s)/c`: the share of epochs that saves a share s of the seconds.

    Args:
        cost_ratio: c > 0, seconds of an epoch with the change over seconds without it.
        saving: s < 1, e.g. 0.15 for 15 % less time; 0 = break even.

    Raises:
        ReglabError: c <= 0 or s >= 1.
    """
    if not (cost_ratio > 0 and saving < 1):
        raise ReglabError(f"needs cost_ratio > 0 and saving < 1, got {cost_ratio} and {saving}")
    return (1 - saving) / cost_ratio
