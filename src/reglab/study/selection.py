"""Choosing on validation figures, and on nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reglab.config import RunConfig
from reglab.record import RunRecord


@dataclass(frozen=True)
class Validation:
    """What selection may see of a run: validation figures at the restored epoch, no test score."""

    config: RunConfig
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Choices:
    """What the validation part chose."""

    lr: float
    adamw_lr: float
    lam: float | None = None
    dropout: float | None = None


def validation_of(record: RunRecord) -> Validation:
    """Return the validation view of a run; a run without a finite epoch is worst of all."""
    if record.best_epoch is None:
        return Validation(record.config, math.inf, 0.0)
    index = record.best_epoch - 1
    return Validation(record.config, record.history.val_loss[index], record.history.val_acc[index])


def select(views: Sequence[Validation], field: str, *, criterion: str) -> float:
    """Return the value of ``field`` that validates best, averaged over seeds.

    Args:
        views: validation views of the candidates.
        field: the config field to choose, e.g. ``"lam"``.
        criterion: ``"loss"`` (lowest) or ``"accuracy"`` (highest, ties broken by loss). A tie that
            is left goes to the smaller value.
    """
    values = sorted({getattr(view.config, field) for view in views})

    def rank(value: float) -> tuple[float, ...]:
        group = [view for view in views if getattr(view.config, field) == value]
        loss = sum(view.loss for view in group) / len(group)
        accuracy = sum(view.accuracy for view in group) / len(group)
        return (loss,) if criterion == "loss" else (-accuracy, loss)

    return min(values, key=rank)
