"""The seven techniques of the book beside each other on one data set: gain, training, size.

Each is held against the same kind of network without it, on the same seeds and images, at one
profile: L2, dropout, BN and augmentation against no technique; early stopping against the last
epoch; a pruned network against the dense one that it was; a student against itself alone. So all
but early stopping and distillation have one control, the network with no technique.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import pandas as pd
import torch

from reglab.cells import CELL_NAMES
from reglab.data.sources import CLASSES, SHAPES
from reglab.results import augmentation, distillation, pruning, recorded, robustness, tables
from reglab.results.costs import spent, strength_of
from reglab.results.prices import ratio_interval
from reglab.stats import Estimate, holm, mean_interval, paired_p, pooled
from reglab.study.further.distillation import CONTROL
from reglab.training.model import StandardCNN, decayed_parameters

PROTOCOL = "protocol"
STUDIES = ("augmentation", "pruning", "distillation", "robustness")
SPARSITY = 0.8  # of the pruned network in this comparison
ONE_CONTROL = ("L2", "dropout", "BN", "augmentation", "pruning")
LEVEL = 0.05  # of the paired comparisons of a data set together (Holm)
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Technique:
    """One technique beside the network without it, paired by seed.

    Attributes:
        name: of the technique, for people.
        setting: its strength, for people; may be empty. The module says what it is held against.
        treated, control: a row a seed: ``accuracy`` in percent, calibration error ``ece`` in
            percent, ``epochs``, ``learned``, and ``work``, the multiplications of its training.
        parameters: weights and biases that are not zero, over those of the network without it.
        robust: points of accuracy on corrupted images over the network without it, if measured.
    """

    name: str
    setting: str
    treated: pd.DataFrame
    control: pd.DataFrame
    parameters: float
    robust: Estimate | None = None

    def _difference(self, column: str) -> pd.Series:
        return (self.treated[column] - self.control[column]).dropna().astype(float)

    @cached_property
    def gains(self) -> pd.Series:
        """Points of test accuracy gained, by seed; a diverged run takes its pair with it."""
        return self._difference("accuracy")

    @property
    def gain(self) -> Estimate | None:
        """The mean gain with its 95 % interval over seeds; None of no pair."""
        if self.gains.empty:
            return None
        learned = self.treated["learned"] & self.control["learned"]
        return pooled(self.gains.tolist(), learned[self.gains.index].tolist(), pairs=True)

    @property
    def calibration(self) -> Estimate | None:
        """By how many points the calibration error rises, with its interval."""
        changes = self._difference("ece").tolist()
        return mean_interval(changes) if changes else None

    @property
    def work(self) -> tuple[float, tuple[float, float] | None] | None:
        """Multiplications of training over those without it: ratio of means, Fieller's interval.

        What had to be trained before counts: a dense network, a teacher. None where not known.
        """
        both = pd.concat([self.treated["work"], self.control["work"]], axis=1).dropna()
        if both.empty:
            return None
        above, below = (both.iloc[:, column].astype(float).tolist() for column in (0, 1))
        return sum(above) / sum(below), ratio_interval(above, below)


def frames(folder: Path | str | None = None) -> dict[str, dict[str, pd.DataFrame]]:
    """Return each data set's protocol and further studies, all of one profile.

    The profile is the one with the most of `STUDIES`, the best of several. Errors as
    `reglab.results.recorded.studies`.
    """
    further = {name: recorded.further(name, folder) for name in STUDIES}
    chosen = {}
    for dataset, profiles in recorded.all_profiles(folder).items():
        found = [_together(it, {n: f.get(dataset) for n, f in further.items()}) for it in profiles]
        chosen[dataset] = max(found, key=len)  # the first, and best, of equal ones
    return chosen


def _together(study: pd.DataFrame, further: Mapping[str, pd.DataFrame | None]) -> dict:
    profile = study["profile"].iloc[0]
    alike = {
        name: it
        for name, it in further.items()
        if it is not None and it["profile"].iloc[0] == profile
    }
    return {PROTOCOL: study} | alike


def techniques(studies: Frames) -> list[Technique]:
    """Return what is recorded of the seven techniques, in the order of the book.

    Args:
        studies: one data set's, as `frames` gives them.

    Raises:
        ReglabError: no run of the factorial.
    """
    found = [_cell(studies, name) for name in ("l2", "dropout", "bn")]
    found += [_stopped(studies[PROTOCOL])]
    for name, make in _FURTHER.items():
        found += [make(studies[name])] if name in studies else []
    return [one for one in found if one is not None]


def _cell(studies: Frames, name: str) -> Technique:
    treated, control = (tables.arm(studies[PROTOCOL], "factorial", it) for it in (name, "none"))
    robust = studies.get("robustness")
    return Technique(
        CELL_NAMES[name],
        strength_of(treated),
        _scores(treated),
        _scores(control),
        treated["n_params"].iloc[0] / control["n_params"].iloc[0],
        None if robust is None else robustness.gain(robust, name, "none", "corrupted"),
    )


def _stopped(study: pd.DataFrame) -> Technique | None:
    if not (study["study"] == "no_early_stop").any():
        return None
    stopped = tables.arm(study, "factorial", "none")
    on = tables.arm(study, "no_early_stop", "none")
    words = f"patience {stopped['patience'].iloc[0]} of {on['max_epochs'].iloc[0]} epochs"
    return Technique("early stopping", words, _scores(stopped), _scores(on, last=True), 1.0)


def _augmented(frame: pd.DataFrame) -> Technique:
    clean = augmentation.runs(frame, "none").reset_index()
    treated = augmentation.runs(frame, "none", augmentation.whole(frame)).reset_index()
    return Technique("augmentation", augmentation.TOGETHER, _scores(treated), _scores(clean), 1.0)


def _pruned(frame: pd.DataFrame) -> Technique:
    dense = _scores(pruning.runs(frame, "dense").reset_index())
    rows = pruning.runs(frame, "magnitude", SPARSITY).reset_index()
    words = f"{100 * SPARSITY:g} % zeros"
    return Technique("pruning", words, _after(_scores(rows), dense["work"]), dense, _left(rows))


def _left(rows: pd.DataFrame) -> float:
    """Return the share of parameters that pruning leaves: of the weights some, and all biases."""
    first = rows.iloc[0]
    network = StandardCNN(SHAPES[first["dataset"]], len(CLASSES[first["dataset"]]), first["width"])
    weights, rest = (sum(map(torch.numel, part)) for part in decayed_parameters(network))
    return (round((1 - SPARSITY) * weights) + rest) / (weights + rest)


def _taught(frame: pd.DataFrame) -> Technique:
    alone = distillation.runs(frame, "half alone").reset_index()
    rows = distillation.runs(frame, "half taught", CONTROL).reset_index()
    before = distillation.teaching(frame)
    taught = _scores(rows) if before is None else _after(_scores(rows), before)
    return Technique("distillation", f"T = {CONTROL:g}", taught, _scores(alone), 1.0)


_FURTHER: dict[str, Callable[[pd.DataFrame], Technique]] = {
    "augmentation": _augmented,
    "pruning": _pruned,
    "distillation": _taught,
}


def _scores(rows: pd.DataFrame, *, last: bool = False) -> pd.DataFrame:
    """Return what `Technique` compares, by seed, with the weights kept or those of the last epoch.

    Epochs and work are those of the whole training either way.
    """
    prefix = "last_" if last else ""
    by_seed = rows.set_index("seed").sort_index()
    return pd.DataFrame(
        {
            "accuracy": 100 * by_seed[f"{prefix}test_acc"].astype(float),
            "ece": 100 * by_seed[f"{prefix}test_ece"].astype(float),
            "epochs": by_seed["epochs"].astype(float),
            "learned": by_seed["learned"].astype(bool),
            "work": spent(by_seed),
        }
    )


def _after(scores: pd.DataFrame, before: pd.Series) -> pd.DataFrame:
    """Return the scores with the work that had to be done before added."""
    return scores.assign(work=scores["work"] + before)


def apart(found: Iterable[Technique]) -> dict[frozenset[str], float]:
    """Return Holm's adjusted p of each pair of techniques: two-sided t tests of paired gains.

    All pairs are one family, so that any two may be compared after looking. A pair without two
    common seeds has p = 1.
    """
    pairs = list(combinations(found, 2))
    p_values = []
    for one, other in pairs:
        difference = (one.gains - other.gains).dropna().tolist()
        p_values.append(paired_p(difference) if len(difference) > 1 else 1.0)
    names = [frozenset((one.name, other.name)) for one, other in pairs]
    return dict(zip(names, holm(p_values), strict=True)) if pairs else {}


def table(studies: Frames) -> pd.DataFrame:
    """Return a row a technique: gain, calibration, robustness, epochs, work, parameters."""
    rows = []
    for one in techniques(studies):
        rows.append(
            {
                "technique": ", ".join(filter(None, (one.name, one.setting))),
                "gain": one.gain,
                "calibration error": one.calibration,
                "on corrupted images": one.robust,
                "epochs": mean_interval(one.treated["epochs"].tolist()),
                "times the multiplications": in_times(one.work),
                "parameters left": f"{100 * one.parameters:.1f} %",
                "n": len(one.gains),
            }
        )
    return pd.DataFrame(rows)


def in_times(work: tuple[float, tuple[float, float] | None] | None) -> str | None:
    """Return a ratio as text, e.g. "1.4 (1.1 to 1.8)"; None of none."""
    if work is None:
        return None
    ratio, between = work
    return f"{ratio:.2g}" + ("" if between is None else f" ({between[0]:.2g} to {between[1]:.2g})")
