"""Corrupted test images: noise, blur, brightness, contrast, a shift, a rotation.

All by torchvision's functional operations, on the processor, so that they are the same images on
every device. torchvision is imported here only: a machine with torch alone trains everything else.
"""

from __future__ import annotations

import math
from types import ModuleType

import torch
from torch import Tensor

from reglab.config import RunConfig
from reglab.corruptions import CORRUPTIONS
from reglab.data.dataset import Dataset
from reglab.data.kinds import IMAGE
from reglab.errors import ReglabError
from reglab.seeds import stream_seed

SMALLEST = 8  # pixels a side that blur and rotation need at their strongest


def check(config: RunConfig, data: Dataset) -> None:
    """Refuse a run whose images cannot be corrupted before it is trained, not after.

    Raises:
        ReglabError: torchvision is missing, or the images are not grey or coloured ones of at least
            8 x 8 pixels.
    """
    operations()
    channels, *sides = data.in_shape
    if data.kind != IMAGE or channels not in (1, 3) or min(sides) < SMALLEST:
        raise ReglabError(
            f"probes={config.probes!r} needs images of 1 or 3 channels and at least "
            f"{SMALLEST} x {SMALLEST} pixels; those of {data.name} have the shape {data.in_shape}"
        )


def operations() -> ModuleType:
    """Return torchvision's functional operations.

    Raises:
        ReglabError: torchvision is not installed.
    """
    try:
        from torchvision.transforms.v2 import functional
    except ImportError as error:
        raise ReglabError(
            f"probes='robustness' needs torchvision ({error}); install the one that belongs to "
            "this torch, or leave the probe out"
        ) from None
    return functional


def corrupted(images: Tensor, kind: str, strength: float) -> Tensor:
    """Return corrupted copies of images.

    ``noise`` adds Gaussian noise of that standard deviation (1 = from black to white), the same for
    each network; ``blur`` is Gaussian, with a deviation in pixels; ``brightness`` and ``contrast``
    are multiplied by the strength, contrast about each image's mean grey; ``shift`` moves an image
    to the right by whole pixels and ``rotation`` turns it counter-clockwise by degrees, bilinearly,
    and both fill what comes into view with the image's edge, repeated.

    Args:
        images: (N, C, H, W) uint8 on the processor, C 1 or 3.
        kind: a key of `reglab.corruptions.CORRUPTIONS`.
        strength: in the unit that stands there; that of 1 (brightness, contrast) or 0 changes
            nothing.

    Raises:
        ReglabError: an unknown kind, or no torchvision.
    """
    if kind not in CORRUPTIONS:
        raise ReglabError(f"corruption must be one of {', '.join(CORRUPTIONS)}, got {kind!r}")
    return _MADE_BY[kind](operations(), images, strength)


def _noise(functional: ModuleType, images: Tensor, sigma: float) -> Tensor:
    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
        torch.manual_seed(stream_seed(0, "corruption", "noise"))
        shares = functional.to_dtype(images, torch.float32, scale=True)
        noisy = functional.gaussian_noise(shares, sigma=sigma)
    return functional.to_dtype(noisy, torch.uint8, scale=True)


def _blur(functional: ModuleType, images: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    return functional.gaussian_blur(images, 2 * reach + 1, sigma) if sigma else images


def _brightness(functional: ModuleType, images: Tensor, share: float) -> Tensor:
    return functional.adjust_brightness(images, share)


def _contrast(functional: ModuleType, images: Tensor, share: float) -> Tensor:
    return functional.adjust_contrast(images, share)


def _shift(functional: ModuleType, images: Tensor, pixels: float) -> Tensor:
    height, width = images.shape[-2:]
    wider = functional.pad(images, [int(pixels), 0, 0, 0], padding_mode="edge")
    return functional.crop(wider, 0, 0, height, width)


def _rotation(functional: ModuleType, images: Tensor, degrees: float) -> Tensor:
    height, width = images.shape[-2:]
    around = max(height, width) // 4  # a corner's way beyond the edge is less, up to 45 degrees
    wider = functional.pad(images, around, padding_mode="edge")
    bilinear = functional.InterpolationMode.BILINEAR
    turned = functional.rotate(wider, degrees, interpolation=bilinear)
    return functional.crop(turned, around, around, height, width)


_MADE_BY = {
    "noise": _noise,
    "blur": _blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "shift": _shift,
    "rotation": _rotation,
}
