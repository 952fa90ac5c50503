"""The ledger: one row a claim, made from `paper.toml` and the recorded runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reglab import paper
from reglab.verdicts import by_arithmetic, by_runs
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading, adjust, charitable, decide, p_of
from reglab.verdicts.schema import check
from reglab.verdicts.words import (
    ALPHA,
    BY_ARITHMETIC,
    BY_RUNS,
    CONFIRMED,
    DIRECTION,
    FAMILIES,
    NOT_TESTABLE,
    REFUTED,
    UNDECIDED,
    WHOLE,
)

_NOT_ARGUMENTS = ("rule", "family", "readings", "others")


@dataclass(frozen=True)
class Row:
    """One claim with its two verdicts.

    Attributes:
        paper_value: the printed number at issue, as text.
        estimate, low, high: the contrast that decides, oriented so that the claim says "greater
            than zero": the least favourable one of the reading that speaks most for the claim.
        unit: of those three.
        n_seeds, profile: behind that estimate; None where nothing was measured.
        by_arithmetic, by_runs: words of `BY_ARITHMETIC` and `BY_RUNS`.
        differs: arms that the words do not name and that would give another verdict, with it.
        evidence: page#section of the book.
    """

    id: str
    quote: str
    place: str
    paper_value: str | None
    estimate: float | None
    low: float | None
    high: float | None
    unit: str | None
    n_seeds: int | None
    profile: str | None
    by_arithmetic: str
    by_runs: str
    reason: str
    evidence: str
    differs: tuple[str, ...] = ()


@dataclass
class Tried:
    """A claim's readings with what was found of each.

    Attributes:
        readings: those that have a contrast.
        missing: what is not recorded, by reading.
    """

    readings: list[Reading] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def ledger(
    studies: Mapping[str, pd.DataFrame], claims: Sequence[Mapping] | None = None
) -> list[Row]:
    """Return every claim's row.

    Args:
        studies: the best recorded study of each data set (`reglab.results.recorded.studies`).
        claims: as in `paper.toml`; None = those.

    Raises:
        ReglabError: a claim asks for what its rules cannot be given; it names claim and field.
    """
    claims = paper.contents()["claims"] if claims is None else claims
    check(claims)
    tried = {claim["id"]: attempt(claim["by_runs"], studies) for claim in claims}
    p_values = {name: p_of(trial.readings) for name, trial in tried.items() if trial.readings}
    adjusted = adjust(p_values, families(claims))
    return [_row(claim, tried[claim["id"]], adjusted, studies) for claim in claims]


def families(claims: Sequence[Mapping]) -> dict[str, list[str]]:
    """Return the claims of each family, by their ids."""
    return {
        family: [claim["id"] for claim in claims if claim["by_runs"].get("family") == family]
        for family in FAMILIES
    }


def attempt(asked: Mapping, studies: Mapping[str, pd.DataFrame]) -> Tried:
    """Return the contrasts of every reading of a claim's ``by_runs``."""
    tried = Tried()
    if asked["rule"] == "none":
        tried.missing[""] = str(asked["missing"])
        return tried
    given = {key: value for key, value in asked.items() if key not in _NOT_ARGUMENTS}
    for name, own in asked.get("readings", {"": {}}).items():
        contrasts, missing = by_runs.build(asked["rule"], studies, **(given | own))
        if contrasts:
            tried.readings.append(Reading(name, tuple(contrasts)))
        if missing:
            tried.missing[name] = missing
    return tried


def _row(
    claim: Mapping,
    tried: Tried,
    adjusted: Mapping[str, tuple[float, float]],
    studies: Mapping[str, pd.DataFrame],
) -> Row:
    finding = by_arithmetic.judge(**claim["by_arithmetic"])
    common = {key: claim[key] for key in ("id", "quote", "place", "evidence")}
    common |= {"paper_value": finding.paper_value, "by_arithmetic": finding.verdict}
    if not tried.readings:
        nothing = dict.fromkeys(("estimate", "low", "high", "unit", "n_seeds", "profile"))
        missing = "; ".join(dict.fromkeys(tried.missing.values()))
        reason = f"{finding.reason} Not testable; missing: {missing}."
        return Row(**common, **nothing, by_runs=NOT_TESTABLE, reason=reason)
    verdict, why = _judge(tried, adjusted[claim["id"]])
    shown = charitable(tried.readings).worst
    estimate = shown.estimate
    return Row(
        **common,
        estimate=_finite(estimate.mean),
        low=_finite(estimate.low),
        high=_finite(estimate.high),
        unit=shown.unit,
        n_seeds=estimate.n,
        profile=shown.profile,
        by_runs=verdict,
        reason=f"{finding.reason} {why}",
        differs=_differs(claim["by_runs"], verdict, studies),
    )


def _judge(tried: Tried, p_adjusted: tuple[float, float]) -> tuple[str, str]:
    """Return the verdict and the sentences that give its reason."""
    verdict = decide(tried.readings, p_adjusted)
    missing = "; ".join(dict.fromkeys(tried.missing.values()))
    levels = [c for reading in tried.readings for c in reading.contrasts if c.level]
    if levels and not all(contrast.profile in WHOLE for contrast in levels):
        verdict, missing = NOT_TESTABLE, missing or "runs on all training images"
    elif missing and not (verdict == REFUTED and not _unseen(tried)):
        verdict = NOT_TESTABLE
    why = " ".join(_sentence(reading, verdict, len(tried.readings)) for reading in tried.readings)
    if verdict in (CONFIRMED, DIRECTION) or not missing:
        return verdict, why
    if verdict == NOT_TESTABLE:
        return verdict, f"Not testable yet; missing: {missing}. So far: {why}"
    return verdict, f"{why} Still missing: {missing}."


def _unseen(tried: Tried) -> bool:
    """Whether a reading has no contrast at all, so that not every one can have been refuted."""
    return bool(set(tried.missing) - {reading.name for reading in tried.readings})


def _sentence(reading: Reading, verdict: str, readings: int) -> str:
    contrast, count = reading.worst, len(reading.contrasts)
    estimate = contrast.estimate
    half = "" if estimate.n < 2 else f" ± {estimate.half_width:.2f}"
    both = f"± {contrast.images:.2f} over test images as well, " if contrast.images else ""
    label = f"Read as “{reading.name}”, {contrast.label}" if reading.name else contrast.label
    label = label[0].upper() + label[1:]
    among = "" if count == 1 else f", the least favourable of {count} comparisons"
    text = (
        f"{label}: {estimate.mean:.2f}{half} {contrast.unit} ({both}n = {estimate.n}, "
        f"{contrast.profile}{among})"
    )
    return f"{text}: {_finding(reading, contrast, verdict if readings == 1 else None)}."


def _finding(reading: Reading, contrast: Contrast, verdict: str | None) -> str:
    """Say what a reading shows, the claim's verdict where it has this reading only."""
    if reading.p_against < ALPHA:
        return "the printed size is excluded" if contrast.sized else "the opposite is shown"
    if contrast.level:
        return f"the paper prints {' / '.join(f'{value:.1f}' for value in contrast.level)}"
    if reading.p_for < ALPHA:
        if verdict == UNDECIDED:
            return "as claimed, but not after Holm's correction within its family"
        return "as claimed, in direction" if _unsized(contrast) else "as claimed"
    if contrast.sized and reading.p_direction < ALPHA:
        return "as claimed in direction, while its size is undecided"
    if reading.negligible:
        return f"smaller than {contrast.small:g} {contrast.unit}"
    return "undecided"


def _unsized(contrast: Contrast) -> bool:
    return contrast.size is not None and not contrast.sized


def _differs(asked: Mapping, verdict: str, studies: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Return what arms that the words do not name would say, where that is another verdict.

    Each is judged as if it stood alone: uncorrected, and so with the best chance to differ.
    """
    texts = []
    plain = {key: value for key, value in asked.items() if key not in ("readings", "others")}
    for name, own in asked.get("others", {}).items():
        tried = attempt(plain | own, studies)
        if not tried.readings or tried.missing:
            continue
        other = decide(tried.readings, p_of(tried.readings))
        if other != verdict:
            worst = charitable(tried.readings).worst.estimate
            half = "" if worst.n < 2 else f" ± {worst.half_width:.2f}"
            texts.append(f"{name}: {other} ({worst.mean:.2f}{half})")
    return tuple(texts)


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def counts(rows: Sequence[Row]) -> pd.DataFrame:
    """Return how many claims have each verdict: one row a verdict, by arithmetic above by runs."""
    counted = {"by_arithmetic": Counter(row.by_arithmetic for row in rows),
             "by_runs": Counter(row.by_runs for row in rows)}  # fmt: skip
    words = {"by_arithmetic": BY_ARITHMETIC, "by_runs": BY_RUNS}
    return pd.DataFrame(
        [
            {"verdict": which, "": word, "claims": counted[which][word]}
            for which in words
            for word in words[which]
        ]
    )
