"""A data set's npz file, from anywhere: read without pickle, and checked field by field."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import stat
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from reglab.data.kinds import check_groups, check_inputs, kind_of
from reglab.data.tasks import check_targets
from reglab.errors import ReglabError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
COUNTED = ("groups_train", "vocabulary")  # where a file has them, they change what a run computes
OPTIONAL = ("classes", *COUNTED)

# What a small file may make of itself: an array that unpacks to more than BOMB_BYTES and to more
# than BOMB_RATIO times its packed size is no set of images, and is refused before it is unpacked.
BOMB_BYTES = 2**30
BOMB_RATIO = 100
_ADVICE = "move it away and make or fetch it again"


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 over the four arrays' bytes, in the order of `ARRAYS`, then `COUNTED`."""
    sha = hashlib.sha256()
    for key in (*ARRAYS, *(key for key in COUNTED if key in arrays)):
        sha.update(np.ascontiguousarray(arrays[key]).data)
    return sha.hexdigest()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the four arrays of an npz file by name, and those of `OPTIONAL` that are there.

    Other members are left alone. A header is held against its member's size before anything is
    allocated for it.

    Raises:
        ReglabError: the file is not whole, lacks an array, holds one twice or Python objects, or
            claims what it does not hold; one line.
    """
    with _opened(path) as packed:
        members = {key: _member(path, packed, key) for key in (*ARRAYS, *OPTIONAL)}
        return {key: _array(path, key, packed, info) for key, info in members.items() if info}


def read_every(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an npz file by name; errors as `read_npz`."""
    with _opened(path) as packed:
        names = dict.fromkeys(info.filename.removesuffix(".npy") for info in packed.infolist())
        return {name: _array(path, name, packed, _member(path, packed, name)) for name in names}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe would be waited for
            raise ReglabError(f"{path} is not a regular file; {_ADVICE}")
        with path.open("rb") as file, zipfile.ZipFile(file) as packed:
            file.seek(0)
            if file.read(2) != b"PK":  # a zip with something before it: numpy takes it for a pickle
                raise zipfile.BadZipFile
            yield packed
    except ReglabError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise ReglabError(
            f"{path} is not a whole npz file (a zip of arrays, as numpy.savez writes); {_ADVICE}"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def write_npz(target: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write arrays as ``target``, which appears complete or not at all; its folder is made.

    Raises:
        ReglabError: it cannot be written; what was there before stays.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            (np.savez_compressed if compressed else np.savez)(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise ReglabError(
            f"cannot write {target}: {error.strerror or error}; free some space, or set "
            "REGLAB_DATA_DIR to a folder that can be written"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _member(path: Path, packed: zipfile.ZipFile, key: str) -> zipfile.ZipInfo | None:
    matches = [info for info in packed.infolist() if info.filename in (key, f"{key}.npy")]
    if len(matches) > 1:
        raise ReglabError(f"{path}: {key} is there {len(matches)} times; it must be there once")
    if not matches and key in ARRAYS:
        raise ReglabError(f"{path}: no array {key!r}; NAME.npz needs {', '.join(ARRAYS)}")
    return matches[0] if matches else None


def _array(path: Path, key: str, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a header that Python 2 wrote
            _check_size(path, packed, info)
            with packed.open(info) as file:
                return npy.read_array(file, allow_pickle=False)
    except Exception as error:  # numpy and zipfile raise many kinds for one damaged file
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReglabError(
            f"{path}: {key} cannot be read ({detail}); it must be a plain array, without "
            f"Python objects, in an undamaged file; {_ADVICE}"
        ) from None


def _check_size(path: Path, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Hold what an array's header claims against what its member, and the file, can hold.

    Raises:
        ValueError: they do not fit; and whatever numpy and zipfile raise for damage.
    """
    with packed.open(info) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):  # 3.0 is for field names beyond Latin-1
            raise ValueError(f"npy format {version[0]}.{version[1]}, known are 1.0 and 2.0")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        held = info.file_size - file.tell()
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"its header claims {dtype} of shape {shape}, it holds {held} bytes")
    if info.compress_size > path.stat().st_size:
        raise ValueError(f"it claims {info.compress_size} packed bytes, more than the file has")
    if held > max(BOMB_BYTES, BOMB_RATIO * info.compress_size):
        raise ValueError(f"{info.compress_size} bytes would unpack to {held}")


def class_names(path: Path, arrays: Mapping[str, np.ndarray], n_classes: int) -> tuple[str, ...]:
    """Return the names in ``classes``, or "0".."K-1" where the file has none; () of a regression.

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
    """Check that four arrays are a data set; return its number of classes K, 0 of a regression.

    Raises:
        ReglabError: names the file, the field, what it is and what it must be.
    """

    def refuse(field: str, given: object, allowed: str) -> None:
        raise ReglabError(f"{path}: {field} is {given}; it must be {allowed}")

    for split in ("train", "test"):
        check_inputs(path, arrays, split)
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        refuse("x_test", f"of shape {arrays['x_test'].shape}", "of x_train's shape but for N")
    kinds = [kind_of(arrays[f"x_{split}"]) for split in ("train", "test")]
    if kinds[0] != kinds[1]:
        refuse("x_test", arrays["x_test"].dtype, f"{arrays['x_train'].dtype}, as x_train is")
    check_groups(path, arrays)
    return check_targets(path, arrays)


def unreadable(path: Path, error: OSError) -> ReglabError:
    """Return the error that says the file or folder cannot be read, and what to check."""
    return ReglabError(
        f"cannot read {path}: {error.strerror or error}; check REGLAB_DATA_DIR and permissions"
    )
