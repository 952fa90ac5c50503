"""When a run has gone on for long enough."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class EarlyStopping:
    """Stop after ``patience`` epochs without a lower validation loss; 0 = never.

    Attributes:
        first: the first epoch that may be the best, from 1: a network that is still being pruned
            is not yet what was asked for.
    """

    patience: int
    first: int = 1
    epoch: int = 0
    best_epoch: int | None = None
    best_loss: float = math.inf

    def improved(self, val_loss: float) -> bool:
        """Count an epoch; say whether its loss is the lowest so far."""
        self.epoch += 1
        if self.epoch >= self.first and val_loss < self.best_loss:
            self.best_loss, self.best_epoch = val_loss, self.epoch
            return True
        return False

    @property
    def should_stop(self) -> bool:
        """Whether the last ``patience`` epochs brought nothing better."""
        return 0 < self.patience <= self.epoch - (self.best_epoch or self.first - 1)
