"""Studies that were never run: scores drawn from a given truth, judged by the ledger's own rules.

A simulated study has the eight cells of the factorial and the strengths that the paper prints, with
means that are given and with the spread, and the pairing within a seed, of a recorded study. The
rules of `reglab.verdicts.by_runs` are asked once, for arms that score 1 on a seed of their own and
0 elsewhere: what they answer is each contrast's weights. A study then costs a product of matrices.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from reglab import paper
from reglab.cells import CELL_ORDER, TECHNIQUES, WITHOUT
from reglab.errors import ReglabError
from reglab.results import arms
from reglab.stats import holm_rows
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading, decide, p_of
from reglab.verdicts.judging import families
from reglab.verdicts.lookup import opened
from reglab.verdicts.trying import attempt
from reglab.verdicts.words import ROUNDING

# Claims that test accuracy of the arms below decides. N4 and N5 have further readings (λ per
# sample, λ decoupled), whose runs are on selection seeds; they are read here as coupled λ only.
CLAIMS = (
    "N4", "N5", "N11", "N15", "N16", "N17", "N19", "N20", "N21", "N22", "N24", "N30",
)  # fmt: skip
# The strengths that the paper prints, and the cell whose printed score is theirs.
LITERAL = {"literal:l2=0.1": "l2", "literal:dropout=0.5": "dropout"}
ARMS = (*CELL_ORDER, *LITERAL)
# What may be true: the paper's tables, its ablation's drops on top of them, or no effect at all.
TRUTHS = ("tables", "ablation", "equal")


@dataclass(frozen=True)
class Basis:
    """What simulated studies take from recorded ones.

    Attributes:
        scores: by data set, one row a seed and one column an arm, in percent.
        profiles: of the recorded runs, by data set.
    """

    scores: dict[str, pd.DataFrame]
    profiles: dict[str, str]

    @property
    def seeds(self) -> dict[str, int]:
        """How many seeds are recorded, by data set."""
        return {name: len(scores) for name, scores in self.scores.items()}

    def judged_as(self, profile: str) -> Basis:
        """Return the same scores, to be judged as if they were of another profile."""
        return replace(self, profiles=dict.fromkeys(self.profiles, profile))


@dataclass(frozen=True)
class Drawn:
    """One contrast of one simulated study: what `reglab.verdicts.deciding` reads of a Contrast."""

    size: float | None
    sized: bool
    for_it: float
    upwards: float
    against_it: float
    is_small: float


def basis(studies: Mapping[str, pd.DataFrame]) -> Basis:
    """Return test accuracies by seed of the arms that are recorded, over seeds that have all.

    Args:
        studies: recorded ones (`reglab.results.recorded.studies`).

    Raises:
        ReglabError: a study has fewer than two seeds, which say nothing of a spread.
    """
    by_dataset = {name: _scores(frame) for name, frame in studies.items()}
    profiles = {name: str(frame["profile"].iloc[0]) for name, frame in studies.items()}
    for name, scores in by_dataset.items():
        if len(scores) < 2:
            raise ReglabError(f"{name}: a spread over seeds needs two of them, got {len(scores)}")
    return Basis(by_dataset, profiles)


def _scores(frame: pd.DataFrame) -> pd.DataFrame:
    there = set(zip(frame["study"], frame["arm"], strict=True))
    names = {name: ((name.rpartition(":")[0] or "factorial"), name.rpartition(":")[2])
             for name in ARMS}  # fmt: skip
    kept = [name for name, place in names.items() if place in there]
    return pd.DataFrame({name: arms.values(arms.runs(frame, name)) for name in kept}).dropna()


def covariance(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the arms' covariance over seeds, in squared points (n - 1 in the denominator).

    Args:
        scores: one row a seed, one column an arm, in percent.
    """
    centred = scores.to_numpy() - scores.to_numpy().mean(axis=0)
    matrix = centred.T @ centred / (len(scores) - 1)  # (arms, arms)
    return pd.DataFrame(matrix, index=scores.columns, columns=scores.columns)


def means(truth: str, dataset: str) -> dict[str, float]:
    """Return each arm's true mean in percent, for one data set.

    Of two baselines that the paper prints, their mean counts. "ablation" sets the three pairs that
    the paper's ablation leaves over so far below all three together as its prose says; the tables
    of the paper contradict it. "equal" gives all arms the same mean.

    Raises:
        ReglabError: no such truth.
    """
    if truth not in TRUTHS:
        raise ReglabError(f"no truth {truth!r}; there are {', '.join(TRUTHS)}")
    if truth == "equal":
        return dict.fromkeys(ARMS, 50.0)
    printed = {cell: paper.printed_cell(dataset, cell) for cell in CELL_ORDER}
    true_means = {cell: float(sum(values) / len(values)) for cell, values in printed.items()}
    if truth == "ablation":
        drops = {one: paper.printed("ablation", dataset, one) for one in TECHNIQUES}
        true_means |= {
            WITHOUT[one]: true_means["all"] - float(drop) for one, drop in drops.items() if drop
        }
    return true_means | {name: true_means[cell] for name, cell in LITERAL.items()}


def comparisons(given: Basis) -> dict[str, list[Reading]]:
    """Return each claim's readings, every contrast's values being the arms' weights.

    ``values`` has a weight for each column of the data set's scores, ``against`` for those of the
    data set ``elsewhere``. Readings that ask for other arms are left out, and so
    are claims that have no reading left.
    """
    columns = tuple((name, tuple(scores.columns)) for name, scores in given.scores.items())
    return dict(_comparisons(columns, tuple(given.profiles.items())))


@functools.cache
def _comparisons(
    columns: tuple[tuple[str, tuple[str, ...]], ...], profiles: tuple[tuple[str, str], ...]
) -> dict[str, list[Reading]]:
    units = {name: [_units(name, names, dict(profiles)[name])] for name, names in columns}
    studies = opened(units)
    by_id = {claim["id"]: claim for claim in paper.contents()["claims"]}
    readings = {}
    for name in CLAIMS:
        tried = attempt(by_id[name]["by_runs"], studies)
        if whole := [one for one in tried.readings if one.name not in tried.missing]:
            readings[name] = whole
    return readings


def _units(dataset: str, names: Sequence[str], profile: str) -> pd.DataFrame:
    """Return a study with a seed for each arm, on which that arm scores 1 % and the others 0."""
    rows = [
        {
            "dataset": dataset,
            "profile": profile,
            "device": "none",
            "precision": "none",
            "study": name.rpartition(":")[0] or "factorial",
            "arm": name.rpartition(":")[2],
            "cell": LITERAL.get(name, name),
            "strength": float(name.rpartition("=")[2]) if name in LITERAL else 0.0,
            "seed": seed,
            "test_acc": 0.01 * (seed == place),
            "learned": True,
        }
        for place, name in enumerate(names)
        for seed in range(len(names))
    ]
    return pd.DataFrame(rows)


def simulate(
    given: Basis,
    truth: str,
    n: int | Mapping[str, int],
    *,
    spread: float = 1.0,
    studies: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the verdicts of simulated studies: one row a study, one column a claim.

    Args:
        given: where the covariance within a seed comes from.
        truth: of `TRUTHS`.
        n: seeds of a study, at least two; or by data set.
        spread: factor on all standard deviations, > 0.
        studies: how many.
        seed: of the draws.

    Raises:
        ReglabError: a value out of range.
    """
    if not given.scores:
        raise ReglabError("no recorded study to take a spread from")
    counts = n if isinstance(n, Mapping) else dict.fromkeys(given.scores, n)
    if min(counts.values(), default=2) < 2 or not spread > 0 or studies < 1:
        raise ReglabError(f"needs n >= 2, spread > 0, studies >= 1; got {n}, {spread}, {studies}")
    rng = np.random.default_rng(seed)
    draws = {}
    for name, scores in given.scores.items():
        true = [means(truth, name)[arm] for arm in scores.columns]
        size = (studies, counts[name])
        spreads = spread**2 * covariance(scores).to_numpy()
        draws[name] = rng.multivariate_normal(true, spreads, size=size, method="eigh")
    return judged(comparisons(given), draws)


def judged(readings: Mapping[str, list[Reading]], draws: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the verdicts on drawn scores (by data set: study x seed x arm, in percent)."""
    contrasts = [part for ours in readings.values() for one in ours for part in one.contrasts]
    tests = {id(part): p_values(part, *_values(part, draws)) for part in contrasts}
    studies = range(len(next(iter(draws.values()))))
    drawn = {name: [[_reading(one, tests, study) for one in ours] for study in studies]
             for name, ours in readings.items()}  # fmt: skip
    p = {name: np.array([p_of(ours) for ours in drawn[name]]) for name in drawn}
    for names in families(paper.contents()["claims"]).values():
        if tested := [name for name in names if name in p]:
            both = np.stack([p[name] for name in tested], axis=1)  # study x claim x (printed, sign)
            adjusted = np.stack([holm_rows(both[:, :, kind]) for kind in (0, 1)], axis=2)
            p |= {name: adjusted[:, place] for place, name in enumerate(tested)}
    return pd.DataFrame({name: [decide(*one) for one in zip(drawn[name], p[name], strict=True)]
                         for name in drawn})  # fmt: skip


def _values(contrast: Contrast, draws: Mapping[str, np.ndarray]) -> tuple:
    """Return a contrast's values (study x seed), and those that it subtracts, or None."""
    values = draws[contrast.dataset] @ np.array(contrast.values)
    if contrast.against is None:
        return values, None
    return values, draws[contrast.elsewhere] @ np.array(contrast.against)


def _reading(one: Reading, tests: Mapping, study: int) -> Reading:
    drawn = [Drawn(contrast.size, contrast.sized, *tests[id(contrast)][study])
             for contrast in one.contrasts]  # fmt: skip
    return Reading(one.name, tuple(drawn))


def p_values(contrast: Contrast, values: np.ndarray, against: np.ndarray | None) -> list:
    """Return (for_it, upwards, against_it, is_small) of each study, as `Contrast` has them for one.

    Args:
        contrast: a direction or a size, not a level; its values do not count.
        values, against: study x seed, in points.
    """
    if against is not None:
        mean = values.mean(axis=1) - against.mean(axis=1)  # (studies,)
        test = stats.ttest_ind(values, against, axis=1, equal_var=False)
        two, error = test.pvalue, np.abs(mean / test.statistic)
        small = stats.t.sf((contrast.small - np.abs(mean)) / error, test.df)
        upwards = np.where(mean > 0, two, 1)
        return _rows(upwards, upwards, np.where(mean < 0, two, 1), small)
    n, mean = values.shape[1], values.mean(axis=1)  # mean: (studies,)
    error = values.std(axis=1, ddof=1) / np.sqrt(n)
    two = 2 * stats.t.sf(np.abs(mean) / error, n - 1)
    small = _equal(mean, error, n, contrast.small)
    upwards, opposite = np.where(mean > 0, two, 1), np.where(mean < 0, two, 1)
    if not contrast.sized:
        return _rows(upwards, upwards, opposite, small)
    apart = np.maximum(0, np.abs(mean - contrast.size) - ROUNDING)
    excluded = 2 * stats.t.sf(apart / (error * np.sqrt(n + 1)), n - 1)
    beside = np.minimum(1, 2 * np.minimum(opposite, excluded))
    sized = _equal(mean - contrast.size, error, n, contrast.small)
    return _rows(sized, upwards, beside, np.ones_like(small))


def _equal(mean: np.ndarray, error: np.ndarray, n: int, margin: float) -> np.ndarray:
    return stats.t.sf((margin - np.abs(mean)) / error, n - 1)


def _rows(*columns: np.ndarray) -> list:
    return np.column_stack(columns).tolist()
