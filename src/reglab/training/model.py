"""StandardCNN: the one architecture of the study, and its initialization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reglab.errors import ReglabError
from reglab.seeds import stream_seed

EMBEDDING_STD = 0.1


class Dropout(nn.Module):
    """Inverted dropout with a random stream of its own.

    Training: each element is zeroed with probability ``drop`` and the rest divided by
    ``1 - drop``, as `reglab.formulas.dropout`; evaluation: the identity. torch's own module draws
    from the global generator, so that adding one layer would shift every other random number.

    Args:
        drop: drop rate in [0, 1).
    """

    def __init__(self, drop: float) -> None:
        super().__init__()
        if not 0 <= drop < 1:
            raise ReglabError(f"drop must be a drop rate in [0, 1), got {drop}")
        self.drop = drop
        self.generator: torch.Generator | None = None

    def forward(self, h: Tensor) -> Tensor:
        if not self.training or self.drop == 0:
            return h
        mask = torch.empty_like(h).bernoulli_(1 - self.drop, generator=self.generator)
        return h * mask.mul_(1 / (1 - self.drop))


class StandardCNN(nn.Module):
    """Convolutions w-w-pool, 2w-2w-pool, a hidden layer of 16w units, and the output layer.

    3x3 convolutions with same padding, 2x2 max pooling, ReLU; w = 32 is the small Keras CNN of
    many tutorials. With batch norm a block is convolution - BN - ReLU and the convolution has no
    bias, since BN would subtract it again; or convolution - ReLU - BN, and there it has one.

    Args:
        in_shape: (C, H, W) of the images; H, W >= 4.
        n_classes: outputs, >= 2.
        width: w, channels of the first block.
        batch_norm: BN after each convolution.
        dropout: drop rate in [0, 1).
        placement: "fc" drops after the hidden layer; "all" after both pools as well.
        norm_order: "before_relu" or "after_relu": where BN is.

    Shapes: images (N, C, H, W) float32, standardized -> logits (N, n_classes).
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int],
        n_classes: int,
        width: int = 32,
        batch_norm: bool = False,
        dropout: float = 0.0,
        placement: str = "fc",
        norm_order: str = "before_relu",
    ) -> None:
        super().__init__()
        self.norm_last = norm_order == "after_relu"
        channels, height, side = in_shape
        plan = [(channels, width), (width, width), (width, 2 * width), (2 * width, 2 * width)]
        for i, (inputs, outputs) in enumerate(plan, start=1):
            conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=self.norm_last or not batch_norm)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(outputs) if batch_norm else nn.Identity())
        pooled = dropout if placement == "all" else 0.0
        self.drop1, self.drop2, self.drop3 = Dropout(pooled), Dropout(pooled), Dropout(dropout)
        self.fc = nn.Linear(2 * width * (height // 4) * (side // 4), 16 * width)
        self.out = nn.Linear(16 * width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self._activated(self.conv1(x), self.bn1)
        x = self._activated(self.conv2(x), self.bn2)  # (N, w, H, W)
        x = self.drop1(nn.functional.max_pool2d(x, 2))  # (N, w, H/2, W/2)
        x = self._activated(self.conv3(x), self.bn3)
        x = self._activated(self.conv4(x), self.bn4)  # (N, 2w, H/2, W/2)
        x = self.drop2(nn.functional.max_pool2d(x, 2))  # (N, 2w, H/4, W/4)
        x = self.drop3(self.fc(x.flatten(1)).relu_())  # (N, 16w)
        return self.out(x)

    def _activated(self, x: Tensor, norm: nn.Module) -> Tensor:
        return norm(x.relu_()) if self.norm_last else norm(x).relu_()


@torch.no_grad()
def initialize(model: nn.Module, seed: int) -> None:
    """Draw He-normal weights (He et al. 2015), each parameter from a stream of its own name.

    Weights of convolutions and linear layers: N(0, 2 / fan_in); biases 0; BN scale 1, shift 0. An
    embedding has N(0, 0.1^2), about as Kim (2014) draws it: with a variance of 1 the largest values
    over time are so large that no unit of the hidden layer survives the first steps.
    Because streams go by name, two models that share a layer share its initial weights.
    """
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            generator = torch.Generator().manual_seed(stream_seed(seed, "init", name))
            std = EMBEDDING_STD if name.startswith("embed") else (2 / parameter[0].numel()) ** 0.5
            drawn = torch.empty(parameter.shape).normal_(0, std, generator=generator)
            parameter.copy_(drawn)
        else:
            is_scale = name.startswith("bn") and name.endswith("weight")
            parameter.fill_(1.0 if is_scale else 0.0)


def seed_dropout(model: nn.Module, seed: int, device: torch.device) -> None:
    """Give each dropout layer its own generator on ``device``, seeded by the layer's name."""
    for name, module in model.named_modules():
        if isinstance(module, Dropout):
            if module.generator is None or module.generator.device.type != device.type:
                module.generator = torch.Generator(device=device)
            module.generator.manual_seed(stream_seed(seed, "dropout", name))


def decayed_parameters(
    model: nn.Module, decay_on: str = "all"
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Split parameters into those L2 applies to (weights) and the rest (biases, BN).

    Args:
        decay_on: as `is_decayed` has it.
    """
    parameters = list(model.parameters())
    decayed = [p for p in parameters if is_decayed(p, decay_on)]
    return decayed, [p for p in parameters if not is_decayed(p, decay_on)]


# Dimensions of the weights that L2 applies to: four or three of a convolution, two of a linear
# layer, and of an embedding, which is one of words as unit vectors.
_DECAYED_DIMENSIONS = {"all": (2, 3, 4), "conv": (3, 4), "dense": (2,)}


def is_decayed(parameter: Tensor, decay_on: str = "all") -> bool:
    """Whether L2 applies: to the weights of convolutions, of linear layers, or of both ("all").

    An embedding counts as a linear layer: all its rows decay at each step, also those of tokens
    that are not in the batch.
    """
    return parameter.ndim in _DECAYED_DIMENSIONS[decay_on]
