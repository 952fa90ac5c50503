"""A folder of class folders, with or without train/val/test above them (as torchvision has it)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from reglab.data.importing.draft import PART_NAMES, Draft, Options, in_order, listed
from reglab.data.importing.files import Reader
from reglab.errors import ReglabError

SUFFIXES = {*(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")}


def read(source: Path, options: Options) -> Draft:
    """Return the images of each class folder; classes in the order of their names.

    Raises:
        ReglabError: no class folders, a class without images, broken images (without
            ``skip_broken``), or images of unequal size (without ``resize``).
    """
    parts = _parts(source)
    names = _natural({folder.name for folders in parts.values() for folder in folders})
    numbers = {name: number for number, name in enumerate(names)}
    reader = Reader(options)
    images, labels, ignored = {}, {}, 0
    for part, folders in parts.items():
        files = []
        for folder in folders:
            paths, others = _files(folder)
            ignored += others
            if not paths and part == "train":
                raise ReglabError(f"class folder {folder} holds no image; remove or fill it")
            files += [(path, numbers[folder.name]) for path in paths]
        kept = [(reader.read(path, str(path)), number) for path, number in files]
        images[part] = [image for image, _ in kept if image is not None]
        labels[part] = np.array([number for image, number in kept if image is not None], dtype=int)
    draft = Draft(reader.stacked(images), labels, tuple(names))
    draft.say("source", f"class folders{_above(parts)}, read as {_how(draft)}")
    reader.report(draft)
    if ignored:
        draft.say("ignored", f"{ignored} files that are no images")
    return draft


def _parts(source: Path) -> dict[str, list[Path]]:
    """Return the class folders of each part; all are "train" where nothing lies above them."""
    inside = _subfolders(source)
    if not inside:
        raise ReglabError(f"{source} holds no folders; expected one a class, or train and test")
    named = {folder: PART_NAMES.get(folder.name.lower()) for folder in inside}
    if not any(named.values()):
        return {"train": inside}
    if not all(named.values()):
        others = listed([folder.name for folder, part in named.items() if not part])
        raise ReglabError(f"{source} holds parts (train, test) beside other folders: {others}")
    count = Counter(named.values())
    if max(count.values()) > 1 or "train" not in count:
        raise ReglabError(
            f"{source} must hold one folder a part, train among them; it holds "
            f"{listed([folder.name for folder in inside])}"
        )
    return in_order({part: _subfolders(folder) for folder, part in named.items()})


def _subfolders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def _files(folder: Path) -> tuple[list[Path], int]:
    """Return a class's images, in any depth, and how many other files there are."""
    every = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    images = sorted(path for path in every if path.suffix.lower() in SUFFIXES)
    return images, len(every) - len(images)


def _natural(names: set[str]) -> list[str]:
    """Return names in order, as numbers where all of them are."""
    whole = all(name.isdecimal() for name in names)
    return sorted(names, key=(lambda name: (int(name), name)) if whole else None)


def _above(parts: dict[str, list[Path]]) -> str:
    return f" in {', '.join(parts)}" if len(parts) > 1 else ""


def _how(draft: Draft) -> str:
    height, width, *channels = draft.images["train"].shape[1:]
    return f"{height} x {width}, {'colour' if channels else 'grey'}"
