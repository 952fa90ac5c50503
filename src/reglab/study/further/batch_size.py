"""Batch normalization under small and large batches, the rate scaled in proportion.

The rate that was chosen at the protocol's batch size b0 becomes lr * b / b0 (linear scaling, Goyal
et al. 2017): it is not chosen anew.
"""

from __future__ import annotations

from itertools import product

from reglab.config import RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices

SIZES = (16, 64, 256)


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return each batch size, BN off and on."""
    planned = []
    for size, name in product(SIZES, ("none", "bn")):
        scaled = plain.replace(batch_size=size, lr=plain.lr * size / plain.batch_size)
        config = in_cell(scaled, chosen, name)
        planned.append(Arm(study="batch_size", config=config, cell=name, strength=float(size)))
    return planned


STUDY = Study("batch_size", "Does what BN brings depend on the batch size?", arms, labels=False)
