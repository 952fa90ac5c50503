"""Small networks that learn from a large one, and what else could explain what they gain.

The teacher has twice the width, students half and a quarter of it, each at four temperatures
(Hinton et al. 2015). Controls: the student alone, smoothed labels, a student taught by its own
like, and a teacher that was stopped after three epochs (Cho and Hariharan 2019). The share of the
teacher in the loss, 0.9, and the controls' temperature, 4, were fixed beforehand.
"""

from __future__ import annotations

from reglab.config import RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm
from reglab.study.selection import Choices

TEMPERATURES = (1.0, 2.0, 4.0, 8.0)
CONTROL, SOFT, SMOOTHING, FEW_EPOCHS = 4.0, 0.9, 0.1, 3
STUDENTS = {"half": 2, "quarter": 4}  # by how much less wide than the profile's network


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return the teacher, and students with and without one."""
    teacher = plain.replace(width=2 * plain.width)
    hasty = teacher.replace(max_epochs=min(FEW_EPOCHS, teacher.max_epochs), patience=0)
    planned = [_arm(teacher, "teacher"), _arm(hasty, "hasty teacher")]
    for name, divisor in STUDENTS.items():
        alone = plain.replace(width=max(1, plain.width // divisor))
        planned.append(_arm(alone, f"{name} alone"))
        planned.append(_arm(alone.replace(label_smoothing=SMOOTHING), f"{name} smoothed"))
        for temperature in TEMPERATURES:
            config = taught(alone, teacher, temperature)
            planned.append(_arm(config, f"{name} taught", temperature))
        planned.append(_arm(taught(alone, alone, CONTROL), f"{name} self-taught"))
        planned.append(_arm(taught(alone, hasty, CONTROL), f"{name} taught hastily"))
    return planned


def taught(student: RunConfig, teacher: RunConfig, temperature: float) -> RunConfig:
    """Return the run in which a student learns from a teacher, the two compared afterwards."""
    return student.replace(teacher=teacher, temperature=temperature, soft=SOFT, probes="agreement")


def _arm(config: RunConfig, variant: str, temperature: float | None = None) -> Arm:
    return Arm(study="distillation", config=config, variant=variant, strength=temperature)


STUDY = Study("distillation", "Does a small network gain by learning from a large one?", arms)
