"""The further studies: smaller ones beside the protocol, under the settings that it chose.

A study is a module that maps a seed's baseline and the chosen settings to arms. Evaluation seeds
are its only seeds, and it chooses nothing. To add one: a module with a ``STUDY``, named below.
"""

from __future__ import annotations

from reglab.config import shown
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.study.further import (
    augmentation,
    batch_size,
    decay_on,
    distillation,
    dropout_bn,
    early_stopping,
    order,
    pruning,
    robustness,
)
from reglab.study.further.design import Study
from reglab.study.plan import PROTOCOL

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        order,
        decay_on,
        early_stopping,
        dropout_bn,
        batch_size,
        robustness,
        augmentation,
        pruning,
        distillation,
    )
}


def datasets_of(name: str) -> tuple[str, ...]:
    """Return the data sets that "all" stands for in a study, the protocol included."""
    return KNOWN if name == PROTOCOL else study_named(name).datasets


def study_named(name: str) -> Study:
    """Return a further study, or refuse an unknown name with the list of the known ones."""
    if name not in STUDIES:
        known = ", ".join((PROTOCOL, *STUDIES))
        raise ReglabError(f"unknown study {shown(name)}; the studies are {known}")
    return STUDIES[name]
