"""An npz of arrays as people name them: Keras, MedMNIST, or images and labels without parts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from reglab.data.importing.draft import PART_NAMES, Draft, Options, listed
from reglab.data.npz import read_every
from reglab.errors import ReglabError

IMAGES = {"x", "image", "images", "img", "imgs", "data", "pixels"}
LABELS = {"y", "label", "labels", "target", "targets"}


def read(source: Path, options: Options) -> Draft:
    """Return the arrays that are images and labels, by their names.

    Raises:
        ReglabError: damaged, holds Python objects, or no name fits, or several do.
    """
    given = read_every(source)
    roles = {name: _role(name) for name in given}
    for option, role in ((options.image, "images"), (options.label, "labels")):
        if option is not None:
            roles |= _named(source, given, option, role)
    images, labels = (_by_part(source, given, roles, role) for role in ("images", "labels"))
    if "train" not in images or set(images) != set(labels):
        raise ReglabError(
            f"{source} holds {listed(list(given), 10)}; expected x_train and y_train, or "
            "train_images and train_labels, and the same for test, or images and labels; name the "
            "arrays by --image and --label"
        )
    classes = given.get("classes")
    draft = Draft(images, labels, _texts(classes) if classes is not None else None)
    used = [name for name, role in roles.items() if role]
    draft.say("source", f"arrays {', '.join(sorted(used))}")
    if ignored := [name for name in given if name not in used and name != "classes"]:
        draft.say("ignored", f"arrays {listed(ignored)}")
    return draft


def _role(name: str) -> tuple[str, str] | None:
    """Return ("images" or "labels", part) of an array's name; None of others."""
    words = re.split(r"[_\-. ]+", name.lower())
    parts = [PART_NAMES[word] for word in words if word in PART_NAMES]
    rest = [word for word in words if word not in PART_NAMES]
    if len(parts) > 1 or len(rest) != 1:
        return None
    part = parts[0] if parts else "train"
    if rest[0] in IMAGES:
        return "images", part
    return ("labels", part) if rest[0] in LABELS else None


def _named(source: Path, given: Iterable[str], option: str, role: str) -> dict:
    """Give the arrays that an option names their role: NAME, or NAME beside a word for the part."""
    roles = {}
    for name in given:
        words = re.split(r"[_\-. ]+", name)
        rest = [word for word in words if word.lower() not in PART_NAMES]
        if name == option or "_".join(rest) == option:
            part = next((PART_NAMES[w.lower()] for w in words if w.lower() in PART_NAMES), "train")
            roles[name] = (role, part)
    if not roles:
        raise ReglabError(f"{source} has no array {option!r}; it holds {listed(list(given), 10)}")
    return roles


def _by_part(source: Path, given: dict, roles: dict, role: str) -> dict[str, np.ndarray]:
    arrays: dict[str, str] = {}
    for name, known in roles.items():
        if known and known[0] == role:
            if known[1] in arrays:
                raise ReglabError(
                    f"{source}: {arrays[known[1]]} and {name} could both be the {role} of "
                    f"{known[1]}; say which by --{role.removesuffix('s')}"
                )
            arrays[known[1]] = name
    return {part: given[name] for part, name in arrays.items()}


def _texts(classes: np.ndarray) -> tuple[str, ...] | None:
    return tuple(classes.tolist()) if classes.ndim == 1 and classes.dtype.kind == "U" else None
