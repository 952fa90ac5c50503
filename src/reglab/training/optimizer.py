"""The optimizer of a run, L2 in it.

torch's update functions without its ``Optimizer`` classes: the first of these in a process imports
torch's compiler, only to be left alone by it, which takes 2 s of processor time and 116 MB in every
worker. What is computed is the same, bit for bit (``tests/test_optimizer.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from reglab.config import RunConfig
from reglab.formulas import effective_lambda
from reglab.training.model import decayed_parameters

Group, State = dict[str, Any], dict[str, Tensor]
Update = Callable[[Group, list[Tensor], list[Tensor], list[State]], None]
BETAS, EPS = (0.9, 0.999), 1e-8  # Adam's, as torch has them by default


class Optimizer:
    """Takes steps by an update function, with the names of ``torch.optim.Optimizer``.

    Args:
        update: changes the parameters of a group by their gradients, given what it remembers of
            each of them.
        groups: ``params`` and ``weight_decay`` of each group.
        settings: what the update needs to know besides, the same for all groups.

    Attributes:
        param_groups: the groups with their settings.
        state: what is remembered of each parameter, tensors by name.
    """

    def __init__(self, update: Update, groups: Iterable[Group], **settings: float | bool) -> None:
        self._update = update
        self.param_groups = [settings | group for group in groups]
        self.state: dict[Tensor, State] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change all parameters that have a gradient, by it."""
        for group in self.param_groups:
            parameters = [it for it in group["params"] if it.grad is not None]
            states = [self.state.setdefault(it, {}) for it in parameters]
            self._update(group, parameters, [it.grad for it in parameters], states)


def sgd_optimizer(groups: Iterable[Group], *, lr: float, momentum: float) -> Optimizer:
    """Return stochastic gradient descent as ``torch.optim.SGD`` does it."""
    return Optimizer(_sgd, groups, lr=lr, momentum=momentum)


def adam_optimizer(groups: Iterable[Group], *, lr: float, decoupled: bool) -> Optimizer:
    """Return Adam as ``torch.optim.Adam`` does it, or, decoupled, as ``torch.optim.AdamW``.

    A group's ``capturable`` has the count of steps on the parameters' device, for CUDA graphs.
    """
    return Optimizer(_adam, groups, lr=lr, decoupled=decoupled, capturable=False)


def _sgd(
    group: Group, parameters: list[Tensor], gradients: list[Tensor], states: list[State]
) -> None:
    velocities = [state.get("momentum_buffer") for state in states]
    sgd(
        parameters,
        gradients,
        velocities,  # the first step fills it
        lr=group["lr"],
        weight_decay=group["weight_decay"],
        momentum=group["momentum"],
        dampening=0.0,
        nesterov=False,
        maximize=False,
        has_sparse_grad=False,
    )
    if group["momentum"]:
        for state, velocity in zip(states, velocities, strict=True):
            state["momentum_buffer"] = velocity


def _adam(
    group: Group, parameters: list[Tensor], gradients: list[Tensor], states: list[State]
) -> None:
    for parameter, state in zip(parameters, states, strict=True):
        if not state:
            device = parameter.device if group["capturable"] else "cpu"
            state["step"] = torch.zeros((), dtype=torch.float32, device=device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
    means, squares, steps = (
        [state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step")
    )
    adam(
        parameters,
        gradients,
        means,
        squares,
        [],
        steps,
        lr=group["lr"],
        weight_decay=group["weight_decay"],
        beta1=BETAS[0],
        beta2=BETAS[1],
        eps=EPS,
        amsgrad=False,
        maximize=False,
        capturable=group["capturable"],
        decoupled_weight_decay=group["decoupled"],
    )


def build_optimizer(model: nn.Module, config: RunConfig, n_fit: int) -> Optimizer:
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
        return sgd_optimizer(groups, lr=config.lr, momentum=config.momentum)
    return adam_optimizer(groups, lr=config.lr, decoupled=decoupled)
