"""The optimizer of a run, L2 in it.

torch's update functions without its ``Optimizer`` classes: the first of these in a process imports
torch's compiler, only to be left alone by it, which takes 2 s of processor time and 116 MB in every
worker. What is computed is the same, bit for bit (``tests/test_optimizer.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from reglab.config import RunConfig
from reglab.formulas import effective_lambda
from reglab.training.model import decayed_parameters

BETAS, EPS = (0.9, 0.999), 1e-8  # Adam's, as torch has them by default


class Optimizer:
    """What SGD and Adam have in common, with the names of ``torch.optim.Optimizer``.

    Attributes:
        param_groups: ``params``, ``lr`` and ``weight_decay`` of each group, and the kind's own.
        state: what is remembered of each parameter, tensors by name.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], **settings: float | bool) -> None:
        self.param_groups = [settings | group for group in groups]
        self.state: dict[Tensor, dict[str, Tensor]] = {}

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
            self._update(group, parameters, [it.grad for it in parameters])

    def _update(
        self, group: dict[str, Any], parameters: Sequence[Tensor], gradients: Sequence[Tensor]
    ) -> None:
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent as ``torch.optim.SGD``, with its ``momentum``."""

    def _update(self, group, parameters, gradients) -> None:
        states = [self.state.setdefault(it, {}) for it in parameters]
        velocities = [state.get("momentum_buffer") for state in states]
        sgd(
            list(parameters),
            list(gradients),
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


class Adam(Optimizer):
    """Adam as ``torch.optim.Adam``; ``decoupled`` makes it ``torch.optim.AdamW``.

    ``capturable`` has the count of steps on the parameters' device, for CUDA graphs.
    """

    def _update(self, group, parameters, gradients) -> None:
        states = [self.state.get(it) or self._begin(it, group["capturable"]) for it in parameters]
        adam(
            list(parameters),
            list(gradients),
            *([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq")),
            [],
            [state["step"] for state in states],
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

    def _begin(self, parameter: Tensor, capturable: bool) -> dict[str, Tensor]:
        device = parameter.device if capturable else "cpu"
        self.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
        return self.state[parameter]


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
        return SGD(groups, lr=config.lr, momentum=config.momentum)
    return Adam(groups, lr=config.lr, decoupled=decoupled, capturable=False)
