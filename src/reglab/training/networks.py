"""The standard network for a data set's kind of inputs, and how much it multiplies."""

from __future__ import annotations

import torch
from torch import nn

from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.training.model import StandardCNN, initialize
from reglab.training.sequences import SequenceCNN

Network = StandardCNN | SequenceCNN


def build_model(config: RunConfig, data: Dataset) -> Network:
    """Return the config's network with its initial weights, on the CPU."""
    with torch.random.fork_rng(devices=[]):  # torch's own initialization, overwritten below
        model = _network(
            data.in_shape,
            data.vocabulary,
            n_classes=data.n_outputs,
            width=config.width,
            batch_norm=config.batch_norm,
            dropout=config.dropout,
            placement=config.placement,
            norm_order=config.norm_order,
        )
    initialize(model, config.seed)
    return model


def multiplications(
    in_shape: tuple[int, ...], width: int, n_classes: int = 10, vocabulary: int = 0
) -> int:
    """Return the multiplications of a forward pass of one input, convolutions and linear layers.

    torch counts a multiplication and an addition as two operations, and the padding's too.

    Args:
        in_shape: (C, H, W) of images, (C, T) of vectors, (L,) of tokens.
        n_classes: or the numbers that are predicted.
        vocabulary: number of tokens; looking one up multiplies nothing.
    """
    # Here, as it brings triton along, for which each worker process would take half a second more.
    from torch.utils.flop_counter import FlopCounterMode

    kind = torch.int32 if vocabulary else torch.float32
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = _network(in_shape, vocabulary, n_classes=n_classes, width=width)
        network(torch.ones(1, *in_shape, dtype=kind))
    return counter.get_total_flops() // 2


def _network(in_shape: tuple[int, ...], vocabulary: int, **settings: object) -> nn.Module:
    if len(in_shape) == 3:
        return StandardCNN(in_shape, **settings)
    return SequenceCNN(in_shape, vocabulary=vocabulary, **settings)
