"""What a data set asks for: the class of an example, or numbers that are to be predicted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reglab.errors import ReglabError

CLASSIFICATION, REGRESSION = "classification", "regression"
STRATA = 4  # parts of a regression's examples, by size of the first target, that a split mixes


def task_of(y: np.ndarray) -> str:
    """Return the task that ``y_train`` stands for: floats are numbers to predict."""
    return REGRESSION if y.dtype.kind == "f" else CLASSIFICATION


def check_targets(path: Path, arrays: Mapping[str, np.ndarray]) -> int:
    """Check that both parts' ``y`` are a task's; return the number of classes K, 0 of a regression.

    Raises:
        ReglabError: names the file, the field, what it is and what it must be.
    """

    def refuse(field: str, given: object, allowed: str) -> None:
        text = " ".join(str(given).split())[:200]  # a dtype of many fields is long
        raise ReglabError(f"{path}: {field} is {text}; it must be {allowed}")

    check = _check_numbers if task_of(arrays["y_train"]) == REGRESSION else _check_labels
    for split in ("train", "test"):
        check(f"y_{split}", arrays[f"y_{split}"], len(arrays[f"x_{split}"]), refuse)
    fit, test = arrays["y_train"], arrays["y_test"]
    if check is _check_numbers:
        if fit.shape[1:] != test.shape[1:]:
            refuse("y_test", f"of shape {test.shape}", "of y_train's shape but for N")
        for field, y in (("y_train", fit), ("y_test", test)):
            if (np.ptp(y, axis=0) == 0).any():
                refuse(field, "the same number everywhere", "numbers that differ")
        if "classes" in arrays:
            refuse("classes", "there", "left out where y_train has numbers to predict")
        return 0
    present = np.unique(fit)
    if len(present) < 2 or not np.array_equal(present, np.arange(len(present))):
        refuse("y_train", f"made of classes {present[:12].tolist()}", "0..K-1, K >= 2, each there")
    if test.max() >= len(present):
        refuse("y_test", f"up to {test.max()}", f"below {len(present)}, as y_train is")
    return len(present)


def _check_labels(field: str, y: np.ndarray, n: int, refuse) -> None:
    if y.dtype.kind not in "iu" or y.shape != (n,):  # a time span is an np.integer, too
        refuse(field, f"{y.dtype} of shape {y.shape}", f"{n} integer labels")
    if y.min() < 0:
        refuse(field, f"down to {y.min()}", "labels 0..K-1")


def _check_numbers(field: str, y: np.ndarray, n: int, refuse) -> None:
    columns = y.shape[1:]
    if y.dtype != np.float32 or y.shape[:1] != (n,) or len(columns) > 1 or 0 in columns:
        wanted = f"float32 of shape ({n},) or ({n}, H), or {n} integer labels"
        refuse(field, f"{y.dtype} of shape {y.shape}", wanted)
    if not np.isfinite(y).all():
        refuse(field, "not finite everywhere", "finite numbers")


def prepared(y: np.ndarray) -> np.ndarray:
    """Return labels as int64 (N,), numbers to predict as float32 (N, H)."""
    return y.reshape(len(y), -1) if task_of(y) == REGRESSION else y.astype(np.int64)


def strata(y: np.ndarray) -> np.ndarray:
    """Return what a split mixes in equal parts: the classes, or fourths of the first target."""
    if task_of(y) == CLASSIFICATION:
        return y
    return np.argsort(np.argsort(y[:, 0], kind="stable"), kind="stable") * STRATA // len(y)
