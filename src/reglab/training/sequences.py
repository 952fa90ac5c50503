"""SequenceCNN: the standard network in one dimension, for vectors or tokens in a row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reglab.data.kinds import PAD
from reglab.training.model import Dropout


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalization over the steps that are there: padding enters no statistic.

    Over all steps it is `torch.nn.BatchNorm1d`. In evaluation it is that in any case, as running
    statistics know no padding.

    Shapes: x (N, C, T), ``there`` (N, 1, T) of ones and zeros, or None -> (N, C, T).
    """

    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        if there is None or not self.training:
            return super().forward(x)
        x, n = x.float(), there.sum()
        mean = (x * there).sum((0, 2)) / n  # (C,)
        centred = x - mean[:, None]
        var = (centred.square() * there).sum((0, 2)) / n
        with torch.no_grad():  # torch keeps the unbiased variance for evaluation
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * n / (n - 1).clamp(min=1), self.momentum)
        scale = self.weight / (var + self.eps).sqrt()
        return centred * scale[:, None] + self.bias[:, None]


class SequenceCNN(nn.Module):
    """Convolutions w-w-pool, 2w-2w-pool over time, a hidden layer of 16w units, the output layer.

    As `reglab.training.model.StandardCNN`, with convolutions and pools of length 3 and 2. Vectors
    go into the hidden layer step by step, as an image does. Tokens are first looked up in an
    embedding of 2w numbers each, and of what the second pool leaves only the largest value over
    time goes on (Kim 2014), so that a passage's length does not matter: padding is zero in each
    layer's input and in no statistic, and is never the largest.

    Args:
        in_shape: (C, T) of vectors or (L,) of tokens; at least 4 steps.
        n_classes, width, batch_norm, dropout, placement, norm_order: as there.
        vocabulary: number of tokens, the first of which is padding; 0 for vectors.

    Shapes: vectors (N, C, T) float32 or tokens (N, L) integers -> logits (N, n_classes).
    """

    def __init__(
        self,
        in_shape: tuple[int, ...],
        n_classes: int,
        width: int = 32,
        batch_norm: bool = False,
        dropout: float = 0.0,
        placement: str = "fc",
        norm_order: str = "before_relu",
        vocabulary: int = 0,
    ) -> None:
        super().__init__()
        self.norm_last = norm_order == "after_relu"
        channels, steps = (2 * width if vocabulary else in_shape[0]), in_shape[-1]
        self.embed = nn.Embedding(vocabulary, channels) if vocabulary else None
        plan = [(channels, width), (width, width), (width, 2 * width), (2 * width, 2 * width)]
        for i, (inputs, outputs) in enumerate(plan, start=1):
            conv = nn.Conv1d(inputs, outputs, 3, padding=1, bias=self.norm_last or not batch_norm)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", MaskedBatchNorm(outputs) if batch_norm else None)
        pooled = dropout if placement == "all" else 0.0
        self.drop1, self.drop2, self.drop3 = Dropout(pooled), Dropout(pooled), Dropout(dropout)
        self.fc = nn.Linear(2 * width * (1 if vocabulary else steps // 4), 16 * width)
        self.out = nn.Linear(16 * width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        there = None  # (N, 1, T): 1 where there is a token, 0 where there is padding
        if self.embed is not None:
            there = (x != PAD).unsqueeze(1)
            x, there = self.embed(x).transpose(1, 2) * there, there.float()
        x = self._activated(self.conv1(x), self.bn1, there)
        x = self._activated(self.conv2(x), self.bn2, there)  # (N, w, T)
        x, there = pool(x, there)
        x = self.drop1(x)
        x = self._activated(self.conv3(x), self.bn3, there)
        x = self._activated(self.conv4(x), self.bn4, there)  # (N, 2w, T/2)
        x, there = pool(x, there)
        x = self.drop2(x)  # (N, 2w, T/4)
        x = x.flatten(1) if there is None else largest(x, there)
        x = self.drop3(self.fc(x).relu_())  # (N, 16w)
        return self.out(x)

    def _activated(self, x: Tensor, norm: MaskedBatchNorm | None, there: Tensor | None) -> Tensor:
        if norm is None:
            x = x.relu_()
        else:
            x = norm(x.relu_(), there) if self.norm_last else norm(x, there).relu_()
        return x if there is None else x * there


def pool(x: Tensor, there: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the larger of two steps each, (N, C, T / 2), and where any of the two is there.

    Of vectors a last odd step is left out, of tokens it is kept.
    """
    if there is None:
        return nn.functional.max_pool1d(x, 2), None
    odd = x.shape[2] % 2  # a last step without a partner would be lost, and with padding be kept
    x, there = nn.functional.pad(x, (0, odd)), nn.functional.pad(there, (0, odd))
    shorter = nn.functional.max_pool1d(there, 2)
    without = x.masked_fill(there == 0, -torch.inf)  # zero can be the larger, after BN
    return nn.functional.max_pool1d(without, 2).masked_fill(shorter == 0, 0.0), shorter


def largest(x: Tensor, there: Tensor) -> Tensor:
    """Return the largest value over the steps that are there, (N, C)."""
    return x.masked_fill(there == 0, -torch.inf).amax(2)
