"""The picture of what a point of accuracy costs: points gained over epochs added."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.pages.clauses import shown
from reglab.pages.figures import MARKERS, colors, styled
from reglab.results.prices import Price, prices

RAYS = (1, 3, 10)  # epochs a point, drawn as lines from "nothing gained for nothing"
SHOWN = tuple(CELL_NAMES[name] for name in CELL_ORDER if name != "none")


@styled
def price_figure(studies: Mapping[str, pd.DataFrame]) -> Figure:
    """Return a panel a data set: each combination's gain over the epochs it took more.

    Bars are 95 % intervals; a mark is filled where that of the gain lies above zero.

    Args:
        studies: finished studies by data set, at least one.

    Raises:
        ReglabError: a study has no factorial.
    """
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(studies)))
    for axes, (name, study) in zip(panels, studies.items(), strict=True):
        _panel(axes, prices(study))
        axes.set_title(paper.title(name), fontsize=10, pad=16)  # prices stand below it
    panels[0].set_ylabel("accuracy gained (points)")
    panels[len(panels) // 2].set_xlabel("epochs more than without regularization")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _panel(axes: Axes, found: list[Price]) -> None:
    looks = dict(zip(SHOWN, zip(colors(len(SHOWN)), MARKERS, strict=False), strict=True))
    for one in found:
        color, marker = looks[one.name]
        x, y = one.epochs.mean, one.gain.mean
        if one.gain.n > 1:
            axes.plot([x, x], [one.gain.low, one.gain.high], color=color, alpha=0.7)
            axes.plot([one.epochs.low, one.epochs.high], [y, y], color=color, alpha=0.4)
        face = color if shown(one.gain) == "up" else "white"
        axes.plot(x, y, marker, color=face, markersize=8, markeredgecolor=color,
                  markeredgewidth=1.8, linestyle="none")  # fmt: skip
        axes.plot([], [], marker, color=color, linestyle="none", markersize=8, label=one.name)
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.axvline(0, color="#555555", linewidth=0.8)
    _rays(axes)


def _rays(axes: Axes) -> None:
    """Draw lines of one price each, named where they leave the panel; the limits stay."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for price in RAYS:
        x = min(right, price * high)
        if x <= 0:
            continue
        axes.plot([0, x], [0, x / price], color="#888888", linewidth=0.8, linestyle=":")
        top = x < right
        axes.annotate(f"{price}", (x, x / price), color="#555555", fontsize=8,
                      xytext=(0, 2) if top else (2, 0), textcoords="offset points",
                      ha="center" if top else "left", va="bottom" if top else "center",
                      annotation_clip=False)  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
