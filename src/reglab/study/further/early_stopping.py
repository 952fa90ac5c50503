"""The eight cells without early stopping: every epoch that there can be.

Patience is the number of epochs, which never stops a run either. Patience 0 would name the
protocol's own unstopped baseline, and that was recorded before runs kept their test curves.
"""

from __future__ import annotations

from reglab.cells import CELL_ORDER
from reglab.config import RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return the factorial, not stopped."""
    patient = plain.replace(patience=plain.max_epochs)
    return [
        Arm(study="early_stopping", config=in_cell(patient, chosen, name), cell=name)
        for name in CELL_ORDER
    ]


STUDY = Study("early_stopping", "What does early stopping hide, in each of the eight cells?", arms)
