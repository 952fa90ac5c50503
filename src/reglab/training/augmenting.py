"""Augmentation of training batches on their device: uint8 images in, uint8 images out.

Each image has draws of its own, from a random stream of their own (seed, "augment"), always five:
so two runs of a seed differ in nothing but what is asked for, and asking for a rotation as well
changes no flip. Validation and test images are never touched, nor are the statistics that images
are standardized with, which are those of clean ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from reglab.augmentations import Augmentation, parsed
from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.data.kinds import IMAGE
from reglab.errors import ReglabError
from reglab.seeds import stream_seed

# (uint8 images (B, C, H, W), their places in the training part (B,), epochs done) -> images
Augment = Callable[[Tensor, Tensor, int], Tensor]


def augmenter(config: RunConfig, data: Dataset, device: torch.device) -> Augment:
    """Return what a run does to each batch of training images; nothing where nothing is asked for.

    Raises:
        ReglabError: a shift beyond a quarter of the images' side, or the data are no images.
    """
    if not config.augment:
        return unchanged
    if data.kind != IMAGE:
        raise ReglabError(
            f"augment={config.augment!r} needs images, {data.name} has sequences; leave it out"
        )
    asked = parsed(config.augment)
    most = min(data.in_shape[1:]) / 4
    if asked.shift > most:
        raise ReglabError(
            f"augment={config.augment!r} shifts images of {data.name} by more than a quarter of "
            f"their side; at most shift:{math.floor(most)} is allowed"
        )
    return Augmenter(asked, config.seed, len(data.y_train), device)


def unchanged(images: Tensor, index: Tensor, epoch: int) -> Tensor:
    """Return the images as they are."""
    return images


class Augmenter:
    """Applies an `Augmentation` to batches.

    Args:
        asked: the transformations.
        seed: of the run.
        n_fit: training images.
        device: where they are.
    """

    def __init__(self, asked: Augmentation, seed: int, n_fit: int, device: torch.device) -> None:
        self.asked = asked
        stream = torch.Generator(device=device)
        self.generator = stream.manual_seed(stream_seed(seed, "augment"))
        # Each image's side in the first epoch: a table of coins; Jordan (2024) hashes its index.
        coins = torch.Generator().manual_seed(stream_seed(seed, "augment", "sides"))
        self.sides = torch.randint(2, (n_fit,), generator=coins).to(device)

    def __call__(self, images: Tensor, index: Tensor, epoch: int) -> Tensor:
        draws = torch.rand((len(images), 5), generator=self.generator, device=images.device)
        if self.asked.flip:
            images = flipped(images, self._mirrored(draws[:, 0], index, epoch))
        return warped(images, *self._motions(draws[:, 1:])) if self.asked.moves else images

    def _mirrored(self, draws: Tensor, index: Tensor, epoch: int) -> Tensor:
        if self.asked.flip == "alternating_flip":
            return (self.sides[index] + epoch) % 2 == 1
        return draws < 0.5

    def _motions(self, draws: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return angles, factors and shifts of uniform draws (B, 4) in [0, 1)."""
        signed = 2 * draws - 1
        whole = torch.floor(draws[:, 2:] * (2 * self.asked.shift + 1)) - self.asked.shift
        return self.asked.rotation * signed[:, 0], 1 + self.asked.scale * signed[:, 1], whole


def flipped(images: Tensor, mask: Tensor) -> Tensor:
    """Return images (B, C, H, W), mirrored left to right where ``mask``, (B,), is true."""
    return torch.where(mask.view(-1, 1, 1, 1), images.flip(3), images)


def warped(images: Tensor, degrees: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
    """Return images turned and scaled about their centre, then shifted; bilinear, black outside.

    torchvision's ``affine`` with its angle's sign changed.

    Args:
        images: (B, C, H, W) uint8.
        degrees: (B,), counter-clockwise.
        factor: (B,), above 1 = larger.
        shift: (B, 2) in pixels, to the right and down.
    """
    height, width = images.shape[-2:]
    angle = torch.deg2rad(degrees)
    cos, sin = torch.cos(angle) / factor, torch.sin(angle) / factor
    # Where in the image as it was a pixel comes from: both in pixels from the centre, y down.
    back = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)  # (B, 2, 2)
    side = torch.tensor([width, height], dtype=back.dtype, device=images.device)
    offset = -2 * (back @ shift[:, :, None]) / side[:, None]  # (B, 2, 1); a side is 2 long there
    theta = torch.cat([back * (side / side[:, None]), offset], dim=2)  # (B, 2, 3)
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images.float(), grid, align_corners=False).round_().to(torch.uint8)
