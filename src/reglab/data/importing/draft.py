"""What the steps of an import hand on to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from reglab.errors import ReglabError

T = TypeVar("T")
PARTS = ("train", "val", "test")
# What people call the parts; validation images join the training half, reglab splits its own.
PART_NAMES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "te"), "test"),
}


@dataclass(frozen=True)
class Options:
    """What a source alone cannot tell.

    Attributes:
        test_fraction: share of the images for the test part, where the source has none.
        seed: of that cut.
        resize: (H, W) that every image is brought to; None = they must be of one size.
        shape: of an image, for rows of pixels, in the order in which they lie.
        layout: "nhwc" or "nchw", where a shape fits both.
        white: the pixel value that is white, where the values fit several.
        image: column or array of images.
        label: column or array of labels.
        skip_broken: leave broken images out.
    """

    test_fraction: float | None = None
    seed: int = 0
    resize: tuple[int, int] | None = None
    shape: tuple[int, ...] | None = None
    layout: str | None = None
    white: float | None = None
    image: str | None = None
    label: str | None = None
    skip_broken: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.test_fraction is not None and not 0 < self.test_fraction < 1:
            raise ReglabError(f"--test-fraction must be between 0 and 1, got {self.test_fraction}")
        if self.seed < 0:
            raise ReglabError(f"--seed must be 0 or more, got {self.seed}")
        if self.layout not in (None, "nhwc", "nchw"):
            raise ReglabError(f"--layout must be nhwc or nchw, got {self.layout!r}")
        if self.white is not None and not 0 < self.white < float("inf"):
            raise ReglabError(f"--white must be above 0, got {self.white}")


@dataclass
class Draft:
    """Images and labels on their way, and what was done to them so far.

    Attributes:
        images: by part, N first; of any type and layout until `pixels.standard` has seen them.
        labels: by part, as long; of any type until `labels.standard` has seen them.
        classes: names of classes 0..K-1, where the source has them.
        steps: (what, done), for the table that is printed.
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    classes: tuple[str, ...] | None = None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def say(self, what: str, done: str) -> None:
        """Note what was done."""
        self.steps.append((what, done))


def sizes(text: str, option: str, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Return (28, 28) of "28x28".

    Args:
        text: numbers with "x" between them.
        option: its name, for the error.
        lengths: how many numbers there may be.

    Raises:
        ReglabError: it is something else.
    """
    if (
        not re.fullmatch(r"[1-9]\d{0,4}(x[1-9]\d{0,4})*", text)
        or text.count("x") + 1 not in lengths
    ):
        forms = " or ".join("x".join(["HEIGHT", "WIDTH", "CHANNELS"][:n]) for n in lengths)
        raise ReglabError(f"{option} must be {forms}, as in 28x28, got {text!r}")
    return tuple(map(int, text.split("x")))


def in_order(parts: Mapping[str, T]) -> dict[str, T]:
    """Return parts with train first and test last."""
    return {part: parts[part] for part in PARTS if part in parts}


def refuse_unequal(draft: Draft) -> None:
    """Raise a ReglabError unless each part has as many labels as images."""
    for part, images in draft.images.items():
        if len(images) != len(draft.labels[part]):
            raise ReglabError(
                f"the {part} part has {len(images)} images and {len(draft.labels[part])} labels; "
                "there must be one label an image"
            )


def listed(names: list[str], most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
