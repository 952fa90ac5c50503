"""A claim's readings tried on recorded runs, before anything is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from reglab.verdicts import by_runs, wording
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading
from reglab.verdicts.lookup import Missing, Profiles, Swap, as_named
from reglab.verdicts.words import WHOLE

_NOT_ARGUMENTS = ("rule", "family", "readings", "others")


@dataclass
class Tried:
    """A claim's readings with what there is of each.

    Attributes:
        readings: those that have a contrast.
        missing: what is not recorded, by reading.
    """

    readings: list[Reading] = field(default_factory=list)
    missing: dict[str, list[Missing]] = field(default_factory=dict)

    @property
    def lacking(self) -> str:
        """What is not recorded, in words; "" = nothing."""
        return wording.missing(one for runs in self.missing.values() for one in runs)


def attempt(asked: Mapping, profiles: Profiles, swap: Swap = as_named) -> Tried:
    """Return the contrasts of every reading of a claim's ``by_runs``.

    Args:
        swap: which arms stand in for those that the claim names.
    """
    tried = Tried()
    if asked["rule"] == "none":
        return tried
    given = {key: value for key, value in asked.items() if key not in _NOT_ARGUMENTS}
    for name, own in asked.get("readings", {"": {}}).items():
        contrasts, missing = by_runs.build(asked["rule"], profiles, swap, **(given | own))
        if contrasts:
            tried.readings.append(Reading(name, tuple(contrasts)))
        if missing:
            tried.missing[name] = missing
    return tried


def unfit_level(reading: Reading) -> bool:
    """Whether a level is to be judged on fewer than all training images."""
    return any(one.level and one.profile not in WHOLE for one in reading.contrasts)


def numbers(contrast: Contrast) -> dict[str, object]:
    """Return what a row keeps of a contrast: rounded to 4 decimals, None where not finite."""
    estimate = contrast.estimate
    ends = {name: _finite(getattr(estimate, name)) for name in ("low", "high")}
    three = {"estimate": _finite(estimate.mean), **ends}
    return three | {"n_seeds": estimate.n, "profile": contrast.profile}


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
