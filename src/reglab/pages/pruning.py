"""The study of pruning on a page: pictures, tables, and sentences that follow the records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from reglab.pages import clauses, forest
from reglab.pages.forest import Line
from reglab.results import pruning as numbers
from reglab.study.further.pruning import SPARSITIES

Frames = Mapping[str, pd.DataFrame]

TABLES = (
    (
        numbers.beside_table,
        "Networks with few weights: test accuracy in percent, differences in points. Dense is the "
        "same network trained on for as long as patience allows, with all its weights.",
    ),
    (
        numbers.gap_table,
        "The gap between training and test accuracy, dense and pruned by magnitude, without L2 and "
        "with it: accuracy in percent, gaps and gains in points, epochs without those of the "
        "network that was pruned.",
    ),
)
SHOWN = (0.5, 0.9, 0.98)  # sparsities that sentences speak of


def against_dense(frames: Frames) -> Figure:
    """Return what pruning by magnitude does at each sparsity, without L2 and with it.

    Args:
        frames: the study by data set, at least one.

    Raises:
        ReglabError: no data set.
    """

    def lines(frame: pd.DataFrame) -> list[Line]:
        return [
            Line(_left(sparsity),
                 tuple(numbers.against_dense(frame, sparsity, cell) for cell in ("none", "l2")))
            for sparsity in SPARSITIES
        ]  # fmt: skip

    axis = "pruned minus dense (points of test accuracy)"
    return forest.of_study("pruning", frames, lines, axis, ("without L2", "with L2"))


def controls(frames: Frames) -> Figure:
    """Return what each control has beside pruning by magnitude, at each sparsity.

    Arguments and errors as `against_dense`.
    """

    def lines(frame: pd.DataFrame) -> list[Line]:
        return [
            Line(_left(sparsity),
                 tuple(numbers.beside(frame, control, sparsity) for control in numbers.CONTROLS))
            for sparsity in SPARSITIES
        ]  # fmt: skip

    axis = "control minus pruned by magnitude (points of test accuracy)"
    return forest.of_study("pruning", frames, lines, axis, tuple(numbers.CONTROLS.values()))


def _left(sparsity: float) -> str:
    return f"{100 * (1 - sparsity):g} % of the weights left"


def sentences(frames: Frames) -> list[str]:
    """Return what the recorded runs say: of pruning, its controls, its gap, and L2."""
    longer = clauses.of_study(frames, numbers.going_on)
    said = [f"A dense network that goes on from its best weights. {longer}"]
    for sparsity in SHOWN:
        change = clauses.of_study(frames, lambda it, s=sparsity: numbers.against_dense(it, s))
        said.append(f"Pruning by magnitude with {_left(sparsity)}, against dense. {change}")
    for control, words in _CONTROL.items():
        change = clauses.of_study(
            frames,
            lambda it, c=control: numbers.beside(it, c, 0.9),
            up="higher by",
            down="lower by",
        )
        said.append(
            f"Test accuracy of {words}, against pruning by magnitude with {_left(0.9)}. {change}"
        )
    gaps = clauses.of_study(
        frames, lambda it: numbers.gap_change(it, 0.9), up="larger by", down="smaller by"
    )
    said.append(
        f"The gap between training and test accuracy with {_left(0.9)}, against dense. {gaps}"
    )
    for sparsity, where in ((None, "dense networks"), (0.9, f"networks with {_left(0.9)}")):
        change = clauses.of_study(frames, lambda it, s=sparsity: numbers.l2_gain(it, s))
        said.append(f"L2 in {where}. {change}")
    return said


_CONTROL = {
    "random": "a network pruned by chance",
    "rewound": "a network with the same zeros in its initial values",
    "narrow": "a narrow network with about as many parameters",
}
_NO_CHOICE = ("random", "narrow")  # controls in which no weight was chosen by its size
_GAP = {"up": "wider on", "down": "narrower on", "small": "as wide within the margin on"}
_GAP |= {"open": "not shown to differ on"}


def conclusions(frames: Frames) -> list[str]:
    """Return what is shown of half and of nine tenths of the weights, of the gap, of controls."""
    half, most, gap = (
        {name: value(frame, at) for name, frame in frames.items()}
        for value, at in (
            (numbers.against_dense, 0.5), (numbers.against_dense, 0.9), (numbers.gap_change, 0.9),
        )
    )  # fmt: skip
    controls = (
        f"{_CONTROL[one]} is "
        + clauses.beside({name: numbers.beside(it, one, 0.9) for name, it in frames.items()})
        for one in _NO_CHOICE
    )
    return [
        "Beside a dense network that was trained on as well, pruning half of the weights by "
        f"magnitude {clauses.effect(half, figures=True)}",
        f"Pruning nine tenths of them {clauses.effect(most, figures=True)}; the gap between "
        "training and test accuracy, beside the dense network's, is then "
        f"{clauses.beside(gap, _GAP)}",
        "In brackets are points of test accuracy with half of their 95 % interval",
        f"Beside pruning nine tenths by magnitude, {'; '.join(controls)}",
    ]
