"""In which order a run sees its training images."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from reglab.config import RunConfig
from reglab.seeds import stream_seed


class BatchOrder:
    """The order of training images, epoch by epoch, from a stream of its own (seed, "order")."""

    def __init__(self, config: RunConfig, n_fit: int) -> None:
        self.n_fit = n_fit
        self.batch_size = min(config.batch_size, n_fit)
        self.generator = torch.Generator().manual_seed(stream_seed(config.seed, "order"))

    def epoch(self) -> Iterator[Tensor]:
        """Yield index tensors of shape (batch_size,); the last partial batch is dropped."""
        permutation = torch.randperm(self.n_fit, generator=self.generator)
        full = self.n_fit - self.n_fit % self.batch_size
        yield from permutation[:full].split(self.batch_size)
