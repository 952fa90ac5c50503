"""Weights that a run holds at zero: which ones, from when on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from reglab.config import RunConfig
from reglab.formulas import keep_largest, share_kept
from reglab.seeds import stream_seed
from reglab.training.model import is_decayed


class Zeros(Protocol):
    """What a run does about weights that stay at zero."""

    first: int  # the first epoch that has all its zeros, from 1

    def begin_epoch(self) -> None:
        """Choose what is set to zero from here on."""

    def hold(self) -> None:
        """Set it to zero again, after a step."""


class NoZeros:
    """All weights are free."""

    first = 1

    def begin_epoch(self) -> None: ...

    def hold(self) -> None: ...


class Pruned:
    """A share of all weights held at zero, reached over rounds, one at the beginning of an epoch.

    A step moves every weight and the zeros are set back after it, so that momentum and penalty
    need to know nothing of them.

    Args:
        model: with the weights of the run that is pruned, or, after a rewind, with initial ones.
        config: of a run with a ``start``.
        start: that run's weights.
    """

    def __init__(self, model: nn.Module, config: RunConfig, start: Mapping[str, Tensor]) -> None:
        named = model.named_parameters()
        self.weights = {name: weight for name, weight in named if is_decayed(weight)}
        self.config, self.done = config, 0
        self.first = max(1, config.rounds)
        self.generator = torch.Generator().manual_seed(stream_seed(config.seed, "prune"))
        self.total = sum(weight.numel() for weight in self.weights.values())
        self.masks = {name: torch.ones_like(w) for name, w in self.weights.items()}
        if config.rewind:
            self.masks = {name: (start[name] != 0).to(w) for name, w in self.weights.items()}
            self.hold()

    def begin_epoch(self) -> None:
        if self.done >= self.config.rounds:
            return
        self.done += 1
        share = share_kept(self.config.sparsity, self.config.rounds, self.done)
        kept = keep_largest(self._scores(), round(share * self.total))
        self.masks = {name: mask.to(self.weights[name]) for name, mask in kept.items()}
        self.hold()

    @torch.no_grad()
    def hold(self) -> None:
        for name, weight in self.weights.items():
            weight.mul_(self.masks[name])

    def _scores(self) -> dict[str, Tensor]:
        """Return what the largest of are kept; whatever is zero already comes last."""
        if self.config.pruned_by == "magnitude":
            return {name: weight.detach().abs() for name, weight in self.weights.items()}
        drawn = {}
        for name, mask in self.masks.items():
            chance = torch.rand(mask.shape, generator=self.generator).to(mask.device)
            drawn[name] = (chance + 1e-9) * mask  # above zero wherever a weight is left
        return drawn


def zeros_of(
    config: RunConfig, model: nn.Module, start: Mapping[str, Tensor] | None
) -> NoZeros | Pruned:
    """Return what a run holds at zero, its network set to the weights that it begins with.

    Args:
        model: the config's, with its initial weights.
        start: the weights of ``config.start``; None where there is none.
    """
    if start is None:
        return NoZeros()
    if not config.rewind:
        model.load_state_dict(start)
    return Pruned(model, config, start)
