"""Networks with most of their weights set to zero, beside others with as few parameters.

A trained network loses its smallest weights, at most a fifth of what is left at the beginning of
an epoch, and goes on training (Han et al. 2015); so does one that loses weights by chance. The same
zeros are put into the network's initial values (Frankle and Carbin 2019), and a narrower network
has about as many parameters from the beginning. With L2 and without. A pruned network has been
trained for longer than the one it was made of: so is another of which nothing is pruned.
"""

from __future__ import annotations

import math

from reglab.config import RunConfig
from reglab.formulas import smallest_rounds
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices

SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
REWOUND = (0.8, 0.9, 0.95)


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return dense networks, such that go on, pruned ones, rewound ones and narrow ones."""
    dense = {name: in_cell(plain, chosen, name) for name in ("none", "l2")}
    planned = [_arm(config, name, "dense", None) for name, config in dense.items()]
    for name, config in dense.items():
        planned.append(_arm(pruned(config, 0.0), name, "continued", None))
    for sparsity in SPARSITIES:
        smallest = pruned(dense["none"], sparsity)
        planned.append(_arm(smallest, "none", "magnitude", sparsity))
        planned.append(_arm(pruned(dense["none"], sparsity, "random"), "none", "random", sparsity))
        planned.append(_arm(pruned(dense["l2"], sparsity), "l2", "magnitude", sparsity))
        narrow = plain.replace(width=narrow_width(plain.width, sparsity))
        planned.append(_arm(narrow, "none", "narrow", sparsity))
        if sparsity in REWOUND:
            rewound = plain.replace(start=smallest, sparsity=sparsity, rewind=True)
            planned.append(_arm(rewound, "none", "rewound", sparsity))
    return planned


def pruned(dense: RunConfig, sparsity: float, by: str = "magnitude") -> RunConfig:
    """Return the run that begins with a dense one's best weights and prunes them.

    It takes as many epochs as rounds of a fifth need, or half of all where there are too few.
    """
    rounds = min(smallest_rounds(sparsity), max(1, dense.max_epochs // 2))
    return dense.replace(start=dense, sparsity=sparsity, rounds=rounds, pruned_by=by)


def narrow_width(width: int, sparsity: float) -> int:
    """Return the width whose network has nearly as many parameters as are left of one's own.

    Parameters grow about as the square of the width.
    """
    return max(1, round(width * math.sqrt(1 - sparsity)))


def _arm(config: RunConfig, cell: str, variant: str, sparsity: float | None) -> Arm:
    return Arm(study="pruning", config=config, cell=cell, variant=variant, strength=sparsity)


STUDY = Study("pruning", "Does a network get better or worse with most of its weights gone?", arms)
