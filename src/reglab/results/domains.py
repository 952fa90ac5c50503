"""The factorial on text and time series beside that on images: what carries over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, TECHNIQUES
from reglab.data import bundled
from reglab.data.sources import KNOWN
from reglab.results import factorial, recorded
from reglab.stats import Estimate, mean_interval

Frames = Mapping[str, pd.DataFrame]
IMAGES = KNOWN
ALONE, AVERAGED, TOGETHER = "alone", "averaged", "together"  # kinds of effects


def frames(
    names: Sequence[str] = bundled.NAMES, folder: Path | str | None = None
) -> dict[str, pd.DataFrame]:
    """Return the best recorded study of each image set and of sets of other domains.

    Args:
        names: of the other sets.
        folder: as `reglab.results.recorded.studies`, as are the errors.
    """
    return recorded.studies(folder, (*IMAGES, *names))


def effects(frame: pd.DataFrame) -> dict[tuple[str, str], Estimate]:
    """Return the factorial's contrasts in points of test accuracy (or R²), by kind and name.

    Of a study in which no seed has both networks of a contrast, that one is left out.

    ``alone``: a technique against nothing, and all three against nothing; ``averaged``: a main
    effect; ``together``: an averaged interaction (`reglab.results.factorial.averaged_effects`).
    """
    averaged = factorial.averaged_effects(frame)
    alone = {name: factorial.contrast(frame, name, "none") for name in (*TECHNIQUES, "all")}
    named = {(ALONE, name): one for name, one in alone.items() if one is not None}
    for kind, names in ((AVERAGED, TECHNIQUES), (TOGETHER, COMBINATIONS)):
        values = {name: averaged[name].tolist() for name in names}
        named |= {(kind, name): mean_interval(of) for name, of in values.items() if of}
    return named


_WORDS: dict[str, Callable[[str], str]] = {
    ALONE: lambda name: f"{name} against nothing",
    AVERAGED: lambda name: f"{name}, over all settings of the others",
    TOGETHER: lambda name: f"{name}, interaction",
}


def in_words(effect: tuple[str, str]) -> str:
    """Return what an effect is, e.g. "dropout, over all settings of the others"."""
    kind, name = effect
    return _WORDS[kind](CELL_NAMES[name])


def table(studies: Frames) -> pd.DataFrame:
    """Return a row an effect and a column a data set, in points with their intervals."""
    columns = {name: effects(frame) for name, frame in studies.items()}
    rows = next(iter(columns.values()), {})
    return pd.DataFrame(
        [
            {"effect": in_words(effect)}
            | {paper.title(name): found.get(effect) for name, found in columns.items()}
            for effect in rows
        ]
    )


def smallest_seen(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each effect's half-width in points: about what these runs can tell from nothing."""
    found = effects(frame).items()
    return pd.DataFrame(
        [{"effect": in_words(effect), "half-width": one.half_width} for effect, one in found]
    )
