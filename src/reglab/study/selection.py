"""Choosing on validation figures, and on nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reglab.config import RunConfig
from reglab.data.tasks import REGRESSION
from reglab.record import RunRecord


@dataclass(frozen=True)
class Validation:
    """What selection may see of a run: validation figures at the restored epoch, no test score.

    Attributes:
        score: accuracy; of a regression minus the loss, so that more is better.
    """

    config: RunConfig
    loss: float
    score: float


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
        worst = -math.inf if record.task == REGRESSION else 0.0
        return Validation(record.config, math.inf, worst)
    index = record.best_epoch - 1
    loss = record.history.val_loss[index]
    score = -loss if record.task == REGRESSION else record.history.val_acc[index]
    return Validation(record.config, loss, score)


def select(views: Sequence[Validation], field: str, *, criterion: str) -> float:
    """Return the value of ``field`` that validates best, averaged over seeds.

    Args:
        views: validation views of the candidates.
        field: the config field to choose, e.g. ``"lam"``.
        criterion: ``"loss"`` (lowest) or ``"score"`` (highest, ties broken by loss). A tie that is
            left goes to the smaller value.
    """
    values = sorted({getattr(view.config, field) for view in views})

    def rank(value: float) -> tuple[float, ...]:
        group = [view for view in views if getattr(view.config, field) == value]
        loss = sum(view.loss for view in group) / len(group)
        score = sum(view.score for view in group) / len(group)
        return (loss,) if criterion == "loss" else (-score, loss)

    return min(values, key=rank)
