"""The ledger: one row a claim, made from `paper.toml` and the recorded runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.stats import Estimate, equivalence, holm, mean_interval, paired_p, prediction_interval
from reglab.verdicts import by_arithmetic, by_runs
from reglab.verdicts.by_runs import Contrast
from reglab.verdicts.schema import check
from reglab.verdicts.words import (
    ALPHA,
    BY_ARITHMETIC,
    BY_RUNS,
    CONFIRMED,
    FAMILIES,
    NOT_DISTINGUISHABLE,
    NOT_TESTABLE,
    REFUTED,
    ROUNDING,
)


@dataclass(frozen=True)
class Row:
    """One claim with its two verdicts.

    Attributes:
        paper_value: the printed number at issue, as text.
        estimate, low, high: the contrast least in the claim's favour, oriented so that the claim
            says "greater than zero"; points unless the reason says otherwise.
        n_seeds, profile: behind that estimate; None where nothing was measured.
        by_arithmetic, by_runs: words of `BY_ARITHMETIC` and `BY_RUNS`.
        evidence: page#section of the book.
    """

    id: str
    quote: str
    place: str
    paper_value: str | None
    estimate: float | None
    low: float | None
    high: float | None
    n_seeds: int | None
    profile: str | None
    by_arithmetic: str
    by_runs: str
    reason: str
    evidence: str


@dataclass(frozen=True)
class _Tested:
    contrast: Contrast
    estimate: Estimate
    p: float  # adjusted within the family
    profile: str


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
    built = {claim["id"]: _contrasts(claim, studies) for claim in claims}
    adjusted = _adjust(claims, built)
    return [_row(claim, *built[claim["id"]], adjusted.get(claim["id"], []), studies)
            for claim in claims]  # fmt: skip


def _contrasts(claim: Mapping, studies: Mapping[str, pd.DataFrame]) -> tuple[list[Contrast], str]:
    """Return a claim's contrasts, and what is missing ("" = nothing)."""
    arguments = {key: value for key, value in claim["by_runs"].items() if key != "family"}
    rule = arguments.pop("rule")
    if rule == "none":
        return [], str(arguments["missing"])
    return by_runs.build(rule, studies, **arguments)


def _adjust(
    claims: Sequence[Mapping], built: Mapping[str, tuple[list[Contrast], str]]
) -> dict[str, list[float]]:
    """Return Holm's p-values of each claim's contrasts; each family is one correction."""
    adjusted: dict[str, list[float]] = {}
    for family in FAMILIES:
        members = [claim["id"] for claim in claims if claim["by_runs"].get("family") == family]
        p_values = [_p(contrast) for member in members for contrast in built[member][0]]
        corrected = iter(holm(p_values))
        for member in members:
            adjusted[member] = [next(corrected) for _ in built[member][0]]
    return adjusted


def _p(contrast: Contrast) -> float:
    return 1.0 if contrast.level else paired_p(contrast.values)


def _row(
    claim: Mapping,
    built: list[Contrast],
    missing: str,
    p_values: list[float],
    studies: Mapping[str, pd.DataFrame],
) -> Row:
    finding = by_arithmetic.judge(**claim["by_arithmetic"])
    common = {key: claim[key] for key in ("id", "quote", "place", "evidence")}
    common |= {"paper_value": finding.paper_value, "by_arithmetic": finding.verdict}
    if not built:
        nothing = dict.fromkeys(("estimate", "low", "high", "n_seeds", "profile"))
        reason = f"{finding.reason} Not testable; missing: {missing}."
        return Row(**common, **nothing, by_runs=NOT_TESTABLE, reason=reason)
    tested = [
        _Tested(contrast, mean_interval(contrast.values), p, _profile(studies, contrast))
        for contrast, p in zip(built, p_values, strict=True)
    ]
    verdict, why = decide(tested)
    if missing and verdict == REFUTED:
        why = f"{why} Still missing: {missing}."
    elif missing:
        verdict, why = NOT_TESTABLE, f"Not testable yet; missing: {missing}. So far: {why}"
    worst = min(tested, key=lambda test: _favour(test))
    return Row(
        **common,
        estimate=_finite(worst.estimate.mean),
        low=_finite(worst.estimate.low),
        high=_finite(worst.estimate.high),
        n_seeds=worst.estimate.n,
        profile=worst.profile,
        by_runs=verdict,
        reason=f"{finding.reason} {why}",
    )


def decide(tested: Sequence[_Tested]) -> tuple[str, str]:
    """Return the verdict by runs of a claim's contrasts, and why.

    All of them confirmed confirms the claim; one refuted refutes it.
    """
    judged = [(*_decide(test), test) for test in tested]
    for verdict in (REFUTED, NOT_TESTABLE, NOT_DISTINGUISHABLE):
        found = [(why, test) for word, why, test in judged if word == verdict]
        if found:
            why, test = min(found, key=lambda pair: _favour(pair[1]))
            return verdict, _sentence(test, why, len(found), len(judged))
    test = min(tested, key=_favour)
    why = next(why for _, why, other in judged if other is test)
    return CONFIRMED, _sentence(test, why, len(judged), len(judged))


def _decide(test: _Tested) -> tuple[str, str]:
    contrast = test.contrast
    if contrast.level:
        return _decide_level(test)
    if contrast.margin:
        return _decide_equality(test)
    significant = test.p < ALPHA and test.estimate.n > 1
    if significant and test.estimate.mean < 0:
        return REFUTED, "the opposite holds"
    if contrast.size is not None and test.profile == "paper":
        return _decide_size(test, significant)
    if significant:
        only = "" if contrast.size is None else ", direction only: sizes need the paper profile"
        return CONFIRMED, f"as stated{only}"
    if test.estimate.low > 0 or test.estimate.high < 0:
        return NOT_DISTINGUISHABLE, "not significant after Holm's correction"
    return NOT_DISTINGUISHABLE, "the interval over seeds includes zero"


def _decide_size(test: _Tested, significant: bool) -> tuple[str, str]:
    new = prediction_interval(test.contrast.values)
    low, high = test.contrast.size - ROUNDING, test.contrast.size + ROUNDING
    span = f"a new difference is expected from {new.low:.2f} to {new.high:.2f}"
    if high < new.low or low > new.high:
        return REFUTED, f"{span}, the paper has {test.contrast.size:g}"
    return (CONFIRMED if significant else NOT_DISTINGUISHABLE), span


def _decide_level(test: _Tested) -> tuple[str, str]:
    if test.profile != "paper":
        return NOT_TESTABLE, "levels of accuracy need the paper profile"
    new = prediction_interval(test.contrast.values)
    span = f"a new run is expected from {new.low:.2f} to {new.high:.2f}"
    inside = [new.low - ROUNDING / 2 <= value <= new.high + ROUNDING / 2
              for value in test.contrast.level]  # fmt: skip
    return (CONFIRMED if all(inside) else REFUTED), span


def _decide_equality(test: _Tested) -> tuple[str, str]:
    bound = test.contrast.margin
    if equivalence(test.contrast.values, bound) < ALPHA:
        return CONFIRMED, f"equal within {bound:g}"
    beyond = test.estimate.low > bound or test.estimate.high < -bound
    if beyond and test.p < ALPHA:
        return REFUTED, f"they differ by more than {bound:g}"
    return NOT_DISTINGUISHABLE, f"neither equal within {bound:g} nor different"


def _favour(test: _Tested) -> float:
    """Return how much a contrast speaks for its claim: its mean over its half-width."""
    half, mean = test.estimate.half_width, test.estimate.mean
    mean = -abs(mean) if test.contrast.margin else mean
    return mean / half if half and math.isfinite(half) else math.copysign(math.inf, mean)


def _sentence(test: _Tested, why: str, count: int, of: int) -> str:
    estimate = test.estimate
    half = "" if estimate.n < 2 else f" ± {estimate.half_width:.2f}"
    among = "" if of == 1 else f" ({count} of {of} comparisons; the least favourable shown)"
    return (
        f"Measured: {test.contrast.label}: {estimate.mean:.2f}{half} (n = {estimate.n}, "
        f"{test.profile}): {why}{among}."
    )


def _profile(studies: Mapping[str, pd.DataFrame], contrast: Contrast) -> str:
    return str(studies[contrast.dataset]["profile"].iloc[0])


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def counts(rows: Sequence[Row]) -> pd.DataFrame:
    """Return how many claims have each verdict: one row a verdict, by arithmetic above by runs."""
    found = {"by_arithmetic": Counter(row.by_arithmetic for row in rows),
             "by_runs": Counter(row.by_runs for row in rows)}  # fmt: skip
    words = {"by_arithmetic": BY_ARITHMETIC, "by_runs": BY_RUNS}
    return pd.DataFrame(
        [
            {"verdict": which, "": word, "claims": found[which][word]}
            for which in words
            for word in words[which]
        ]
    )
