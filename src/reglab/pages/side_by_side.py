"""The seven techniques side by side on a page: one picture, one table, and what to take first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reglab import paper
from reglab.errors import ReglabError
from reglab.formulas import luck_of_the_best
from reglab.pages import chapters, clauses
from reglab.pages.figures import MARKERS, colors, styled
from reglab.results import recorded
from reglab.results import side_by_side as numbers
from reglab.results.side_by_side import LEVEL, ONE_CONTROL, PROTOCOL, Technique
from reglab.study.further import datasets_of

NAMES = ("L2", "dropout", "BN", "early stopping", "augmentation", "pruning", "distillation")
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
CAPTION = (
    "Gains of test accuracy, and what is added to the calibration error, in points; epochs of the "
    "network with the technique; multiplications of its whole training over those without it."
)
ROBUST = " On corrupted images: points of accuracy gained there."
PALETTE = (0, 1, 2, 3, 4, 5, 7)  # of the colours for the colour-blind; the sixth is too pale
Together = Mapping[str, Mapping[str, pd.DataFrame]]  # of `reglab.results.side_by_side.frames`


@styled
def picture(frames: Together) -> Figure:
    """Return a panel a data set: what each technique gains over what its training takes.

    Bars are 95 % intervals; a mark is filled where that of the gain lies above zero.

    Args:
        frames: recorded studies by data set, at least one.

    Raises:
        ReglabError: no data set.
    """
    if not frames:
        raise ReglabError("no runs are recorded; see reglab record")
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(frames)))
    shown = {name: numbers.techniques(studies) for name, studies in frames.items()}
    for axes, (name, found) in zip(panels, shown.items(), strict=True):
        _panel(axes, found)
        axes.set_title(_heading(frames[name][PROTOCOL], found), fontsize=10)
    panels[0].set_ylabel("test accuracy gained (points)")
    panels[len(panels) // 2].set_xlabel("multiplications of training, times those without it")
    there = {one.name for found in shown.values() for one in found}
    for name in (name for name in NAMES if name in there):
        color, marker = _look(name)
        panels[0].plot([], [], marker, color=color, linestyle="none", markersize=8, label=name)
    figure.legend(loc="outside lower center", ncols=len(NAMES), fontsize=9, columnspacing=1.2)
    return figure


def _heading(study: pd.DataFrame, found: Sequence[Technique]) -> str:
    """Return a panel's title: the data set, the profile, and how many seeds a technique has."""
    counts = sorted({len(one.gains) for one in found})
    seeds = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    first = study.iloc[0]
    return f"{paper.title(first['dataset'])}\n{first['profile']}, {seeds} seeds"


def _look(name: str) -> tuple[tuple, str]:
    place = NAMES.index(name)
    return colors(max(PALETTE) + 1)[PALETTE[place]], MARKERS[place]


def _panel(axes: Axes, found: Sequence[Technique]) -> None:
    axes.set_xscale("log")
    for one in found:
        if one.gain is None or one.work is None:
            continue
        color, marker = _look(one.name)
        x, y, between = one.work[0], one.gain.mean, one.work[1]
        if one.gain.n > 1:
            axes.plot([x, x], [one.gain.low, one.gain.high], color=color, alpha=0.7)
        if between is not None and between[0] > 0:
            axes.plot(between, [y, y], color=color, alpha=0.4)
        face = color if clauses.shown(one.gain) == "up" else "white"
        axes.plot(x, y, marker, color=face, markersize=8, markeredgecolor=color,
                  markeredgewidth=1.8, linestyle="none")  # fmt: skip
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def table(frames: Together) -> chapters.Stack:
    """Return the table of each data set."""
    shown = tuple(
        chapters.shown_for(
            name,
            studies[PROTOCOL],
            numbers.table(studies),
            CAPTION + (ROBUST if "robustness" in studies else ""),
        )
        for name, studies in frames.items()
    )
    return chapters.Stack(shown, lacking(frames))


def lacking(frames: Together) -> str:
    """Return which studies are not recorded yet, and how they are made; empty if none."""
    without: dict[str, list[str]] = {}  # data sets in words -> studies
    for study in numbers.STUDIES:
        datasets = [it for it in datasets_of(study) if study not in frames.get(it, {})]
        without.setdefault(clauses.listed(map(paper.title, datasets)), []).append(study)
    said = [f"{clauses.listed(names)} on {where}" for where, names in without.items() if where]
    if not said:
        return ""
    return (
        f"Not recorded yet on {recorded.FEWEST_SEEDS} seeds: {'; '.join(said)}. "
        "reglab reproduce --profile reduced --study NAME makes the runs of one."
    )


def answer(frames: Together) -> clauses.Said:
    """Return which technique one would take first on each data set, by what the runs show."""
    if not frames:
        return clauses.Said("No runs are recorded with this copy of the book.")
    return clauses.points(*(_answer(name, studies) for name, studies in frames.items()))


def _answer(name: str, studies: Mapping[str, pd.DataFrame]) -> str:
    found = [one for one in numbers.techniques(studies) if one.gain is not None]
    title = f"**{paper.title(name)}**, {len(found)} of {len(NAMES)} techniques recorded. "
    gained = sorted(
        (one for one in found if clauses.shown(one.gain) == "up"),
        key=lambda one: one.gain.mean,
        reverse=True,
    )
    if not gained:
        return f"{title}None of them is shown to raise test accuracy. {_rest(found)}"
    best = gained[0]
    said = [f"The largest gain that is shown: {_named(best)}"]
    if gained[1:]:
        said.append(f"shown as well: {clauses.listed(map(_named, gained[1:]))}")
    adjusted = numbers.apart(found)
    others = [one for one in found if one is not best]
    clear = [one.name for one in others if adjusted[frozenset((best.name, one.name))] < LEVEL]
    said.append(
        f"the largest is told apart from that of {clauses.listed(clear)}"
        if clear
        else "the largest is told apart from none of the others"
    )
    level = [one for one in gained if one.name not in clear and one.work]
    if level and (cheapest := min(level, key=lambda one: one.work[0])) is not best:
        said.append(f"the cheapest that is not told apart from it is that of {cheapest.name}")
    return f"{title}{'; '.join(said)}. {_rest(found)}".rstrip()


def _named(one: Technique) -> str:
    half = "" if one.gain.n < 2 else f" ± {one.gain.half_width:.1f}"
    times = numbers.in_times(one.work)
    price = "" if times is None else f" for {times} times the multiplications"
    return f"{one.name}, {one.gain.mean:z.1f}{half} points{price}"


def _rest(found: Sequence[Technique]) -> str:
    """Return which techniques lower accuracy, and which are undecided; may be empty."""
    lower = [_named(one) for one in found if clauses.shown(one.gain) == "down"]
    said = f"Shown to lower it: {clauses.listed(lower)}." if lower else ""
    undecided = [one.name for one in found if clauses.shown(one.gain) == "open"]
    return f"{said} Undecided: {clauses.listed(undecided)}.".strip() if undecided else said


def calibration(frames: Together) -> clauses.Said:
    """Return which techniques change the calibration error on each data set, and by how much."""
    said = []
    for name, studies in frames.items():
        kinds: dict[str, list[str]] = {"up": [], "down": []}
        for one in numbers.techniques(studies):
            if (kind := clauses.shown(one.calibration)) in kinds:
                size = f"{abs(one.calibration.mean):.1f} ± {one.calibration.half_width:.1f}"
                kinds[kind].append(f"{one.name} (by {size})")
        words = [
            f"{word} with {clauses.listed(kinds[kind])}"
            for kind, word in (("down", "lower"), ("up", "higher"))
            if kinds[kind]
        ]
        said.append(f"**{paper.title(name)}:** {'; '.join(words) or 'no change is shown'}")
    return clauses.points(*said)


def luck(frames: Together) -> clauses.Said:
    """Return by how much the best would look too good if all techniques were equally good.

    `reglab.formulas.luck_of_the_best` of those with one control (`ONE_CONTROL`), with their mean
    standard error, and errors that correlate by a half: so they do where all networks vary alike
    and independently.
    """
    said = []
    for name, studies in frames.items():
        found = [one for one in numbers.techniques(studies) if one.name in ONE_CONTROL]
        gains = [one.gain for one in found if one.gain is not None and one.gain.n > 1]
        if gains:
            errors = [gain.sd / math.sqrt(gain.n) for gain in gains]
            size = luck_of_the_best(len(gains), sum(errors) / len(errors), 0.5)
            said.append(f"{size:.1f} points for {len(gains)} techniques on {paper.title(name)}")
    if not said:
        return clauses.Said("")
    return clauses.say(
        "with the standard errors of these runs and a correlation of a half, if all techniques "
        "that are recorded and have one control were equally good, the one that looks best would "
        f"look better than it is by about {clauses.listed(said)}"
    )
