"""What arms that a claim's words do not name would say of it, beside its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reglab.verdicts import wording
from reglab.verdicts.alternatives import ALTERNATIVES
from reglab.verdicts.deciding import Reading, charitable, decide, p_of
from reglab.verdicts.lookup import Profiles, each_profile
from reglab.verdicts.trying import Tried, attempt, numbers, unfit_level


@dataclass(frozen=True)
class Other:
    """What arms that a claim's words do not name would say of it.

    Attributes:
        name: in words; of `reglab.verdicts.alternatives`, another profile, or of ``others``.
        by_runs: the verdict, as if it stood alone: uncorrected, so that it has the best chance to
            differ.
        estimate, low, high, n_seeds, profile: of the contrast that decides, as those of `Row`.
        said: verdict and numbers as a reader is shown them.
    """

    name: str
    by_runs: str
    estimate: float | None
    low: float | None
    high: float | None
    n_seeds: int
    profile: str
    said: str


def others(asked: Mapping, own: Tried, profiles: Profiles) -> tuple[Other, ...]:
    """Return what arms that the words do not name would say, of those that are recorded.

    Readings that an alternative leaves as they are stand beside those that it changes.
    """
    usual, others = charitable(own.readings).worst.profile, []
    for name, tried, beside in _otherwise(asked, own, profiles):
        known = {one.name: one for one in beside}
        changed = [one for one in tried.readings if _counts(one, tried, known)]
        if changed:
            readings = list((known | {one.name: one for one in changed}).values())
            verdict, worst = decide(readings, p_of(changed)), charitable(changed).worst
            said = wording.otherwise(worst, verdict, usual)
            others.append(Other(name, verdict, **numbers(worst), said=said))
    return tuple(others)


def _counts(one: Reading, tried: Tried, known: Mapping[str, Reading]) -> bool:
    """Whether a reading is recorded whole, on two seeds or more, and not of the claim's runs."""
    here = _compared(one) if one.name in known else None
    return (
        one.name not in tried.missing
        and (here is None or here != _compared(known[one.name]))
        and all(contrast.estimate.n > 1 for contrast in one.contrasts)
        and not unfit_level(one)
    )


def _compared(reading: Reading) -> list[tuple]:
    return [(one.dataset, one.values, one.against) for one in reading.contrasts]


def _otherwise(
    asked: Mapping, own: Tried, profiles: Profiles
) -> Iterator[tuple[str, Tried, list[Reading]]]:
    """Yield the claim under each alternative, at each profile alone, and under its ``others``.

    The third is the claim's own readings, where the alternative is one of all of them.
    """
    for alternative in ALTERNATIVES:
        yield alternative.name, attempt(asked, profiles, alternative.swap), own.readings
    for layer in each_profile(profiles):
        alone = {name: [study] for name, study in layer.items()}
        for profile in {study.profile for study in layer.values()}:
            yield f"at the profile {profile}", attempt(asked, alone), own.readings
    plain = {key: value for key, value in asked.items() if key not in ("readings", "others")}
    for name, changes in asked.get("others", {}).items():
        yield name, attempt(plain | changes, profiles), []
