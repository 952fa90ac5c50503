"""Which weights are set to zero (Han et al. 2015), and over how many rounds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["keep_largest", "removal_cost", "share_kept", "smallest_rounds", "surgeon_cost"]


def keep_largest(scores: Mapping[str, Tensor], keep: int) -> dict[str, Tensor]:
    """Return masks that keep the ``keep`` largest scores of all tensors together.

    Args:
        scores: e.g. absolute weights, by the tensor's name.
        keep: how many stay, from 0 to their number. Of equal scores any may stay.

    Returns:
        True where a weight stays, in the shape of each tensor.
    """
    flat = torch.cat([score.flatten() for score in scores.values()])  # (P,)
    if not 0 <= keep <= len(flat):
        raise ReglabError(f"keep must be from 0 to {len(flat)}, got {keep}")
    chosen = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
    chosen[flat.topk(keep).indices] = True
    sizes = [score.numel() for score in scores.values()]
    parts = zip(scores.items(), chosen.split(sizes), strict=True)
    return {name: part.view(score.shape) for (name, score), part in parts}


def removal_cost(weights: Tensor, gradient: Tensor, curvature: Tensor) -> Tensor:
    r"""Return by how much a loss rises if one weight alone becomes zero, to second order.

    :math:`-g_j w_j + \tfrac12 H_{jj} w_j^2`, without the first term at a minimum (LeCun et al.
    1990). Exact where the loss is quadratic.

    Args:
        weights, gradient: w and g, shape (P,).
        curvature: the diagonal of the Hessian H, shape (P,).
    """
    return -gradient * weights + curvature * weights.square() / 2


def surgeon_cost(weights: Tensor, inverse: Tensor) -> Tensor:
    r"""Return by how much a quadratic loss rises above its minimum if one weight is held at zero.

    :math:`w_j^2 / (2 [H^{-1}]_{jj})`: the others have moved to where the loss is lowest (Hassibi
    and Stork 1993).

    Args:
        weights: w at the minimum, shape (P,).
        inverse: the diagonal of the inverse of the Hessian, shape (P,).
    """
    return weights.square() / (2 * inverse)


def share_kept(sparsity: float, rounds: int, done: int) -> float:
    r"""Return the share of weights left after ``done`` of R rounds, :math:`(1-s)^{done/R}`.

    Each round takes the same share of what is left, and the last one ends at sparsity s.

    Args:
        sparsity: s in [0, 1).
        rounds: R >= 1.
        done: rounds that are done; more than R change nothing.
    """
    if not (0 <= sparsity < 1 and rounds >= 1 and done >= 0):
        raise ReglabError(
            f"pruning needs 0 <= sparsity < 1, rounds >= 1, done >= 0; got {sparsity}, {rounds}, "
            f"{done}"
        )
    return (1 - sparsity) ** (min(done, rounds) / rounds)


def smallest_rounds(sparsity: float, most: float = 0.2) -> int:
    r"""Return the fewest rounds that reach a sparsity if none takes more than a share of the rest.

    :math:`\lceil \ln(1-s) / \ln(1-m) \rceil`: 4 rounds of at most a fifth for a half.

    Args:
        sparsity: s in [0, 1).
        most: m, the largest share of what is left that one round takes, in (0, 1).
    """
    if not (0 <= sparsity < 1 and 0 < most < 1):
        raise ReglabError(f"rounds need 0 <= sparsity < 1 and 0 < most < 1; got {sparsity}, {most}")
    return max(1, math.ceil(round(math.log(1 - sparsity) / math.log(1 - most), 9)))
