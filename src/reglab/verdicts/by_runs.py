"""Claims against runs: each rule turns recorded studies into contrasts.

A claim's arguments stand in `paper.toml`. Where its words can be read in several ways, it has
`readings`, each with arguments of its own; `others` are data that the words do not name. Arms that
the words do not name are tried for all claims alike (`reglab.verdicts.alternatives`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, PAIRS, TECHNIQUES, WITHOUT
from reglab.results import arms, levels
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.lookup import Missing, Profiles, Studies, Swap, as_named, each_profile
from reglab.verdicts.words import margin


def build(
    rule: str, profiles: Profiles, swap: Swap = as_named, **arguments: object
) -> tuple[list[Contrast], list[Missing]]:
    """Return the contrasts of one reading of a claim, and what is not recorded of what it needs.

    A claim on several data sets gives the contrasts of those that are recorded: one of them can
    refute it. Each data set is judged at the best
    profile that has what is needed on two seeds or more, else at the best that has it at all;
    what compares data sets is of one profile.
    """
    function, contrasts, missing = RULES[rule], [], []
    apart = function in DATA_SET_BY_DATA_SET
    names = arguments.get("datasets", tuple(paper.TITLES))
    for part in [[name] for name in names] if apart else [None]:
        chosen = arguments | ({"datasets": part} if apart else {})
        ours, absent = _at_the_best(function, profiles, swap, chosen)
        contrasts += ours
        missing += absent
    return contrasts, missing


def _at_the_best(
    function: Callable[..., list[Contrast]],
    profiles: Profiles,
    swap: Swap,
    arguments: Mapping[str, object],
) -> tuple[list[Contrast], list[Missing]]:
    tried = []
    for layer in each_profile(profiles):
        try:
            contrasts = function(Studies(layer, swap), **arguments)
        except Missing as one:
            tried.append(([], [one]))
            continue
        if all(contrast.estimate.n > 1 for contrast in contrasts):  # one seed decides nothing
            return contrasts, []
        tried.append((contrasts, []))
    return next((one for one in tried if one[0]), tried[0])


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
    (side,), metric = studies.sides(dataset, [cell])
    printed = tuple(float(value) for value in paper.printed_cell(dataset, cell))
    about = {"level": printed, "unit": "%", "measure": arms.METRICS[metric]}
    if metric == "test_acc":  # what the bits of each test image are of
        about["images"] = levels.with_images(side.rows)
    label = f"{side.words}, {paper.title(dataset)}"
    return [_contrast(studies, dataset, label, side.scores, **about)]


def larger_gain(
    studies: Studies, dataset: str, treated: str, control: str, metric: str = "test_acc"
) -> list[Contrast]:
    """The gain on one data set minus that on each other: two data sets share no seed."""
    gains = {}
    for name in (dataset, *(name for name in paper.TITLES if name != dataset)):
        (ours, theirs), measure = studies.sides(name, (treated, control), metric)
        gains[name] = tuple((ours.scores - theirs.scores).dropna())
    what = f"gain of {ours.words} over {theirs.words}"
    return [
        _contrast(
            studies,
            dataset,
            f"{what}, {paper.title(dataset)} minus {paper.title(name)}",
            gains[dataset],
            against=gains[name],
            elsewhere=name,
            measure=arms.METRICS[measure],
        )
        for name in gains
        if name != dataset
    ]


def best(
    studies: Studies, datasets: Sequence[str], best: str, rivals: Sequence[str]
) -> list[Contrast]:
    """One strength of a sweep minus each rival, on each data set."""
    return [_pair(studies, name, best, rival) for name in datasets for rival in rivals]


def below(
    studies: Studies, datasets: Sequence[str], cell: str, metric: str, bound: object
) -> list[Contrast]:
    """How far an arm's score stays below a bound (in percent)."""
    contrasts = []
    for name in datasets:
        (side,), measure = studies.sides(name, [cell], metric)
        about = {"below": float(bound), "unit": "%", "measure": arms.METRICS[measure]}
        label = f"{side.words}, {paper.title(name)}"
        contrasts.append(_contrast(studies, name, label, float(bound) - side.scores, **about))
    return contrasts


def combinations(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each combination minus each of its parts, so that no best part has to be chosen."""
    return [
        _pair(studies, name, cell, part)
        for name in datasets
        for cell, parts in COMBINATIONS.items()
        for part in parts
    ]


def singles(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """Each technique alone minus none, on each data set."""
    return [_pair(studies, name, single, "none") for name in datasets for single in TECHNIQUES]


def ablation_order(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The drop of leaving out L2 minus that of dropout, and dropout's minus BN's."""
    contrasts = []
    for name in datasets:
        for first, second in (("l2", "dropout"), ("dropout", "bn")):
            # the network with all three is in both drops and cancels
            sides, measure = studies.sides(name, (WITHOUT[second], WITHOUT[first]))
            label = f"drop without {CELL_NAMES[first]} minus drop without {CELL_NAMES[second]}"
            values = sides[0].scores - sides[1].scores
            about = {"measure": arms.METRICS[measure]}
            label = f"{label}, {paper.title(name)}"
            contrasts.append(_contrast(studies, name, label, values, **about))
    return contrasts


def interactions(studies: Studies, datasets: Sequence[str]) -> list[Contrast]:
    """The two-way interaction of each pair, on each data set: above zero is more than the sum."""
    contrasts = []
    for name in datasets:
        for pair, parts in PAIRS.items():
            sides, measure = studies.sides(name, (pair, *parts, "none"))
            both, first, second, none = (side.scores for side in sides)
            label = f"gain of {CELL_NAMES[pair]} minus the sum of its parts' gains"
            label = f"{label}, {paper.title(name)}"
            about = {"measure": arms.METRICS[measure]}
            contrasts.append(_contrast(studies, name, label, both - first - second + none, **about))
    return contrasts


def _pair(
    studies: Studies,
    dataset: str,
    treated: str,
    control: str,
    metric: str = "test_acc",
    **about: object,
) -> Contrast:
    (ours, theirs), metric = studies.sides(dataset, (treated, control), metric)
    # a claim that the plain network has more of something is read as "the other has less"
    turned = treated == "none"
    first, second = (theirs, ours) if turned else (ours, theirs)
    unit = arms.UNITS.get(metric, "points")
    about |= {"unit": unit, "small": margin(dataset) if unit == "points" else None}
    about |= {"measure": arms.METRICS[metric], "below": 0.0 if turned else None}
    about["kinds"] = "; ".join(side.kinds for side in (first, second) if side.kinds)
    label = f"{first.words} minus {second.words}, {paper.title(dataset)}"
    return _contrast(studies, dataset, label, ours.scores - theirs.scores, **about)


def _contrast(
    studies: Studies, dataset: str, label: str, values: object, **about: object
) -> Contrast:
    kept = pd.Series(values, dtype=float).dropna()
    if kept.empty or about.get("against") == ():
        raise Missing(f"a run with a finite score for {label}", paper.title(dataset))
    about = {"small": margin(dataset), "profile": studies.profile(dataset)} | about
    return Contrast(label, dataset, tuple(kept), **about)


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
