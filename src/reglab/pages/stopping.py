"""Early stopping on a page: criteria as a picture and tables, and what the runs say of them.

All of it is made from the study *early_stopping* by data set, and is right for none to all of them;
where there is none, a line says how to make the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.errors import ReglabError
from reglab.pages import chapters, clauses, forest
from reglab.pages.figures import MARKERS, colors, styled
from reglab.pages.further import missing
from reglab.results import criteria, early_stopping
from reglab.results.criteria import ALL, BY_ACCURACY, LAST, RULES, Replays, against, loss_change
from reglab.stats import Estimate

Frames = Mapping[str, pd.DataFrame]
NETWORKS = {"no regularization": ("none",), "mean of the eight networks": CELL_ORDER}
SINGLE = {"no regularization": "none", "all three": "all"}
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
        row[0].set_ylabel(f"{words}\naccuracy (points)", fontsize=9)
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


def _stack(frames: Frames, numbers, caption: str) -> chapters.Stack:
    shown = [
        chapters.shown_for(name, frame, numbers(frame), caption) for name, frame in frames.items()
    ]
    return chapters.Stack(tuple(shown), missing("early_stopping", frames))


def in_short(frames: Frames) -> clauses.Said:
    """Return what the runs show in a few lines, or how to make them; the chapter's beginning."""
    if not frames:
        return clauses.points(missing("early_stopping", frames))
    tables = {name: criteria.replay(frame, ("none",)) for name, frame in frames.items()}
    spent = _levels(_all(tables, "epochs", LAST), "epochs more")
    sentences = [
        f"Without regularization, the last epoch instead of a patience of 5 "
        f"{_effect(tables, LAST)}; it takes {spent}"
    ]
    names = {"l2": "L2", "dropout": "dropout", "bn": "batch normalization", "all": "all three"}
    for cell, words in names.items():
        gain = {it: early_stopping.gain(frame, cell, last=True) for it, frame in frames.items()}
        effect = clauses.effect(gain, several=cell == "all", figures=True)
        sentences.append(f"Where nothing is stopped, {words} {effect}")
    return clauses.points(*sentences)


def not_recorded(frames: Frames) -> clauses.Said:
    """Return which data sets are not recorded and how to make their runs; empty if all are."""
    return clauses.say(missing("early_stopping", frames))


def price(frames: Frames) -> clauses.Said:
    """Return what a patience of 5 spends and what it costs, for no technique and for all three."""
    found = {}
    for words, cell in SINGLE.items():
        tables = {name: criteria.replay(frame, (cell,)) for name, frame in frames.items()}
        found[words.capitalize()] = [
            f"It saves {_levels(_all(tables, 'epochs', ALL), 'epochs')}",
            f"To keep the lowest validation loss of all epochs instead {_effect(tables, ALL)}",
            f"To keep the highest validation accuracy of all {_effect(tables, BY_ACCURACY)}",
            f"To keep the last epoch {_effect(tables, LAST)}",
            f"The last epoch's test loss, against that of a patience of 5. {_loss(tables, LAST)}",
        ]
    return clauses.grouped(found if frames else {})


def families(frames: Frames) -> clauses.Said:
    """Return what the slowest criterion of each family brings over its fastest, and what it takes.

    For the mean of the eight networks.
    """
    tables = {name: criteria.replay(frame) for name, frame in frames.items()}
    sentences = []
    for rule in RULES:
        fast, slow = rule.label(rule.tried[0]), rule.label(rule.tried[-1])
        accuracy = {it: against(table, "accuracy", slow, fast) for it, table in tables.items()}
        spent = {it: against(table, "epochs", slow, fast) for it, table in tables.items()}
        sentences.append(
            f"{slow} instead of {fast} {clauses.effect(accuracy, figures=True)}; "
            f"it takes {_levels(spent, 'epochs more')}"
        )
    return clauses.points(*(sentences if frames else ()))


def loss_and_accuracy(frames: Frames) -> clauses.Said:
    """Return how much later than the lowest loss the highest accuracy comes, on test images."""
    words = {"up": "later by", "down": "earlier by", "unit": "epochs"}
    sentences = []
    for name, cell in SINGLE.items():
        later = {it: early_stopping.later(frame, cell) for it, frame in frames.items()}
        sentences.append(
            f"{name}, epoch of the highest accuracy on test images against that of the lowest "
            f"loss on them. {_each(later, **words)}"
        )
    return clauses.points(*(sentences if frames else ()))


def gains(frames: Frames) -> clauses.Said:
    """Return of each combination what it gains, both networks stopped and neither."""
    sentences = []
    for cell in CELL_ORDER[1:] if frames else ():
        stopped, going_on = (
            clauses.effect(
                {it: early_stopping.gain(frame, cell, last=last) for it, frame in frames.items()},
                figures=True,
            )
            for last in (False, True)
        )
        sentences.append(f"{CELL_NAMES[cell]}. Both stopped, it {stopped}. Neither, it {going_on}")
    return clauses.points(*sentences)


def _all(tables: Mapping[str, Replays], measure: str, name: str) -> dict[str, Estimate | None]:
    return {it: against(table, measure, name) for it, table in tables.items()}


def _effect(tables: Mapping[str, Replays], name: str) -> str:
    return clauses.effect(_all(tables, "accuracy", name), figures=True)


def _loss(tables: Mapping[str, Replays], name: str) -> str:
    words = {"up": "higher by", "down": "lower by", "unit": "percent"}
    return _each({it: loss_change(table, name) for it, table in tables.items()}, **words)


def _each(estimates: Mapping[str, Estimate | None], **words: str) -> str:
    """Return `clauses.clause` for each data set; what is no accuracy has no margin."""
    said = {paper.title(name): clauses.clause(one, **words) for name, one in estimates.items()}
    return "; ".join(f"{title}: {text}" for title, text in said.items())


def _levels(estimates: Mapping[str, Estimate | None], unit: str) -> str:
    """Return "12.3 ± 1.2 epochs on MNIST and ...": figures that are no question of sign."""
    return clauses.listed(
        f"{one.mean:.1f} ± {one.half_width:.1f} {unit} on {paper.title(name)}"
        for name, one in estimates.items()
        if one is not None
    )
