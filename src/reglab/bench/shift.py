"""Does batch normalization help because it holds layers' inputs still? Drifting noise behind it.

Santurkar et al. (2018) added noise behind batch normalization whose mean and scale change at every
step, so that the inputs of the next layer are less stable than without the normalization, and found
that the network still trains well. Here: the study's small network on 1,000 images, without
normalization, with it, and with it and two amounts of noise; at some steps it is measured how far
layers' inputs and gradients move. The amounts are our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.formulas import drifting_noise, gradient_predictiveness, input_shift, relative_change
from reglab.seeds import stream_seed
from reglab.training import machine
from reglab.training.evaluate import ready
from reglab.training.run import Run, load_for

NETWORKS = {
    "plain": "without BN",
    "bn": "with BN",
    "weak": "with BN and weak noise",
    "strong": "with BN and strong noise",
}
# In deviations of BN's normalized output: the noise's mean is uniform between minus and plus this,
# its deviation between 0 and this.
NOISE = {"weak": 0.1, "strong": 0.5}
SEEDS = 5
MEASURED_EVERY = 10  # steps
LAYERS = ("conv2", "conv3", "conv4", "fc")  # those that have layers below; measures are their means
BELOW = {layer: tuple(f"{kind}{i}." for i in range(1, at) for kind in ("conv", "bn"))
         for at, layer in enumerate(LAYERS, start=2)}  # fmt: skip
AHEAD = (0.5, 1.0, 2.0, 4.0)  # step sizes along the gradient, in learning rates

State = Mapping[str, Tensor]  # parameters by name


def config_of(network: str, seed: int) -> RunConfig:
    """Return the run of one of `NETWORKS` and a seed: no other regularization."""
    return RunConfig(
        dataset="cifar10",
        data_version=dataset_version("cifar10", "sample"),
        n_train=1000,
        seed=seed,
        width=8,
        lr=0.01,
        max_epochs=8,
        patience=0,
        batch_norm=network != "plain",
    )


def shift(device: str = "auto", seeds: int = SEEDS) -> dict:
    """Train every network with every seed on a processor; return plain JSON values.

    Returns:
        Machine and versions, what was run, and under ``runs`` for each network a list of
        `measured`'s values, one a seed.

    Raises:
        ReglabError: another device was asked for.
    """
    if device not in ("auto", "cpu"):
        raise ReglabError(f"this is measured on a processor only, got device {device!r}")
    runs = {name: [measured(name, seed) for seed in range(seeds)] for name in NETWORKS}
    config = config_of("plain", 0)
    return {
        **machine.environment(torch.device("cpu"), 1),
        "config": config.to_dict(),
        "measured_every": MEASURED_EVERY,
        "layers": list(LAYERS),
        "ahead": list(AHEAD),
        "noise": NOISE,
        "runs": runs,
    }


def measured(network: str, seed: int) -> dict[str, float]:
    """Train one network and return means over its measured steps, and where training got.

    Returns:
        ``input_shift``, ``gradient_shift`` and ``predictiveness`` (`reglab.formulas`), the last two
        relative to the gradient and, with ``_distance``, as they are; ``train_loss`` (nats) and
        ``test_acc`` (share) after the last epoch, without noise.
    """
    config = config_of(network, seed)
    with machine.settings(config, threads=1) as device:
        run = Run(config, load_for(config), device)
        layers = ("bn1", "bn2", "bn3", "bn4") if network in NOISE else ()
        noises = [Noise(seed, layer, NOISE[network]) for layer in layers]
        for noise in noises:
            run.model.get_submodule(noise.layer).register_forward_hook(noise)
        steps = list(_steps(run, noises))
    means = {name: sum(step[name] for step in steps) / len(steps) for name in steps[0]}
    return means | {
        "train_loss": run.history.train_loss[-1],
        "test_acc": run.trace.test_acc[-1],
    }


@dataclass
class Noise:
    """A forward hook that adds the noise of a step to a layer's output, in training only."""

    seed: int
    layer: str
    amount: float
    step: int = 0

    def __call__(self, module: nn.Module, inputs: tuple[Tensor], y: Tensor) -> Tensor:
        if not module.training:
            return y
        stream = stream_seed(self.seed, "drifting noise", self.layer, str(self.step))
        generator = torch.Generator().manual_seed(stream)
        drawn = partial(torch.empty, y.shape[1])
        mean = drawn().uniform_(-self.amount, self.amount, generator=generator)
        scale = drawn().uniform_(0, self.amount, generator=generator)
        xi = torch.empty(y.shape).normal_(generator=generator)
        return drifting_noise(y, mean, scale, xi)


def _steps(run: Run, noises: list[Noise]) -> Iterator[dict[str, float]]:
    """Train the run to its end; yield what is measured at every tenth step."""
    step = 0
    while not run.finished:
        run.model.train()
        for index in run.order.epoch():
            if step % MEASURED_EVERY:
                run.step(index)
            else:
                yield _measured_step(run, index, noises)
            step += 1
            for noise in noises:
                noise.step = step
        run.end_epoch(0.0)


def _measured_step(run: Run, index: Tensor, noises: list[Noise]) -> dict[str, float]:
    """Take a step; measure what it did to each layer's inputs and gradient, on the step's images.

    The noise is part of the layers below: after the step it is the next step's. Along the gradient
    it stays what it was.
    """
    batch = ready(run.fit[0][index], run.data), run.fit[1][index]
    before = state_of(run.model)
    inputs, gradient = seen(run.model, before, batch)
    direction = torch.cat([g.flatten() for g in gradient.values()])
    ahead = [
        seen(
            run.model, {k: v - size * run.config.lr * gradient[k] for k, v in before.items()}, batch
        )
        for size in AHEAD
    ]
    further = [torch.cat([g.flatten() for g in there.values()]) for _, there in ahead]
    run.step(index)
    after = state_of(run.model)
    for noise in noises:
        noise.step += 1
    moved, _ = seen(run.model, after, batch)
    changed = {
        layer: seen(run.model, mixed(before, after, layer), batch)[1][f"{layer}.weight"]
        for layer in LAYERS
    }
    return _figures(inputs, moved, gradient, changed, direction, further)


def _figures(
    inputs: State,
    moved: State,
    gradient: State,
    changed: State,
    direction: Tensor,
    further: list[Tensor],
) -> dict[str, float]:
    own = {layer: gradient[f"{layer}.weight"] for layer in LAYERS}
    predictiveness = gradient_predictiveness(direction, further)
    return {
        "input_shift": _mean(input_shift(inputs[layer], moved[layer]) for layer in LAYERS),
        "gradient_shift": _mean(relative_change(own[layer], changed[layer]) for layer in LAYERS),
        "gradient_shift_distance": _mean((changed[k] - own[k]).norm().item() for k in LAYERS),
        "predictiveness": predictiveness,
        "predictiveness_distance": predictiveness * direction.norm().item(),
    }


def seen(model: nn.Module, state: State, batch: tuple[Tensor, Tensor]) -> tuple[State, State]:
    """Return the inputs of `LAYERS` and the gradient of every parameter, in training mode.

    Args:
        model: not changed, its running statistics included.
        state: parameters to use instead of the model's.
        batch: standardized images and labels.
    """
    inputs: dict[str, Tensor] = {}
    hooks = [
        model.get_submodule(layer).register_forward_pre_hook(
            lambda _, args, layer=layer: inputs.__setitem__(layer, args[0].detach().clone())
        )
        for layer in LAYERS
    ]
    leaves = {name: value.detach().clone().requires_grad_() for name, value in state.items()}
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    logits = functional_call(model, {**leaves, **buffers}, (batch[0],))
    gradients = torch.autograd.grad(cross_entropy(logits, batch[1]), list(leaves.values()))
    for hook in hooks:
        hook.remove()
    return inputs, dict(zip(leaves, gradients, strict=True))


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of a model's parameters, by name."""
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def mixed(before: State, after: State, layer: str) -> dict[str, Tensor]:
    """Return the parameters with those below a layer already moved, and the others not."""
    return {name: (after if name.startswith(BELOW[layer]) else before)[name] for name in before}


def _mean(values: Iterator[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
