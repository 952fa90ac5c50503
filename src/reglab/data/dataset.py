"""Named data set -> tensors, split with a seed."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reglab.data import sources
from reglab.data.sources import FULL_SHA256, FULL_SIZE, KNOWN, Arrays
from reglab.errors import ReglabError
from reglab.seeds import stream_seed

SOURCES = ("auto", "sample", "full")


@dataclass(frozen=True)
class Dataset:
    """A data set cut into training, validation and test parts.

    Images stay uint8, (N, C, H, W), until a batch is made of them (`standardize`); labels are
    int64, (N,). Mean and standard deviation are per channel, of the training part alone, in units
    of full brightness (pixel / 255).

    Attributes:
        source: "sample" or "full".
        origin: where the pixels came from, in words.
        version: "SOURCE:DIGEST", twelve hex digits of the raw arrays' SHA-256.
        classes: class names.
        seed: of the split.
        n_train: images taken from the training half, the validation part included.
    """

    name: str
    source: str
    origin: str
    version: str
    classes: tuple[str, ...]
    seed: int
    n_train: int
    x_train: Tensor
    y_train: Tensor
    x_val: Tensor
    y_val: Tensor
    x_test: Tensor
    y_test: Tensor
    mean: Tensor
    std: Tensor

    @property
    def in_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        return tuple(self.x_train.shape[1:])

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return len(self.classes)

    def standardize(self, images: Tensor) -> Tensor:
        """Return (pixel / 255 - mean) / std of uint8 images (N, C, H, W), float32, same device."""
        scale = (1 / (255 * self.std)).view(1, -1, 1, 1).to(images.device)  # (1, C, 1, 1)
        shift = (self.mean / self.std).view(1, -1, 1, 1).to(images.device)
        return images.float().mul_(scale).sub_(shift)


def load_dataset(
    name: str,
    *,
    source: str = "auto",
    seed: int = 0,
    n_train: int | None = None,
    val_fraction: float = 0.1,
    data_dir: Path | str | None = None,
) -> Dataset:
    """Load a data set and split its training half into training and validation parts.

    Args:
        name: "mnist", "fashion_mnist", "cifar10", or that of an own NAME.npz.
        source: "sample" (bundled), "full" (NAME.npz in the data folder), or "auto": the full
            one where it is there, else the sample.
        seed: of the split; the parts are stratified, and for one seed subsets are nested.
        n_train: images to take from the training half, validation included; None = all.
        val_fraction: share of them held out for validation, in (0, 1).
        data_dir: the data folder; None = $REGLAB_DATA_DIR or the user's cache folder.

    Raises:
        ReglabError: one line: unknown name, file missing or damaged, or n_train out of range.
    """
    source = resolve_source(name, source, data_dir)
    arrays = _raw(name, source, data_dir)
    fit, val = _split(arrays.y_train, seed, n_train, val_fraction)
    x_train = _images(arrays.x_train[fit])
    mean, std = _moments(x_train)
    return Dataset(
        name=name,
        source=source,
        origin=arrays.origin,
        version=f"{source}:{arrays.sha256[:12]}",
        classes=arrays.classes,
        seed=seed,
        n_train=len(fit) + len(val),
        x_train=x_train,
        y_train=torch.from_numpy(arrays.y_train[fit]),
        x_val=_images(arrays.x_train[val]),
        y_val=torch.from_numpy(arrays.y_train[val]),
        # copies: what a caller does to its tensors must not reach the cached arrays
        x_test=_images(arrays.x_test.copy()),
        y_test=torch.from_numpy(arrays.y_test.copy()),
        mean=mean,
        std=std,
    )


def resolve_source(name: str, source: str, data_dir: Path | str | None = None) -> str:
    """Return "sample" or "full"; an own data set has only its file, which is "full"."""
    if source not in SOURCES:
        raise ReglabError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    if name not in KNOWN:
        sources.load_file(name, data_dir)  # refuses an unknown name in its own words
        return "full"
    if source == "auto":
        return "full" if sources.is_cached(name, data_dir) else "sample"
    return source


def dataset_version(name: str, source: str, data_dir: Path | str | None = None) -> str:
    """Return "SOURCE:DIGEST". Known sets need no file for it, so results can be read anywhere."""
    source = resolve_source(name, source, data_dir)
    if name in KNOWN:
        known = {"full": FULL_SHA256[name], "sample": sources.sample_manifest()[name]["sha256"]}
        return f"{source}:{known[source][:12]}"
    return f"{source}:{_raw(name, source, data_dir).sha256[:12]}"


def dataset_size(name: str, source: str, data_dir: Path | str | None = None) -> int:
    """Return the number of images in the training half, validation included."""
    source = resolve_source(name, source, data_dir)
    if name in KNOWN and source == "full":
        return FULL_SIZE[name]
    return len(_raw(name, source, data_dir).y_train)


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


def _split(
    labels: np.ndarray, seed: int, n_train: int | None, val_fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the validation part."""
    if not (isinstance(val_fraction, Real) and 0 < val_fraction < 1):
        raise ReglabError(f"val_fraction must be between 0 and 1, got {val_fraction!r}")
    n = _whole(len(labels) if n_train is None else n_train, len(labels))
    order = stratified_order(labels, seed)
    parts = _parts(labels, order, n, val_fraction)
    if parts is None:
        raise ReglabError(
            f"n_train={n} with val_fraction={val_fraction} leaves no validation image, or a class "
            f"without training images; take more of the {len(labels)} images, or a smaller "
            "val_fraction"
        )
    return parts


def _parts(
    labels: np.ndarray, order: np.ndarray, n: int, val_fraction: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Cut the first ``n`` of ``order``; None where validation or a class of training is empty.

    Validation is the head of them, passing over a class's only image: that one is for training.
    """
    pool = order[:n]
    several = np.bincount(labels[pool])[labels[pool]] > 1  # (n,): not its label's only one
    held_out = np.flatnonzero(several)[: max(1, round(val_fraction * n))]
    fit, val = np.delete(pool, held_out), pool[held_out]
    if len(val) == 0 or len(np.unique(labels[fit])) <= labels.max():
        return None
    return fit, val


def _whole(n_train: object, most: int) -> int:
    """Return ``n_train`` as an int in 2..most; NumPy's integers are fine, 200.0 is not."""
    try:
        n = operator.index(n_train)
    except TypeError:
        n = 0
    if not 2 <= n <= most:
        raise ReglabError(f"n_train must be a whole number from 2 to {most} here, got {n_train!r}")
    return n


def _raw(name: str, source: str, data_dir: Path | str | None) -> Arrays:
    if source == "sample":
        return sources.load_sample(name)
    return sources.load_file(name, data_dir)


def _images(pixels: np.ndarray) -> Tensor:
    """Return (N, H, W[, C]) pixels as a uint8 tensor (N, C, H, W)."""
    pixels = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)  # (N, C, H, W)
    return torch.from_numpy(np.ascontiguousarray(pixels))


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation per channel of pixel / 255, from exact sums.

    From the histogram of the 256 values: no rounding to depend on threads, no float copy of the
    images. A constant channel has deviation 0; it is given 1/255, so that it becomes zeros.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    means, stds = [], []
    for channel in images.transpose(0, 1):
        share = torch.bincount(channel.reshape(-1), minlength=256).double() / channel.numel()
        mean = (share * values).sum()
        means.append(mean)
        stds.append((share * (values - mean).square()).sum().sqrt().clamp(min=1 / 255))
    return torch.stack(means).float(), torch.stack(stds).float()
