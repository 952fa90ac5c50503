"""Early stopping on a page: stopping criteria as a picture and as tables.

All of it is right for none to all of the data sets being recorded; what the runs say is in
`reglab.pages.stopping_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.errors import ReglabError
from reglab.pages import chapters, forest
from reglab.pages.figures import MARKERS, colors, styled
from reglab.pages.stopping_text import NOT_YET
from reglab.results import criteria, early_stopping, stopping
from reglab.results.criteria import ALL, BY_ACCURACY, LAST, RULES, Replays, against

Frames = Mapping[str, pd.DataFrame]
NETWORKS = {"no regularization": ("none",), "mean of the eight networks": CELL_ORDER}
WHOLE = {
    ALL: "all epochs, lowest validation loss",
    BY_ACCURACY: "all epochs, highest validation accuracy",
    LAST: "all epochs, the last one",
}


@styled
def trade_off(frames: Frames) -> Figure:
    """Return what each criterion changes in test accuracy over the epochs that it spends.

    Against a patience of 5.

    A column a data set, a row each of `NETWORKS`; a line joins a family's criteria, the fastest
    first. Bars are 95 % intervals of the difference, paired by seed.

    Args:
        frames: the study *early_stopping* by data set, at least one.

    Raises:
        ReglabError: no data set.
    """
    if not frames:
        raise ReglabError("nothing is recorded of the study 'early_stopping'; see reglab record")
    figure = Figure(figsize=(8.4, 5.6), layout="constrained")
    grid = figure.subplots(len(NETWORKS), len(frames), squeeze=False, sharex=True, sharey="col")
    for row, (words, cells) in zip(grid, NETWORKS.items(), strict=True):
        for axes, frame in zip(row, frames.values(), strict=True):
            _panel(axes, criteria.replay(frame, cells))
        row[0].set_ylabel(f"{words}\nchange in accuracy (points)", fontsize=9)
    for axes, frame in zip(grid[0], frames.values(), strict=True):
        axes.set_title(forest.heading(frame), fontsize=10)
    grid[-1][len(frames) // 2].set_xlabel("epochs spent (mean)")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _panel(axes: Axes, table: Replays) -> None:
    axes.axhline(0, color="#555555", linewidth=0.8)
    if table["epochs"].empty:
        axes.set_title("no seed with all its runs", fontsize=9)
        return
    looks = zip(colors(len(RULES) + 1), MARKERS, strict=False)
    spent = table["epochs"].mean()
    for rule, (color, marker) in zip(RULES, looks, strict=False):
        names = [rule.label(value) for value in rule.tried]
        label = f"{rule.name} {', '.join(f'{value:g}' for value in rule.tried)}{rule.unit}"
        _line(axes, table, {name: spent[name] for name in names}, color, marker, label)
    for (name, words), marker in zip(WHOLE.items(), "<>|", strict=True):
        _line(axes, table, {name: spent[name]}, "#555555", marker, words)


def _line(
    axes: Axes, table: Replays, spent: Mapping[str, float], color, marker: str, label: str
) -> None:
    """Draw criteria at the epochs that each spends, with their intervals; join them."""
    changes = [against(table, "accuracy", name) for name in spent]
    for x, change in zip(spent.values(), changes, strict=True):
        if change.n > 1:
            axes.plot([x, x], [change.low, change.high], color=color, alpha=0.5, linewidth=1.2)
    means = [change.mean for change in changes]
    axes.plot(list(spent.values()), means, marker=marker, color=color, label=label, markersize=6,
              linewidth=1.2)  # fmt: skip


def criteria_tables(frames: Frames, cells: Sequence[str] = CELL_ORDER) -> chapters.Stack:
    """Return every criterion's epochs, accuracy and loss, a table a data set.

    Args:
        frames: as `trade_off`, but there may be none.
        cells: one name for that network, or several for their mean within a seed.
    """
    what = CELL_NAMES[cells[0]] if len(cells) == 1 else f"mean of {len(cells)} networks"
    caption = (
        f"Stopping criteria, {what}: test accuracy in percent, test loss in nats, and their change "
        "against a patience of 5, in points and in percent of its loss."
    )
    return _stack(
        frames, lambda frame: criteria.criteria_table(criteria.replay(frame, cells)), caption
    )


def price_tables(frames: Frames) -> chapters.Stack:
    """Return what a patience of 5 saves each network and what other choices would have brought."""
    caption = (
        "A patience of 5 against going on: epochs that it saves, and points of test accuracy that "
        "weights chosen from all epochs have more."
    )
    return _stack(frames, early_stopping.price_table, caption)


def best_tables(frames: Frames) -> chapters.Stack:
    """Return the epochs at which loss and accuracy are best, on validation and on test images."""
    caption = (
        "Epochs of the lowest loss and of the highest accuracy, and how many epochs later the "
        "accuracy's is. Those of the test images describe: nothing is chosen by them."
    )
    return _stack(frames, early_stopping.best_table, caption)


def _stack(
    frames: Frames, numbers: Callable[[pd.DataFrame], pd.DataFrame], caption: str
) -> chapters.Stack:
    shown = [
        chapters.shown_for(name, frame, numbers(frame), caption) for name, frame in frames.items()
    ]
    return chapters.Stack(tuple(shown), "" if frames else NOT_YET.text)


def spent_tables(studies: Frames) -> chapters.Stack:
    """Return what each criterion spends on the protocol's network that was not stopped.

    Args:
        studies: finished studies by data set; those without that network are left out.
    """
    caption = (
        "Stopping criteria on the network without regularization that was not stopped: epochs, and "
        "by how many percent the validation loss kept lies above the lowest of the whole run."
    )
    shown = [
        chapters.shown_for(name, study, stopping.criteria_table(study), caption)
        for name, study in stopping.not_stopped(studies).items()
    ]
    return chapters.Stack(tuple(shown))
