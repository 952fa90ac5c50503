"""What the pages on accuracy and its cost say in words, with numbers from the recorded runs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab import paper
from reglab.pages.chapters import missing_remark
from reglab.results import tables
from reglab.results.costs import multiplications_an_epoch, settings


def sources(found: Mapping[str, pd.DataFrame]) -> str:
    """Return what the numbers of the recorded data sets are from, and what is missing, as Markdown.

    One item a data set: profile, images, and the multiplications of an epoch.
    """
    items = []
    for name, study in found.items():
        judged = tables.study_rows(study, "factorial")
        first, each = judged.iloc[0], multiplications_an_epoch(judged)
        products = "" if each is None else f", {each / 1e12:.3f} × 10¹² multiplications an epoch"
        items.append(
            f"- {paper.title(name)}: profile *{first['profile']}*, {first['n_train']:,} training "
            f"images, width {first['width']}{products}."
        )
    remark = missing_remark(found)
    return "\n".join(items + ([f"- {remark}"] if remark else []))


def summary(found: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence a data set on the combination that gained most, as Markdown.

    Empty where no combination has a gain.
    """
    items = []
    for name, study in found.items():
        cells = [s for s in settings(study) if s.study == "factorial" and s.gain is not None]
        if not cells:
            continue
        best = max(cells, key=lambda setting: setting.gain.mean)
        times = best.cost("epochs").mean / best.control["epochs"].mean()
        half = "" if best.gain.n < 2 else f" ± {best.gain.half_width:.1f}"
        items.append(
            f"- {paper.title(name)}: of the eight combinations, {best.technique} gained most, "
            f"{best.gain.mean:.1f}{half} points, in {times:.1f} times the epochs of no "
            "regularization."
        )
    return "\n".join(items)
