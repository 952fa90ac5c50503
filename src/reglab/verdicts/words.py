"""The vocabulary of verdicts, the margins and the families (`rules.md` says them in words)."""

from __future__ import annotations

from dataclasses import dataclass

CONSISTENT, INCONSISTENT = "consistent", "inconsistent"
# Decided by reading a cited work or the text itself: nothing is computed.
READS_RIGHT, READS_WRONG = "right by reading", "wrong by reading"
NOT_CHECKABLE, EDITORIAL = "not checkable", "editorial"
BY_ARITHMETIC = (CONSISTENT, INCONSISTENT, READS_RIGHT, READS_WRONG, NOT_CHECKABLE, EDITORIAL)

CONFIRMED, DIRECTION, REFUTED = "confirmed", "direction confirmed", "refuted"
NEGLIGIBLE, UNDECIDED, NOT_TESTABLE = "negligible", "undecided", "not testable"
BY_RUNS = (CONFIRMED, DIRECTION, REFUTED, NEGLIGIBLE, UNDECIDED, NOT_TESTABLE)

ALPHA = 0.05
# The paper prints one decimal: a difference of two rounded numbers is off by at most this.
ROUNDING = 0.1
# Profiles on all training images: there sizes and levels are judged, elsewhere directions.
WHOLE = ("paper", "full")

# Claims whose tests are corrected together (Holm), each claim counted once.
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
    """Return the margin in points of accuracy within which two networks count as equal."""
    return 0.15 if dataset == "mnist" else 0.5


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
