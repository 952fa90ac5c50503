"""Heat maps of the recorded sweeps: which strengths work, under which reading or at which place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from reglab import paper
from reglab.errors import ReglabError
from reglab.pages.clauses import listed
from reglab.pages.figures import INK, styled
from reglab.results import grids, tables
from reglab.study.profiles import PRINTED_LAMBDA, PRINTED_P

PALEST = 25.0  # points below a panel's best from which on all is as pale as it gets
FAILED = {"facecolor": "#e3e3e3", "edgecolor": "#999999", "hatch": "////", "linewidth": 0}
FRAME = {"edgecolor": INK, "linewidth": 1.8}

Studies = Mapping[str, pd.DataFrame]
Grid = Callable[[pd.DataFrame], pd.DataFrame]


def lambda_map(studies: Studies) -> Figure:
    """Return validation accuracy over lambda under its readings, a panel a data set.

    Args:
        studies: finished studies by data set; those without the sweep are left out.

    Raises:
        ReglabError: none has it.
    """
    columns = {
        "coupled": "coupled",
        "per sample": "per\nsample",
        "decoupled (AdamW)": "decoupled\n(AdamW)",
    }
    printed = f"the paper's λ = {PRINTED_LAMBDA:g}"
    return _map(_swept(studies, "lambda"), grids.lambda_grid, columns, "λ", printed)


def dropout_map(studies: Studies) -> Figure:
    """Return validation accuracy over the drop rate at both placements; as `lambda_map`."""
    columns = {tables.PLACES["fc"]: "hidden\nlayer", tables.PLACES["all"]: "pools\nas well"}
    printed = f"the paper's p = {PRINTED_P:g}"
    return _map(_swept(studies, "dropout"), grids.drop_grid, columns, "drop rate", printed)


def lambda_failures(studies: Studies) -> str:
    """Return a sentence on the settings of the sweep of which some or all runs did not learn."""
    return _failures(_swept(studies, "lambda"), grids.lambda_grid, "λ =")


def dropout_failures(studies: Studies) -> str:
    """Return the same as `lambda_failures` for the drop rates."""
    return _failures(_swept(studies, "dropout"), grids.drop_grid, "a drop rate of")


def _swept(studies: Studies, sweep: str) -> Studies:
    kept = {name: study for name, study in studies.items() if (study["study"] == sweep).any()}
    if not kept:
        raise ReglabError(f"no data set has the sweep {sweep!r}; run `reglab reproduce` first")
    return kept


def _failures(studies: Studies, grid: Grid, what: str) -> str:
    spots = pd.concat([grid(study).assign(title=paper.title(it)) for it, study in studies.items()])
    failed = spots[spots["learned"] < spots["n"]]
    said = []
    for (column, strength), group in failed.groupby(["column", "strength"], sort=False):
        counts = (f"{one.learned} of {one.n} on {one.title}" for one in group.itertuples())
        said.append(f"at {what} {strength:g} ({column}) {listed(counts)}")
    few = "How many runs learned anything, where not all did"
    return f"{few}: {'; '.join(said)}" if said else "Every run of the sweep learned"


@styled
def _map(
    studies: Studies,
    grid: Grid,
    columns: Mapping[str, str],
    ylabel: str,
    printed: str,
) -> Figure:
    spots = {name: grid(study) for name, study in studies.items()}
    strengths = sorted({strength for one in spots.values() for strength in one["strength"]})
    figure = Figure(figsize=(7.2, 1.5 + 0.3 * len(strengths)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(studies), sharey=True))
    for axes, (name, one) in zip(panels, spots.items(), strict=True):
        _panel(axes, one, strengths, list(columns))
        axes.set_xticks(range(len(columns)), list(columns.values()))
        n = one["n"].max()
        title = f"{paper.title(name)}\n{studies[name]['profile'].iloc[0]}, "
        axes.set_title(title + ("1 seed" if n == 1 else f"{n} seeds"), fontsize=10)
    panels[0].set_yticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
    panels[0].set_ylabel(ylabel)
    marks = [
        Patch(label=printed, facecolor=_tint(0.0), **FRAME),
        Patch(label="none, or not all, of the runs learned", **FAILED),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def _panel(
    axes: Axes, spots: pd.DataFrame, strengths: Sequence[float], columns: Sequence[str]
) -> None:
    best = spots.loc[spots["learned"] == spots["n"], "accuracy"].max()
    for spot in spots.itertuples():
        x, y = columns.index(spot.column), strengths.index(spot.strength)
        corner = (x - 0.5, y - 0.5)
        if spot.learned < spot.n or math.isnan(spot.accuracy):
            axes.add_patch(Rectangle(corner, 1, 1, **FAILED))
            said = {"s": f"{spot.learned} of {spot.n}", "color": "#000000", "fontsize": 9}
            said["bbox"] = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.5}
        else:
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=_tint(best - spot.accuracy)))
            said = {"s": f"{spot.accuracy:.1f}" + " ✓" * spot.chosen, "color": INK, "fontsize": 9}
        axes.text(x, y, ha="center", va="center", **said)
        if spot.printed:
            axes.add_patch(Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, **FRAME))
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(strengths) - 0.5, -0.5))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _tint(below: float) -> str:
    """Return the colour of so many points below the best; all of them carry dark text."""
    import matplotlib as mpl

    share = 1 - math.sqrt(min(max(below, 0.0), PALEST) / PALEST)
    return to_hex(mpl.colormaps["YlGnBu"](0.05 + 0.42 * share))
