"""Dropout in both placements with and without batch normalization: is there a variance shift?

Li et al. (2019) hold that a BN layer behind dropout keeps the variance of thinned activations and
meets another at test. After the hidden layer no BN follows, so only the other placement can show
it; the first is its control. The probe re-estimates BN's statistics with dropout and without.
"""

from __future__ import annotations

from itertools import product

from reglab.config import PLACEMENTS, RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices

DROPS = (0.2, 0.3)


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return no dropout, and each placement and drop rate, BN off and on."""
    planned = [
        Arm(study="dropout_bn", config=in_cell(plain, chosen, name), cell=name)
        for name in ("none", "bn")
    ]
    for name, placement, drop in product(("dropout", "dropout+bn"), PLACEMENTS, DROPS):
        probes = "statistics" if name == "dropout+bn" else ""
        config = in_cell(plain, chosen, name).replace(
            dropout=drop, placement=placement, probes=probes
        )
        planned.append(
            Arm(study="dropout_bn", config=config, cell=name, place=placement, strength=drop)
        )
    return planned


STUDY = Study(
    "dropout_bn", "Does dropout shift the variance that BN meets at test, and does it cost?", arms
)
