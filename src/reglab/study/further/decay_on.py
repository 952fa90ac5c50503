"""L2 on convolutions only, on dense layers only, on both, with and without batch normalization.

Behind a convolution BN cancels the size of its weights (`reglab.formulas.batchnorm`), so there L2
can only act through the length of a step. The dense layers have no BN behind them.
"""

from __future__ import annotations

from itertools import product

from reglab.config import DECAYED, RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return no L2, and L2 on each set of weights, BN off and on."""
    planned = [
        Arm(study="decay_on", config=in_cell(plain, chosen, name), cell=name)
        for name in ("none", "bn")
    ]
    for name, weights in product(("l2", "l2+bn"), DECAYED):
        config = in_cell(plain, chosen, name).replace(decay_on=weights)
        planned.append(Arm(study="decay_on", config=config, cell=name, variant=weights))
    return planned


STUDY = Study(
    "decay_on",
    "On which weights does L2 act, and is it through BN's scale invariance?",
    arms,
    ("cifar10",),
    labels=False,
)
