"""Where images come from: the bundled sample, and NAME.npz files in the data folder."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from reglab.errors import ReglabError

KNOWN = ("mnist", "fashion_mnist", "cifar10")
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# SHA-256 over the bytes of x_train, y_train, x_test, y_test, in that order, as torchvision's
# classes give them (uint8; labels uint8 too).
FULL_SHA256 = {
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "fashion_mnist": "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
    "cifar10": "80387ddb9a0edf3fc4a964ee3770296169bb26a651050df20035579673099660",
}
FULL_SIZE = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
_DIGITS = tuple("0123456789")
CLASSES = {
    "mnist": _DIGITS,
    "fashion_mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}


@dataclass(frozen=True)
class Arrays:
    """Raw images and labels of one data set.

    Attributes:
        x_train, x_test: uint8, (N, H, W) or (N, H, W, C).
        y_train, y_test: int64 (N,), classes 0..K-1.
        classes: K names.
        sha256: over the four arrays as they lie in the file.
        origin: "bundled sample", or the file's path.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    sha256: str
    origin: str


@dataclass(frozen=True)
class Status:
    """What `verify` found out about one source of one data set."""

    name: str
    source: str
    path: str
    ok: bool
    message: str
    n_train: int = 0
    n_test: int = 0
    shape: tuple[int, ...] = ()
    n_classes: int = 0


def data_dir(folder: Path | str | None = None) -> Path:
    """Return ``folder``, else $REGLAB_DATA_DIR, else the user's cache folder for reglab."""
    if folder or os.environ.get("REGLAB_DATA_DIR"):
        return Path(folder or os.environ["REGLAB_DATA_DIR"])
    from platformdirs import user_cache_path

    return user_cache_path("reglab") / "data"


def cache_path(name: str, folder: Path | str | None = None) -> Path:
    """Return where NAME.npz is, or would be.

    Raises:
        ReglabError: the name holds anything but a-z, 0-9, _ and -.
    """
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise ReglabError(f"a data set's name may hold a-z, 0-9, _ and - only, got {name!r}")
    return data_dir(folder) / f"{name}.npz"


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 over the four arrays' bytes, in the order of `ARRAYS`."""
    sha = hashlib.sha256()
    for key in ARRAYS:
        sha.update(np.ascontiguousarray(arrays[key]).data)
    return sha.hexdigest()


def sample_manifest() -> dict[str, dict]:
    """Return digests and sheet layouts of the bundled samples, by name."""
    return json.loads((files("reglab") / "sample" / "manifest.json").read_text())


@functools.lru_cache(maxsize=3)
def load_sample(name: str) -> Arrays:
    """Decode the bundled sample of a known data set and check its SHA-256.

    Raises:
        ReglabError: there is no sample of that name, or its bytes are damaged.
    """
    folder, manifest = files("reglab") / "sample", sample_manifest()
    if name not in manifest:
        raise ReglabError(f"no bundled sample of {name!r}; there are {', '.join(manifest)}")
    info = manifest[name]
    try:
        with np.load(io.BytesIO((folder / f"{name}-labels.npz").read_bytes())) as labels:
            arrays = {key: labels[key] for key in ("y_train", "y_test")}
        for split in ("train", "test"):
            sheets = [_decode(folder / sheet, info["shape"]) for sheet in info[f"{split}_sheets"]]
            arrays[f"x_{split}"] = np.concatenate(sheets)
        found = digest(arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ReglabError(f"the bundled sample of {name} is damaged ({error}); reinstall") from None
    if found != info["sha256"]:
        raise ReglabError(
            f"the bundled sample of {name} is damaged: its SHA-256 begins {found[:12]}, "
            f"expected {info['sha256'][:12]}; reinstall reglab"
        )
    return _arrays(arrays, CLASSES[name], found, "bundled sample")


def _decode(sheet, shape: list[int]) -> np.ndarray:
    """Cut one lossless WebP sheet (rows of tiles) into images of ``shape``."""
    from PIL import Image

    with Image.open(io.BytesIO(sheet.read_bytes())) as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width, *channels = shape
    pixels = pixels if channels else pixels[..., 0]
    rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
    tiles = pixels.reshape(rows, height, columns, width, *channels).swapaxes(1, 2)
    return tiles.reshape(rows * columns, *shape)


def load_file(name: str, folder: Path | str | None = None) -> Arrays:
    """Read and check NAME.npz from the data folder.

    Raises:
        ReglabError: not there, damaged, not of the format, or (for the known names) not the
            published pixels; one line that says what to do.
    """
    path = cache_path(name, folder)
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise _absent(name, path) from None
    except OSError as error:
        raise ReglabError(f"cannot read {path}: {error.strerror or error}") from None
    return _load_file(name, path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=2)
def _load_file(name: str, path: Path, _mtime: int, _size: int) -> Arrays:
    arrays, classes = _read_npz(path)
    found = digest(arrays)
    if name in FULL_SHA256 and found != FULL_SHA256[name]:
        raise ReglabError(
            f"{path}: SHA-256 begins {found[:12]}, expected {FULL_SHA256[name][:12]}; move the "
            f"file away and run `reglab data fetch {name}`, or give your own data another name"
        )
    n_classes = _check_arrays(path, arrays)
    if classes is not None and len(classes) != n_classes:
        raise ReglabError(f"{path}: classes has {len(classes)} names for {n_classes} classes")
    classes = classes or CLASSES.get(name) or tuple(map(str, range(n_classes)))
    return _arrays(arrays, classes, found, str(path))


def _read_npz(path: Path) -> tuple[dict[str, np.ndarray], tuple[str, ...] | None]:
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in ARRAYS if key not in file.files]
            if missing:
                raise ReglabError(
                    f"{path}: no array {missing[0]!r}; NAME.npz needs {', '.join(ARRAYS)}"
                )
            arrays = {key: file[key] for key in ARRAYS}
            classes = tuple(map(str, file["classes"])) if "classes" in file.files else None
    except ReglabError:
        raise
    except Exception as error:  # numpy and zipfile raise many kinds for one damaged file
        detail = " ".join(str(error).split())
        raise ReglabError(
            f"{path}: not a readable npz file without pickled objects ({detail}); "
            "move it away and make or fetch it again"
        ) from None
    return arrays, classes


def _check_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> int:
    """Check what an own data set must be; return its number of classes."""

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


def available(folder: Path | str | None = None) -> list[str]:
    """Return the names that can be loaded: the known ones, and each NAME.npz in the folder."""
    own = sorted(path.stem for path in data_dir(folder).glob("*.npz"))
    return [*KNOWN, *(name for name in own if name not in KNOWN)]


def verify(folder: Path | str | None = None) -> list[Status]:
    """Load every bundled sample and every NAME.npz in the data folder, and say how each is."""
    found = [_status(name, "sample", "bundled with reglab", load_sample, name) for name in KNOWN]
    for path in sorted(data_dir(folder).glob("*.npz")):
        found.append(_status(path.stem, "full", str(path), load_file, path.stem, folder))
    return found


def _status(name: str, source: str, path: str, load, *arguments) -> Status:
    try:
        arrays = load(*arguments)
    except ReglabError as error:
        return Status(name, source, path, False, str(error))
    counts = len(arrays.x_train), len(arrays.x_test), arrays.x_train.shape[1:], len(arrays.classes)
    return Status(name, source, path, True, f"SHA-256 {arrays.sha256[:12]}, {path}", *counts)


def _arrays(
    arrays: Mapping[str, np.ndarray], classes: tuple[str, ...], sha256: str, origin: str
) -> Arrays:
    labels = {key: arrays[key].astype(np.int64) for key in ("y_train", "y_test")}
    return Arrays(arrays["x_train"], labels["y_train"], arrays["x_test"], labels["y_test"],
                  classes, sha256, origin)  # fmt: skip


def _absent(name: str, path: Path) -> ReglabError:
    if name in KNOWN:
        return ReglabError(
            f"the full {name} is not at {path}; run `reglab data fetch {name}`, or set "
            "REGLAB_DATA_DIR to the folder that has it"
        )
    there = ", ".join(available(path.parent))
    return ReglabError(f"unknown data set {name!r}: there are {there}; an own one goes to {path}")
