"""Levels and differences over seeds and test images both: from which images each run got right."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from reglab.errors import ReglabError
from reglab.record import unpack_bits
from reglab.stats import Estimate, crossed_interval


def correctness(rows: pd.DataFrame) -> pd.DataFrame:
    """Return which test images each run of an arm got right: a row a seed, a column an image.

    Diverged runs have no row.

    Args:
        rows: of one arm (`reglab.results.tables.arm`).

    Raises:
        ReglabError: the runs were tested on different numbers of images.
    """
    kept = rows.dropna(subset="test_correct").set_index("seed").sort_index()
    bits = [unpack_bits(text) for text in kept["test_correct"]]
    if len({len(row) for row in bits}) > 1:
        raise ReglabError("one arm's runs were tested on different numbers of images")
    return pd.DataFrame(np.array(bits, dtype=bool), index=kept.index)


def level(rows: pd.DataFrame) -> Estimate | None:
    """Return an arm's test accuracy in percent with its interval over seeds and images.

    None if every run diverged, or if some runs learned and some did not: those have no interval.
    """
    table = correctness(rows)
    if table.empty or rows.dropna(subset="test_correct")["learned"].nunique() > 1:
        return None
    return crossed_interval(100.0 * table.to_numpy())


def with_images(rows: pd.DataFrame) -> float | None:
    """Return the half-width of `level` in points; None where there is none."""
    estimate = level(rows)
    return None if estimate is None or math.isnan(estimate.half_width) else estimate.half_width


def difference(treated: pd.DataFrame, control: pd.DataFrame) -> Estimate | None:
    """Return treated minus control in points, within seed and image, with its interval over both.

    Args:
        treated, control: rows of two arms. None where fewer than two seeds have both.
    """
    ours, theirs = correctness(treated), correctness(control)
    common = sorted(set(ours.index) & set(theirs.index))
    if len(common) < 2:
        return None
    values = ours.loc[common].to_numpy(float) - theirs.loc[common].to_numpy(float)
    return crossed_interval(100 * values)
