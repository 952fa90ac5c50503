"""Batch normalization before or after the ReLU: the paper does not say which it has."""

from __future__ import annotations

from reglab.config import NORM_ORDERS, RunConfig
from reglab.study.further.design import Study
from reglab.study.protocol import Arm, in_cell
from reglab.study.selection import Choices


def arms(plain: RunConfig, chosen: Choices) -> list[Arm]:
    """Return no technique, and BN in either place."""
    normed = in_cell(plain, chosen, "bn")
    orders = [
        Arm(study="order", config=normed.replace(norm_order=order), cell="bn", variant=order)
        for order in NORM_ORDERS
    ]
    return [Arm(study="order", config=plain, cell="none"), *orders]


STUDY = Study(
    "order", "Does it matter whether BN stands before the ReLU or after it?", arms, labels=False
)
