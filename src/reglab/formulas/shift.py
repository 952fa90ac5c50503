"""How stable a network is from step to step: its layers' inputs, its gradients, and noise in it."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["drifting_noise", "gradient_predictiveness", "input_shift", "relative_change"]


def drifting_noise(y: Tensor, mean: Tensor, scale: Tensor, xi: Tensor) -> Tensor:
    r"""Return :math:`y + m_c + s_c\,\xi`: noise whose mean and scale are drawn anew each step.

    Added behind batch normalization it undoes what that layer is said to do, to hold the
    distribution of the next layer's inputs still (the experiment of Santurkar et al. 2018, with
    amounts of our own).

    Args:
        y: shape (N, C) or (N, C, H, W).
        mean, scale: this step's, shape (C,).
        xi: standard normal numbers, the shape of ``y``.
    """
    shape = [1, -1, *[1] * (y.ndim - 2)]
    return y + mean.view(shape) + scale.view(shape) * xi


def input_shift(before: Tensor, after: Tensor) -> float:
    r"""Return :math:`\frac1C\sum_c |\mu'_c - \mu_c| / \sigma_c`, how far a layer's inputs moved.

    Args:
        before: inputs of a layer for a batch, shape (N, C) or (N, C, H, W). Channels that are
            constant over it are left out.
        after: those for the same images, later.

    Raises:
        ReglabError: the shapes differ, or every channel is constant.
    """
    _same_shape(before, after)
    axes = [0, *range(2, before.ndim)]
    deviation = before.std(axes, correction=0)
    moved = (after.mean(axes) - before.mean(axes)).abs()
    if not (deviation > 0).any():
        raise ReglabError("needs a channel that is not constant over the batch")
    return (moved / deviation)[deviation > 0].mean().item()


def relative_change(gradient: Tensor, changed: Tensor) -> float:
    r"""Return :math:`\lVert G' - G\rVert / \lVert G\rVert`.

    With G a layer's gradient before a step, and G' its gradient for the same images after the
    layers below have taken theirs, this is the *internal covariate shift* of Santurkar et al.
    (2018, Definition 2.1), relative to the gradient.

    Args:
        gradient: G, any shape, not all zero.
        changed: G', the same shape.

    Raises:
        ReglabError: the shapes differ, or G is zero.
    """
    _same_shape(gradient, changed)
    norm = gradient.norm().item()
    if norm == 0:
        raise ReglabError("a change relative to a gradient needs one that is not zero")
    return (changed - gradient).norm().item() / norm


def gradient_predictiveness(gradient: Tensor, further: Iterable[Tensor]) -> float:
    r"""Return the largest relative change of the gradient along its own direction.

    :math:`\max_\eta \lVert \nabla L(w - \eta\nabla L(w)) - \nabla L(w)\rVert / \lVert\nabla
    L(w)\rVert`; small = the gradient says much about the loss a step ahead (Santurkar et al. 2018,
    who show the distance itself).

    Args:
        gradient: at w, any shape, not all zero.
        further: at the points ahead, one a step size, at least one.

    Raises:
        ReglabError: no point ahead, or as `relative_change`.
    """
    changes = [relative_change(gradient, ahead) for ahead in further]
    if not changes:
        raise ReglabError("needs the gradient at one point ahead, at least")
    return max(changes)


def _same_shape(one: Tensor, other: Tensor) -> None:
    if one.shape != other.shape:
        raise ReglabError(f"shapes must agree, got {tuple(one.shape)} and {tuple(other.shape)}")
