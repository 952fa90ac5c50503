"""The chapter on other domains: text and time series beside images, in figures and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.data import bundled
from reglab.errors import ReglabError
from reglab.pages import chapters, clauses, display, forest, simple_rules
from reglab.results import domains, factorial, stopping, tables
from reglab.stats import Estimate
from reglab.study import measures

Frames = Mapping[str, pd.DataFrame]
NONE = clauses.Said("No runs on text or time series are recorded with this copy of the book.")


def others(studies: Frames) -> dict[str, pd.DataFrame]:
    """Return the studies that are not of images."""
    return {name: frame for name, frame in studies.items() if name in bundled.NAMES}


def gains(studies: Frames) -> Figure:
    """Return what each combination gains over no technique, a panel a data set that has no images.

    Args:
        studies: of `reglab.results.domains.frames`, at least one of them of another domain.

    Raises:
        ReglabError: none is.
    """
    if not (kept := others(studies)):
        raise ReglabError("no runs on text or time series are recorded; see reglab record")
    return forest.forest(kept)


def levels(studies: Frames, names: Sequence[str] = bundled.NAMES) -> chapters.Stack:
    """Return the eight cells of each data set that has no images; of ``names`` what is missing."""
    caption = "The eight cells: test {} in percent, gains in points."
    shown = tuple(
        chapters.shown_for(
            name, frame, tables.factorial_table(frame), caption.format(measures.of(frame).name)
        )
        for name, frame in others(studies).items()
    )
    return chapters.Stack(shown, missing(studies, names))


def missing(studies: Frames, names: Sequence[str] = bundled.NAMES) -> str:
    """Return which data sets of other domains are not recorded; empty if none."""
    lacking = [paper.title(name) for name in names if name not in studies]
    return f"Not recorded yet: {clauses.listed(lacking)}." if lacking else ""


def carried(studies: Frames) -> clauses.Said:
    """Return which of the factorial's contrasts each data set shows as the image sets do."""
    if not others(studies):
        return NONE
    parts = {}
    for name, kinds in _by_kind(studies).items():
        listed = {
            kind: "; ".join(
                f"{domains.in_words(effect)} ({clauses.figure(one)})"
                for effect, one in found.items()
            )
            for kind, found in kinds.items()
        }
        parts[paper.title(name)] = [
            f"{_KINDS[kind]}: {text}" for kind, text in listed.items() if text
        ]
    return clauses.grouped(parts)


_KINDS = {
    "same": "shown, in the direction of the image sets that show it",
    "reversed": "shown, in the direction opposite to that of the image sets that show it",
    "open": "not shown, while image sets that show it agree on its direction",
    "new": "shown, while no image set shows it or they disagree",
    "neither": "not shown, and no image set shows it or they disagree",
}


def _by_kind(studies: Frames) -> dict[str, dict[str, dict[tuple[str, str], Estimate]]]:
    """Return the effects of each of `_KINDS`, by data set of another domain."""
    effects = {name: domains.effects(frame) for name, frame in studies.items()}
    images = [found for name, found in effects.items() if name in domains.IMAGES]
    sorted_: dict[str, dict] = {name: {kind: {} for kind in _KINDS} for name in others(studies)}
    for name, kinds in sorted_.items():
        for effect, one in effects[name].items():
            kind = _kind(one, [there[effect] for there in images if effect in there])
            kinds[kind][effect] = one
    return sorted_


def _kind(own: Estimate, images: list[Estimate]) -> str:
    """Return which of `_KINDS` an effect is."""
    here = clauses.shown(own)
    there = {clauses.shown(one) for one in images} & {"up", "down"}
    if len(there) != 1:
        return "new" if here in ("up", "down") else "neither"
    if here not in ("up", "down"):
        return "open"
    return "same" if here in there else "reversed"


def counted(studies: Frames) -> dict[str, dict[str, int]]:
    """Return how many effects are of each kind of `carried`, by data set."""
    return {
        name: {kind: len(found) for kind, found in kinds.items()}
        for name, kinds in _by_kind(studies).items()
    }


def in_short(studies: Frames) -> clauses.Said:
    """Return the chapter's findings in a few sentences, as the records have them."""
    kept = others(studies)
    if not kept:
        return NONE
    said = []
    for cell in ("l2", "dropout", "bn"):
        alone = {name: factorial.contrast(frame, cell, "none") for name, frame in kept.items()}
        said.append(f"{CELL_NAMES[cell]} alone {_effect(kept, alone)}")
    for name, kinds in counted(studies).items():
        clear = kinds["same"] + kinds["reversed"] + kinds["open"]
        said.append(
            f"{paper.title(name)}: contrasts on whose direction the image sets that show them "
            f"agree: {clear}; shown here in the same direction: {kinds['same']}, in the other: "
            f"{kinds['reversed']}, not shown: {kinds['open']}"
        )
    ends = {
        name: stopping.unstopped_changes(frame)[measures.of(frame).name]
        for name, frame in kept.items()
    }
    ended = _effect(kept, ends)
    said.append(f"Without regularization, going on for 50 epochs in place of stopping {ended}")
    return clauses.points(*said, *simple_rules.in_short(kept))


def _effect(studies: Frames, estimates: Mapping[str, Estimate | None]) -> str:
    """Return what something does to accuracy on some sets, and to R² on the others."""
    parts = []
    for what in dict.fromkeys(measures.of(frame).name for frame in studies.values()):
        own = {it: one for it, one in estimates.items() if measures.of(studies[it]).name == what}
        small = what == measures.ACCURACY.name
        parts.append(clauses.effect(own, figures=True, what=f"test {what}", small=small))
    return "; it ".join(parts)


def stopped(studies: Frames) -> clauses.Said:
    """Return what not stopping changes for the network without regularization, and beside it."""
    kept = others(studies)
    if not kept:
        return NONE
    changes = {name: stopping.unstopped_changes(frame) for name, frame in kept.items()}
    said = [
        f"test {measure} without regularization, after 50 epochs against stopped: "
        + clauses.by_dataset(
            {name: change[measure] for name, change in changes.items() if name in names},
            small=measure == measures.ACCURACY.name,
            up="higher by",
            down="lower by",
            unit=unit,
        )
        for names, measure, unit in _measured(kept)
    ]
    judged = {name: clauses.is_accuracy(frame) for name, frame in kept.items()}
    for cell in ("l2", "dropout", "bn"):
        beside = {
            name: stopping.singles_against_unstopped(frame)[cell] for name, frame in kept.items()
        }
        said.append(
            f"{CELL_NAMES[cell]}, stopped, against no regularization, not stopped: "
            + clauses.by_dataset(beside, small=judged, up="better by", down="worse by")
        )
    return clauses.points(*said)


def _measured(studies: Frames) -> list[tuple[list[str], str, str]]:
    """Return which sets have a measure, its name and its unit, scores before losses."""
    found = []
    for loss in (False, True):
        for measure in dict.fromkeys(measures.of(frame) for frame in studies.values()):
            names = [name for name, frame in studies.items() if measures.of(frame) is measure]
            unit = measure.loss_unit if loss else "points"
            found.append((names, "loss" if loss else measure.name, unit))
    return found


def rules(studies: Frames) -> chapters.Stack | clauses.Said:
    """Return what simple rules reach beside the networks, paired by seed."""
    return simple_rules.table(kept) if (kept := others(studies)) else NONE


def in_units(studies: Frames) -> clauses.Said:
    """Return what rules' and networks' R² amount to, in the units of what they predict."""
    return simple_rules.in_units(others(studies))


def effects_table(studies: Frames) -> chapters.Stack | clauses.Said:
    """Return every contrast of the factorial on every data set, images and others."""
    if not others(studies):
        return NONE
    what = measures.in_words(studies.values())
    caption = f"The factorial's contrasts on every data set, in points of test {what}."
    return chapters.Stack((display.show(domains.table(studies), caption),))


def resolution(studies: Frames) -> clauses.Said:
    """Return how small an effect these runs can tell from nothing."""
    kept = others(studies)
    if not kept:
        return NONE
    said = []
    for name, frame in kept.items():
        halves = domains.smallest_seen(frame).set_index("effect")["half-width"]
        n = len(factorial.scores(frame).dropna())
        least, most = halves.idxmin(), halves.idxmax()
        said.append(
            f"{paper.title(name)}: with {n} seeds the half-widths were from "
            f"{halves[least]:.1f} points ({least}) to {halves[most]:.1f} ({most})"
        )
    return clauses.points(
        *said,
        "An effect as large as its half-width is shown about every second time, a smaller one more "
        "rarely",
    )
