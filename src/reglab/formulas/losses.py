"""Loss, generalization gap, calibration."""

from __future__ import annotations

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["calibration_error", "cross_entropy", "generalization_gap", "least_squares_risks"]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the mean of :math:`-\log\operatorname{softmax}(z_i)_{y_i}` in nats.

    Args:
        logits: scores z, shape (N, K).
        labels: classes y in 0..K-1, shape (N,), int64.
    """
    log_normalizer = torch.logsumexp(logits, dim=1)  # (N,)
    return (log_normalizer - logits.gather(1, labels[:, None]).squeeze(1)).mean()


def generalization_gap(train_loss: float, test_loss: float) -> float:
    """Return test minus train: by how much a model looks better on the data it was fitted to."""
    return test_loss - train_loss


def least_squares_risks(n: int, d: int, noise_variance: float) -> tuple[float, float]:
    r"""Return the expected training and test squared error of least squares on n Gaussian rows.

    With :math:`x \sim N(0, I_d)`, :math:`y = x^\top\beta + \varepsilon`,
    :math:`\operatorname{Var}\varepsilon = \sigma^2` and n > d + 1,
    :math:`E_\text{train} = \sigma^2(1 - d/n)` and :math:`E_\text{test} = \sigma^2(1 + d/(n-d-1))`
    (Hastie, Tibshirani & Friedman 2009, chapter 7, and the mean of an inverse Wishart matrix).

    Raises:
        ReglabError: unless n > d + 1 and d >= 1 and the variance is >= 0.
    """
    if not (d >= 1 and n > d + 1 and noise_variance >= 0):
        raise ReglabError(
            f"least squares needs d >= 1, n > d + 1, noise variance >= 0; "
            f"got n={n}, d={d}, {noise_variance}"
        )
    return noise_variance * (1 - d / n), noise_variance * (1 + d / (n - d - 1))


def calibration_error(probabilities: Tensor, labels: Tensor, bins: int = 15) -> Tensor:
    r"""Return the expected calibration error :math:`\sum_b \frac{n_b}{N}|acc_b - conf_b|`.

    Bins of equal width over the largest probability (Guo et al. 2017).

    Args:
        probabilities: shape (N, K), rows sum to one.
        labels: shape (N,), int64.
        bins: number of bins.
    """
    confidence, predicted = probabilities.max(dim=1)  # (N,), (N,)
    right = (predicted == labels).double()
    index = (confidence * bins).ceil().long().clamp(1, bins) - 1  # (N,), each image's bin
    gaps = torch.zeros(bins, dtype=torch.float64, device=labels.device)
    gaps.index_add_(0, index, right - confidence.double())
    return gaps.abs().sum() / len(labels)
