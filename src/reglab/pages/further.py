"""The further studies on a page: their tables, and under them what was asked and what they show.

Each appears when its runs are recorded; until then one line says so, and how to make them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from reglab import paper
from reglab.corruptions import CORRUPTIONS, IMAGES
from reglab.errors import ReglabError
from reglab.pages import augmentation, chapters, clauses, distillation, pruning
from reglab.results import early_stopping, further, recorded, robustness, tables
from reglab.stats import Estimate
from reglab.study import measures
from reglab.study.further import STUDIES, datasets_of

Frames = Mapping[str, pd.DataFrame]
Table = tuple[Callable[[pd.DataFrame], pd.DataFrame], str]  # numbers and caption


def study(name: str, frames: Frames | None = None) -> chapters.Stack | clauses.Said:
    """Return a further study's tables and sentences, or how to make its runs if none are recorded.

    Args:
        name: of a further study (`reglab.study.further`).
        frames: the study by data set; None = `reglab.results.recorded.further`.

    Raises:
        ReglabError: unknown name, or a damaged table.
    """
    if name not in _SHOWN:
        raise ReglabError(f"no page shows a study {name!r}; there are {', '.join(_SHOWN)}")
    frames = recorded.further(name) if frames is None else frames
    if not frames:
        return clauses.say(STUDIES[name].question, missing(name, frames))
    return _stack(name, frames, missing(name, frames))


def rerun(frame: pd.DataFrame) -> chapters.Stack:
    """Return a further study of one data set, made anew, under any profile; as `study`."""
    first = frame.iloc[0]
    return _stack(first["study"], {first["dataset"]: frame})


def _stack(name: str, frames: Frames, remark: str = "") -> chapters.Stack:
    made, sentences = _SHOWN[name]
    shown = tuple(
        chapters.shown_for(it, frame, numbers(frame), caption.format(measures.of(frame).name))
        for it, frame in frames.items()
        for numbers, caption in made
    )
    said = clauses.points(*sentences(frames), remark)
    return chapters.Stack(shown, f"{STUDIES[name].question}\n\n{said.text}")


def missing(name: str, frames: Frames) -> str:
    """Return a sentence on data sets whose runs are not recorded; empty if there is none."""
    lacking = [paper.title(it) for it in datasets_of(name) if it not in frames]
    if not lacking:
        return ""
    return (
        f"Not recorded yet on {recorded.FEWEST_SEEDS} seeds: {clauses.listed(lacking)}; "
        f"reglab reproduce --profile reduced --study {name} makes the runs, and "
        f"reglab record --profile reduced --study {name} keeps them"
    )


def _gains(frames: Frames, value: Callable[[pd.DataFrame], Estimate | None]) -> str:
    what = measures.in_words(frames.values())
    return clauses.of_study(
        frames, value, up=f"raises test {what} by", down=f"lowers test {what} by"
    )


_HIGHER = {"up": "higher by", "down": "lower by"}
_LARGER = {"up": "larger by", "down": "smaller by"}


def _order(frames: Frames) -> list[str]:
    effect = clauses.of_study(frames, further.order_effect, **_HIGHER)
    what = measures.in_words(frames.values())
    return [f"Test {what} with BN after the ReLU, against BN before it: {effect}"]


def _batch_size(frames: Frames) -> list[str]:
    sentences = []
    for size in (16, 64, 256):
        gain = _gains(frames, lambda frame, size=size: further.batch_gain(frame, size))
        sentences.append(f"Batch normalization with batches of {size}. {gain}")
    for size in (16, 256):
        change = clauses.of_study(
            frames, lambda f, size=size: further.batch_change(f, size), **_LARGER
        )
        sentences.append(f"What it brings with {size}, against what it brings with 64: {change}")
    return sentences


def _decay_on(frames: Frames) -> list[str]:
    sentences = []
    for on, words in further.WEIGHTS.items():
        gains = {
            bn: _gains(frames, lambda f, on=on, bn=bn: further.decay_gain(f, on, bn=bn))
            for bn in (False, True)
        }
        change = clauses.of_study(
            frames, lambda f, on=on: further.decay_interaction(f, on), **_LARGER
        )
        sentences.append(
            f"L2 on {words} without batch normalization. {gains[False]}. With it. {gains[True]}. "
            f"The gain with it, beside that without. {change}"
        )
    return sentences


def _dropout_bn(frames: Frames) -> list[str]:
    sentences = []
    for place, drop in (("fc", 0.3), ("all", 0.3)):
        where = f"{tables.PLACES[place]}, drop rate {drop:g}"
        change = clauses.of_study(
            frames, lambda f, p=place, d=drop: further.dropout_interaction(f, p, d), **_LARGER
        )
        shift = clauses.of_study(
            frames, lambda f, p=place, d=drop: further.shift(f, p, d), **_HIGHER
        )
        sentences.append(
            f"Dropout ({where}): what it brings with batch normalization, against without: {change}"
        )
        sentences.append(
            f"test accuracy with statistics taken without dropout, against with it: {shift}"
        )
    return sentences


def _early_stopping(frames: Frames) -> list[str]:
    sentences = []
    for cell, words in (("none", "No regularization"), ("all", "All three")):
        change = clauses.of_study(
            frames, lambda f, cell=cell: early_stopping.change(f, cell), **_HIGHER
        )
        sentences.append(f"{words}: test accuracy after the last epoch, against stopped: {change}")
    for cell, words in (("l2", "L2"), ("dropout", "Dropout"), ("bn", "Batch normalization")):
        gain = clauses.of_study(
            frames, lambda f, cell=cell: early_stopping.gain(f, cell, last=True)
        )
        sentences.append(f"{words} alone, where nothing is stopped. {gain}")
    return sentences


def _robustness(frames: Frames) -> list[str]:
    sentences = [
        f"Each network's best weights were scored on {IMAGES:,} test images at most, as they are "
        f"and under {clauses.listed(CORRUPTIONS)}, at three strengths each; a figure is the mean "
        "over strengths and then over kinds. The paper names no measure of robustness: this is one"
    ]
    for control, beside in (("none", "no regularization"), ("bn", "batch normalization alone")):
        for metric, words in (
            ("corrupted", "accuracy on corrupted images"),
            ("lost", "points lost to corruptions"),
        ):
            change = clauses.of_study(
                frames, lambda f, c=control, m=metric: robustness.gain(f, "all", c, m), **_LARGER
            )
            sentences.append(f"All three against {beside}, {words}: {change}")
    return sentences


_SHOWN: dict[str, tuple[tuple[Table, ...], Callable[[Frames], list[str]]]] = {
    "order": (
        (
            (
                further.order_table,
                "Batch normalization before and after the ReLU: test {} in percent, "
                "differences in points.",
            ),
        ),
        _order,
    ),
    "batch_size": (
        (
            (
                further.batch_size_table,
                "What batch normalization brings at three batch sizes: test {} in percent, "
                "gains in points.",
            ),
        ),
        _batch_size,
    ),
    "decay_on": (
        (
            (
                further.decay_table,
                "L2 on some weights, at the strength chosen for all: test {} in percent, "
                "gains in points.",
            ),
        ),
        _decay_on,
    ),
    "dropout_bn": (
        (
            (
                further.dropout_table,
                "Dropout with and without batch normalization: gains in points; the variance at "
                "the third BN layer with dropout over that without; and points of accuracy gained "
                "by statistics taken without dropout instead of with it.",
            ),
        ),
        _dropout_bn,
    ),
    "early_stopping": (
        (
            (
                early_stopping.table,
                "Early stopping with a patience of 5, and none of it: test accuracy in percent, "
                "changes and gains over no technique in points, test loss in nats.",
            ),
        ),
        _early_stopping,
    ),
    "robustness": (
        (
            (
                robustness.summary_table,
                "Accuracy and calibration error in percent, clean and as means over all "
                "corruptions.",
            ),
            (robustness.kind_table, "Points of accuracy lost to each kind of corruption."),
            (
                robustness.gain_table,
                "Each cell against no regularization, paired by seed, in points; a negative number"
                " under lost means that less is lost.",
            ),
        ),
        _robustness,
    ),
    "augmentation": (augmentation.TABLES, augmentation.sentences),
    "pruning": (pruning.TABLES, pruning.sentences),
    "distillation": (distillation.TABLES, distillation.sentences),
}
