"""A contact sheet of a data set: a row a class, so that swapped axes or labels are seen."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from reglab.data.sources import Arrays
from reglab.pages.figures import styled

EACH = 10  # images of a class
ROWS = 20  # classes, at most


@styled
def contact_sheet(arrays: Arrays, title: str) -> Figure:
    """Return the first training images of each class, with its name and numbers of images."""
    shown = min(len(arrays.classes), ROWS)
    size = EACH * 0.75 + 2.2, shown * 0.8 + 0.5
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(shown, EACH, squeeze=False)
    for label, row in enumerate(grid):
        members = np.flatnonzero(arrays.y_train == label)
        n_test = int((arrays.y_test == label).sum())
        for place, axes in enumerate(row):
            axes.set_axis_off()
            if place < len(members):
                image = arrays.x_train[members[place]]
                image = image[..., 0] if image.shape[2:] == (1,) else image
                axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        text = f"{arrays.classes[label]}\n{len(members):,} + {n_test:,}"
        row[0].text(-0.15, 0.5, text, transform=row[0].transAxes, ha="right", va="center")
    left_out = len(arrays.classes) - shown
    more = f"; {left_out} more classes are not shown" if left_out else ""
    figure.suptitle(f"{title}: training + test images of each class{more}", fontsize=10)
    return figure
