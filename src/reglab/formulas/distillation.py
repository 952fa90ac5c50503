"""Distillation and label smoothing (Hinton et al. 2015; Szegedy et al. 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["agreement_bounds", "distillation_loss", "smoothed_targets", "soft_targets"]


def soft_targets(logits: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`p_i = e^{z_i/T} / \sum_j e^{z_j/T}`, shape (N, K).

    Args:
        logits: scores z, shape (N, K).
        temperature: T > 0; large T makes all classes nearly equal.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ReglabError(f"temperature must be finite and > 0, got {temperature}")
    scaled = (logits / temperature).exp()  # (N, K)
    return scaled / scaled.sum(1, keepdim=True)


def distillation_loss(
    student: Tensor, teacher: Tensor, labels: Tensor, temperature: float, soft: float
) -> Tensor:
    r"""Return :math:`\alpha T^2\,\mathrm{KL}(p^T\,\|\,q^T) + (1-\alpha)\,\mathrm{CE}`, in nats.

    p is the teacher's and q the student's softmax at temperature T; CE is that of the labels at
    temperature 1. The factor :math:`T^2` keeps the first term's gradient of one size as T grows.

    Args:
        student, teacher: logits, shape (N, K).
        labels: classes, shape (N,), int64.
        temperature: T > 0.
        soft: the weight alpha, in [0, 1].
    """
    if not 0 <= soft <= 1:
        raise ReglabError(f"soft must be a share in [0, 1], got {soft}")
    p, q = soft_targets(teacher, temperature), soft_targets(student, temperature)  # (N, K)
    divergence = torch.special.xlogy(p, p) - torch.special.xlogy(p, q)
    hard = -soft_targets(student, 1.0).log().gather(1, labels[:, None]).mean()
    return soft * temperature**2 * divergence.sum(1).mean() + (1 - soft) * hard


def smoothed_targets(labels: Tensor, n_classes: int, smoothing: float) -> Tensor:
    r"""Return :math:`(1-\varepsilon)\,\mathrm{onehot}(y) + \varepsilon/K`, shape (N, K).

    Args:
        labels: classes, shape (N,), int64.
        n_classes: K.
        smoothing: epsilon in [0, 1).
    """
    if not 0 <= smoothing < 1:
        raise ReglabError(f"smoothing must be a share in [0, 1), got {smoothing}")
    certain = torch.nn.functional.one_hot(labels, n_classes).double()  # (N, K)
    return (1 - smoothing) * certain + smoothing / n_classes


def agreement_bounds(first: float, second: float) -> tuple[float, float]:
    r"""Return the least and the largest share of images that two networks can put into one class.

    :math:`\max(0, a + b - 1)` and :math:`1 - |a - b|`: they agree where both are right, and differ
    where only one of them is.

    Args:
        first, second: their accuracies a and b on these images, in [0, 1].
    """
    if not (0 <= first <= 1 and 0 <= second <= 1):
        raise ReglabError(f"accuracies must be shares in [0, 1], got {first} and {second}")
    return max(0.0, first + second - 1), 1 - abs(first - second)
