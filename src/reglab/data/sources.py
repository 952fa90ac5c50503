"""Where data come from: the bundled sample, and NAME.npz files in the data folder."""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from reglab.data import bundled
from reglab.data.kinds import IMAGE, kind_of
from reglab.data.npz import ARRAYS, check_arrays, class_names, digest, read_npz, unreadable
from reglab.data.tasks import prepared, task_of
from reglab.errors import ReglabError
from reglab.paths import data_folder

KNOWN = ("mnist", "fashion_mnist", "cifar10")

# SHA-256 over the bytes of x_train, y_train, x_test, y_test, in that order, as torchvision's
# classes give them (uint8; labels uint8 too).
FULL_SHA256 = {
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "fashion_mnist": "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
    "cifar10": "80387ddb9a0edf3fc4a964ee3770296169bb26a651050df20035579673099660",
}
FULL_SIZE = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
_DIGITS = tuple("0123456789")
SHAPES = {"mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}  # C, H, W
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
    """Raw inputs and labels, or numbers to predict, of one data set.

    Attributes:
        x_train: images, uint8, (N, H, W) or (N, H, W, C); or of another of `reglab.data.kinds`.
        y_train: labels, int64 (N,), classes 0..K-1; of a regression float32 (N, H).
        x_test: as ``x_train``.
        y_test: as ``y_train``.
        classes: K names; () of a regression.
        sha256: over the arrays as they lie in the file (`reglab.data.npz.digest`).
        origin: "bundled sample", or the file's path.
        groups: of each training example, integers (N,), or None; a split keeps groups whole.
        vocabulary: what tokens stand for, the first one padding; () for other kinds.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    sha256: str
    origin: str
    groups: np.ndarray | None = None
    vocabulary: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Of the inputs (`reglab.data.kinds`)."""
        return kind_of(self.x_train)

    @property
    def task(self) -> str:
        """Classification or regression (`reglab.data.tasks`)."""
        return task_of(self.y_train)


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
    n_classes: int = 0  # 0 of a regression
    kind: str = IMAGE


def cache_path(name: str, folder: Path | str | None = None) -> Path:
    """Return where NAME.npz is, or would be.

    Raises:
        ReglabError: the name holds anything but a-z, 0-9, _ and -.
    """
    if not _is_name(name):
        raise ReglabError(f"a data set's name may hold a-z, 0-9, _ and - only, got {name!r}")
    return data_folder(folder) / f"{name}.npz"


def is_cached(name: str, folder: Path | str | None = None) -> bool:
    """Return whether NAME.npz is there, whole or not.

    Raises:
        ReglabError: the folder cannot be looked into.
    """
    path = cache_path(name, folder)
    try:
        return path.exists()
    except OSError as error:
        raise unreadable(path, error) from None


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
        packed = io.BytesIO((folder / f"{name}-labels.npz").read_bytes())
        with np.load(packed, allow_pickle=False) as labels:
            arrays = {key: labels[key] for key in ("y_train", "y_test")}
        for split in ("train", "test"):
            sheets = [_decode(folder / sheet, info["shape"]) for sheet in info[f"{split}_sheets"]]
            arrays[f"x_{split}"] = np.concatenate(sheets)
        sha256 = digest(arrays)
    except Exception as error:  # numpy, zipfile and Pillow raise many kinds for damaged files
        detail = " ".join(str(error).split())
        raise ReglabError(
            f"the bundled sample of {name} is damaged ({detail}); reinstall reglab"
        ) from None
    if sha256 != info["sha256"]:
        raise ReglabError(
            f"the bundled sample of {name} is damaged: its SHA-256 begins {sha256[:12]}, "
            f"expected {info['sha256'][:12]}; reinstall reglab"
        )
    return _arrays(arrays, CLASSES[name], sha256, "bundled sample")


def _decode(sheet: Traversable, shape: list[int]) -> np.ndarray:
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
    if name in bundled.NAMES:
        return load_bundled(name)
    if folder is None and name in _provided:
        return _provided[name]
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise _absent(name, path) from None
    except OSError as error:
        raise unreadable(path, error) from None
    return _load_file(name, path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=2)
def load_bundled(name: str) -> Arrays:
    """Unpack a data set that is bundled whole, and check its SHA-256.

    Raises:
        ReglabError: its bytes are damaged.
    """
    arrays = bundled.unpacked(name)
    sha256 = digest(arrays)
    bundled.check(name, sha256)
    classes = tuple(bundled.manifest()[name]["classes"])
    return _arrays(arrays, classes, sha256, "bundled with reglab")


def provide(name: str, arrays: Arrays) -> None:
    """Give this process a full set: `load_file` returns it from now on, file or no file."""
    for array in (arrays.x_train, arrays.y_train, arrays.x_test, arrays.y_test, arrays.groups):
        if array is not None:  # as if read here: every later run sees the same ones
            array.setflags(write=False)
    _provided[name] = arrays


_provided: dict[str, Arrays] = {}


@functools.lru_cache(maxsize=2)
def _load_file(name: str, path: Path, _mtime: int, _size: int) -> Arrays:
    arrays = read_npz(path)
    n_classes = check_arrays(path, arrays)
    sha256 = digest(arrays)
    if name in FULL_SHA256 and sha256 != FULL_SHA256[name]:
        raise ReglabError(
            f"{path}: SHA-256 begins {sha256[:12]}, expected {FULL_SHA256[name][:12]}; move the "
            f"file away and run `reglab data fetch {name}`, or give your own data another name"
        )
    classes = CLASSES.get(name) or class_names(path, arrays, n_classes)
    return _arrays(arrays, classes, sha256, str(path))


def available(folder: Path | str | None = None) -> list[str]:
    """Return the names to load by: the known ones, and that of each NAME.npz in the folder."""
    known = [*KNOWN, *bundled.NAMES]
    own = [path.stem for path in _npz_files(folder)]
    return [*known, *(name for name in own if name not in known and _is_name(name))]


def verify(folder: Path | str | None = None) -> list[Status]:
    """Load all that is bundled and every NAME.npz in the data folder, and say how each is."""
    there = "bundled with reglab"
    statuses = [_status(name, "sample", there, load_sample, name) for name in KNOWN]
    statuses += [_status(name, "full", there, load_bundled, name) for name in bundled.NAMES]
    for path in _npz_files(folder):
        if path.stem in bundled.NAMES:
            taken = f"{path}: {path.stem} is a bundled data set's name; give the file another"
            statuses.append(Status(path.stem, "full", str(path), False, taken))
            continue
        statuses.append(_status(path.stem, "full", str(path), load_file, path.stem, folder))
    return statuses


def _npz_files(folder: Path | str | None) -> list[Path]:
    where = data_folder(folder)
    try:
        return sorted(where.glob("*.npz"))
    except OSError as error:
        raise unreadable(where, error) from None


def _status(
    name: str, source: str, path: str, load: Callable[..., Arrays], *arguments: object
) -> Status:
    try:
        arrays = load(*arguments)
    except ReglabError as error:
        return Status(name, source, path, False, str(error))
    counts = len(arrays.x_train), len(arrays.x_test), arrays.x_train.shape[1:], len(arrays.classes)
    told = f"SHA-256 {arrays.sha256[:12]}, {path}"
    return Status(name, source, path, True, told, *counts, arrays.kind)


def _arrays(
    arrays: dict[str, np.ndarray], classes: tuple[str, ...], sha256: str, origin: str
) -> Arrays:
    labels = {key: prepared(arrays[key]) for key in ("y_train", "y_test")}
    four = [(arrays | labels)[key] for key in ARRAYS]
    for array in four:
        array.setflags(write=False)  # they are cached: every later run reads the same ones
    groups, vocabulary = arrays.get("groups_train"), tuple(arrays.get("vocabulary", ()))
    return Arrays(*four, classes, sha256, origin, groups, tuple(map(str, vocabulary)))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[a-z0-9_-]+", name) is not None


def _absent(name: str, path: Path) -> ReglabError:
    if name in KNOWN:
        return ReglabError(
            f"the full {name} is not at {path}; run `reglab data fetch {name}`, or set "
            "REGLAB_DATA_DIR to the folder that has it"
        )
    there = ", ".join(available(path.parent))
    return ReglabError(f"unknown data set {name!r}: there are {there}; an own one goes to {path}")
