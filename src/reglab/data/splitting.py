"""Which examples of the training half are trained on, and which are held out for validation."""

from __future__ import annotations

import operator
from numbers import Real

import numpy as np

from reglab.errors import ReglabError
from reglab.seeds import stream_seed


def split(
    labels: np.ndarray,
    seed: int,
    n_train: int | None,
    val_fraction: float,
    groups: np.ndarray | None = None,
    *,
    every: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the validation part.

    For one seed subsets are nested. Without groups both parts are stratified.

    Args:
        labels: classes, shape (N,).
        seed: of the split.
        n_train: examples to take, validation included; None = all.
        val_fraction: share of them held out, in (0, 1).
        groups: shape (N,), or None. Whole groups are held out, as many as it takes for the share,
            so that no group is on both sides.
        every: whether each class has to be in the training part; not where labels only say what is
            to be mixed (`reglab.data.tasks.strata`).

    Raises:
        ReglabError: a number is out of range, or too few examples or groups are left; one line.
    """
    if not (isinstance(val_fraction, Real) and 0 < val_fraction < 1):
        raise ReglabError(f"val_fraction must be between 0 and 1, got {val_fraction!r}")
    n = _whole(len(labels) if n_train is None else n_train, len(labels))
    order = stratified_order(labels, seed)
    if groups is None:
        fit, val = _parts(labels, order, n, val_fraction)
    else:
        fit, val = _apart(order, n, held_out(labels, groups, seed, val_fraction)[order])
    lacking = every and len(np.unique(labels[fit])) <= labels.max()
    if len(val) == 0 or len(fit) == 0 or lacking:
        what = "image, or a class without training images" if every else "or no training example"
        more = "more groups of each class" if every else "more groups"
        raise ReglabError(
            f"n_train={n} with val_fraction={val_fraction} leaves no validation {what}; take more "
            f"of the {len(labels)} {'images' if every else 'examples'}, a smaller val_fraction"
            + ("" if groups is None else f", or {more}")
        )
    return fit, val


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return a random order of the images of which every prefix is stratified.

    The r-th of a class's n images (shuffled) gets the place (r + u) / n, u uniform and its
    class's own; images are sorted by place. Where K classes are alike in size, any prefix holds
    each in proportion to fewer than two images; a class with a share s of the images is off by at
    most 1 - s + s (K - 1).

    Args:
        labels: classes, shape (N,).
        seed: of the order.
    """
    rng = np.random.default_rng(stream_seed(seed, "split"))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(place, kind="stable")


def held_out(labels: np.ndarray, groups: np.ndarray, seed: int, val_fraction: float) -> np.ndarray:
    """Return (N,) whether an example belongs to one of the groups that are held out.

    Groups come in an order that is stratified by each group's most frequent class. As many of them
    are taken as come nearest to the share of all examples, one at least, and one at least is left.
    """
    names, members = np.unique(groups, return_inverse=True)
    table = np.zeros((len(names), labels.max() + 1), int)
    np.add.at(table, (members, labels), 1)  # (groups, K): examples of each class
    order = stratified_order(table.argmax(axis=1), seed)[:-1]
    sums = np.cumsum(table.sum(axis=1)[order])
    taken = order[: np.abs(sums - val_fraction * len(labels)).argmin() + 1]
    return np.isin(members, taken)


def _parts(
    labels: np.ndarray, order: np.ndarray, n: int, val_fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the first ``n`` of ``order``.

    Validation is the head of them, passing over a class's only image: that one is for training.
    """
    pool = order[:n]
    several = np.bincount(labels[pool])[labels[pool]] > 1  # (n,): not its label's only one
    held_out = np.flatnonzero(several)[: max(1, round(val_fraction * n))]
    return np.delete(pool, held_out), pool[held_out]


def _apart(order: np.ndarray, n: int, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take ``n`` examples, as many of those held out (``out``, in the order) as is their share."""
    n_val = max(1, round(n * out.mean()))
    return order[~out][: n - n_val], order[out][:n_val]


def _whole(n_train: object, most: int) -> int:
    """Return ``n_train`` as an int in 2..most; NumPy's integers are fine, 200.0 is not."""
    try:
        n = operator.index(n_train)
    except TypeError:
        n = 0
    if not 2 <= n <= most:
        raise ReglabError(f"n_train must be a whole number from 2 to {most} here, got {n_train!r}")
    return n
