"""The optimizer of a run, L2 in it."""

from __future__ import annotations

import torch
from torch import nn

from reglab.config import RunConfig
from reglab.formulas import effective_lambda
from reglab.training.model import decayed_parameters


def build_optimizer(model: nn.Module, config: RunConfig, n_fit: int) -> torch.optim.Optimizer:
    """Return the optimizer, lambda in its ``weight_decay`` for weights, 0 for biases and BN.

    Which weights: ``config.decay_on``.

    torch's SGD and Adam add weight_decay * w to the gradient, which is the coupled penalty;
    AdamW shrinks w by lr * weight_decay, which is the decoupled one.
    """
    decoupled = config.l2 == "decoupled"
    decay = config.lam if decoupled else effective_lambda(config.lam, config.l2, n_fit)
    weights, rest = decayed_parameters(model, config.decay_on)
    groups = [{"params": weights, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)
    adam = torch.optim.AdamW if decoupled else torch.optim.Adam
    return adam(groups, lr=config.lr)
