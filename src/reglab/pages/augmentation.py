"""The study of augmentation on a page: pictures, tables, and sentences that follow the records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.pages import clauses, forest
from reglab.pages.forest import Line
from reglab.results import augmentation as numbers
from reglab.stats import Estimate

Frames = Mapping[str, pd.DataFrame]

TABLES = (
    (
        numbers.kinds_table,
        "Each transformation on the network without a technique: test accuracy in percent, gains "
        "in points, epochs until the stop.",
    ),
    (
        numbers.cells_table,
        "The eight cells on images as they are and with all transformations: test accuracy in "
        "percent, gains in points. A cell's own gain is over no technique; the difference is its "
        "gain with augmentation minus that without.",
    ),
    (
        numbers.costs_table,
        "What all transformations cost: epochs and seconds until the stop, the gain in points "
        "within the epochs that the same cell took without them, and epochs to the validation "
        "accuracy that it then had. Seconds were measured beside other work, at different times.",
    ),
)


def kinds(frames: Frames) -> Figure:
    """Return what each transformation brings to the network without a technique.

    Args:
        frames: the study by data set, at least one.

    Raises:
        ReglabError: no data set.
    """
    tried = {text for frame in frames.values() for text in numbers.titles(frame)}
    order = {text: words for text, words in numbers.TITLES.items() if text in tried}

    def lines(frame: pd.DataFrame) -> list[Line]:
        alone = [Line(words, _both(frame, text)) for text, words in order.items()]
        return [*alone, Line(numbers.TOGETHER, _both(frame, numbers.whole(frame)))]

    axis = "gain over images as they are (points of test accuracy)"
    marks = ("when each has stopped", "within as many epochs")
    return forest.of_study("augmentation", frames, lines, axis, marks)


def _both(frame: pd.DataFrame, text: str) -> tuple[Estimate | None, Estimate | None]:
    """Return a transformation's gain after its own epochs and within the others'; or none."""
    if text not in numbers.titles(frame):
        return None, None
    return numbers.gain(frame, text), numbers.gain(frame, text, within=True)


def cells(frames: Frames) -> Figure:
    """Return what each cell brings over no technique, without augmentation and with all of it.

    Arguments and errors as `kinds`.
    """

    def lines(frame: pd.DataFrame) -> list[Line]:
        return [
            Line(CELL_NAMES[name],
                 tuple(numbers.cell_gain(frame, name, augmented=on) for on in (False, True)))
            for name in CELL_ORDER if name != "none"
        ]  # fmt: skip

    axis = "gain over no technique (points of test accuracy)"
    marks = ("on images as they are", "with all transformations")
    return forest.of_study("augmentation", frames, lines, axis, marks)


def sentences(frames: Frames) -> list[str]:
    """Return what the recorded runs say: of augmentation and its cost, and of the techniques."""
    return [*of_augmentation(frames), *of_techniques(frames)]


def of_augmentation(frames: Frames) -> list[str]:
    """Return what all transformations bring to the network without a technique, and what flips."""
    own = clauses.of_study(frames, lambda it: numbers.gain(it, numbers.whole(it)))
    within = clauses.of_study(frames, lambda it: numbers.gain(it, numbers.whole(it), within=True))
    epochs = clauses.of_study(frames, lambda it: numbers.more(it, "epochs"), small=False,
                        up="more, by", down="fewer, by", unit="epochs")  # fmt: skip
    return [
        f"All transformations together, when each network has stopped. {own}",
        f"Within no more epochs than training without them took. {within}",
        f"Epochs until the stop with them, against without. {epochs}",
        *_flips(frames),
    ]


def of_techniques(frames: Frames) -> list[str]:
    """Return by how much each technique's gain is another with augmentation."""
    names = {name: CELL_NAMES[name] for name in ("l2", "dropout", "bn")}
    said = []
    for name, title in (names | {"all": "all three techniques"}).items():
        change = clauses.of_study(frames, lambda it, name=name: numbers.cell_change(it, name),
                            up="larger by", down="smaller by")  # fmt: skip
        said.append(
            f"Gain of {title} over no technique, with augmentation beside that without. {change}"
        )
    return said


def _flips(frames: Frames) -> list[str]:
    mirrored = {name: frame for name, frame in frames.items() if "flip" in numbers.titles(frame)}
    if not mirrored:
        return []
    change = clauses.of_study(mirrored, numbers.alternating, up="higher by", down="lower by")
    return [f"Test accuracy with flips in every other epoch, beside flips at random. {change}"]


def brief(frames: Frames) -> list[str]:
    """Return what the recorded runs say, in short."""
    whole = {name: numbers.gain(frame, numbers.whole(frame)) for name, frame in frames.items()}
    said = [f"all transformations together {clauses.effect(whole, several=True, figures=True)}"]
    said.append(at_equal_epochs(frames))
    for name in ("l2", "dropout", "bn"):
        plain, augmented = (_own_gains(frames, name, on) for on in (False, True))
        said.append(
            f"{CELL_NAMES[name]} alone {clauses.effect(plain, figures=True)}; with augmentation it "
            f"{clauses.effect(augmented, figures=True)}"
        )
    return said


def at_equal_epochs(frames: Frames) -> str:
    """Return a sentence on all transformations within the epochs of training without them."""
    gains = {
        name: numbers.gain(frame, numbers.whole(frame), within=True)
        for name, frame in frames.items()
    }
    said = clauses.effect(gains, several=True, figures=True)
    return f"within no more epochs than without them, all transformations together {said}"


def still(frames: Frames) -> list[str]:
    """Return where each technique's gain is shown without augmentation and with it, and differs.

    A gain that is shown in one case only need not be another: the difference is asked for itself.
    """
    said = []
    for name in ("l2", "dropout", "bn"):
        without, with_it = (
            clauses.shown_on(_own_gains(frames, name, on), none="no data set")
            for on in (False, True)
        )
        said.append(
            f"a gain of {CELL_NAMES[name]} alone is shown on {without} without augmentation, and "
            f"on {with_it} with it; augmentation is {_other(frames, name)}"
        )
    return said


def _other(frames: Frames, name: str) -> str:
    """Return on which data sets augmentation is shown to change a technique's gain, and how."""
    changes = {dataset: numbers.cell_change(frame, name) for dataset, frame in frames.items()}
    parts = [
        f"{word} on {names}"
        for word, above in (("smaller", False), ("larger", True))
        if (names := clauses.shown_on(changes, above=above, none=""))
    ]
    return f"shown to make it {' and '.join(parts)}" if parts else "not shown to change it"


def _own_gains(frames: Frames, name: str, augmented: bool) -> dict[str, Estimate | None]:
    return {
        dataset: numbers.cell_gain(frame, name, augmented=augmented)
        for dataset, frame in frames.items()
    }
