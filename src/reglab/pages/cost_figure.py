"""The picture of what a gain of accuracy costs (`reglab.results.costs` has the numbers)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.pages import figures
from reglab.results import tables
from reglab.results.costs import NOTHING, SWEPT, Setting, settings

MARGIN = 2.0  # points that the axis of the sweeps spans in any case, up and down


@figures.styled
def cost_figure(frame: pd.DataFrame) -> Figure:
    """Accuracy gained over epochs until the stop, the factorial beside the sweeps.

    Raises:
        ReglabError: no run of the factorial.
    """
    tables.study_rows(frame, "factorial")
    shown = settings(frame)
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    cells, sweeps = panels = figure.subplots(1, 2, sharex="row")
    _draw_cells(cells, [s for s in shown if s.study == "factorial"])
    _draw_sweeps(sweeps, [s for s in shown if s.study in SWEPT])
    cells.set_ylabel("accuracy gained (points)")
    for axes in panels:
        axes.axhline(0, color="#555555", linewidth=0.8)
        axes.set_xlabel("epochs until the stop")
    cells.set_xlim(0, 1.05 * cells.get_xlim()[1])  # the other panel shares it
    _entitle(figure, panels, frame)
    return figure


def _entitle(figure: Figure, panels: Sequence[Axes], frame: pd.DataFrame) -> None:
    columns = (("factorial",), "Combinations", "evaluation"), (SWEPT, "Sweeps", "selection")
    for axes, (studies, what, kind) in zip(panels, columns, strict=True):
        n = frame.loc[frame["study"].isin(studies), "seed"].nunique()
        axes.set_title(f"{what}: {n} {kind} seed{'' if n == 1 else 's'}")
    for axes, side in zip(panels, ("left", "right"), strict=True):
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc=f"outside lower {side}", fontsize=9, ncols=2)
    name = paper.title(frame["dataset"].iloc[0])
    figure.suptitle(f"{name}: accuracy gained, with 95 % intervals, over epochs")


def _draw_cells(axes: Axes, shown: Sequence[Setting]) -> None:
    looks = zip(shown, figures.colors(len(shown)), figures.MARKERS, strict=True)
    for setting, color, marker in looks:
        cost, gain = setting.cost("epochs"), setting.gain or NOTHING
        if cost is None:
            continue
        x = cost.mean
        if gain.n > 1:
            axes.plot([x, x], [gain.low, gain.high], color=color)
        axes.plot(x, gain.mean, marker, color=color, markersize=8, markeredgecolor="#333333",
                  linestyle="none", label=setting.technique)  # fmt: skip


def _draw_sweeps(axes: Axes, swept: Sequence[Setting]) -> None:
    """Draw each technique's strengths, joined in ascending order.

    Losses greater than the greatest gain are drawn at the lower edge: a collapsed network would
    press all others into a line.
    """
    names = list(dict.fromkeys(setting.technique for setting in swept))
    top = max([MARGIN, *(s.gain.mean for s in swept if s.gain)])
    for technique, color, marker in zip(names, figures.colors(5), figures.MARKERS, strict=False):
        own = [s for s in swept if s.technique == technique and s.cost("epochs")]
        shown = [(s.cost("epochs").mean, s.gain or NOTHING) for s in own]
        x, y = [x for x, _ in shown], [max(gain.mean, -top) for _, gain in shown]
        axes.plot(x, y, color=color, linewidth=0.8, alpha=0.5)
        for (across, gain), up in zip(shown, y, strict=True):
            low = gain.mean < -top
            if not low and gain.n > 1:
                axes.plot([across] * 2, [gain.low, gain.high], color=color, alpha=0.5)
            axes.plot(across, up, "v" if low else marker, color=color, markersize=6,
                      markerfacecolor="white" if low else color)  # fmt: skip
        axes.plot([], [], marker, color=color, label=technique)
    axes.plot([], [], "v", color="#555555", markerfacecolor="white",
              label=f"more than {top:.1f} points lost")  # fmt: skip
    axes.set_ylim(-1.15 * top, 1.6 * top)
