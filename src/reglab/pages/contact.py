"""A contact sheet of a data set: a row a class, so that swapped axes or labels are seen.

Where numbers are to be predicted, a row a fourth of the training examples, by their first number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reglab.data.kinds import IMAGE, KINDS, PAD, TOKENS, VECTORS
from reglab.data.sources import Arrays
from reglab.data.tasks import CLASSIFICATION, strata
from reglab.pages.figures import styled

EACH = {IMAGE: 10, VECTORS: 5, TOKENS: 1}  # examples of a class
ROWS = 20  # classes, at most
WORDS = 16  # of a sequence of tokens


@styled
def contact_sheet(arrays: Arrays, title: str) -> Figure:
    """Return the first training examples of each class, with its name and their numbers."""
    names, labels, tested = _rows(arrays)
    shown, each = min(len(names), ROWS), EACH[arrays.kind]
    figure = Figure(figsize=(9.7, shown * 0.8 + 0.5), layout="constrained")
    grid = figure.subplots(shown, each, squeeze=False)
    draw = _DRAWN[arrays.kind]
    for label, row in enumerate(grid):
        members = np.flatnonzero(labels == label)
        n_test = int((tested == label).sum())
        for place, axes in enumerate(row):
            axes.set_axis_off()
            if place < len(members):
                draw(axes, arrays.x_train[members[place]], arrays)
        text = f"{names[label]}\n{len(members):,} + {n_test:,}"
        row[0].text(-0.15, 0.5, text, transform=row[0].transAxes, ha="right", va="center")
    left_out = len(names) - shown
    more = f"; {left_out} more classes are not shown" if left_out else ""
    items = KINDS[arrays.kind].items
    each_row = "each class" if arrays.classes else "each fourth of the numbers to predict"
    figure.suptitle(f"{title}: training + test {items} of {each_row}{more}", fontsize=10)
    return figure


def _rows(arrays: Arrays) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the rows' names, and in which row each training and each test example is."""
    if arrays.task == CLASSIFICATION:
        return arrays.classes, arrays.y_train, arrays.y_test
    y = arrays.y_train[:, 0]
    _, labels = np.unique(strata(arrays.y_train), return_inverse=True)  # few leave fourths empty
    parts = [y[labels == label] for label in range(labels.max() + 1)]
    names = tuple(f"{part.min():.3g} to {part.max():.3g}" for part in parts)
    return names, labels, np.digitize(arrays.y_test[:, 0], [part.min() for part in parts[1:]])


def _image(axes: Axes, image: np.ndarray, arrays: Arrays) -> None:
    image = image[..., 0] if image.shape[2:] == (1,) else image
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _steps(axes: Axes, steps: np.ndarray, arrays: Arrays) -> None:
    """Draw each channel over time, all on the scale that all but a few values are within."""
    axes.plot(steps, linewidth=0.8)
    axes.set_ylim(*np.quantile(arrays.x_train, (0.002, 0.998)))


def _words(axes: Axes, tokens: np.ndarray, arrays: Arrays) -> None:
    words = [arrays.vocabulary[token] for token in tokens if token != PAD]
    text = " ".join(words[:WORDS]) + (" …" if len(words) > WORDS else "")
    axes.text(0, 0.5, text, transform=axes.transAxes, va="center", fontsize=8, wrap=True)


_DRAWN: dict[str, Callable[[Axes, np.ndarray, Arrays], None]] = {
    IMAGE: _image,
    VECTORS: _steps,
    TOKENS: _words,
}
