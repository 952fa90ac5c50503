"""Batch normalization."""

from __future__ import annotations

from torch import Tensor

__all__ = ["batch_norm"]


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
    mean = x.mean(axes, keepdim=True)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return gamma.view(shape) * (x - mean) / (variance + eps).sqrt() + beta.view(shape)
