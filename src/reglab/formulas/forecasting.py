"""Numbers to predict: the share that is explained, what yesterday explains, a batch's own level."""

from __future__ import annotations

from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["batch_level_share", "naive_r_squared", "one_value_r_squared", "r_squared"]


def r_squared(predicted: Tensor, targets: Tensor) -> Tensor:
    r"""Return :math:`R^2 = 1 - \sum_i (y_i - \hat y_i)^2 / \sum_i (y_i - \bar y)^2`.

    1 for perfect predictions, 0 for the targets' own mean, below 0 for what is worse than that.

    Args:
        predicted: (N, H).
        targets: y, (N, H), not all alike. Of several columns the sums are over all of them.

    Raises:
        ReglabError: each column's targets are all alike.
    """
    if (targets == targets[:1]).all():
        raise ReglabError("targets are all alike: there is no variance to explain")
    spread = (targets - targets.mean(0)).square().sum()
    return 1 - (targets - predicted).square().sum() / spread


def naive_r_squared(correlation: float) -> float:
    r"""Return R² of "tomorrow as today", :math:`2\rho - 1`, for a series that keeps its law.

    Args:
        correlation: rho of a value and the next, in [-1, 1].
    """
    return 2 * _checked(correlation) - 1


def one_value_r_squared(correlation: float) -> float:
    r"""Return R² of the best linear forecast from the last value alone, :math:`\rho^2`.

    Args as `naive_r_squared`.
    """
    return _checked(correlation) ** 2


def batch_level_share(batch: int) -> float:
    r"""Return :math:`1/B`: the variance of a batch's mean, as a share of that of one example.

    Args:
        batch: B, the number of examples drawn independently, >= 1.
    """
    if batch < 1:
        raise ReglabError(f"a batch has at least one example, got {batch}")
    return 1 / batch


def _checked(correlation: float) -> float:
    if not -1 <= correlation <= 1:
        raise ReglabError(f"a correlation must be in [-1, 1], got {correlation}")
    return correlation
