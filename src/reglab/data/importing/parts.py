"""Training and test part: validation images join the training half, a missing test part is cut."""

from __future__ import annotations

import numpy as np

from reglab.data.importing.draft import Draft, Options
from reglab.data.splitting import stratified_order
from reglab.errors import ReglabError


def standard(draft: Draft, options: Options) -> None:
    """Leave the parts "train" and "test", in place; labels are classes already.

    Raises:
        ReglabError: there is no test part and no --test-fraction, or both; or it leaves a class
            without images to train or test on.
    """
    if "val" in draft.images:
        for arrays in (draft.images, draft.labels):
            arrays["train"] = np.concatenate([arrays["train"], arrays.pop("val")])
        draft.say("validation", "joined to the training half; reglab cuts its own, by seed")
    if "test" in draft.images and options.test_fraction is not None:
        raise ReglabError("the source has a test part of its own; leave --test-fraction out")
    if "test" in draft.images:
        return
    if options.test_fraction is None:
        raise ReglabError(
            "the source has no test part; say how many images to keep for it, e.g. "
            "--test-fraction 0.2 (stratified by class, drawn by --seed)"
        )
    _cut(draft, options.test_fraction, options.seed)


def _cut(draft: Draft, fraction: float, seed: int) -> None:
    """Cut off the head of a stratified order: of each class its share, rounded, at least one."""
    images, labels = draft.images["train"], draft.labels["train"]
    order = stratified_order(labels, seed)
    counts = np.bincount(labels)
    if counts.min() < 2:
        few = ", ".join(draft.classes[index] for index in np.flatnonzero(counts < 2)[:5])
        raise ReglabError(f"a class has one image only ({few}): none is left to test it on")
    wanted = np.clip(np.rint(fraction * counts).astype(int), 1, counts - 1)
    rank = np.empty(len(labels), dtype=int)  # place of an image among those of its class
    for label in range(len(counts)):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    test = rank < wanted[labels]
    draft.images = {"train": images[~test], "test": images[test]}
    draft.labels = {"train": labels[~test], "test": labels[test]}
    draft.say(
        "test part", f"{test.sum():,} of {len(labels):,} images, {fraction:g} of each class, "
        f"seed {seed}"
    )  # fmt: skip
