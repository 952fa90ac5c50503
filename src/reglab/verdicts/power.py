"""What the runs can show: the power of each claim's test, before and without any verdict.

Three numbers a claim. The chance to confirm it if the effect that the paper prints is true comes
from simulated studies (`reglab.verdicts.simulated`) and has all the rules in it. The smallest
effect that would be seen and the seeds that would be needed are those of a paired t test at 5 %,
with 80 % power: for a claim of several parts the worst of its parts, each tested alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from reglab import paper
from reglab.errors import ReglabError
from reglab.verdicts import simulated
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading
from reglab.verdicts.judging import families
from reglab.verdicts.words import ALPHA, BY_RUNS, CONFIRMED, DIRECTION, NOT_TESTABLE, REFUTED

POWER = 0.8  # the usual aim
MOST = 100_000  # seeds; more are as good as never


@dataclass(frozen=True)
class Part:
    """One contrast under a truth.

    Attributes:
        effect: its true mean in points, > 0 as the claim has it.
        sd: standard deviation of one seed's difference, in points.
        n: seeds; the smaller number where it compares two data sets.
        freedom: degrees of freedom of its t over n - 1: 1 within a data set.
    """

    effect: float
    sd: float
    n: int
    freedom: float = 1.0


def chance(effect: float, sd: float, n: int, freedom: float = 1.0) -> float:
    r"""Return the power of the two-sided t test at 5 % on n differences.

    With :math:`\delta = \sqrt n\,\mu/\sigma` it is the chance that a noncentral t falls outside of
    the quantiles :math:`\pm t_{n-1,\,0.975}`.

    Args:
        effect: mu, the true mean difference, in the unit of ``sd``; its sign does not matter.
        sd: sigma, standard deviation of the differences over seeds, > 0.
        n: seeds, at least two.
        freedom: factor on the n - 1 degrees of freedom; Welch's test has more than one's.

    Raises:
        ReglabError: a value out of range.
    """
    if not (sd > 0 and n >= 2 and math.isfinite(effect)):
        raise ReglabError(f"needs sd > 0, n >= 2, a finite effect; got {sd}, {n}, {effect}")
    degrees = freedom * (n - 1)
    bound = stats.t.ppf(1 - ALPHA / 2, degrees)
    shift = abs(effect) * math.sqrt(n) / sd
    if shift > bound + 30:  # beyond what nct computes, and certain
        return 1.0
    # the far tail is lost in rounding where the shift is large
    far = float(np.nan_to_num(stats.nct.cdf(-bound, degrees, shift)))
    return float(stats.nct.sf(bound, degrees, shift)) + far


def visible(sd: float, n: int, freedom: float = 1.0) -> float:
    """Return the smallest true difference that is seen in 80 % of studies, in the unit of ``sd``.

    Args and errors as `chance`.
    """
    most = 60 * sd  # two seeds need 15 standard deviations
    return float(optimize.brentq(lambda effect: chance(effect, sd, n, freedom) - POWER, 0, most))


def needed(effect: float, sd: float, freedom: float = 1.0) -> float:
    """Return the fewest seeds with 80 % power; infinite for an effect <= 0 or next to nothing."""
    if not effect > 0 or chance(effect, sd, MOST, freedom) < POWER:
        return math.inf
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if chance(effect, sd, middle, freedom) >= POWER else (middle, high)
        )
    return high


def truth_of(claim: str) -> str:
    """Return under which truth a claim's printed effect is true: the ablation's, or the tables'."""
    asked = {one["id"]: one["by_runs"] for one in paper.contents()["claims"]}
    return "ablation" if asked[claim].get("family") == "ablation" else "tables"


def part(
    given: simulated.Basis,
    contrast: Contrast,
    truth: str,
    n: int | Mapping[str, int],
    spread: float = 1.0,
) -> Part:
    """Return a contrast's effect and spread under a truth.

    Args:
        given, truth, n, spread: as `reglab.verdicts.simulated.simulate`.
        contrast: of `reglab.verdicts.simulated.comparisons`.
    """
    counts = n if isinstance(n, Mapping) else dict.fromkeys(given.scores, n)
    name = contrast.dataset
    mean, variance = _moments(given, name, contrast.values, truth)
    if contrast.against is None:
        return Part(mean, spread * math.sqrt(variance), counts[name])
    other = contrast.elsewhere
    their_mean, theirs = _moments(given, other, contrast.against, truth)
    few = min(counts[name], counts[other])
    # both on as many seeds as the smaller has: Welch's degrees of freedom, over n - 1
    freedom = (variance + theirs) ** 2 / (variance**2 + theirs**2)
    return Part(mean - their_mean, spread * math.sqrt(variance + theirs), few, freedom)


def _moments(
    given: simulated.Basis, dataset: str, weights: tuple[float, ...], truth: str
) -> tuple[float, float]:
    scores, true = given.scores[dataset], simulated.means(truth, dataset)
    w = np.array(weights)
    mean = float(w @ [true[arm] for arm in scores.columns])
    return mean, float(w @ simulated.covariance(scores).to_numpy() @ w)


def table(
    given: simulated.Basis,
    n: int | Mapping[str, int] | None = None,
    *,
    spread: float = 1.0,
    studies: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return, for each claim, what these runs can show: one row a claim, indexed by its id.

    Columns: ``truth`` (`truth_of`), ``parts`` of its reading, ``confirmed`` and ``refuted`` (shares
    of simulated studies in which the truth holds), ``effect`` (the smallest that the paper prints
    for a part), ``visible`` (points) and ``needed`` (seeds) as `visible` and `needed`.

    Args:
        n: seeds; None = as many as are recorded.
        given, spread, studies, seed: as `reglab.verdicts.simulated.simulate`.
    """
    n = given.seeds if n is None else n
    shares = chances(given, n, spread=spread, studies=studies, seed=seed)
    rows = {}
    for claim, readings in simulated.comparisons(given).items():
        truth = truth_of(claim)
        least = min(_reaches(given, readings, truth, n, spread), key=_first_seen)
        rows[claim] = {"truth": truth, "parts": len(readings[0].contrasts)} | least
    order = ["truth", "parts", "confirmed", "refuted", "effect", "visible", "needed"]
    return pd.DataFrame.from_dict(rows, orient="index").join(shares)[order]


def chances(
    given: simulated.Basis,
    n: int | Mapping[str, int],
    *,
    spread: float = 1.0,
    studies: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the shares of studies that confirm and refute a claim whose printed effect is true.

    ``confirmed`` counts the direction of a printed size as well, ``whole`` does not.

    Args and errors as `reglab.verdicts.simulated.simulate`; one row a claim.
    """
    drawn = {
        truth: simulated.simulate(given, truth, n, spread=spread, studies=studies, seed=seed)
        for truth in ("tables", "ablation")
    }
    rows = {}
    for claim in drawn["tables"]:
        verdicts = drawn[truth_of(claim)][[claim]]
        rows[claim] = {
            "confirmed": float(confirmed(verdicts)[claim]),
            "whole": float((verdicts[claim] == CONFIRMED).mean()),
            "refuted": float((verdicts[claim] == REFUTED).mean()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _reaches(
    given: simulated.Basis,
    readings: list[Reading],
    truth: str,
    n: int | Mapping[str, int],
    spread: float,
) -> Iterator[dict[str, float]]:
    """Yield each reading's worst part: all of them must be seen."""
    for reading in readings:
        parts = [part(given, one, truth, n, spread) for one in reading.contrasts]
        yield {
            "effect": min(one.effect for one in parts),
            "visible": max(visible(one.sd, one.n, one.freedom) for one in parts),
            "needed": max(needed(one.effect, one.sd, one.freedom) for one in parts),
        }


def _first_seen(reach: Mapping[str, float]) -> tuple[float, float]:
    return reach["needed"], reach["visible"]


def shares(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of studies with each verdict: one row a claim, one column a word."""
    words = [word for word in BY_RUNS if word != NOT_TESTABLE]
    return pd.DataFrame({word: (verdicts == word).mean() for word in words})


def confirmed(verdicts: pd.DataFrame) -> pd.Series:
    """Return the share of studies that confirm each claim, in size or in direction."""
    return verdicts.isin((CONFIRMED, DIRECTION)).mean()


def alarms(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return, by family, the share of studies with at least one claim confirmed, and refuted.

    Where all arms are equal these are false alarms, except that a printed size may be refuted.
    ``allowed`` is the level that Holm's correction promises for confirmations.
    """
    rows = []
    for family, names in families(paper.contents()["claims"]).items():
        if tested := [name for name in names if name in verdicts]:
            ours = verdicts[tested]
            yes, no = ours.isin((CONFIRMED, DIRECTION)), ours == REFUTED
            rows.append({"family": family, "claims": ", ".join(tested),
                         "confirmed": yes.any(axis=1).mean(), "refuted": no.any(axis=1).mean(),
                         "either": (yes | no).any(axis=1).mean(), "allowed": ALPHA})  # fmt: skip
    return pd.DataFrame(rows)


def over_seeds(
    given: simulated.Basis, counts: list[int], *, spread: float = 1.0, studies: int = 300
) -> pd.DataFrame:
    """Return the chance to confirm each claim if the paper's tables are true, by number of seeds.

    Args and errors as `reglab.verdicts.simulated.simulate`; one row a number, one column a claim.
    """
    rows = {
        n: confirmed(simulated.simulate(given, "tables", n, spread=spread, studies=studies))
        for n in counts
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def looking(looks: tuple[int, ...], studies: int = 20_000, seed: int = 0) -> float:
    """Return how often a test at 5 % is ever below it, if it is made again as seeds are added.

    Nothing differs in truth, so each is a false alarm.

    Args:
        looks: numbers of seeds at which one looks, ascending, at least two each.
        studies, seed: as `reglab.verdicts.simulated.simulate`.
    """
    draws = np.random.default_rng(seed).standard_normal((studies, max(looks)))
    significant = [stats.ttest_1samp(draws[:, :n], 0, axis=1).pvalue < ALPHA for n in looks]
    return float(np.any(significant, axis=0).mean())
