"""An npz file of four arrays, from anywhere: read without pickle, and checked field by field."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reglab.errors import ReglabError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 over the four arrays' bytes, in the order of `ARRAYS`."""
    sha = hashlib.sha256()
    for key in ARRAYS:
        sha.update(np.ascontiguousarray(arrays[key]).data)
    return sha.hexdigest()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the four arrays of an npz file by name, and ``classes`` where it is there.

    Raises:
        ReglabError: the file is not whole, lacks an array, or holds Python objects; one line.
    """
    advice = "move it away and make or fetch it again"
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as packed:
            file.seek(0)
            if file.read(2) != b"PK":  # a zip with something before it: numpy takes it for a pickle
                raise zipfile.BadZipFile
            names = {member.removesuffix(".npy") for member in packed.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise ReglabError(
            f"{path} is not a whole npz file (a zip of arrays, as numpy.savez writes); {advice}"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None
    for key in ARRAYS:
        if key not in names:
            raise ReglabError(f"{path}: no array {key!r}; NAME.npz needs {', '.join(ARRAYS)}")
    arrays = {}
    for key in (*ARRAYS, *({"classes"} & names)):
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays[key] = np.asanyarray(file[key])
        except Exception as error:  # numpy and zipfile raise many kinds for one damaged file
            detail = " ".join(str(error).split())
            raise ReglabError(
                f"{path}: {key} cannot be read ({detail}); it must be a plain array, without "
                f"Python objects, in an undamaged file; {advice}"
            ) from None
    return arrays


def class_names(path: Path, arrays: Mapping[str, np.ndarray], n_classes: int) -> tuple[str, ...]:
    """Return the names in ``classes``, or "0".."K-1" where the file has none.

    Raises:
        ReglabError: they are not K different strings.
    """
    if "classes" not in arrays:
        return tuple(map(str, range(n_classes)))
    given = arrays["classes"]
    names = tuple(map(str, given.ravel()))
    if given.dtype.kind != "U" or given.shape != (n_classes,) or len(set(names)) < n_classes:
        raise ReglabError(
            f"{path}: classes is {given.dtype} of shape {given.shape}, {len(set(names))} of them "
            f"different; it must be {n_classes} different names (strings), one a class"
        )
    return names


def check_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> int:
    """Check that four arrays are a data set; return its number of classes K.

    Raises:
        ReglabError: names the file, the field, what it is and what it must be.
    """

    def refuse(field: str, given: object, allowed: str) -> None:
        raise ReglabError(f"{path}: {field} is {given}; it must be {allowed}")

    for split in ("train", "test"):
        x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        if x.dtype != np.uint8:
            refuse(f"x_{split}", x.dtype, "uint8")
        if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] not in (1, 3)):
            refuse(f"x_{split}", f"of shape {x.shape}", "N x H x W or N x H x W x C, C 1 or 3")
        if len(x) == 0 or min(x.shape[1:3]) < 8:
            refuse(f"x_{split}", f"of shape {x.shape}", "at least 1 image, H and W at least 8")
        if not np.issubdtype(y.dtype, np.integer) or y.shape != (len(x),):
            refuse(f"y_{split}", f"{y.dtype} of shape {y.shape}", f"{len(x)} integer labels")
        if y.min() < 0:
            refuse(f"y_{split}", f"down to {y.min()}", "labels 0..K-1")
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        refuse("x_test", f"of shape {arrays['x_test'].shape}", "of x_train's image shape")
    present = np.unique(arrays["y_train"])
    if len(present) < 2 or not np.array_equal(present, np.arange(len(present))):
        refuse("y_train", f"made of classes {present[:12].tolist()}", "0..K-1, K >= 2, each there")
    if arrays["y_test"].max() >= len(present):
        refuse("y_test", f"up to {arrays['y_test'].max()}", f"below {len(present)}, as y_train is")
    return len(present)


def unreadable(path: Path, error: OSError) -> ReglabError:
    """Return the error that says the file or folder cannot be read, and what to check."""
    return ReglabError(
        f"cannot read {path}: {error.strerror or error}; check REGLAB_DATA_DIR and permissions"
    )
