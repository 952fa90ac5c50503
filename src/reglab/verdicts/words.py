"""The vocabulary of verdicts, the margins and the families: fixed before any run was looked at."""

from __future__ import annotations

from dataclasses import dataclass

CONSISTENT, INCONSISTENT = "consistent", "inconsistent"
NOT_CHECKABLE, EDITORIAL = "not checkable", "editorial"
BY_ARITHMETIC = (CONSISTENT, INCONSISTENT, NOT_CHECKABLE, EDITORIAL)

CONFIRMED, REFUTED = "confirmed", "refuted"
NOT_DISTINGUISHABLE, NOT_TESTABLE = "not distinguishable", "not testable"
BY_RUNS = (CONFIRMED, REFUTED, NOT_DISTINGUISHABLE, NOT_TESTABLE)

ALPHA = 0.05
# The paper prints one decimal: a difference of two rounded numbers is off by at most this.
ROUNDING = 0.1

# Claims whose tests are corrected together (Holm).
FAMILIES = {
    "baseline": "the unregularized network's level",
    "singles": "one technique against none",
    "strengths": "one strength of a grid against another",
    "combinations": "combinations against single techniques",
    "interactions": "interaction contrasts",
    "ablation": "leaving one technique out",
    "convergence": "how fast and how far training gets",
    "gaps": "training minus test accuracy",
}


def margin(dataset: str) -> float:
    """Return the margin of equality in points of accuracy."""
    return 0.1 if dataset == "mnist" else 0.5


@dataclass(frozen=True)
class Finding:
    """What the arithmetic says of a claim.

    Attributes:
        verdict: one of `BY_ARITHMETIC`.
        reason: a sentence, its numbers computed.
        paper_value: the printed number(s) at issue, if any.
    """

    verdict: str
    reason: str
    paper_value: str | None = None
