"""Forest plots: estimates with their intervals, a row each, and what the paper prints for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.errors import ReglabError
from reglab.pages.figures import colors, styled
from reglab.results import gains
from reglab.stats import Estimate
from reglab.study import measures

MARKERS = "Dosv"  # of our estimates, by kind
CROSSES = ("x", "s")  # of printed values, by kind; the second is drawn open
OURS = ("ours: mean, 95 % interval",)
PAPER = ("as the paper prints it",)


@dataclass(frozen=True)
class Line:
    """A row of a forest plot.

    Attributes:
        label: what is compared.
        ours: an estimate a kind, in the unit of the axis; None where there is none.
        printed: the paper's values, none to several a kind.
    """

    label: str
    ours: tuple[Estimate | None, ...]
    printed: tuple[tuple[float, ...], ...] = ()


@styled
def forest(studies: Mapping[str, pd.DataFrame]) -> Figure:
    """Return a panel a data set: gains in test accuracy, in points, with their 95 % intervals.

    Args:
        studies: finished studies by data set, at least one.

    Raises:
        ReglabError: a study has no factorial.
    """
    panels = {
        heading(study): [
            Line(CELL_NAMES[one.treated], (one.estimate,), (one.printed,))
            for one in gains.over_nothing(study)
        ]
        for study in studies.values()
    }
    what = measures.in_words(studies.values())
    return plot(panels, f"gain in test {what} over no regularization (points)")


def heading(study: pd.DataFrame) -> str:
    """Return a panel's title: the data set, and how many seeds of which profile."""
    n = study["seed"].nunique()
    if (judged := study[study["study"] == "factorial"]).size:  # sweeps have seeds of their own
        n = judged["seed"].nunique()
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    return f"{paper.title(study['dataset'].iloc[0])}\n{study['profile'].iloc[0]}, {seeds}"


def of_study(
    name: str,
    frames: Mapping[str, pd.DataFrame],
    lines: Callable[[pd.DataFrame], Sequence[Line]],
    axis: str,
    ours: Sequence[str] = OURS,
) -> Figure:
    """Return `plot` of a further study, a panel a data set.

    Args:
        name: of the study.
        frames: the study by data set, at least one.
        lines: the rows of one data set's runs.
        axis, ours: as `plot`.

    Raises:
        ReglabError: no data set.
    """
    if not frames:
        raise ReglabError(f"nothing is recorded of the study {name!r}; see reglab record")
    panels = {heading(frame): lines(frame) for frame in frames.values()}
    return plot(panels, axis, ours)


@styled
def plot(
    panels: Mapping[str, Sequence[Line]],
    axis: str,
    ours: Sequence[str] = OURS,
    printed: Sequence[str] = PAPER,
) -> Figure:
    """Return a figure of panels side by side that share their rows, each with a scale of its own.

    Args:
        panels: rows by title; all have the same labels.
        axis: what is measured, and its unit.
        ours, printed: what the kinds of `Line.ours` and `Line.printed` are called.
    """
    rows = max(len(lines) for lines in panels.values())
    height = 1.5 + rows * (0.14 + 0.16 * len(ours))
    figure = Figure(figsize=(8, height), layout="constrained")
    grid = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for axes, (title, lines) in zip(grid, panels.items(), strict=True):
        _panel(axes, lines)
        axes.set_title(title, fontsize=10)
    _legend(figure, grid[0], panels, ours, printed)
    if len(grid) % 2:
        grid[len(grid) // 2].set_xlabel(axis)
    else:  # no panel is in the middle, and from the right one's it would reach over the edge
        grid[0].set_xlabel(axis, loc="left")
    return figure


def _legend(
    figure: Figure,
    axes: Axes,
    panels: Mapping[str, Sequence[Line]],
    ours: Sequence[str],
    printed: Sequence[str],
) -> None:
    """Name every kind of mark that is drawn in any panel."""
    for kind, name in enumerate(ours):
        axes.plot([], [], "-" + MARKERS[kind], color=_own(kind), markersize=5, label=name)
    lines = [line for lines in panels.values() for line in lines]
    for kind, name in enumerate(printed):
        if any(line.printed[kind : kind + 1] not in ((), ((),)) for line in lines):
            axes.plot([], [], linestyle="none", label=name, **_cross(kind))
    figure.legend(loc="outside lower center", ncols=min(len(ours) + len(printed), 3))


def _panel(axes: Axes, lines: Sequence[Line]) -> None:
    for y, line in enumerate(lines):
        step = 0.22 if len(line.ours) > 2 else 0.3
        for kind, estimate in enumerate(line.ours):
            if estimate is not None:
                _interval(axes, y + step * (kind - (len(line.ours) - 1) / 2), kind, estimate)
        for kind, values in enumerate(line.printed):
            for value in values:
                axes.plot(value, y, **_cross(kind))
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(lines)), [line.label for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)


def _interval(axes: Axes, y: float, kind: int, estimate: Estimate) -> None:
    if estimate.n > 1:
        axes.plot([estimate.low, estimate.high], [y, y], color=_own(kind), linewidth=2)
    axes.plot(estimate.mean, y, MARKERS[kind], color=_own(kind), markersize=5)


def _own(kind: int) -> tuple:
    """Return the colour of a kind of ours: the printed ones have the second and the last."""
    palette = colors(8)
    return [palette[0], palette[2], palette[4], palette[5]][kind]


def _cross(kind: int) -> dict[str, object]:
    face = {"markerfacecolor": "none"} if kind else {}
    color = colors(8)[3 if kind else 1]
    marker = CROSSES[kind]
    return {"marker": marker, "color": color, "markersize": 8, "markeredgewidth": 2, **face}
