"""Named data set -> tensors, split with a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reglab.data import bundled, sources
from reglab.data.kinds import IMAGE, TOKENS, VECTORS
from reglab.data.sources import FULL_SHA256, FULL_SIZE, KNOWN, Arrays
from reglab.data.splitting import split
from reglab.data.tasks import CLASSIFICATION, REGRESSION, strata
from reglab.errors import ReglabError

SOURCES = ("auto", "sample", "full")


@dataclass(frozen=True)
class Dataset:
    """A data set cut into training, validation and test parts.

    Images stay uint8, (N, C, H, W), until a batch is made of them (`standardize`); sequences of
    vectors are float32, (N, C, T), sequences of tokens int32, (N, L). Labels are int64, (N,), the
    numbers to predict of a regression float32, (N, H), in their own units. Mean and standard
    deviation are per channel, of the training part alone, for images in units of full brightness
    (pixel / 255); tokens have none.

    Attributes:
        source: "sample" or "full".
        origin: where the pixels came from, in words.
        version: "SOURCE:DIGEST", twelve hex digits of the raw arrays' SHA-256.
        classes: class names.
        seed: of the split.
        n_train: images taken from the training half, the validation part included.
        kind: of the inputs: "image", "vectors" or "tokens" (`reglab.data.kinds`).
        vocabulary: number of tokens, padding included; 0 for other kinds.
        target_mean, target_std: of each number to predict, of the training part alone, (H,).
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
    kind: str = IMAGE
    vocabulary: int = 0
    target_mean: Tensor | None = None
    target_std: Tensor | None = None

    @property
    def in_shape(self) -> tuple[int, ...]:
        """(C, H, W) of an image, (C, T) of a sequence of vectors, (L,) of one of tokens."""
        return tuple(self.x_train.shape[1:])

    @property
    def n_classes(self) -> int:
        """Number of classes K, 0 of a regression."""
        return len(self.classes)

    @property
    def task(self) -> str:
        """Classification or regression (`reglab.data.tasks`)."""
        return CLASSIFICATION if self.target_mean is None else REGRESSION

    @property
    def n_outputs(self) -> int:
        """Number of a network's outputs: a logit a class, or the H numbers to predict."""
        return self.n_classes or len(self.target_mean)

    def targets(self, y: Tensor) -> Tensor:
        """Return what a network is held against: labels as they are, numbers standardized."""
        if self.task == CLASSIFICATION:
            return y
        return (y - self.target_mean.to(y.device)) / self.target_std.to(y.device)

    def standardize(self, images: Tensor) -> Tensor:
        """Return what the network gets of a batch, on its device.

        Of uint8 images (N, C, H, W) that is (pixel / 255 - mean) / std, of sequences of vectors
        (N, C, T) it is (value - mean) / std, both float32; tokens stay as they are.
        """
        if self.kind == TOKENS:
            return images
        if self.kind == VECTORS:
            mean, std = (m.view(1, -1, 1).to(images.device) for m in (self.mean, self.std))
            return (images - mean) / std
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
        name: "mnist", "fashion_mnist", "cifar10", "sotu", "watch", "weather", or an own NAME.npz.
        source: "sample" (bundled), "full" (NAME.npz in the data folder), or "auto": the full
            one where it is there, else the sample.
        seed: of the split, see `reglab.data.splitting.split`.
        n_train: images to take from the training half, validation included; None = all.
        val_fraction: share of them held out for validation, in (0, 1).
        data_dir: the data folder; None = $REGLAB_DATA_DIR or the user's cache folder.

    Raises:
        ReglabError: one line: unknown name, file missing or damaged, or n_train out of range.
    """
    source = resolve_source(name, source, data_dir)
    arrays = _raw(name, source, data_dir)
    fit, val = parts_of(arrays, seed, n_train, val_fraction)
    inputs, moments = _INPUTS[arrays.kind]
    x_train = inputs(arrays.x_train[fit])
    mean, std = moments(x_train)
    numbers = arrays.y_train[fit] if arrays.task == REGRESSION else None
    target_mean, target_std = (None, None) if numbers is None else _target_moments(numbers)
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
        x_val=inputs(arrays.x_train[val]),
        y_val=torch.from_numpy(arrays.y_train[val]),
        # copies: what a caller does to its tensors must not reach the cached arrays
        x_test=inputs(arrays.x_test.copy()),
        y_test=torch.from_numpy(arrays.y_test.copy()),
        mean=mean,
        std=std,
        kind=arrays.kind,
        vocabulary=len(arrays.vocabulary),
        target_mean=target_mean,
        target_std=target_std,
    )


def parts_of(
    arrays: Arrays, seed: int, n_train: int | None = None, val_fraction: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Return where in the training half a seed's training and validation examples are."""
    mixed, classes = strata(arrays.y_train), arrays.task == CLASSIFICATION
    return split(mixed, seed, n_train, val_fraction, arrays.groups, every=classes)


def resolve_source(name: str, source: str, data_dir: Path | str | None = None) -> str:
    """Return "sample" or "full"; an own data set has only its file, which is "full".

    So are the sets that are bundled whole (`reglab.data.bundled`).
    """
    if source not in SOURCES:
        raise ReglabError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    if name in bundled.NAMES:
        return "full"
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
    if name in bundled.NAMES:
        return f"{source}:{bundled.manifest()[name]['sha256'][:12]}"
    return f"{source}:{_raw(name, source, data_dir).sha256[:12]}"


def dataset_task(name: str, source: str, data_dir: Path | str | None = None) -> str:
    """Return a data set's task (`reglab.data.tasks`). Known sets need no file for it."""
    if name in KNOWN:
        return CLASSIFICATION
    return _raw(name, resolve_source(name, source, data_dir), data_dir).task


def dataset_size(name: str, source: str, data_dir: Path | str | None = None) -> int:
    """Return the number of images in the training half, validation included."""
    source = resolve_source(name, source, data_dir)
    if name in bundled.NAMES:
        return bundled.manifest()[name]["n_train"]
    if name in KNOWN and source == "full":
        return FULL_SIZE[name]
    return len(_raw(name, source, data_dir).y_train)


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


def _vectors(steps: np.ndarray) -> Tensor:
    """Return (N, T, C) steps as a float32 tensor (N, C, T)."""
    return torch.from_numpy(np.ascontiguousarray(steps.transpose(0, 2, 1)))


def _vector_moments(steps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation per channel of (N, C, T), a constant one's 1.

    NumPy sums in pairs and on one thread, so that the bits depend on no number of threads.
    """
    return _mean_and_std(steps.numpy(), (0, 2))


def _target_moments(numbers: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each column of (N, H), a constant one's 1."""
    return _mean_and_std(numbers, (0,))


def _mean_and_std(values: np.ndarray, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    values = values.astype(np.float64)
    mean, std = values.mean(axis=axes), values.std(axis=axes)
    std[std == 0] = 1.0
    return torch.from_numpy(mean).float(), torch.from_numpy(std).float()


def _tokens(places: np.ndarray) -> Tensor:
    """Return (N, L) places in the vocabulary as an int32 tensor."""
    return torch.from_numpy(places.astype(np.int32))


def _no_moments(_: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty(0), torch.empty(0)


_INPUTS = {
    IMAGE: (_images, _moments),
    VECTORS: (_vectors, _vector_moments),
    TOKENS: (_tokens, _no_moments),
}
