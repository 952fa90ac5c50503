"""Intervals over seeds and test images, and effects over all cells, from the raw records.

Nothing of reglab is imported here. The images' part comes from mean squares, as in an analysis of
variance, and the effects from a regression on codes of -1/2 and 1/2.
"""

import base64
import itertools
import math

import numpy as np
from scipy import stats


def right(record):
    """Return which test images a run classified right, as 0.0 and 1.0."""
    count, _, packed = record["best"]["correct"].partition(":")
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed), dtype=np.uint8))
    return bits[: int(count)].astype(float)


def half_widths(table):
    """Return the half-widths of the 95 % intervals over seeds, and over seeds and images."""
    n, m = table.shape
    mean, rows, columns = table.mean(), table.mean(1, keepdims=True), table.mean(0, keepdims=True)
    of_seeds = m * ((rows - mean) ** 2).sum() / (n - 1)
    of_images = n * ((columns - mean) ** 2).sum() / (m - 1)
    left = ((table - rows - columns + mean) ** 2).sum() / ((n - 1) * (m - 1))
    seeds = float(stats.t.ppf(0.975, n - 1)) * math.sqrt(of_seeds / (n * m))
    images = float(stats.norm.ppf(0.975)) * math.sqrt(max(0.0, of_images - left) / (n * m))
    return seeds, math.sqrt(seeds**2 + images**2)


def regression(cells):
    """Return coefficients of a least-squares fit, by the set of techniques.

    Args:
        cells: test accuracies by seed, by a cell's three switches (L2, dropout, BN).
    """
    sets = [on for k in range(4) for on in itertools.combinations(range(3), k)]
    design, accuracies = [], []
    for switches, scores in cells.items():
        codes = [0.5 if switch else -0.5 for switch in switches]
        row = [math.prod(codes[place] for place in on) for on in sets]
        design += [row] * len(scores)
        accuracies += list(scores.values())
    coefficients, *_ = np.linalg.lstsq(np.array(design), np.array(accuracies), rcond=None)
    return dict(zip(sets, coefficients.tolist(), strict=True))
