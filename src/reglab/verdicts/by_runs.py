"""Claims against runs: each rule turns recorded studies into contrasts.

A claim's arguments stand in `paper.toml`. Where its words can be read in several ways, it has
`readings`, each with arguments of its own; `others` are arms that the words do not name, and of
which the ledger says where they would decide otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, PAIRS, TECHNIQUES, WITHOUT
from reglab.errors import ReglabError
from reglab.results import arms, factorial, levels
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.words import margin

Studies = Mapping[str, pd.DataFrame]


class Missing(Exception):
    """A study that a claim needs is not recorded; the text says which."""


def build(rule: str, studies: Studies, **arguments: object) -> tuple[list[Contrast], str]:
    """Return the contrasts of one reading of a claim, and what is not recorded of what it needs.

    A claim on several data sets gives the contrasts of those that are recorded: one of them can
    refute it. The second part is "" where nothing is missing.
    """
    function, contrasts, missing = RULES[rule], [], []
    apart = function in DATA_SET_BY_DATA_SET
    names = arguments.get("datasets", tuple(paper.TITLES))
    for part in [[name] for name in names] if apart else [None]:
        chosen = arguments | ({"datasets": part} if apart else {})
        try:
            contrasts += function(studies, **chosen)
        except Missing as one:
            missing.append(str(one))
    return contrasts, "; ".join(dict.fromkeys(missing))


def direction(
    studies: Studies,
    datasets: Sequence[str],
    treated: str,
    control: str,
    metric: str = "test_acc",
    also: Sequence[Mapping[str, str]] = (),
) -> list[Contrast]:
    """Treated minus control, on each data set; ``also`` names further pairs of arms."""
    pairs = ({"treated": treated, "control": control, "metric": metric}, *also)
    return [_pair(studies, name, **pair) for pair in pairs for name in datasets]


def size(
    studies: Studies,
    value: object,
    datasets: Sequence[str],
    treated: str,
    control: str,
    metric: str = "test_acc",
) -> list[Contrast]:
    """Treated minus control, and the difference that the paper prints for it."""
    return [_pair(studies, name, treated, control, metric, size=float(value)) for name in datasets]


def level(studies: Studies, dataset: str, cell: str) -> list[Contrast]:
    """A cell's accuracy itself, beside what the paper prints for it."""
    values = _values(studies, dataset, cell, "test_acc").dropna()
    printed = tuple(float(value) for value in paper.printed_cell(dataset, cell))
    label = f"{CELL_NAMES[cell]}, {paper.title(dataset)}"
    images = levels.with_images(_runs(studies, dataset, cell))
    return [_contrast(studies, dataset, label, values, level=printed, images=images)]


def larger_gain(
    studies: Studies, dataset: str, treated: str, control: str, metric: str = "test_acc"
) -> list[Contrast]:
    """The gain on one data set minus that on each other: two data sets share no seed."""
    gains = {}
    for name in (dataset, *(name for name in paper.TITLES if name != dataset)):
        gain = _values(studies, name, treated, metric) - _values(studies, name, control, metric)
        gains[name] = tuple(gain.dropna())
    return [
        _contrast(
            studies,
            dataset,
            f"gain on {paper.title(dataset)} minus that on {paper.title(name)}",
            gains[dataset],
            against=gains[name],
        )
        for name in gains
        if name != dataset
    ]


def best(
    studies: Studies, datasets: Sequence[str], best: str, rivals: Sequence[str]
) -> list[Contrast]:
    """One strength of a sweep minus each rival, on each data set."""
    return [_pair(studies, name, best, rival, "test_acc") for name in datasets for rival in rivals]


def below(
    studies: Studies, datasets: Sequence[str], cell: str, metric: str, bound: object
) -> list[Contrast]:
    """How far an arm's score stays below a bound (in percent)."""
    contrasts = []
    for name in datasets:
        values = _values(studies, name, cell, metric)
        what = arms.in_words(_runs(studies, name, cell))
        label = f"{bound} % minus the {arms.METRICS[metric]} of {what}, {paper.title(name)}"
        contrasts.append(_contrast(studies, name, label, float(bound) - values))
    return contrasts


def combinations(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each combination minus each of its parts, so that no best part has to be chosen."""
    return [
        _pair(studies, name, cell, part, "test_acc")
        for name in datasets
        for cell, parts in COMBINATIONS.items()
        for part in parts
    ]


def singles(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each technique alone minus none, on each data set."""
    return [
        _pair(studies, name, single, "none", "test_acc")
        for name in datasets
        for single in TECHNIQUES
    ]


def ablation_order(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The drop of leaving out L2 minus that of dropout, and dropout's minus BN's."""
    contrasts = []
    for name in datasets:
        rest = {single: _values(studies, name, WITHOUT[single]) for single in TECHNIQUES}
        for first, second in (("l2", "dropout"), ("dropout", "bn")):
            label = f"drop without {CELL_NAMES[first]} minus drop without {CELL_NAMES[second]}"
            # the network with all three is in both drops and cancels
            values = rest[second] - rest[first]
            contrasts.append(_contrast(studies, name, f"{label}, {paper.title(name)}", values))
    return contrasts


def interactions(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The two-way interaction of each pair, on each data set: above zero is more than the sum."""
    contrasts = []
    for name in datasets:
        _runs(studies, name, "all")
        table = factorial.interactions(studies[name])
        for pair in PAIRS:
            label = f"interaction of {CELL_NAMES[pair]}, {paper.title(name)}"
            contrasts.append(_contrast(studies, name, label, table[pair]))
    return contrasts


def _pair(
    studies: Studies,
    dataset: str,
    treated: str,
    control: str,
    metric: str = "test_acc",
    **about: object,
) -> Contrast:
    ours, theirs = (_runs(studies, dataset, name) for name in (treated, control))
    label = f"{arms.in_words(ours)} minus {arms.in_words(theirs)}"
    label += "" if metric == "test_acc" else f" ({arms.METRICS[metric]})"
    values = _scores(studies, dataset, ours, metric) - _scores(studies, dataset, theirs, metric)
    unit = arms.UNITS.get(metric, "points")
    about |= {"unit": unit, "small": margin(dataset) if unit == "points" else None}
    return _contrast(studies, dataset, f"{label}, {paper.title(dataset)}", values, **about)


def _contrast(
    studies: Studies, dataset: str, label: str, values: object, **about: object
) -> Contrast:
    kept = pd.Series(values, dtype=float).dropna()
    if kept.empty or about.get("against") == ():
        raise Missing(f"a run with a finite score for {label}")
    profile = str(studies[dataset]["profile"].iloc[0])
    about = {"small": margin(dataset), "profile": profile} | about
    return Contrast(label, dataset, tuple(kept), **about)


def _scores(studies: Studies, dataset: str, rows: pd.DataFrame, metric: str) -> pd.Series:
    if metric == "time_to_target":
        return arms.times(rows, arms.targets(_runs(studies, dataset, "none")))
    return arms.values(rows, metric)


def _values(studies: Studies, dataset: str, name: str, metric: str = "test_acc") -> pd.Series:
    return arms.values(_runs(studies, dataset, name), metric)


def _runs(studies: Studies, dataset: str, name: str) -> pd.DataFrame:
    study = name.rpartition(":")[0] or "factorial"
    if dataset not in studies or not (studies[dataset]["study"] == study).any():
        raise Missing(f"recorded {study} runs of {paper.title(dataset)}")
    try:
        return arms.runs(studies[dataset], name)
    except ReglabError as error:
        raise Missing(str(error)) from None


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
    )
}

# Rules whose contrasts lie within one data set, so that a missing one leaves the others.
DATA_SET_BY_DATA_SET = (
    direction, size, best, below, combinations, singles, ablation_order, interactions,
)  # fmt: skip
