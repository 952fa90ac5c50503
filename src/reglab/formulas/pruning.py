"""Which weights are set to zero (Han et al. 2015), and over how many rounds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from reglab.errors import ReglabError

__all__ = ["keep_largest", "share_kept", "smallest_rounds"]


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
