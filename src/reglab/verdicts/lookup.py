"""Where a rule finds the scores of arms: in one profile's recorded studies.

Other arms can stand in for those that a claim names: a `Swap` says which. It is asked for all arms
of one comparison at once, so that both sides change together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from reglab import paper
from reglab.errors import ReglabError
from reglab.results import arms, tables
from reglab.results.recorded import DECIDING

Names = tuple[str, ...]
# (a data set's study, arms of one comparison, metric) -> the arms and the metric in their place.
Swap = Callable[[pd.DataFrame, Names, str], tuple[Names, str]]

# What a study's runs are, for a sentence on their absence.
STUDIES = {
    "factorial": "of the eight combinations",
    "literal": "at the printed strengths",
    "no_early_stop": "without early stopping",
    "lambda": "at each λ of the grid",
    "dropout": "at each drop rate of the grid",
    "size": "on fewer images",
    "rate": "at other learning rates",
    "fair": "with each network's own learning rate",
}


class Missing(Exception):
    """Runs that a claim needs are not recorded.

    Attributes:
        what: the runs, in words.
        where: the data set's title.
    """

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} ({where})")
        self.what, self.where = what, where


def as_named(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    """Return what was asked for: the claim's own arms."""
    return names, metric


@dataclass(frozen=True)
class Side:
    """One arm of a comparison.

    Attributes:
        words: what it is, for a sentence.
        scores: by seed, in percent, points or epochs.
        rows: its runs.
    """

    words: str
    scores: pd.Series
    rows: pd.DataFrame

    @cached_property
    def kinds(self) -> str:
        """How many of its runs did not learn, in words, where others did; else ""."""
        failed, count = tables.unlearned(self.rows), len(self.rows)
        return f"{failed} of {count} runs with {self.words} did not learn" if failed % count else ""


class Study:
    """One data set's runs under one profile, asked for the same arms many times.

    Attributes:
        frame: as `reglab.study.frame` gives it.
        profile: its name.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame, self.profile = frame, str(frame["profile"].iloc[0])
        self._rows: dict[str, pd.DataFrame] = {}
        self._sides: dict[tuple[str, ...], Side] = {}

    def side(self, name: str, metric: str, plain: str) -> Side:
        """Return an arm's scores; errors as `reglab.results.arms.runs`.

        Args:
            plain: the unregularized arm that a time to a target is measured by.
        """
        key = (name, metric, plain) if metric == "time_to_target" else (name, metric)
        if key not in self._sides:
            self._sides[key] = self._side(*key)
        return self._sides[key]

    def _side(self, name: str, metric: str, plain: str = "") -> Side:
        rows = self._arm(name)
        timed = metric == "time_to_target"
        scores = (
            arms.times(rows, arms.targets(self._arm(plain))) if timed else arms.values(rows, metric)
        )
        return Side(arms.in_words(rows), scores, rows)

    def _arm(self, name: str) -> pd.DataFrame:
        if name not in self._rows:
            self._rows[name] = arms.runs(self.frame, name)
        return self._rows[name]


# Each data set's recorded studies, the best profile first.
Profiles = Mapping[str, Sequence[Study]]


def opened(frames: Mapping[str, Sequence[pd.DataFrame]]) -> dict[str, list[Study]]:
    """Return recorded studies (`reglab.results.recorded.all_profiles`) ready to be asked."""
    return {name: [Study(frame) for frame in ours] for name, ours in frames.items()}


@dataclass(frozen=True)
class Studies:
    """One profile's recorded studies, asked for arms by name.

    Attributes:
        studies: by data set.
        swap: which arms stand in for those that are named.
    """

    studies: Mapping[str, Study]
    swap: Swap = as_named

    def sides(
        self, dataset: str, names: Sequence[str], metric: str = "test_acc"
    ) -> tuple[list[Side], str]:
        """Return the arms of one comparison, and the metric that was taken.

        Raises:
            Missing: an arm is not recorded.
        """
        if dataset not in self.studies:
            raise _absent(dataset, names[0])
        study = self.studies[dataset]
        # a time to a target is measured by the unregularized network of the same seed
        plain = ("none",) if metric == "time_to_target" else ()
        swapped, metric = self.swap(study.frame, (*names, *plain), metric)
        sides = [self._side(study, dataset, (name, metric, swapped[-1])) for name in swapped]
        return sides[: len(names)], metric

    def profile(self, dataset: str) -> str:
        """Return the profile of the runs."""
        return self.studies[dataset].profile

    @staticmethod
    def _side(study: Study, dataset: str, asked: tuple[str, str, str]) -> Side:
        try:
            return study.side(*asked)
        except ReglabError as error:
            if not (study.frame["study"] == _study(asked[0])).any():
                raise _absent(dataset, asked[0]) from None
            raise Missing(str(error), paper.title(dataset)) from None


def each_profile(profiles: Profiles) -> Iterator[dict[str, Study]]:
    """Yield the studies of each profile by data set, the best first; if there is none, nothing."""
    layers = [
        {name: study for name, ours in profiles.items() for study in ours if study.profile == one}
        for one in DECIDING
    ]
    yield from [layer for layer in layers if layer] or [{}]


def _study(name: str) -> str:
    return name.rpartition(":")[0] or "factorial"


def _absent(dataset: str, name: str) -> Missing:
    return Missing(f"recorded runs {STUDIES[_study(name)]}", paper.title(dataset))
