r"""The equations of the book as small pure functions: the reference implementations.

Each is written as the formula reads, for reading and checking rather than for speed; the tests
compare them with torch and with autograd, and the fast code with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from reglab.errors import ReglabError


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the mean of :math:`-\log\operatorname{softmax}(z_i)_{y_i}` in nats.

    Args:
        logits: scores z, shape (N, K).
        labels: classes y in 0..K-1, shape (N,), int64.
    """
    log_normalizer = torch.logsumexp(logits, dim=1)
    return (log_normalizer - logits.gather(1, labels[:, None]).squeeze(1)).mean()


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
    _check_lam(lam)
    squares = [weight.square().sum() for weight in weights]
    if not squares:
        raise ReglabError("l2_penalty needs at least one weight tensor, got none")
    return 0.5 * lam * torch.stack(squares).sum()


def l2_gradient(weight: Tensor, lam: float) -> Tensor:
    r"""Return :math:`\lambda\theta`, the gradient of `l2_penalty`; same shape as ``weight``."""
    _check_lam(lam)
    return lam * weight


def effective_lambda(lam: float, reading: str, n_fit: int) -> float:
    r"""Return the factor of :math:`\frac12\lVert w\rVert^2` beside the *mean* loss.

    ``"coupled"``: :math:`\lambda` itself. ``"per_sample"``: :math:`\lambda/n` (Nielsen 2015,
    chapter 3), n the number of images trained on. ``"decoupled"`` adds nothing to the loss: 0.

    Raises:
        ReglabError: unknown reading, lam < 0 or n_fit < 1.
    """
    _check_lam(lam)
    if n_fit < 1:
        raise ReglabError(f"n_fit must be >= 1, got {n_fit}")
    factors = {"coupled": lam, "per_sample": lam / n_fit, "decoupled": 0.0}
    if reading not in factors:
        raise ReglabError(f"reading must be one of {', '.join(factors)}, got {reading!r}")
    return factors[reading]


def dropout(h: Tensor, mask: Tensor, drop: float) -> Tensor:
    r"""Return inverted dropout :math:`\tilde h = r \odot h / (1 - \delta)`.

    The paper's :math:`\tilde h = r \odot h` has mean :math:`p\,h`, p the keep probability; dividing
    by :math:`p = 1 - \delta` while training makes the mean h, so that evaluation needs no change.

    Args:
        h: activations, any shape.
        mask: r, ones (kept) and zeros (dropped), the shape of ``h``.
        drop: drop rate delta in [0, 1).
    """
    _check_drop(drop)
    return h * mask / (1 - drop)


def dropout_moments(h: Tensor, drop: float, *, inverted: bool = True) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance over masks of a dropped-out activation, elementwise.

    Inverted: :math:`h` and :math:`\frac{\delta}{1-\delta}h^2`; as the paper writes it, without
    the division: :math:`(1-\delta)h` and :math:`\delta(1-\delta)h^2`.
    """
    _check_drop(drop)
    if inverted:
        return h, drop / (1 - drop) * h.square()
    return (1 - drop) * h, drop * (1 - drop) * h.square()


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
    confidence, predicted = probabilities.max(dim=1)
    right = (predicted == labels).double()
    index = (confidence * bins).ceil().long().clamp(1, bins) - 1
    gaps = torch.zeros(bins, dtype=torch.float64, device=labels.device)
    gaps.index_add_(0, index, right - confidence.double())
    return gaps.abs().sum() / len(labels)


def _check_lam(lam: float) -> None:
    if not (math.isfinite(lam) and lam >= 0):
        raise ReglabError(f"lam must be finite and >= 0, got {lam}")


def _check_drop(drop: float) -> None:
    if not 0 <= drop < 1:
        raise ReglabError(f"drop must be a drop rate in [0, 1), got {drop}")
