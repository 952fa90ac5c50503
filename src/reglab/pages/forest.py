"""A forest plot: what each network gains over none, with the paper's gains marked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.pages.figures import colors, styled
from reglab.results import gains, tables


@styled
def forest(studies: Mapping[str, pd.DataFrame]) -> Figure:
    """Return a panel a data set: gains in test accuracy, in points, with their 95 % intervals.

    Args:
        studies: finished studies by data set, at least one.

    Raises:
        ReglabError: a study has no factorial.
    """
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(studies), sharey=True))
    for axes, (name, study) in zip(panels, studies.items(), strict=True):
        _panel(axes, study)
        n = len(tables.arm(study, "factorial", "none"))
        seeds = "1 seed" if n == 1 else f"{n} seeds"
        title = f"{paper.title(name)}\n{study['profile'].iloc[0]}, {seeds}"
        axes.set_title(title, fontsize=10)
    ours, printed = colors(2)
    panels[0].plot([], [], "-D", color=ours, markersize=5, label="ours: mean, 95 % interval")
    if any(paper.printed_baselines(name) for name in studies):
        panels[0].plot(
            [], [], "x", color=printed, markeredgewidth=2, label="as the paper prints it"
        )
    figure.legend(loc="outside lower center", ncols=2)
    middle = panels[len(panels) // 2]
    middle.set_xlabel("gain in test accuracy over no regularization (points)")
    return figure


def _panel(axes: Axes, study: pd.DataFrame) -> None:
    ours, printed = colors(2)
    rows = gains.over_nothing(study)
    for y, one in enumerate(rows):
        if one.estimate is not None:
            if one.estimate.n > 1:
                axes.plot([one.estimate.low, one.estimate.high], [y, y], color=ours, linewidth=2)
            axes.plot(one.estimate.mean, y, "D", color=ours, markersize=5)
        for value in one.printed:
            axes.plot(value, y, "x", color=printed, markersize=8, markeredgewidth=2)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [CELL_NAMES[one.treated] for one in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
