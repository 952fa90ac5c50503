"""What may be done to training images, by name, and how strongly: ``RunConfig.augment`` read.

`reglab.training.augmenting` does it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reglab.errors import ReglabError

FLIPS = ("flip", "alternating_flip")
UPRIGHT = ("mnist",)  # a mirrored digit is another sign or none, so these are never flipped
_FORM = "flip or alternating_flip, rotation:DEGREES, scale:SHARE and shift:PIXELS"
# name -> (whether a strength is allowed, what is allowed)
_LIMITS = {
    "rotation": (lambda degrees: 0 < degrees <= 45, "above 0 and at most 45 degrees"),
    "scale": (lambda share: 0 < share < 0.5, "a share above 0 and below 0.5"),
    "shift": (lambda pixels: pixels >= 1 and pixels == math.floor(pixels), "whole pixels, >= 1"),
}


@dataclass(frozen=True)
class Augmentation:
    """Transformations of training images, each drawn anew for every image of every step.

    Attributes:
        flip: "flip" mirrors an image left to right with a chance of one half, "alternating_flip" in
            every other epoch (Jordan 2024); "" never.
        rotation: about the centre by an angle up to so many degrees, in both directions.
        scale: by a factor from 1 - scale to 1 + scale, about the centre.
        shift: by up to so many whole pixels to each side, along both axes.
    """

    flip: str = ""
    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether anything but a flip is asked for."""
        return bool(self.rotation or self.scale or self.shift)

    def __str__(self) -> str:
        strengths = {name: getattr(self, name) for name in _LIMITS}
        named = [f"{name}:{strength:g}" for name, strength in strengths.items() if strength]
        return "+".join([self.flip, *named] if self.flip else named)


def parsed(text: str) -> Augmentation:
    """Return what ``text`` asks for, e.g. "flip+rotation:15+scale:0.1+shift:2"; "" is nothing.

    Raises:
        ReglabError: an unknown name, a strength that is not allowed, or another spelling than the
            one that `Augmentation` has as text, since a run's key is made of it.
    """
    parts = [part.partition(":") for part in text.split("+")] if text else []
    flips = [name for name, colon, _ in parts if name in FLIPS and not colon]
    strengths = {name: _number(strength) for name, _, strength in parts if name in _LIMITS}
    if len(flips) > 1:
        raise ReglabError(f"augment must have one flip at most, of one kind, got {text!r}")
    if len(flips) + len(strengths) != len(parts) or None in strengths.values():
        raise ReglabError(f"augment must be made of {_FORM}, joined by +, got {text!r}")
    for name, strength in strengths.items():
        allowed, words = _LIMITS[name]
        if not (math.isfinite(strength) and allowed(strength)):
            raise ReglabError(f"augment must have a {name} of {words}, got {text!r}")
    asked = Augmentation("".join(flips), **strengths)
    if str(asked) != text:
        raise ReglabError(f"augment must be written as {str(asked)!r}, got {text!r}")
    return asked


def check(text: str, dataset: str) -> None:
    """Refuse what `parsed` refuses, and flips of images that have to stay as they are."""
    if parsed(text).flip and dataset in UPRIGHT:
        raise ReglabError(
            f"augment must have no flip for {dataset}, since a mirrored digit is another sign or "
            f"none, got {text!r}"
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
