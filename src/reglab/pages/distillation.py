"""The study of distillation on a page: a picture, a table, sentences that follow the records."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from reglab import paper
from reglab.pages import clauses, forest
from reglab.pages.forest import Line
from reglab.results import distillation as numbers
from reglab.results.distillation import WIDTHS
from reglab.stats import Estimate
from reglab.study.further.distillation import CONTROL, STUDENTS, TEMPERATURES

Frames = Mapping[str, pd.DataFrame]
_OTHERS = {
    "smoothed": "one with smoothed labels",
    "self-taught": "one taught by its own like",
    "taught hastily": "one taught by a hasty teacher",
}

TABLES = (
    (
        numbers.table,
        "A teacher and its students: accuracy, calibration error and agreement in percent, gains "
        "over learning alone in points. Agreement with its teacher: both choose the same class; "
        "right or wrong as the teacher: both are right, or both wrong.",
    ),
)


def gains(frames: Frames) -> Figure:
    """Return what each student gains at each temperature, and from each control.

    Args:
        frames: the study by data set, at least one.

    Raises:
        ReglabError: no data set.
    """
    axis = "gain over learning alone (points of test accuracy)"
    return forest.of_study("distillation", frames, _lines, axis, tuple(WIDTHS.values()))


def _lines(frame: pd.DataFrame) -> list[Line]:
    rows = [("taught", it, f"taught, T = {it:g}") for it in TEMPERATURES]
    rows += [(how, None, words) for how, words in numbers.CONTROLS.items()]
    return [
        Line(words, tuple(numbers.gain(frame, student, how, at) for student in STUDENTS))
        for how, at, words in rows
    ]


def sentences(frames: Frames) -> list[str]:
    """Return what the recorded runs say: of teaching, and of what else could explain it."""
    said = []
    for student in STUDENTS:
        name = f"A network of {WIDTHS[student]}"
        alone = clauses.of_study(
            frames, lambda it, s=student: numbers.lacking(it, s), up="higher by", down="lower by"
        )
        said.append(f"{name}, alone: test accuracy against the teacher's. {alone}")
        for temperature in TEMPERATURES:
            change = clauses.of_study(
                frames, lambda it, s=student, t=temperature: numbers.gain(it, s, temperature=t)
            )
            said.append(f"{name}, taught at T = {temperature:g}. {change}")
        for control, words in _OTHERS.items():
            change = clauses.of_study(
                frames,
                lambda it, s=student, c=control: numbers.beside(it, s, c),
                up="higher by",
                down="lower by",
            )
            said.append(f"{name}, taught at T = 4: test accuracy against {words}. {change}")
    return said


def in_short(frames: Frames) -> clauses.Said:
    """Return what teaching at temperature 4 brings each student, or that nothing is recorded."""
    if not frames:
        return clauses.points("Runs of this study are not recorded yet")
    return clauses.points(
        *(
            f"Teaching a network of {WIDTHS[student]} at T = {CONTROL:g} "
            + clauses.effect(_each(frames, numbers.gain, student), figures=True)
            + f"; {_beyond(frames, student)}"
            for student in STUDENTS
        )
    )


def _beyond(frames: Frames, student: str) -> str:
    """Return where teaching is shown to bring more than each of the controls."""
    where = [
        paper.title(name) for name, frame in frames.items()
        if all(clauses.shown(numbers.beside(frame, student, it)) == "up" for it in numbers.CONTROLS)
    ]  # fmt: skip
    if not where:
        return "on no data set is it shown to bring more than each control"
    return f"it is shown to bring more than each control on {clauses.listed(where)}"


def compared(frames: Frames) -> list[str]:
    """Return how a taught student compares with the same network under each control."""
    said = []
    for student in STUDENTS:
        parts = [
            f"beside {words}, {clauses.beside(_each(frames, numbers.beside, student, control))}"
            for control, words in _OTHERS.items()
        ]
        name = f"A network of {WIDTHS[student]}, taught at T = {CONTROL:g}"
        said.append(f"{name}, is, {'; '.join(parts)}")
    return said


def agreeing(frames: Frames) -> list[str]:
    """Return how often students taught at temperature 4 agree with the teacher, and could have."""
    return [
        f"A network of {WIDTHS[student]}, taught at T = {CONTROL:g}, and its teacher choose the "
        "same class for this share of the test images (in brackets, what their accuracies allow): "
        f"{clauses.listed(_agreements(frames, student))}"
        for student in STUDENTS
    ]


def prices(frames: Frames) -> list[str]:
    """Return what teaching costs in epochs and multiplications, a sentence a student."""
    said = []
    for student in STUDENTS:
        parts = [_price(frame, student) for frame in frames.values()]
        said.append(f"A network of {WIDTHS[student]}. {'; '.join(parts)}")
    return said


def _each(frames: Frames, value: Callable, *arguments: str) -> dict[str, Estimate | None]:
    return {name: value(frame, *arguments) for name, frame in frames.items()}


def _agreements(frames: Frames, student: str) -> list[str]:
    parts = []
    for name, frame in frames.items():
        share = numbers.agreement(frame, f"{student} taught", CONTROL).mean()
        low, high = numbers.possible(frame, student) or (math.nan, math.nan)
        parts.append(f"{share:.1f} % on {paper.title(name)} ({low:.1f} to {high:.1f} %)")
    return parts


def _price(frame: pd.DataFrame, student: str) -> str:
    arms = (("teacher", None), (f"{student} taught", CONTROL), (f"{student} alone", None))
    teacher, taught, alone = (numbers.runs(frame, *arm)["epochs"].mean() for arm in arms)
    more = numbers.price(frame, student)
    products = "" if more is None else f", in all {more:.1f} times as many multiplications"
    return (
        f"{paper.title(frame['dataset'].iloc[0])}: {teacher:.1f} epochs of the teacher and "
        f"{taught:.1f} taught, against {alone:.1f} alone{products}"
    )
