"""What the pages on accuracy and its cost say in words, with numbers from the recorded runs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from reglab import paper
from reglab.pages.chapters import missing_remark
from reglab.results import tables
from reglab.results.costs import (
    megabytes,
    multiplications_an_epoch,
    settings,
    slowest_over_fastest,
)


def sources(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return what the numbers of the recorded data sets are from, and what is missing, as Markdown.

    One item a data set: profile, images, and the multiplications of an epoch.
    """
    items = []
    for name, study in studies.items():
        judged = tables.study_rows(study, "factorial")
        first, each = judged.iloc[0], multiplications_an_epoch(judged)
        products = "" if each is None else f", {each / 1e12:.3f} × 10¹² multiplications an epoch"
        items.append(
            f"- {paper.title(name)}: profile *{first['profile']}*, {first['n_train']:,} training "
            f"images, width {first['width']}{products}."
        )
    remark = missing_remark(studies)
    return "\n".join(items + ([f"- {remark}"] if remark else []))


def summary(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence a data set on the combination that gained most, as Markdown.

    Empty where no combination has a gain.
    """
    items = []
    for name, study in studies.items():
        cells = [s for s in settings(study) if s.study == "factorial" and s.gain is not None]
        if not cells:
            continue
        best = max(cells, key=lambda setting: setting.gain.mean)
        times = best.cost("epochs").mean / best.control["epochs"].mean()
        half = "" if math.isnan(best.gain.half_width) else f" ± {best.gain.half_width:.1f}"
        items.append(
            f"- {paper.title(name)}: of the eight combinations, {best.technique} gained most, "
            f"{best.gain.mean:.1f}{half} points, in {times:.1f} times the epochs of no "
            "regularization."
        )
    return "\n".join(items)


def machine(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence a data set on how far seconds and memory vary, as Markdown.

    Seconds between runs of one setting, which do equal work an epoch; memory between settings.
    """
    items = []
    for name, study in studies.items():
        said, ratio = [], slowest_over_fastest(study)
        if ratio is not None:
            said.append(
                f"between seeds of one setting, seconds an epoch differ by a factor of up to "
                f"{ratio:.1f}"
            )
        if peaks := [peak for each in settings(study) if (peak := megabytes(each)) is not None]:
            said.append(
                f"over all settings, peak memory lies between {min(peaks):,.0f} and "
                f"{max(peaks):,.0f} MB"
            )
        if said:
            items.append(f"- {paper.title(name)}: {'; '.join(said)}.")
    return "\n".join(items)
