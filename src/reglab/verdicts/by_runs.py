"""Claims against runs: each rule turns recorded studies into paired contrasts.

A contrast is one number a seed, oriented so that the claim says "greater than zero". What a set of
contrasts decides is the same for every rule (`reglab.verdicts.judging`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, PAIRS, TECHNIQUES, WITHOUT
from reglab.errors import ReglabError
from reglab.results import factorial, tables
from reglab.verdicts.words import margin

Studies = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Contrast:
    """One paired comparison.

    Attributes:
        label: what is compared, for the reason.
        dataset: where.
        values: one number a seed, in points (or epochs), > 0 as the claim has it.
        size: the difference that the paper prints, where it prints one.
        margin: half-width of equality, where the claim is one of equality.
        level: the paper's printed levels, where the claim is one of level (values are accuracies).
    """

    label: str
    dataset: str
    values: tuple[float, ...]
    size: float | None = None
    margin: float | None = None
    level: tuple[float, ...] | None = None


# What a claim may be about, and what its reason calls that.
METRICS = {
    "test_acc": "test accuracy",
    "train_acc": "training accuracy",
    "val_acc": "validation accuracy",
    "last_test_acc": "test accuracy after the last epoch",
    "last_train_acc": "training accuracy after the last epoch",
    "last_val_acc": "validation accuracy after the last epoch",
    "gap": "training minus test accuracy",
    "epochs_to_target": "epochs to the target accuracy",
}


class Missing(Exception):
    """A study that a claim needs is not recorded; the text says which."""


def build(rule: str, studies: Studies, **arguments: object) -> tuple[list[Contrast], str]:
    """Return a claim's contrasts, and what is not recorded of what the rule needs ("": nothing).

    A claim on several data sets gives the contrasts of those that are recorded: one of them can
    refute it.
    """
    function, found, missing = RULES[rule], [], []
    apart = function in DATA_SET_BY_DATA_SET
    names = arguments.get("datasets", tuple(paper.TITLES))
    for part in [[name] for name in names] if apart else [None]:
        chosen = arguments | ({"datasets": part} if apart else {})
        try:
            found += function(studies, **chosen)
        except Missing as one:
            missing.append(str(one))
    return found, "; ".join(dict.fromkeys(missing))


def direction(
    studies: Studies,
    datasets: Sequence[str],
    treated: str,
    control: str,
    metric: str = "test_acc",
    also: Mapping[str, str] | None = None,
) -> list[Contrast]:
    """Treated minus control, on each data set; ``also`` names a second pair of cells."""
    found = [_cells(studies, name, treated, control, metric) for name in datasets]
    if also:
        found += [_cells(studies, name, **also) for name in datasets]
    return found


def size(
    studies: Studies,
    value: object,
    datasets: Sequence[str],
    treated: str,
    control: str,
    metric: str,
) -> list[Contrast]:
    """Treated minus control, and the difference that the paper prints for it."""
    found = direction(studies, datasets, treated, control, metric)
    return [Contrast(c.label, c.dataset, c.values, size=float(value)) for c in found]


def level(studies: Studies, dataset: str, cell: str) -> list[Contrast]:
    """A cell's accuracy itself, beside what the paper prints for it."""
    values = factorial.scores(_study(studies, dataset))[cell].dropna()
    printed = tuple(float(value) for value in paper.printed_cell(dataset, cell))
    label = f"{CELL_NAMES[cell]}, {paper.title(dataset)}"
    return [Contrast(label, dataset, tuple(values), level=printed)]


def larger_gain(studies: Studies, dataset: str, treated: str, control: str) -> list[Contrast]:
    """The gain on one data set minus the gain on each other, seed by seed."""
    others = [name for name in paper.TITLES if name != dataset]
    gains = {name: _gains(studies, name, treated, control) for name in (dataset, *others)}
    return [
        _contrast(
            f"gain on {paper.title(dataset)} over that on {paper.title(name)}",
            dataset,
            gains[dataset] - gains[name],
        )
        for name in others
    ]


def best(
    studies: Studies, datasets: Sequence[str], study: str, best: str, rivals: Sequence[str]
) -> list[Contrast]:
    """One strength of a sweep minus each rival, on each data set."""
    found = []
    for name in datasets:
        frame = _study(studies, name, study)
        ours = tables.arm(frame, study, best)
        for rival in rivals:
            theirs = tables.arm(frame, study, rival)
            label = f"{_strength(ours)} over {_strength(theirs)}, {paper.title(name)}"
            found.append(_contrast(label, name, _accuracy(ours) - _accuracy(theirs)))
    return found


def _strength(runs: pd.DataFrame) -> str:
    """Return the strength of a sweep's arm in words."""
    arm = runs.iloc[0]
    if arm["study"] == "dropout":
        return f"drop rate {arm['strength']:g} ({tables.PLACES[arm['place']]})"
    return f"λ = {arm['strength']:g} ({tables.READINGS[arm['reading']]})"


def below(
    studies: Studies, datasets: Sequence[str], cell: str, metric: str, bound: object
) -> list[Contrast]:
    """How far a cell's score stays below a bound (in percent)."""
    return [
        _contrast(
            f"{CELL_NAMES[cell]} below {bound} % ({METRICS[metric]}), {paper.title(name)}",
            name,
            float(bound) - factorial.scores(_study(studies, name), metric)[cell],
        )
        for name in datasets
    ]


def combinations(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each combination minus its best part, the best by validation accuracy."""
    found = []
    for name in datasets:
        validation = factorial.scores(_study(studies, name), "val_acc").mean()
        for cell, parts in COMBINATIONS.items():
            best_part = max(parts, key=validation.__getitem__)
            found.append(_cells(studies, name, cell, best_part))
    return found


def singles(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each technique alone minus none, on each data set."""
    return [_cells(studies, name, single, "none") for name in datasets for single in TECHNIQUES]


def ablation_order(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The drop of leaving out L2 minus that of dropout, and dropout's minus BN's."""
    found = []
    for name in datasets:
        cells = factorial.scores(_study(studies, name))
        drops = {single: cells["all"] - cells[WITHOUT[single]] for single in TECHNIQUES}
        for first, second in (("l2", "dropout"), ("dropout", "bn")):
            label = f"drop without {first} over that without {second}, {paper.title(name)}"
            found.append(_contrast(label, name, drops[first] - drops[second]))
    return found


def interactions(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The two-way interaction of each pair, on each data set: above zero is synergy."""
    found = []
    for name in datasets:
        table = factorial.interactions(_study(studies, name))
        for pair in PAIRS:
            label = f"interaction {CELL_NAMES[pair]}, {paper.title(name)}"
            found.append(_contrast(label, name, table[pair]))
    return found


def equal_gap(studies: Studies, datasets: Sequence[str], cell: str) -> list[Contrast]:
    """The gap on the first data set minus that on the second; equal training-set sizes only.

    If size were the reason, sets of one size would have one gap.
    """
    first, second = (_study(studies, name) for name in datasets)
    if first["n_train"].iloc[0] != second["n_train"].iloc[0]:
        raise Missing(f"runs of {' and '.join(datasets)} on equally many images")
    gaps = [factorial.scores(frame, "gap")[cell] for frame in (first, second)]
    names = [paper.title(name) for name in datasets]
    found = _contrast(f"gap on {names[0]} minus gap on {names[1]}", datasets[0], gaps[0] - gaps[1])
    return [Contrast(found.label, found.dataset, found.values, margin=margin(datasets[0]))]


def _cells(
    studies: Studies, dataset: str, treated: str, control: str, metric: str = "test_acc"
) -> Contrast:
    names = CELL_NAMES
    label = f"{names[treated]} minus {names[control]}"
    label += "" if metric == "test_acc" else f" ({METRICS[metric]})"
    values = _gains(studies, dataset, treated, control, metric)
    return _contrast(f"{label}, {paper.title(dataset)}", dataset, values)


def _gains(
    studies: Studies, dataset: str, treated: str, control: str, metric: str = "test_acc"
) -> pd.Series:
    cells = factorial.scores(_study(studies, dataset), metric)
    return cells[treated] - cells[control]


def _contrast(label: str, dataset: str, values: pd.Series) -> Contrast:
    kept = values.dropna()
    if kept.empty:
        raise Missing(f"a run with a finite score for {label}")
    return Contrast(label, dataset, tuple(kept.astype(float)))


def _accuracy(runs: pd.DataFrame) -> pd.Series:
    return 100 * runs.set_index("seed")["test_acc"].astype(float)


def _study(studies: Studies, dataset: str, study: str = "factorial") -> pd.DataFrame:
    if dataset not in studies or not (studies[dataset]["study"] == study).any():
        raise Missing(f"recorded {study} runs of {paper.title(dataset)}")
    try:
        tables.study_rows(studies[dataset], study)
    except ReglabError as error:
        raise Missing(str(error)) from None
    return studies[dataset]


RULES: dict[str, Callable[..., list[Contrast]]] = {
    rule.__name__: rule
    for rule in (
        direction,
        size,
        level,
        larger_gain,
        best,
        below,
        combinations,
        singles,
        ablation_order,
        interactions,
        equal_gap,
    )
}

# Rules whose contrasts lie within one data set, so that a missing one leaves the others.
DATA_SET_BY_DATA_SET = (
    direction, size, best, below, combinations, singles, ablation_order, interactions,
)  # fmt: skip
