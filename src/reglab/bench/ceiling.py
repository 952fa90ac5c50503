"""The machine's ceiling: the network's convolutions and matrix products alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.training import machine
from reglab.training.networks import build_model

BATCHES = (32, 64, 128, 256)


class Products:
    """Forward and backward of each convolution and linear layer, on inputs of their own.

    No activation, pooling, normalization, loss, optimizer or data: what is left is what no training
    of this network can do without. The first layer needs no gradient for its input.

    Args:
        config: shape, device and precision.
        data: gives the shape of the images.
        batch: images a step.
    """

    def __init__(self, config: RunConfig, data: Dataset, batch: int) -> None:
        self.config, self.batch = config, batch
        self.device = torch.device(config.device)
        model = build_model(config, data).to(self.device, memory_format=torch.channels_last)
        self.parts = list(_parts(model, config, data, batch, self.device))

    def images_per_second(self, seconds: float) -> float:
        """Repeat for at least ``seconds`` and return images per second."""
        steps, started = 0, time.perf_counter()
        while not steps or time.perf_counter() - started < seconds:
            self._step()
            steps += 1
        machine.synchronize(self.device)
        return steps * self.batch / (time.perf_counter() - started)

    def _step(self) -> None:
        for layer, inputs, upstream in self.parts:
            with machine.autocast(self.config):
                outputs = layer(inputs)
            wanted = [layer.weight, *([inputs] if inputs.requires_grad else [])]
            torch.autograd.grad(outputs, wanted, upstream)


def _parts(
    model: nn.Module, config: RunConfig, data: Dataset, batch: int, device: torch.device
) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    """Yield each layer with inputs and an upstream gradient of its own shapes and type."""
    kind = torch.bfloat16 if config.precision == "bf16" else torch.float32
    seen: list[tuple[nn.Module, torch.Size, torch.Size]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append((layer, inputs[0].shape, output.shape))

    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    model(torch.zeros(batch, *data.in_shape, device=device))
    for hook in hooks:
        hook.remove()
    for place, (layer, shape, out_shape) in enumerate(seen):
        inputs = _laid_out(torch.randn(shape, device=device, dtype=kind))
        yield (
            layer,
            inputs.requires_grad_(place > 0),
            _laid_out(torch.randn(out_shape, device=device, dtype=kind)),
        )


def _laid_out(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values
