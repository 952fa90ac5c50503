"""Dropout: masks and their moments."""

from __future__ import annotations

from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["dropout", "dropout_moments"]


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


def check_drop(drop: float) -> None:
    if not 0 <= drop < 1:
        raise ReglabError(f"drop must be a drop rate in [0, 1), got {drop}")
