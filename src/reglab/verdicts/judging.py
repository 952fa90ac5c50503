"""The ledger: one row a claim, made from `paper.toml` and the recorded runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.verdicts import by_arithmetic, wording
from reglab.verdicts.beside import Other, others
from reglab.verdicts.deciding import adjust, charitable, decide, p_of
from reglab.verdicts.lookup import Profiles, opened
from reglab.verdicts.schema import check
from reglab.verdicts.trying import Tried, attempt, numbers, unfit_level
from reglab.verdicts.words import (
    BY_ARITHMETIC,
    BY_RUNS,
    CONFIRMED,
    DIRECTION,
    FAMILIES,
    NOT_TESTABLE,
    REFUTED,
)


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
        reason: of the verdict by arithmetic.
        figure: that contrast as a reader is shown it: not turned round, what is claimed of it, and
            under which reading it is taken.
        compared: what is compared there, and the figure with its measure, in words.
        runs_say: of the verdict by runs: what is missing, and a sentence a reading.
        others: arms that the words do not name, each with its verdict.
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
    runs_say: tuple[str, ...]
    evidence: str
    figure: str | None = None
    compared: str | None = None
    others: tuple[Other, ...] = ()

    @property
    def differs(self) -> tuple[Other, ...]:
        """The others that give another verdict."""
        return tuple(other for other in self.others if other.by_runs != self.by_runs)

    @property
    def same(self) -> tuple[Other, ...]:
        """The others that give the same verdict."""
        return tuple(other for other in self.others if other.by_runs == self.by_runs)


def ledger(
    recorded: Mapping[str, Sequence[pd.DataFrame]], claims: Sequence[Mapping] | None = None
) -> list[Row]:
    """Return every claim's row.

    Args:
        recorded: each data set's recorded studies, the best profile first
            (`reglab.results.recorded.all_profiles`).
        claims: as in `paper.toml`; None = those.

    Raises:
        ReglabError: a claim asks for what its rules cannot be given; it names claim and field.
    """
    claims = paper.contents()["claims"] if claims is None else claims
    check(claims)
    profiles = opened(recorded)
    tried = {claim["id"]: attempt(claim["by_runs"], profiles) for claim in claims}
    p_values = {name: p_of(trial.readings) for name, trial in tried.items() if trial.readings}
    adjusted = adjust(p_values, families(claims))
    return [_row(claim, tried[claim["id"]], adjusted, profiles) for claim in claims]


def families(claims: Sequence[Mapping]) -> dict[str, list[str]]:
    """Return the claims of each family, by their ids."""
    return {
        family: [claim["id"] for claim in claims if claim["by_runs"].get("family") == family]
        for family in FAMILIES
    }


def _row(
    claim: Mapping,
    tried: Tried,
    adjusted: Mapping[str, tuple[float, float]],
    profiles: Profiles,
) -> Row:
    finding = by_arithmetic.judge(**claim["by_arithmetic"])
    common = {key: claim[key] for key in ("id", "quote", "place", "evidence")}
    common |= {"paper_value": finding.paper_value, "by_arithmetic": finding.verdict}
    common |= {"reason": finding.reason}
    if not tried.readings:
        nothing = dict.fromkeys(("estimate", "low", "high", "unit", "n_seeds", "profile"))
        said = (wording.not_for_runs(str(claim["by_runs"].get("missing", tried.lacking))),)
        return Row(**common, **nothing, by_runs=NOT_TESTABLE, runs_say=said)
    best = {name: studies[0].profile for name, studies in profiles.items()}
    verdict, said = _judge(tried, adjusted[claim["id"]], best)
    kindest = charitable(tried.readings)
    shown = kindest.worst
    return Row(
        **common,
        **numbers(shown),
        unit=shown.unit,
        by_runs=verdict,
        figure=wording.of_reading(kindest),
        compared=wording.compared(shown),
        runs_say=said,
        others=() if verdict == NOT_TESTABLE else others(claim["by_runs"], tried, profiles),
    )


def _judge(
    tried: Tried, p_adjusted: tuple[float, float], best: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return the verdict and the sentences that give its reason."""
    verdict = decide(tried.readings, p_adjusted)
    missing = tried.lacking
    if any(unfit_level(reading) for reading in tried.readings):
        verdict, missing = NOT_TESTABLE, missing or "runs on all training images"
    elif missing and not (verdict == REFUTED and not _unseen(tried)):
        verdict = NOT_TESTABLE
    count = len(tried.readings)
    said = tuple(wording.reading(reading, verdict, count, best) for reading in tried.readings)
    if verdict in (CONFIRMED, DIRECTION) or not missing:
        return verdict, said
    if verdict == NOT_TESTABLE:
        return verdict, (f"Not testable yet; missing: {missing}. So far:", *said)
    return verdict, (*said, f"Still missing: {missing}.")


def _unseen(tried: Tried) -> bool:
    """Whether a reading has no contrast at all, so that not every one can have been refuted."""
    return bool(set(tried.missing) - {reading.name for reading in tried.readings})


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
