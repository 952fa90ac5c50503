"""What a data set's inputs are: images, sequences of vectors, or sequences of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reglab.errors import ReglabError

IMAGE, VECTORS, TOKENS = "image", "vectors", "tokens"
PAD = 0  # the token that only fills a sequence up
SHORTEST = 8  # steps, or pixels a side: two poolings leave two of them


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        items: what its examples are called, in the plural.
        form: type and shape of ``x_train`` in a NAME.npz.
        fits: whether an array is of this form.
    """

    items: str
    form: str
    fits: Callable[[np.ndarray], bool]


def _is_image(x: np.ndarray) -> bool:
    return x.dtype == np.uint8 and (x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 3)))


def _is_vectors(x: np.ndarray) -> bool:
    return x.dtype == np.float32 and x.ndim == 3


def _is_tokens(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu" and x.ndim == 2


KINDS = {
    IMAGE: Kind("images", "uint8 N x H x W or N x H x W x C, C 1 or 3", _is_image),
    VECTORS: Kind("sequences", "float32 N x T x C", _is_vectors),
    TOKENS: Kind("sequences", "integers N x L with a vocabulary", _is_tokens),
}
FORMS = "; ".join(kind.form for kind in KINDS.values())


def kind_of(x: np.ndarray) -> str | None:
    """Return the kind of ``x_train``; None where it is of none."""
    return next((name for name, kind in KINDS.items() if kind.fits(x)), None)


def check_inputs(path: Path, arrays: Mapping[str, np.ndarray], split: str) -> None:
    """Check a part's inputs against their kind: enough of them, long enough, all values allowed.

    Args:
        split: train or test.

    Raises:
        ReglabError: names the file, the field, what it is and what it must be.
    """
    field, x = f"x_{split}", arrays[f"x_{split}"]

    def refuse(given: object, allowed: str) -> None:
        text = " ".join(str(given).split())[:200]  # a dtype of many fields is long
        raise ReglabError(f"{path}: {field} is {text}; it must be {allowed}")

    kind = kind_of(x)
    if kind is None:
        given = f"of shape {x.shape}" if x.dtype == np.uint8 else f"{x.dtype} of shape {x.shape}"
        refuse(given, FORMS)
    sides = x.shape[1:3] if kind == IMAGE else x.shape[1:2]
    if len(x) == 0 or min(sides) < SHORTEST:
        least = "1 image, H and W" if kind == IMAGE else "1 sequence, its length"
        refuse(f"of shape {x.shape}", f"at least {least} at least {SHORTEST}")
    if kind == VECTORS and (x.shape[2] == 0 or not np.isfinite(x).all()):
        refuse("without channels" if x.shape[2] == 0 else "not finite everywhere", "finite numbers")
    if kind == TOKENS:
        size = vocabulary_size(path, arrays)
        if x.min() < 0 or x.max() >= size:
            refuse(f"from {x.min()} to {x.max()}", f"0..{size - 1}, places in the vocabulary")
        if not (x != PAD).any(axis=1).all():
            refuse(f"only {PAD} (padding) in a row", "at least one token a row")


def vocabulary_size(path: Path, arrays: Mapping[str, np.ndarray]) -> int:
    """Return the number of entries of ``vocabulary``, of which the first stands for padding.

    Raises:
        ReglabError: it is not there, or not strings, each once.
    """
    given = arrays.get("vocabulary")
    allowed = "strings, each once, the first for padding"
    if given is None:
        raise ReglabError(
            f"{path}: no array 'vocabulary', which x_train's integers need: {allowed}"
        )
    if given.dtype.kind != "U" or given.ndim != 1 or len(np.unique(given)) < max(2, len(given)):
        text = f"{given.dtype} of shape {given.shape}"
        raise ReglabError(f"{path}: vocabulary is {text}; it must be {allowed}")
    return len(given)


def check_groups(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Check ``groups_train``: for each training example, the group it belongs to.

    Raises:
        ReglabError: they are not integers, one an example, or fewer than two groups.
    """
    groups = arrays.get("groups_train")
    if groups is None:
        return
    n = len(arrays["x_train"])
    if groups.dtype.kind not in "iu" or groups.shape != (n,) or len(np.unique(groups)) < 2:
        raise ReglabError(
            f"{path}: groups_train is {groups.dtype} of shape {groups.shape}; it must be {n} "
            "integers, at least two of them different"
        )
