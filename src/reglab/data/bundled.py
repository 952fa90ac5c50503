"""The data sets of other domains, bundled whole: speeches, wrists in motion, days of weather.

Made by ``tools/make_domains.py`` from the packages that publish them; sources, terms and what was
done are in ``domains/LICENSES.md``.
"""

from __future__ import annotations

import functools
import io
import json
from importlib.resources import files

import numpy as np

from reglab.data.kinds import PAD
from reglab.errors import ReglabError

NAMES = ("sotu", "watch", "weather")


@functools.cache
def manifest() -> dict[str, dict]:
    """Return what is known of each without unpacking it: digest, sizes, classes or target."""
    return json.loads((files("reglab") / "domains" / "manifest.json").read_text())


def stored(name: str) -> dict[str, np.ndarray]:
    """Return a bundled set's arrays as its file has them, e.g. the addresses' years."""
    file = io.BytesIO((files("reglab") / "domains" / f"{name}.npz").read_bytes())
    with np.load(file, allow_pickle=False) as packed:
        return dict(packed)


def unpacked(name: str) -> dict[str, np.ndarray]:
    """Return a bundled set's arrays as a NAME.npz would have them.

    Args:
        name: one of `NAMES`.

    Raises:
        ReglabError: its file is damaged.
    """
    try:
        return UNPACK[name](stored(name), manifest()[name])
    except Exception as error:  # numpy and zipfile raise many kinds for damaged files
        raise _damaged(name, " ".join(str(error).split())) from None


def check(name: str, sha256: str) -> None:
    """Raise a ReglabError unless a bundled set's digest is the one it was made with."""
    if sha256 != (wanted := manifest()[name]["sha256"]):
        raise _damaged(name, f"its SHA-256 begins {sha256[:12]}, expected {wanted[:12]}")


def _damaged(name: str, detail: str) -> ReglabError:
    return ReglabError(f"the bundled {name} is damaged ({detail}); reinstall reglab")


def _windows(packed: dict[str, np.ndarray], entry: dict) -> dict[str, np.ndarray]:
    """Cut recordings into windows: overlapping ones to train on, others to test on.

    ``steps`` (total, C) holds differences along time, in units of 1 / scale, a recording after the
    other.
    """
    width, ends = entry["width"], np.cumsum(packed["lengths"])
    pieces = np.split(packed["steps"], ends[:-1])
    cut: dict[str, list] = {"train": [], "test": []}
    places: dict[str, list] = {"train": [], "test": []}
    for place, piece in enumerate(pieces):
        part = "test" if packed["test"][place] else "train"
        recording = np.cumsum(piece, axis=0, dtype=np.int64) / np.float32(entry["scale"])
        for start in range(0, len(recording) - width + 1, entry[f"{part}_stride"]):
            cut[part].append(recording[start : start + width])
            places[part].append(place)
    arrays = {f"x_{part}": np.stack(cut[part]).astype(np.float32) for part in cut}
    arrays |= {f"y_{part}": packed["labels"][places[part]] for part in cut}
    return arrays | {"groups_train": packed["subjects"][places["train"]]}


def _passages(packed: dict[str, np.ndarray], entry: dict) -> dict[str, np.ndarray]:
    """Fill passages up to one length; ``words`` (total,) holds one after the other."""
    lengths, address = packed["lengths"], packed["address"]
    tokens = np.full((len(lengths), entry["length"]), PAD, np.uint16)
    tokens[np.arange(entry["length"]) < lengths[:, None]] = packed["words"]
    test = packed["test"][address]
    labels = packed["labels"][address]
    return {
        "x_train": tokens[~test],
        "y_train": labels[~test],
        "x_test": tokens[test],
        "y_test": labels[test],
        "groups_train": address[~test],
        "vocabulary": packed["vocabulary"],
    }


def _days(packed: dict[str, np.ndarray], entry: dict) -> dict[str, np.ndarray]:
    """Cut a city's days into windows, each with the next day's value of the channel ``target``.

    ``days`` (cities, N, C) holds tenths. Quarters of a city are the groups of a split; see
    `next_days`.
    """
    days, width = packed["days"] / np.float32(10), entry["width"]
    arrays = {}
    for part in ("train", "test"):
        city, end = next_days(packed, entry, part)
        steps = end[:, None] + np.arange(-width, 0)
        arrays[f"x_{part}"] = days[city[:, None], steps].astype(np.float32)
        arrays[f"y_{part}"] = days[city, end, entry["target"]].astype(np.float32)
        if part == "train":
            group = packed["quarter"][end] * len(days) + city
            _, members = np.unique(group, return_inverse=True)
            arrays["groups_train"] = members.reshape(-1).astype(np.uint8)
    return arrays


def next_days(
    packed: dict[str, np.ndarray], entry: dict, part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return each target's city and day, (n,) places in ``days``, in the order of the windows.

    The last year is for the test. Of the years before a window and its next day lie within one
    quarter, so that no day of a city is on both sides of a split.
    """
    year, width = packed["year"], entry["width"]
    within = year if part == "test" else packed["quarter"]  # which is counted on over the years
    end = np.arange(width, len(year))
    kept = (year[end] == year[-1]) == (part == "test")
    end = end[kept & (within[end] == within[end - width])]
    cities = len(packed["days"])
    return np.repeat(np.arange(cities), len(end)), np.tile(end, cities)


UNPACK = {"sotu": _passages, "watch": _windows, "weather": _days}
