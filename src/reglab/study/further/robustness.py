"""The factorial's eight cells, each scored on corrupted test images as well.

The paper speaks of the "robustness of the model" and names no measure. Here it is accuracy and
calibration under noise, blur, less brightness or contrast, a shift and a rotation
(`reglab.corruptions`). What is trained is the factorial's own; only the probe is new.
"""

from __future__ import annotations

from reglab.cells import CELL_ORDER
from reglab.config import RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return the factorial, stopped as in the protocol, with the probe."""
    probed = plain.replace(probes="robustness")
    return [
        Arm(study="robustness", config=in_cell(probed, chosen, name), cell=name)
        for name in CELL_ORDER
    ]


STUDY = Study("robustness", "What does each cell lose where test images are corrupted?", arms)
