"""The main figure of a study: what each combination gains over no regularization."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.pages.figures import colors, styled
from reglab.results import factorial


def printed_gains(dataset: str, cell: str) -> list[Decimal]:
    """Return what a cell gains by the paper's numbers, in points, ascending.

    A technique alone stands in a table with its own baseline. The combinations' table has none, so
    that there is a gain over each of the baselines that the other tables print.
    """
    own = [paper.printed(cell, dataset, "none")] if cell in paper.contents()["tables"] else []
    baselines = [value for value in own if value is not None] or paper.printed_baselines(dataset)
    printed = paper.printed_cell(dataset, cell)
    return sorted({value - baseline for value in printed for baseline in baselines})


@styled
def gains_figure(frame: pd.DataFrame) -> Figure:
    """Draw each combination's gain in test accuracy with its interval, and the paper's.

    Args:
        frame: a finished study, `reglab.study.frame.load_frame`.

    Raises:
        ReglabError: it has no factorial.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    dataset, cells = frame["dataset"].iloc[0], CELL_ORDER[1:]
    ours, theirs = colors(2)
    for row, cell in enumerate(cells):
        if gain := factorial.contrast(frame, cell, "none"):
            axes.plot([gain.low, gain.high], [row, row], color=ours, linewidth=2)
            axes.plot(gain.mean, row, "D", color=ours, markersize=6)
        for value in printed_gains(dataset, cell):
            axes.plot(float(value), row, "x", color=theirs, markersize=8, markeredgewidth=2)
    n = frame.loc[frame["study"] == "factorial", "seed"].nunique()
    label = "ours, one seed" if n == 1 else f"ours: mean of {n} paired seeds, 95 % interval"
    axes.plot([], [], "-D", color=ours, label=label)
    if paper.printed_baselines(dataset):
        axes.plot([], [], "x", color=theirs, markeredgewidth=2,
                  label="as the paper prints it, over each of its baselines")  # fmt: skip
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(cells)), [CELL_NAMES[cell] for cell in cells])
    axes.invert_yaxis()
    axes.set_xlabel("gain in test accuracy over no regularization (points)")
    profile = frame["profile"].iloc[0]
    axes.set_title(f"{paper.title(dataset)}: what each combination gains, profile {profile}")
    figure.legend(loc="outside lower center")
    return figure
