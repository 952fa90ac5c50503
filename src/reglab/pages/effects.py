"""Forest plots of a chapter's contrasts: interactions, drops, measures, the further studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from reglab.cells import CELL_NAMES, CELLS, COMBINATIONS, TECHNIQUES, cell_name
from reglab.config import PLACEMENTS
from reglab.errors import ReglabError
from reglab.pages import forest
from reglab.pages.forest import Line
from reglab.results import early_stopping, factorial, further, gains, robustness, tables
from reglab.stats import mean_interval
from reglab.study import measures as kinds
from reglab.study.further.batch_size import SIZES
from reglab.study.further.dropout_bn import DROPS

Frames = Mapping[str, pd.DataFrame]
POINTS = "points of test accuracy"
WITHOUT_AND_WITH = ("without BN", "with BN")


def interactions(studies: Frames) -> Figure:
    """Return the interaction contrasts: beside nothing, and averaged over the third technique."""

    def lines(study: pd.DataFrame) -> list[Line]:
        simple, averaged = factorial.interactions(study), factorial.averaged_effects(study)
        printed = gains.printed_interactions(study["dataset"].iloc[0])
        both = [
            tuple(mean_interval(table[name].tolist()) for table in (simple, averaged))
            for name in COMBINATIONS
        ]
        return [
            Line(CELL_NAMES[name], two, (printed[name],))
            for name, two in zip(COMBINATIONS, both, strict=True)
        ]

    kinds = ("ours, beside nothing else", "ours, averaged over the third")
    return _plot(studies, lines, f"interaction ({POINTS}); below 0: redundancy", kinds)


def drops(studies: Frames) -> Figure:
    """Return what leaving each technique out of all three costs, and the paper's two versions."""

    def lines(study: pd.DataFrame) -> list[Line]:
        rows = tables.ablation_table(study).to_dict("records")
        columns = ("paper, its Table 3", "paper, prose")
        return [
            Line(f"without {row['left out']}", (row["drop"],),
                 tuple(() if row[name] is None else (float(row[name]),) for name in columns))
            for row in rows
        ]  # fmt: skip

    printed = ("by the paper's Table 3", "in the paper's text")
    unit = f"points of test {kinds.in_words(studies.values())}"
    return _plot(studies, lines, f"loss when left out ({unit})", forest.OURS, printed)


def adding(technique: str, studies: Frames) -> Figure:
    """Return what a technique adds to each setting of the other two, beside the paper's values.

    Args:
        technique: "l2", "dropout" or "bn".
        studies: finished studies by data set, at least one.
    """
    controls = [
        (name, parts) for name, *switches in CELLS if technique not in (parts := _on(switches))
    ]

    def lines(study: pd.DataFrame) -> list[Line]:
        found = [
            gains.gain(study, cell_name({*parts, technique}), name) for name, parts in controls
        ]
        return [Line(f"to {CELL_NAMES[one.control]}", (one.estimate,), (one.printed,))
                for one in found]  # fmt: skip

    return _plot(studies, lines, f"what {CELL_NAMES[technique]} adds ({POINTS})", forest.OURS)


def _on(switches: Sequence[bool]) -> list[str]:
    return [name for name, on in zip(TECHNIQUES, switches, strict=True) if on]


def measures(studies: Frames) -> Figure:
    """Return what each technique is worth by four measures of the same runs."""
    kinds = ("gain alone", "main effect", "Shapley share", "drop when left out")

    def lines(study: pd.DataFrame) -> list[Line]:
        table = factorial.measures_table(study)
        estimates = zip(*(table[kind] for kind in kinds), strict=True)
        return [Line(CELL_NAMES[one], four)
                for one, four in zip(TECHNIQUES, estimates, strict=True)]  # fmt: skip

    return _plot(studies, lines, POINTS, kinds)


def study(name: str, frames: Frames) -> Figure:
    """Return a further study's contrasts.

    Args:
        name: order, batch_size, decay_on, dropout_bn, early_stopping or robustness.
        frames: the study by data set, at least one.

    Raises:
        ReglabError: no picture of such a study, or no data set.
    """
    if name not in _STUDIES:
        raise ReglabError(f"no forest plot of {name!r}; there are {', '.join(_STUDIES)}")
    return forest.of_study(name, frames, *_STUDIES[name])


def _plot(
    frames: Frames,
    lines: Callable[[pd.DataFrame], Sequence[Line]],
    axis: str,
    ours: Sequence[str],
    printed: Sequence[str] = forest.PAPER,
) -> Figure:
    panels = {forest.heading(frame): lines(frame) for frame in frames.values()}
    return forest.plot(panels, axis, ours, printed)


def _order(frame: pd.DataFrame) -> list[Line]:
    places = {"BN before the ReLU": "bn before_relu", "BN after the ReLU": "bn after_relu"}
    return [
        Line(label, (further.contrasts(frame, {arm: 1, "none": -1}),))
        for label, arm in places.items()
    ]


def _batch_size(frame: pd.DataFrame) -> list[Line]:
    return [Line(f"batches of {size}", (further.batch_gain(frame, size),)) for size in SIZES]


def _decay_on(frame: pd.DataFrame) -> list[Line]:
    return [
        Line(words, tuple(further.decay_gain(frame, on, bn=bn) for bn in (False, True)))
        for on, words in further.WEIGHTS.items()
    ]


def _dropout_bn(frame: pd.DataFrame) -> list[Line]:
    return [
        Line(f"{tables.PLACES[place]}, {drop:g}",
             tuple(further.dropout_gain(frame, place, drop, bn=bn) for bn in (False, True)))
        for place in PLACEMENTS for drop in DROPS
    ]  # fmt: skip


def _robustness(frame: pd.DataFrame) -> list[Line]:
    cells = [name for name in CELL_NAMES if name != "none"]
    return [
        Line(CELL_NAMES[cell],
             tuple(robustness.gain(frame, cell, "none", it) for it in ("clean", "corrupted")))
        for cell in cells
    ]  # fmt: skip


def _early_stopping(frame: pd.DataFrame) -> list[Line]:
    cells = [name for name in CELL_NAMES if name != "none"]
    return [
        Line(CELL_NAMES[cell],
             tuple(early_stopping.gain(frame, cell, last=last) for last in (False, True)))
        for cell in cells
    ]  # fmt: skip


_STUDIES: dict[str, tuple[Callable[[pd.DataFrame], list[Line]], str, tuple[str, ...]]] = {
    "order": (_order, f"gain over no technique ({POINTS})", forest.OURS),
    "batch_size": (_batch_size, f"what batch normalization adds ({POINTS})", forest.OURS),
    "decay_on": (_decay_on, f"what L2 on these weights adds ({POINTS})", WITHOUT_AND_WITH),
    "dropout_bn": (
        _dropout_bn,
        f"what dropout in this place, at this drop rate, adds ({POINTS})",
        WITHOUT_AND_WITH,
    ),
    "robustness": (
        _robustness,
        "gain over no technique (points)",
        ("images as they are", "corrupted images"),
    ),
    "early_stopping": (
        _early_stopping,
        "gain over no technique (points)",
        ("both stopped with a patience of 5", "neither stopped"),
    ),
}
