"""Augmentation: each transformation alone, all together, and all on top of each of the eight cells.

Strengths are common practice for images of 28 to 32 pixels, and were fixed before any of these runs
was made: a rotation by up to 15 degrees, a scaling by up to a tenth, a shift by up to two pixels.
They are the same for every data set, and nothing is chosen: lambda, the drop rate and the learning
rate are those that the protocol chose without augmentation.

Images are mirrored only where a mirrored one is known to be of the same class. Digits never are,
and neither is an own data set, since reglab cannot see whether its classes (letters, arrows, a left
and a right hand) bear it; ``RunConfig(augment="flip")`` trains with flips where they do.
"""

from __future__ import annotations

from reglab.cells import CELL_ORDER
from reglab.config import RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices

MIRRORED = ("fashion_mnist", "cifar10")
MOTIONS = ("rotation:15", "scale:0.1", "shift:2")


def alone(dataset: str) -> tuple[str, ...]:
    """Return the transformations that are tried one by one, as ``RunConfig.augment`` has them."""
    return ("flip", "alternating_flip", *MOTIONS) if dataset in MIRRORED else MOTIONS


def together(dataset: str) -> str:
    """Return all of them at once; of the two flips the usual one."""
    return "+".join(("flip", *MOTIONS) if dataset in MIRRORED else MOTIONS)


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return the factorial as it is, each transformation on no technique, and all on each cell."""
    whole = together(plain.dataset)
    asked = [("none", text) for text in alone(plain.dataset)]
    asked += [(name, whole) for name in CELL_ORDER]
    clean = [
        Arm(study="augmentation", config=in_cell(plain, chosen, name), cell=name)
        for name in CELL_ORDER
    ]
    return clean + [
        Arm(
            study="augmentation",
            config=in_cell(plain.replace(augment=text), chosen, name),
            cell=name,
            variant=text,
        )
        for name, text in asked
    ]


STUDY = Study(
    "augmentation",
    "What does augmentation bring, and do L2, dropout and batch normalization still help with it?",
    arms,
)
