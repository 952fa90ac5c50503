"""Labels of any kind -> int64 classes 0..K-1 and their names."""

from __future__ import annotations

import numpy as np

from reglab.data.importing.draft import Draft, listed
from reglab.errors import ReglabError


def standard(draft: Draft) -> None:
    """Bring the labels of all parts to classes 0..K-1, in place; K is that of the training half.

    Raises:
        ReglabError: they are no labels of one class each, or a class has no training image.
    """
    given = {part: _flat(np.asarray(labels), part) for part, labels in draft.labels.items()}
    if len({values.shape[1:] for values in given.values()}) > 1:
        raise ReglabError("labels are one-hot in one part and not in another; make them alike")
    if next(iter(given.values())).ndim == 2:
        given = {part: _from_one_hot(values, part) for part, values in given.items()}
        draft.say("labels", "one-hot columns turned into classes")
    given = {part: _whole(values, part) for part, values in given.items()}
    if len({values.dtype.kind in "US" for values in given.values()}) > 1:
        raise ReglabError("labels are text in one part and numbers in another; make them alike")
    _map_classes(draft, given)


def _flat(values: np.ndarray, part: str) -> np.ndarray:
    """Return (N,) of (N,) or (N, 1), and (N, K) of one-hot columns."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise ReglabError(f"{part} labels are an array of shape {values.shape}; one an image is it")
    return values


def _from_one_hot(values: np.ndarray, part: str) -> np.ndarray:
    if values.dtype.kind not in "buif" or not np.isin(values, (0, 1)).all():
        raise ReglabError(f"{part} labels have {values.shape[1]} columns that are not one-hot")
    wrong = np.flatnonzero(values.sum(axis=1) != 1)
    if len(wrong):
        raise ReglabError(
            f"{part} labels have {values.shape[1]} columns, and {len(wrong)} images with none or "
            f"several of them set (the first: {wrong[0]}); reglab knows one class an image"
        )
    return values.argmax(axis=1)


def _whole(values: np.ndarray, part: str) -> np.ndarray:
    """Return integers or strings; floats must be whole numbers."""
    if values.dtype.kind == "O":
        kinds = {type(value) for value in values.tolist()}
        if not kinds <= {str, np.str_}:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ReglabError(f"{part} labels are of several or unknown types ({names})")
        return values.astype(str)
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (values == np.rint(values))).all():
            raise ReglabError(f"{part} labels are not whole numbers; reglab knows classes only")
        return values.astype(np.int64)
    if values.dtype.kind not in "buiU":
        raise ReglabError(f"{part} labels are of type {values.dtype}; numbers or text are known")
    return values


def _map_classes(draft: Draft, given: dict[str, np.ndarray]) -> None:
    fit = np.concatenate([given[part] for part in ("train", "val") if part in given])
    values = np.unique(fit)
    kind = given["train"].dtype.kind
    if draft.classes and kind in "ui" and values[-1] < len(draft.classes) and values[0] >= 0:
        names = [draft.classes[value] for value in values]
    else:
        names = [str(value) for value in values]
    for part, labels in given.items():
        if len(unknown := np.setdiff1d(labels, values)):
            raise ReglabError(
                f"the {part} part has classes without a training image: "
                f"{listed([str(value) for value in unknown])}"
            )
    draft.labels = {part: np.searchsorted(values, labels) for part, labels in given.items()}
    draft.classes = tuple(names)
    if kind in "bui" and np.array_equal(values, np.arange(len(values))) and kind != "b":
        return
    pairs = [f"{value} -> {number}" for number, value in enumerate(values)]
    draft.say("classes", listed(pairs, 6))
