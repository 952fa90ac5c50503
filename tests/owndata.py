"""Data sets of a user's own, made up: arrays, and NAME.npz."""

import numpy as np
import pytest

from reglab.data.dataset import load_dataset
from reglab.errors import ReglabError


def own_arrays(n=40, shape=(12, 20, 3), classes=4, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, size in (("train", n), ("test", n // 2)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (size, *shape), dtype=np.uint8)
        arrays[f"y_{split}"] = np.arange(size) % classes
    return arrays


def write_own(folder, name="mine", **changes):
    """Write an own data set as NAME.npz; changes replace arrays, None leaves one out."""
    arrays = {**own_arrays(), **changes}
    folder.mkdir(exist_ok=True)
    np.savez(folder / f"{name}.npz", **{key: a for key, a in arrays.items() if a is not None})
    return folder / f"{name}.npz"


def own_vectors(n=120, steps=16, seed=0):
    """Return sequences of two channels: a class is a frequency, under noise."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, size in (("train", n), ("test", n // 2)):
        y = np.arange(size) % 3
        waves = np.sin((y[:, None] + 1) * np.linspace(0, 6, steps))
        noise = rng.normal(size=(size, steps, 2))
        arrays[f"x_{split}"] = (waves[..., None] + noise / 4).astype(np.float32)
        arrays[f"y_{split}"] = y
    return arrays


def own_tokens(n=120, steps=12, seed=0):
    """Return passages of which a class's word says its name, among words that say nothing."""
    rng = np.random.default_rng(seed)
    words = np.array(["", *"abcdefghij"])
    arrays = {"vocabulary": words}
    for split, size in (("train", n), ("test", n // 2)):
        y = np.arange(size) % 3
        x = rng.integers(4, len(words), (size, steps))
        x[np.arange(size), rng.integers(0, 8, size)] = y + 1
        x[np.arange(steps) >= rng.integers(8, steps + 1, size)[:, None]] = 0
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    return arrays


def own_numbers(n=120, steps=16, seed=0):
    """Return sequences of two channels and two numbers to predict: a mean, and a slope."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, size in (("train", n), ("test", n // 2)):
        y = rng.normal(size=(size, 2))
        lines = y[:, :1] + y[:, 1:] * np.linspace(-1, 1, steps)
        x = lines[..., None] + rng.normal(size=(size, steps, 2)) / 4
        arrays |= {
            f"x_{split}": x.astype(np.float32),
            f"y_{split}": (20 + 5 * y).astype(np.float32),
        }
    return arrays


def write_numbers(folder, **changes):
    """Write `own_numbers` as the data set "mine", with changes."""
    np.savez(folder / "mine.npz", **{**own_numbers(), **changes})
    return folder / "mine.npz"


def assert_refused_in_one_line(path, words):
    """Load the data set "mine", which is at ``path`` and bad."""
    with pytest.raises(ReglabError) as caught:
        load_dataset("mine")
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message
