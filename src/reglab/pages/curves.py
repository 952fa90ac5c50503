"""Learning curves of recorded runs: every seed thin, the mean with its band, the kept epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.errors import ReglabError
from reglab.pages import figures, forest
from reglab.results import curves, tables
from reglab.study import measures

PARTS = {"train": "training", "val": "validation", "test": "test"}
LINES = {"train": "--", "val": "-", "test": ":"}


@dataclass(frozen=True)
class Arm:
    """Runs of one arm, one a seed, and what a legend calls them."""

    label: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class Panel:
    """A panel's title, what is drawn in it, and of which measures (all losses, or accuracies)."""

    title: str
    arms: Sequence[Arm]
    measures: Sequence[str]


def of_cells(studies: Mapping[str, pd.DataFrame], cells: Sequence[str], *wanted: str) -> Figure:
    """Return a row a measure and a panel a data set, with curves of some cells of the factorial.

    Args:
        studies: finished studies by data set, at least one.
        cells: names of cells ("none", "bn", ...).
        wanted: of `reglab.results.curves.MEASURES`; none = validation accuracy, or R².

    Raises:
        ReglabError: a study lacks a cell; unknown measure.
    """
    return plot(
        [
            Panel(
                "" if i else forest.heading(study),
                [Arm(CELL_NAMES[cell], tables.arm(study, "factorial", cell)) for cell in cells],
                (measure or measures.of(study).val,),
            )
            for i, measure in enumerate(wanted or (None,))
            for study in studies.values()
        ],
        ncols=len(studies),
    )


def learning_curves(frame: pd.DataFrame, cells: Sequence[str] = ("none", "all")) -> Figure:
    """Return training and validation loss, and accuracy, over epochs, of some cells of one study.

    The baseline is shown without early stopping where the study has that arm, since overfitting
    is what early stopping hides.
    """
    arms = [_unstopped(frame, cell) for cell in cells]
    panels = [
        Panel("", arms, [_column(frame, part, loss=loss) for part in ("train", "val")])
        for loss in (True, False)
    ]
    figure = plot(panels)
    seeds = figures.seeds(arms[-1].rows)
    title = paper.title(frame["dataset"].iloc[0])
    figure.suptitle(f"{title}: learning curves, {seeds} (thin) and mean (thick)")
    return figure


def _unstopped(frame: pd.DataFrame, cell: str) -> Arm:
    """Return a cell's arm without early stopping; with it where the study has no such arm."""
    if ((frame["study"] == "no_early_stop") & (frame["arm"] == cell)).any():
        rows = tables.arm(frame, "no_early_stop", cell)
        return Arm(f"{CELL_NAMES[cell]}, not stopped early", rows)
    return Arm(CELL_NAMES[cell], tables.arm(frame, "factorial", cell))


def unstopped(
    studies: Mapping[str, pd.DataFrame], further: Mapping[str, pd.DataFrame] | None = None
) -> Figure:
    """Return loss and accuracy of the unregularized network to the last epoch it is allowed.

    Training, validation and, where they are recorded, test curves, for every data set that has the
    network not stopped.

    Args:
        studies: finished studies by data set.
        further: the study *early_stopping* by data set, which has test curves; may lack some.

    Raises:
        ReglabError: no data set has that network.
    """
    runs = {name: _to_the_end(study, (further or {}).get(name)) for name, study in studies.items()}
    runs = {name: rows for name, rows in runs.items() if rows is not None}
    if not runs:
        raise ReglabError("no data set has runs of the unregularized network not stopped early")
    traced = any(rows["trace"].notna().any() for rows in runs.values())
    parts = [part for part in PARTS if traced or part != "test"]
    return plot(
        [
            Panel(
                forest.heading(rows) if loss else "",
                [Arm(f"{CELL_NAMES['none']}, not stopped early", rows)],
                [_column(rows, part, loss=loss) for part in parts],
            )
            for loss in (True, False)
            for rows in runs.values()
        ],
        ncols=len(runs),
    )


def to_the_end(
    frames: Mapping[str, pd.DataFrame], cells: Sequence[str] = ("none", "all")
) -> Figure:
    """Return test loss and test accuracy of some cells over all epochs, for each data set.

    Args:
        frames: the study *early_stopping* by data set, at least one.
        cells: names of cells.

    Raises:
        ReglabError: a study lacks a cell.
    """
    return plot(
        [
            Panel(
                forest.heading(frame) if loss else "",
                [
                    Arm(CELL_NAMES[cell], tables.arm(frame, "early_stopping", cell))
                    for cell in cells
                ],
                [_column(frame, "test", loss=loss)],
            )
            for loss in (True, False)
            for frame in frames.values()
        ],
        ncols=len(frames),
    )


def _column(rows: pd.DataFrame, part: str, *, loss: bool) -> str:
    return f"{part}_{'loss' if loss else measures.of(rows).suffix}"


def _to_the_end(study: pd.DataFrame, further: pd.DataFrame | None) -> pd.DataFrame | None:
    if further is not None:
        return tables.arm(further, "early_stopping", "none")
    there = (study["study"] == "no_early_stop").any()
    return tables.arm(study, "no_early_stop", "none") if there else None


@figures.styled
def plot(panels: Sequence[Panel], ncols: int = 3) -> Figure:
    """Return a figure of panels with epochs across: thin lines are seeds, bands 95 % intervals.

    Seeds stop at different epochs; a mean ends where the first of its seeds stops. A hollow mark on
    a seed's line is the epoch whose weights were kept, that of the lowest validation loss.

    Args:
        panels: at least one; the same arms in each, which have a colour and a marker each.
        ncols: panels in a row, at most.
    """
    rows = -(-len(panels) // ncols)
    figure = Figure(figsize=(8, 1.0 + 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, min(ncols, len(panels)), squeeze=False).flatten()
    axis = [_label(panel) for panel in panels]
    for i, (axes, panel, label) in enumerate(zip(grid, panels, axis, strict=False)):
        for arm, look in zip(panel.arms, _looks(len(panel.arms)), strict=True):
            for measure in panel.measures:
                draw(axes, arm.rows, measure, **look)
        axes.set_title(panel.title, fontsize=10)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if i % ncols == 0 or label != axis[i - 1]:
            axes.set_ylabel(label)
    for axes in grid[len(panels) :]:
        axes.remove()
    _legend(figure, grid[0], panels[0])
    return figure


def draw(axes: Axes, rows: pd.DataFrame, measure: str, *, color: object, marker: str) -> None:
    """Draw one arm's curves of one measure into a panel."""
    table, line = curves.by_epoch(rows, measure), LINES[measure.split("_")[0]]
    kept = rows.set_index("seed")["best_epoch"].dropna()
    for seed in table:
        curve = table[seed].dropna()
        axes.plot(curve.index, curve, line, color=color, alpha=0.35, linewidth=0.8)
        if kept.get(seed) in curve.index:
            axes.plot(kept[seed], curve[kept[seed]], marker, color=color, markersize=5,
                      markerfacecolor="none", linestyle="none")  # fmt: skip
    mean = curves.mean(table)
    axes.plot(mean.index, mean["mean"], line, color=color, linewidth=1.8, marker=marker,
              markersize=4, markevery=max(1, len(mean) // 6))  # fmt: skip
    if mean["low"].notna().any():
        axes.fill_between(mean.index, mean["low"], mean["high"], color=color, alpha=0.15)


def _looks(n: int) -> list[dict[str, object]]:
    pairs = zip(figures.colors(n), figures.MARKERS, strict=False)
    return [{"color": color, "marker": marker} for color, marker in pairs]


def _label(panel: Panel) -> str:
    """Return what is measured: "validation accuracy (%)", or "accuracy (%)" of several parts."""
    measure = measures.of(panel.arms[0].rows)
    (kind,) = {name.split("_")[1] for name in panel.measures}
    loss, score = f"{measure.loss} ({measure.loss_unit})", f"{measure.name} (%)"
    parts, what = [name.split("_")[0] for name in panel.measures], loss if kind == "loss" else score
    return f"{PARTS[parts[0]]} {what}" if len(parts) == 1 else what


def _legend(figure: Figure, axes: Axes, panel: Panel) -> None:
    for arm, look in zip(panel.arms, _looks(len(panel.arms)), strict=True):
        axes.plot([], [], "-", markersize=4, label=arm.label, **look)
    grey = {"color": "#555555"}
    parts = [measure.split("_")[0] for measure in panel.measures]
    for part in parts if len(parts) > 1 else ():
        axes.plot([], [], LINES[part], label=PARTS[part], **grey)
    axes.plot([], [], "o", markerfacecolor="none", label="epoch that was kept", **grey)
    figure.legend(loc="outside lower center", ncols=3)


@figures.styled
def rates(studies: Mapping[str, pd.DataFrame]) -> Figure:
    """Return test accuracy over the learning rate, without and with BN, a mark a run.

    Of classes alone: its axis is that of accuracies.

    Runs that did not learn are crosses; lines join the means of those that did.

    Args:
        studies: finished studies by data set, at least one.

    Raises:
        ReglabError: a study has no runs at other learning rates.
    """
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(studies), sharey=True))
    for axes, study in zip(panels, studies.values(), strict=True):
        rows = tables.study_rows(study, "rate").astype({"lr": float})
        looks = zip((False, True), figures.colors(2), "oD", (1 / 1.09, 1.09), strict=True)
        for norm, color, marker, aside in looks:
            own = rows[rows["batch_norm"] == norm].dropna(subset="test_acc")
            _rate_marks(axes, own.assign(lr=own["lr"] * aside), color, marker)
        axes.set_xscale("log")
        ticks = sorted(rows["lr"].unique())
        axes.set_xticks(ticks, [f"{lr:g}" for lr in ticks], rotation=45)
        axes.minorticks_off()
        axes.set_ylim(0, 103)
        title = forest.heading(study).partition("\n")[0]
        axes.set_title(f"{title}\n{rows['seed'].nunique()} selection seeds", fontsize=10)
    panels[0].set_ylabel("test accuracy (%)")
    panels[len(panels) // 2].set_xlabel("learning rate (log scale)")
    for label, color, marker in zip(("no BN", "BN"), figures.colors(2), "oD", strict=True):
        panels[0].plot([], [], "-" + marker, color=color, markersize=5, label=label)
    panels[0].plot([], [], "x", color="#555555", markersize=6, label="a run that did not learn")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _rate_marks(axes: Axes, rows: pd.DataFrame, color: object, marker: str) -> None:
    learned = rows["learned"].astype(bool)
    for kept, shape in ((rows[learned], marker), (rows[~learned], "x")):
        axes.plot(kept["lr"], 100 * kept["test_acc"], shape, color=color, markersize=5, alpha=0.8)
    means = 100 * rows[learned].groupby("lr")["test_acc"].mean()
    axes.plot(means.index, means, "-", color=color, linewidth=1.5)
