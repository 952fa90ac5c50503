"""The factorial as one linear mixed model: effects of the techniques, a random intercept a seed.

Beside it stand the same effects formed within each seed, whose intervals suppose less. With every
cell of every seed there, the estimates are equal; the intervals are not (see `comparison_table`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import pandas as pd

from reglab.cells import CELL_NAMES, CELLS, COMBINATIONS, TECHNIQUES
from reglab.errors import ReglabError
from reglab.results import factorial
from reglab.stats import Estimate, mean_interval

# Each technique is coded -1/2 and +1/2: a coefficient is then a main effect or an interaction that
# is averaged over what else is there, and not one beside nothing.
FORMULA = f"accuracy ~ {' * '.join(TECHNIQUES)}"
_TERMS = {name: name for name in TECHNIQUES} | {
    cell: ":".join(parts) for cell, parts in COMBINATIONS.items()
}


@dataclass(frozen=True)
class Fit:
    """A fitted model, in points of test accuracy.

    Attributes:
        effects: by technique or combination of techniques; intervals are Wald's, 95 %.
        seed_sd: standard deviation of the seeds' intercepts.
        rest_sd: of what is left of a run's accuracy.
        n: seeds.
        remarks: what statsmodels warned of, a line each, without repetition.
    """

    effects: dict[str, Estimate]
    seed_sd: float
    rest_sd: float
    n: int
    remarks: tuple[str, ...] = ()

    @property
    def on_boundary(self) -> bool:
        """Whether the seeds' variance is estimated as nothing, or as next to nothing."""
        warned = any("boundary" in text or "singular" in text for text in self.remarks)
        return warned or self.seed_sd < 0.01 * self.rest_sd


def long_form(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the factorial's runs, one a row: accuracy in percent, seed, techniques as -1/2, 1/2.

    Seeds that lack a cell are left out, so that the design is balanced.
    """
    scores = factorial.scores(frame).dropna()
    coded = {
        name: dict(zip(TECHNIQUES, (on - 0.5 for on in there), strict=True))
        for name, *there in CELLS
    }
    return pd.DataFrame(
        [
            {"seed": seed, "accuracy": row[name], **coded[name]}
            for seed, row in scores.iterrows()
            for name in scores.columns
        ]
    )


def fit(rows: pd.DataFrame) -> Fit:
    """Fit ``accuracy ~ l2 * dropout * bn`` with a random intercept of the seed (REML, statsmodels).

    Args:
        rows: as `long_form` gives them.

    Raises:
        ReglabError: fewer than two seeds have all eight cells.
    """
    import statsmodels.formula.api as smf

    if rows.empty or (n := rows["seed"].nunique()) < 2:
        raise ReglabError("a mixed model over seeds needs two seeds with all eight cells")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # without gradients: statsmodels' default fails where the seeds' variance is small
        model = smf.mixedlm(FORMULA, rows, groups="seed").fit(reml=True, method=["powell"])
        bounds = model.conf_int()
    effects = {
        name: Estimate(float(model.fe_params[term]), *map(float, bounds.loc[term]), math.nan, n)
        for name, term in _TERMS.items()
    }
    variance = max(0.0, float(model.cov_re.iloc[0, 0]))
    remarks = dict.fromkeys(" ".join(str(one.message).split()) for one in caught)
    return Fit(effects, math.sqrt(variance), math.sqrt(float(model.scale)), n, tuple(remarks))


def comparison_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return main effects and averaged interactions in points, within seeds and by the model.

    The estimates are equal. Within seeds an effect has its own spread over seeds and Student's
    quantile; the model has one spread for all that is left, and the normal quantile.
    """
    within, model = factorial.averaged_effects(frame), fit(long_form(frame))
    return pd.DataFrame(
        [
            {
                "effect": CELL_NAMES[name].replace(" + ", " × "),
                "within seeds": mean_interval(within[name].tolist()),
                "mixed model": effect,
                "n": model.n,
            }
            for name, effect in model.effects.items()
        ]
    )
