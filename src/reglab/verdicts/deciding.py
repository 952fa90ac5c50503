"""What a claim's contrasts decide: one claim, one test (`rules.md`).

Within a reading all contrasts must hold, so the reading's p-value is the largest of theirs and none
is corrected for the others; it is refuted if one's opposite is shown, with Holm's correction over
them. Of several readings the most charitable counts: the claim is confirmed if one of them is, and
refuted only if every one is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reglab.stats import holm
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.words import (
    ALPHA,
    CONFIRMED,
    DIRECTION,
    NEGLIGIBLE,
    REFUTED,
    UNDECIDED,
)


@dataclass(frozen=True)
class Reading:
    """One way of reading a claim, tried on the runs.

    Attributes:
        name: "" where the claim has one reading only.
        contrasts: at least one; the claim says that all are above zero.
    """

    name: str
    contrasts: tuple[Contrast, ...]

    @cached_property
    def p_for(self) -> float:
        """The intersection-union test's p-value: the largest."""
        return max(contrast.for_it for contrast in self.contrasts)

    @cached_property
    def p_direction(self) -> float:
        """The same where of a printed size the direction alone is claimed."""
        return max(
            contrast.for_it if contrast.size is None else contrast.upwards
            for contrast in self.contrasts
        )

    @cached_property
    def p_against(self) -> float:
        """The smallest p-value of an opposite, after Holm's correction: times their number."""
        smallest = min(contrast.against_it for contrast in self.contrasts)
        return min(1.0, len(self.contrasts) * smallest)

    @cached_property
    def negligible(self) -> bool:
        """Whether nothing is left open, and at least one difference is shown to be small."""
        small = [contrast.is_small < ALPHA for contrast in self.contrasts]
        shown = [contrast.for_it < ALPHA for contrast in self.contrasts]
        return any(small) and all(a or b for a, b in zip(small, shown, strict=True))

    @cached_property
    def worst(self) -> Contrast:
        """The contrast least in the claim's favour: the one that decides."""
        return min(self.contrasts, key=_favour)


def charitable(readings: Sequence[Reading]) -> Reading:
    """Return the reading that speaks most for the claim."""
    return min(readings, key=lambda reading: (reading.p_for, -reading.p_against))


def p_of(readings: Sequence[Reading]) -> tuple[float, float]:
    """Return a claim's p-values, as printed and of its direction alone.

    Each is the smallest of its readings', times their number.
    """
    kinds = ([one.p_for for one in readings], [one.p_direction for one in readings])
    return tuple(min(1.0, len(readings) * min(p_values)) for p_values in kinds)


def adjust(
    p_values: Mapping[str, tuple[float, float]], families: Mapping[str, Sequence[str]]
) -> dict[str, tuple[float, float]]:
    """Return each claim's p-values after Holm's correction within its family.

    Args:
        p_values: by claim, as `p_of` gives them; each of the two is corrected by itself.
        families: the claims of each family.
    """
    adjusted: dict[str, tuple[float, float]] = {}
    for members in families.values():
        tested = [name for name in members if name in p_values]
        corrected = [holm([p_values[name][kind] for name in tested]) for kind in (0, 1)]
        adjusted |= dict(zip(tested, zip(*corrected, strict=True), strict=True))
    return adjusted


def decide(readings: Sequence[Reading], p_adjusted: tuple[float, float]) -> str:
    """Return the verdict on a claim.

    Args:
        readings: at least one.
        p_adjusted: the claim's p-values (`p_of`) within its family.
    """
    if all(reading.p_against < ALPHA for reading in readings):
        return REFUTED
    printed, direction = p_adjusted
    contrasts = [contrast for reading in readings for contrast in reading.contrasts]
    sizes = [contrast for contrast in contrasts if contrast.size is not None]
    if printed < ALPHA and all(contrast.sized for contrast in sizes):
        return CONFIRMED
    if sizes and direction < ALPHA:
        return DIRECTION
    standing = [reading for reading in readings if reading.p_against >= ALPHA]
    return NEGLIGIBLE if all(reading.negligible for reading in standing) else UNDECIDED


def _favour(contrast: Contrast) -> float:
    """Return how much a contrast speaks for its claim: its mean over its half-width."""
    estimate = contrast.estimate
    mean = estimate.mean
    if contrast.level:
        mean = -max(abs(mean - value) for value in contrast.level)
    elif contrast.sized:
        mean = -abs(mean - contrast.size)
    half = estimate.half_width
    return mean / half if half and math.isfinite(half) else math.copysign(math.inf, mean)
