"""The book's figures. Each takes a finished study and returns a matplotlib Figure.

Opaque, so that they read on light and dark pages; colour-blind-safe colours, and never colour
alone: markers and line styles differ too. Accuracies are in percent. Bars and bands are 95 %
intervals over seeds (`reglab.stats`), not what a plotting library would compute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper, tables
from reglab.profiles import PAPER_LAMBDAS, PAPER_P
from reglab.protocol import CELLS
from reglab.stats import mean_interval

MARKERS = "osD^vPX*"
LINES = ("-", "--", "-.", ":")
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
    """Test accuracy over lambda, log axis, under the three readings."""
    figure, axes = _axes(frame, "λ (log scale; 0 at the left edge)", "test accuracy (%)")
    rows = frame[frame["study"] == "lambda"]
    positive = rows.loc[rows["lam"] > 0, "lam"]
    zero = positive.min() / 10
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
    axes.set_xscale("log")
    for lam in PAPER_LAMBDAS:
        axes.axvline(lam, color="#999999", linewidth=0.8, linestyle=":", zorder=0)
    axes.set_title(f"{_title(frame)}: λ under three readings (dotted: the paper's grid)")
    axes.legend(loc="lower left")
    return figure


@styled
def dropout_figure(frame: pd.DataFrame) -> Figure:
    """Test accuracy over the drop rate; the paper's three values of p under both readings."""
    figure, axes = _axes(frame, "drop rate", "test accuracy (%)")
    rows = frame[frame["study"] == "dropout"]
    rows = rows.assign(where=rows["arm"].str.partition(" ")[0])
    names = {"fc": "after the hidden layer", "all": "after the pools too"}
    for (where, part), color, line in zip(rows.groupby("where"), colors(3), LINES, strict=False):
        points = _means(part, "dropout")
        _line(axes, points.index, points, color=color, marker="", linestyle=line)
        axes.plot([], [], color=color, linestyle=line, label=names[where])
        readings = (
            ("s", "p to drop", list(PAPER_P)),
            ("o", "p to keep", [round(1 - p, 10) for p in PAPER_P]),
        )
        for size, (marker, label, rates) in zip((11, 6), readings, strict=True):
            marked = points.loc[[rate for rate in rates if rate in points.index], "mean"]
            axes.plot(
                *(marked.index, marked, marker),
                color=color,
                markersize=size,
                markerfacecolor="white" if marker == "s" else color,
                label=f"the paper's {label}" if part is not None and where == "fc" else None,
                zorder=3,
            )
    axes.set_title(f"{_title(frame)}: accuracy over the drop rate")
    axes.legend(loc="lower left")
    return figure


@styled
def factorial_figure(frame: pd.DataFrame) -> Figure:
    """The eight cells: every seed, mean with interval, and the paper's value."""
    figure, axes = _axes(frame, "test accuracy (%)", "", height=4.2)
    ours, printed = colors(2)
    for y, (name, *_) in enumerate(CELLS):
        values = 100 * tables.arm(frame, "factorial", name)["test_acc"].dropna()
        axes.plot(values, [y] * len(values), "o", color=ours, alpha=0.45, markersize=4)
        if len(values):
            estimate = mean_interval(values.tolist())
            axes.plot([estimate.low, estimate.high], [y, y], color=ours, linewidth=2)
            axes.plot(estimate.mean, y, "D", color=ours, markersize=6)
        for value in paper.printed_cell(frame["dataset"].iloc[0], name):
            axes.plot(float(value), y, "x", color=printed, markersize=8, markeredgewidth=2)
    axes.plot([], [], "-D", color=ours, label="ours: mean, 95 % interval, seeds")
    if paper.printed_baselines(frame["dataset"].iloc[0]):
        axes.plot([], [], "x", color=printed, markeredgewidth=2, label="as the paper prints it")
    axes.set_yticks(range(len(CELLS)), [tables.CELL_NAMES[name] for name, *_ in CELLS])
    axes.invert_yaxis()
    axes.set_title(f"{_title(frame)}: the eight combinations")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.14), ncols=2)
    return figure


@styled
def ablation_figure(frame: pd.DataFrame) -> Figure:
    """What leaving one technique out costs: ours, the paper's prose, the paper's Table 3."""
    figure, axes = _axes(frame, "", "loss of test accuracy (points)")
    table = tables.ablation_table(frame)
    x, names = np.arange(len(table)), table["left out"].tolist()
    ours, *printed = colors(3)
    drops = table["drop"].tolist()
    for i, drop in enumerate(drops):
        if drop is not None:
            axes.plot([i - 0.2] * 2, [drop.low, drop.high], color=ours, linewidth=2)
    means = [drop.mean if drop else np.nan for drop in drops]
    axes.plot(x - 0.2, means, "o", color=ours, markersize=7, label="ours, 95 % interval")
    for shift, column, color, marker in zip(
        (0.0, 0.2), ("paper, prose", "paper, its Table 3"), printed, "sx", strict=True
    ):
        values = pd.to_numeric(table[column])
        if values.notna().any():
            axes.plot(x + shift, values, marker, color=color, markersize=8, label=column)
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.set_xticks(x, [f"without {name}" for name in names])
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_title(f"{_title(frame)}: all three techniques, minus one")
    axes.legend()
    return figure


@styled
def learning_curves(frame: pd.DataFrame, cells: tuple[str, ...] = ("none", "all")) -> Figure:
    """Training and validation loss and accuracy over epochs, one line a seed.

    The baseline is shown without early stopping where the study has that arm, since overfitting
    is what early stopping hides.
    """
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, 2)
    for name, color, marker in zip(cells, colors(len(cells)), MARKERS, strict=False):
        unstopped = ((frame["study"] == "no_early_stop") & (frame["arm"] == name)).any()
        rows = tables.arm(frame, "no_early_stop" if unstopped else "factorial", name)
        for axes, measure, scale in zip(panels, ("loss", "acc"), (1, 100), strict=True):
            for part, line in (("train", "--"), ("val", "-")):
                for curve in rows["history"].map(lambda h, key=f"{part}_{measure}": h[key]):
                    epochs = range(1, len(curve) + 1)
                    axes.plot(epochs, np.multiply(curve, scale), line, color=color, alpha=0.7,
                              linewidth=1.2, marker=marker, markersize=3)  # fmt: skip
        panels[0].plot([], [], "-", color=color, marker=marker, label=tables.CELL_NAMES[name])
    for line, label in (("--", "training"), ("-", "validation")):
        panels[0].plot([], [], line, color="#555555", label=label)
    for axes, label in zip(panels, ("cross-entropy (nats)", "accuracy (%)"), strict=True):
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].legend(fontsize=8)
    figure.suptitle(f"{_title(frame)}: learning curves, one line a seed")
    return figure


def _axes(frame: pd.DataFrame, x: str, y: str, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _means(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return mean, low and high in percent over the values of ``by``, ascending."""
    points = {}
    for value, group in rows.groupby(by):
        if (estimate := tables.accuracy(group)) is not None:
            points[value] = (estimate.mean, estimate.low, estimate.high)
    return pd.DataFrame.from_dict(points, orient="index", columns=["mean", "low", "high"])


def _line(axes: Axes, x, points: pd.DataFrame, **style) -> None:
    axes.plot(x, points["mean"], **style)
    if points["low"].notna().any():
        axes.fill_between(x, points["low"], points["high"], color=style["color"], alpha=0.15)


def _title(frame: pd.DataFrame) -> str:
    return paper.title(frame["dataset"].iloc[0])
