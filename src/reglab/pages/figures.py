"""The book's figures. Each takes a finished study and returns a matplotlib Figure.

On white; for dark pages the book's build makes a twin with the greys turned round. Colours that
people with colour blindness can tell apart, and never colour alone: markers and line styles differ
too. Accuracies are in percent. Bars and bands are 95 % intervals over seeds (`reglab.stats`), not
what a plotting library would compute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import arms, tables
from reglab.stats import mean_interval
from reglab.study import measures
from reglab.study.profiles import PAPER_LAMBDAS, PAPER_P, PRINTED_P

MARKERS = "osD^vPX*"
INK = "#10202c"  # of text on a coloured ground; the dark twin keeps it (tools/dark_figures.py)
LINES = ("-", "--", "-.", ":")
# size, marker, face colour (None = the line's) and name of a reading of p; one fits in the other
READING_MARKS = ((11, "s", "white", "p to drop"), (6, "o", None, "p to keep"))
STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "font.size": 10,
    "legend.frameon": False,
    "svg.hashsalt": "reglab",
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw under the book's style, whatever the notebook's own settings are."""

    @functools.wraps(draw)
    def inner(*arguments, **keywords) -> Figure:
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            return draw(*arguments, **keywords)

    return inner


def colors(n: int) -> list:
    """Return n colours that people with colour blindness can tell apart."""
    import seaborn as sns

    return sns.color_palette("colorblind", n)


@styled
def lambda_figure(frame: pd.DataFrame) -> Figure:
    """Test accuracy over lambda, log axis, under the three readings.

    Raises:
        ReglabError: no run of the lambda study.
    """
    rows = tables.study_rows(frame, "lambda")
    figure, axes = _axes("λ (log scale, with 0 at its left)", _measured(frame))
    positive = sorted(rows.loc[rows["lam"] > 0, "lam"].unique())
    zero = positive[0] / 10
    for lam in PAPER_LAMBDAS:
        axes.axvline(lam, color="#777777", linewidth=1.2, linestyle=":", zorder=0.5)
    for (reading, name), color, marker, line in zip(
        tables.READINGS.items(), colors(3), MARKERS, LINES, strict=False
    ):
        # lambda = 0 is one and the same run for the coupled and the per-sample reading
        own = rows["l2"] == reading
        if reading == "per_sample":
            own |= (rows["l2"] == "coupled") & (rows["lam"] == 0)
        points = _means(rows[own], "lam")
        x = [lam or zero for lam in points.index]
        _line(axes, x, points, color=color, marker=marker, linestyle=line, label=name)
    axes.plot([], [], color="#777777", linewidth=1.2, linestyle=":", label="the paper's grid")
    axes.set_xscale("log")
    decades = [lam for lam in positive if np.isclose(np.log10(lam) % 1, [0, 1]).any()]
    axes.set_xticks([zero, *decades], ["0", *(f"{lam:g}" for lam in decades)])
    axes.minorticks_off()  # between 0 and the smallest λ there is no scale
    axes.set_title(f"{_title(frame)}: λ under three readings, {seeds(rows, band=True)}")
    axes.legend(loc="lower left")
    return figure


@styled
def dropout_figure(frame: pd.DataFrame) -> Figure:
    """Test accuracy over the drop rate; the paper's three values of p under both readings.

    Raises:
        ReglabError: no run of the dropout study.
    """
    rows = tables.study_rows(frame, "dropout")
    figure, axes = _axes("drop rate", _measured(frame))
    where = rows["place"]
    for (place, name), color, line in zip(tables.PLACES.items(), colors(2), LINES, strict=False):
        if (where == place).any():
            points = _means(rows[where == place], "dropout")
            label = f"dropout, {name}"
            _line(axes, points.index, points, color=color, linestyle=line, label=label)
            _mark_readings(axes, points, color)
    for size, marker, face, label in READING_MARKS:
        axes.plot([], [], marker, color="#555555", markersize=size, markerfacecolor=face,
                  label=f"the paper's {label}")  # fmt: skip
    _paper_dropout(axes, frame["dataset"].iloc[0])
    what = measures.of(frame).name
    axes.set_title(f"{_title(frame)}: {what} over the drop rate, {seeds(rows, band=True)}")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _mark_readings(axes: Axes, points: pd.DataFrame, color: object) -> None:
    """Mark the paper's three p as drop rates (open squares) and as keep probabilities (dots)."""
    grids = (PAPER_P, [round(1 - p, 10) for p in PAPER_P])
    for (size, marker, face, _), grid in zip(READING_MARKS, grids, strict=True):
        marked = points.loc[points.index.isin(grid), "mean"]
        axes.plot(marked.index, marked, marker, color=color, markersize=size, zorder=3,
                  markerfacecolor=face or color)  # fmt: skip


def _paper_dropout(axes: Axes, dataset: str) -> None:
    """Draw the paper's value at p = 0.5, or say it where it would squeeze our own into a line."""
    value = paper.printed("dropout", dataset, "dropout")
    if value is None:
        return
    low, high = axes.get_ylim()
    near = low - (high - low) <= float(value) <= high + (high - low)
    label = f"the paper at p = {PRINTED_P:g}: {value} %" + ("" if near else " (off the scale)")
    x, y = ([PRINTED_P], [float(value)]) if near else ([], [])
    axes.plot(x, y, "x", color=colors(4)[3], markersize=8, markeredgewidth=2, label=label)


@styled
def factorial_figure(frame: pd.DataFrame) -> Figure:
    """The eight cells: every seed, mean with interval, and the paper's value."""
    figure, axes = _axes(_measured(frame), "", height=4.2)
    ours, printed = colors(2)
    for y, name in enumerate(CELL_ORDER):
        values = arms.values(tables.arm(frame, "factorial", name)).dropna()
        axes.plot(values, [y + 0.25] * len(values), "o", color=ours, alpha=0.6, markersize=4)
        if len(values):
            estimate = mean_interval(values.tolist())
            axes.plot([estimate.low, estimate.high], [y, y], color=ours, linewidth=2)
            axes.plot(estimate.mean, y, "D", color=ours, markersize=6)
        for value in paper.printed_cell(frame["dataset"].iloc[0], name):
            axes.plot(float(value), y, "x", color=printed, markersize=8, markeredgewidth=2)
    axes.plot([], [], "-D", color=ours, label="ours: mean, 95 % interval")
    axes.plot([], [], "o", color=ours, alpha=0.6, markersize=4, label="each seed")
    if paper.printed_baselines(frame["dataset"].iloc[0]):
        axes.plot([], [], "x", color=printed, markeredgewidth=2, label="as the paper prints it")
    axes.set_yticks(range(len(CELL_ORDER)), list(CELL_NAMES.values()))
    axes.invert_yaxis()
    n = seeds(frame[frame["study"] == "factorial"])
    axes.set_title(f"{_title(frame)}: the eight combinations, {n}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.14), ncols=3)
    return figure


def _axes(x: str, y: str, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _measured(frame: pd.DataFrame) -> str:
    return f"test {measures.of(frame).name} (%)"


def _means(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return mean, low and high in percent over the values of a column, ascending."""
    points, least = {}, measures.of(rows).least
    for value, group in rows.groupby(column):
        if (estimate := tables.score(group)) is not None:
            # a t interval of three unlike seeds can be wider than what an accuracy can be
            ends = np.clip((estimate.low, estimate.high), least, 100)
            points[value] = (estimate.mean, *ends)
    return pd.DataFrame.from_dict(points, orient="index", columns=["mean", "low", "high"])


def _line(axes: Axes, x, points: pd.DataFrame, **style) -> None:
    axes.plot(x, points["mean"], **style)
    if points["low"].notna().any():  # one seed has no interval, hence no band
        axes.fill_between(x, points["low"], points["high"], color=style["color"], alpha=0.15)


def _title(frame: pd.DataFrame) -> str:
    return paper.title(frame["dataset"].iloc[0])


def seeds(rows: pd.DataFrame, *, band: bool = False) -> str:
    """Return how many seeds there are, in words, and what a band is where there is one."""
    n = rows["seed"].nunique()
    return "1 seed" if n == 1 else f"{n} seeds" + (", band: 95 % interval" if band else "")
