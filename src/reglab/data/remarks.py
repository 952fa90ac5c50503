"""What a look at a data set's arrays says before an hour is spent on training with them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy import stats

from reglab.data.kinds import IMAGE, KINDS, TOKENS, VECTORS
from reglab.data.sources import Arrays
from reglab.data.tasks import CLASSIFICATION

LOOK = 200  # images that a look at neighbouring pixels takes
PROBE = 2000  # images that the probe learns from, and is tried on, at most
SIDE = 16  # it sees images of at most so many pixels a side, sequences of so many steps
WORDS = 500  # and so many tokens, the last one for all that come after it
SMOOTHER = 0.7  # how rough another reading must be, relative to this one, to be remarked on
WHOLE = 20  # different whole numbers, at most, that may be meant as classes
FEW = 100  # test images below which an accuracy is coarse
ALPHA = 0.01


def remarks(arrays: Arrays) -> list[str]:
    """Return what a reader should know of the set, one sentence each; [] = nothing."""
    of_images = [_pixels(arrays), _reading(arrays)] if arrays.kind == IMAGE else []
    counts, probe = (_counts, _probe) if arrays.task == CLASSIFICATION else (_few, _predicted)
    of_steps = [_left_out(arrays), _overlap(arrays)] if arrays.kind == VECTORS else []
    said = [*counts(arrays), _twins(arrays), *of_steps, *of_images, probe(arrays)]
    return [remark for remark in said if remark]


def _counts(arrays: Arrays) -> list[str]:
    n_classes, n_test = len(arrays.classes), len(arrays.y_test)
    items = KINDS[arrays.kind].items
    absent = n_classes - len(np.unique(arrays.y_test))
    said = []
    if absent:
        said.append(
            f"{absent} of {n_classes} classes have no test {items}: accuracy says nothing of them"
        )
    if n_test < FEW:
        error = 50 / math.sqrt(n_test)
        said.append(
            f"{n_test} test {items}: an accuracy has a standard error of up to {error:.0f} points "
            f"from the {items} alone"
        )
    counts = np.bincount(np.asarray(arrays.y_train))
    if counts.max() > 5 * counts.min():
        share = 100 * counts.max() / counts.sum()
        said.append(
            f"classes have {counts.min():,} to {counts.max():,} training {items}: always naming "
            f"the largest is right for {share:.0f} % of them"
        )
    if n_classes > 50:
        said.append(
            f"{n_classes} classes: guessing is right in {100 / n_classes:.1f} %, and a network "
            f"counts as having learned above {200 / n_classes:.1f} %"
        )
    return said


def _few(arrays: Arrays) -> list[str]:
    """Remark on too few examples, and on numbers that may stand for classes."""
    n, items = len(arrays.y_test), KINDS[arrays.kind].items
    said = [f"{n} test {items}: R² will depend on a few of them"] if n < FEW else []
    different = np.unique(arrays.y_train)
    if len(different) <= WHOLE and (different == different.round()).all():
        said.append(
            f"the numbers to predict are {len(different)} different whole ones: if they stand for "
            "classes, give integers"
        )
    return said


def _pixels(arrays: Arrays) -> str:
    images = arrays.x_train if arrays.x_train.ndim == 4 else arrays.x_train[..., None]
    flat = images.reshape(-1, images.shape[3])
    constant = [str(c) for c in range(flat.shape[1]) if flat[:, c].min() == flat[:, c].max()]
    if len(constant) == flat.shape[1]:
        return "every pixel of every training image has the same value: there is nothing to learn"
    return f"channel {', '.join(constant)} is constant and adds nothing" if constant else ""


def _twins(arrays: Arrays) -> str:
    seen = {image.tobytes() for image in arrays.x_train}
    twins = sum(image.tobytes() in seen for image in arrays.x_test)
    if twins < 0.01 * len(arrays.x_test):
        return ""
    items = KINDS[arrays.kind].items
    return f"{twins:,} of {len(arrays.x_test):,} test {items} are in the training half as well"


def _left_out(arrays: Arrays) -> str:
    """Remark on steps at the end that two poolings of two leave over."""
    steps = arrays.x_train.shape[1]
    lost = steps - steps // 2 // 2 * 4
    if not lost:
        return ""
    return (
        f"of {steps} steps the network's poolings leave out the last {lost}, which it sees through "
        f"their neighbours alone: give {steps - lost} or {steps - lost + 4}"
    )


def _overlap(arrays: Arrays) -> str:
    """Remark on windows that share steps with the one before, where no groups keep them apart."""
    if arrays.groups is not None:
        return ""
    x = arrays.x_train[:LOOK]
    if sum(_shares_steps(*pair) for pair in pairwise(x)) < len(x) / 2:
        return ""
    return (
        "neighbouring training sequences overlap: without groups_train, the validation part holds "
        "what was trained on"
    )


def _shares_steps(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the end of a window, half of it at least, is the beginning of the other."""
    n = len(one)
    return any(np.array_equal(one[k:], other[: n - k]) for k in range(1, n // 2 + 1))


def roughness(images: np.ndarray) -> float:
    """Return the mean difference of neighbouring pixels, in standard deviations of all pixels.

    About 1.1 for noise; photographs and drawings have less.

    Args:
        images: (N, H, W, C).
    """
    images = images.astype(np.float64)
    spread = images.std()
    steps = [np.abs(np.diff(images, axis=axis)).mean() for axis in (1, 2)]
    return float(np.mean(steps) / spread) if spread else 0.0


def _reading(arrays: Arrays) -> str:
    """Remark on pixels that would be smoother if they were read in another order."""
    images = np.ascontiguousarray(arrays.x_train[:LOOK])
    images = images if images.ndim == 4 else images[..., None]
    n, height, width, channels = images.shape
    others = {}
    if height != width:
        others[f"{width} x {height}"] = images.reshape(n, width, height, channels)
    if channels > 1:
        apart = images.reshape(n, channels, height, width)
        others["one colour after the other"] = np.moveaxis(apart, 1, -1)
    here = roughness(images)
    for name, other in others.items():
        if roughness(other) < SMOOTHER * here:
            return (
                f"read as {name}, neighbouring pixels would be far more alike: were height, width "
                "or channels swapped when the file was made?"
            )
    return ""


def _probe(arrays: Arrays) -> str:
    """Remark on labels that neither a linear nor a nearest-neighbour rule can tell from inputs."""
    fit, y_fit, test, y_test = _features(arrays)
    guesses = (_linear(fit, y_fit, test), _nearest(fit, y_fit, test))
    share = np.bincount(y_test).max() / len(y_test)  # of the largest class
    for guess in guesses:
        right = int((guess == y_test).sum())
        if stats.binomtest(right, len(y_test), share, alternative="greater").pvalue < ALPHA / 2:
            return ""
    balanced = [_balanced(guess, y_test) for guess in guesses]
    if max(balanced) > 2 / len(arrays.classes):
        return ""
    return (
        f"neither a linear rule nor the nearest training example tells the test labels better than "
        f"chance: do labels and {KINDS[arrays.kind].items} belong together, in the same order?"
    )


def _predicted(arrays: Arrays) -> str:
    """Remark on numbers none of which goes along with what either rule foretells."""
    fit, y_fit, test, y_test = _features(arrays)
    guesses = _ridge(fit, y_fit, test), _nearest(fit, y_fit, test)
    pairs = [pair for guess in guesses for pair in zip(guess.T, y_test.T, strict=True)]
    for guess, truth in pairs:
        constant = np.ptp(guess) == 0 or np.ptp(truth) == 0
        chance = ALPHA / len(pairs)
        if constant or stats.pearsonr(guess, truth, alternative="greater").pvalue < chance:
            return ""
    return (
        "neither a linear rule nor the nearest training example foretells anything of the test "
        f"numbers: do numbers and {KINDS[arrays.kind].items} belong together, in the same order?"
    )


def _features(arrays: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return standardized features and targets of some training and some test examples."""
    fit, test = (_FEATURES[arrays.kind](x[:: _stride(x)]) for x in (arrays.x_train, arrays.x_test))
    y_fit, y_test = (y[:: _stride(y)] for y in (arrays.y_train, arrays.y_test))
    centre, spread = fit.mean(axis=0), fit.std(axis=0) + 1e-6
    return (fit - centre) / spread, y_fit, (test - centre) / spread, y_test


def _stride(values: np.ndarray) -> int:
    return max(1, math.ceil(len(values) / PROBE))


def _of_images(images: np.ndarray) -> np.ndarray:
    """Return (n, F): pixels averaged over blocks."""
    images = images.astype(np.float64)
    images = images if images.ndim == 4 else images[..., None]
    height, width = (max(1, math.ceil(length / SIDE)) for length in images.shape[1:3])
    rows = np.add.reduceat(images, np.arange(0, images.shape[1], height), axis=1)
    blocks = np.add.reduceat(rows, np.arange(0, images.shape[2], width), axis=2)
    return blocks.reshape(len(blocks), -1)


def _of_vectors(steps: np.ndarray) -> np.ndarray:
    """Return (n, F): each channel averaged over stretches of time, and its deviation."""
    steps = steps.astype(np.float64)
    length = max(1, math.ceil(steps.shape[1] / SIDE))
    blocks = np.add.reduceat(steps, np.arange(0, steps.shape[1], length), axis=1)
    return np.concatenate([blocks.reshape(len(steps), -1), steps.std(axis=1)], axis=1)


def _of_tokens(tokens: np.ndarray) -> np.ndarray:
    """Return (n, WORDS): how often each of the first tokens after padding is there."""
    counts = np.zeros((len(tokens), WORDS + 1))
    rows = np.broadcast_to(np.arange(len(tokens))[:, None], tokens.shape)
    np.add.at(counts, (rows, np.minimum(tokens, WORDS).astype(np.int64)), 1)
    return counts[:, 1:]


_FEATURES = {IMAGE: _of_images, VECTORS: _of_vectors, TOKENS: _of_tokens}


def _linear(fit: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the classes that ridge regression on one-hot labels gives."""
    return _ridge(fit, np.eye(labels.max() + 1)[labels], test).argmax(axis=1)


def _ridge(fit: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return ridge regression's predictions, (n, H)."""
    penalty = len(fit) / 10 * np.eye(fit.shape[1])
    weights = np.linalg.solve(fit.T @ fit + penalty, fit.T @ (targets - targets.mean(axis=0)))
    return test @ weights + targets.mean(axis=0)


def _nearest(fit: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return labels[cdist(test, fit).argmin(axis=1)]


def _balanced(guess: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over classes of the share that is told right."""
    return float(np.mean([(guess[labels == one] == one).mean() for one in np.unique(labels)]))
