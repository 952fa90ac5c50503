"""The study of distillation on a page: a picture, a table, sentences that follow the records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from reglab.pages import forest
from reglab.pages.augmentation import by_dataset
from reglab.pages.forest import Line
from reglab.pages.pruning import some
from reglab.results import distillation as numbers
from reglab.study.further.distillation import STUDENTS, TEMPERATURES

Frames = Mapping[str, pd.DataFrame]

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
    panels = {forest.heading(frame): _lines(frame) for frame in some(frames, "distillation")}
    axis = "gain over learning alone (points of test accuracy)"
    return forest.plot(panels, axis, tuple(f"{student} the width" for student in STUDENTS))


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
        name = f"A network of {student} the width"
        alone = by_dataset(
            frames, lambda it, s=student: numbers.lacking(it, s), up="higher by", down="lower by"
        )
        said.append(f"{name}, alone: test accuracy against the teacher's. {alone}")
        for temperature in TEMPERATURES:
            change = by_dataset(
                frames, lambda it, s=student, t=temperature: numbers.gain(it, s, temperature=t)
            )
            said.append(f"{name}, taught at T = {temperature:g}. {change}")
        for control, words in numbers.CONTROLS.items():
            change = by_dataset(
                frames,
                lambda it, s=student, c=control: numbers.beside(it, s, c),
                up="higher by",
                down="lower by",
            )
            said.append(f"{name}, taught at T = 4: test accuracy against {words}. {change}")
    return said
