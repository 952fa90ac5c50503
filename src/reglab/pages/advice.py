"""What a reader who trains networks may take from the recorded runs, in sentences that follow them.

Each piece of advice has a side for either outcome: it says what the runs show, and if they show
nothing it says that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import scipy.stats

from reglab import paper
from reglab.cells import CELL_NAMES, TECHNIQUES, WITHOUT
from reglab.pages.clauses import Said, by_dataset, listed, shown, shown_on
from reglab.results import arms, factorial, gains, tables
from reglab.stats import Estimate
from reglab.verdicts.words import margin

Recorded = Mapping[str, pd.DataFrame]
Estimates = dict[str, Estimate | None]
HIGHER = {"up": "higher by", "down": "lower by"}


def practice(studies: Recorded) -> Said:
    """Return the advice as a list, in Markdown."""
    if not studies:
        return Said("No runs are recorded with this copy of the book.")
    parts = (_penalty, _dropout, _normalization, _together, _stopping, _seeds)
    return Said("\n".join(f"- {part(studies)}" for part in parts))


def _penalty(studies: Recorded) -> str:
    printed = {name: _minus_none(study, "literal", "l2=0.1") for name, study in studies.items()}
    if _any(printed, "down"):
        head = (
            "**Do not copy λ = 0.1 into a penalty on the mean loss**, nor into `weight_decay` of "
            f"PyTorch's SGD, which is the same: there it {_effect(printed)}."
        )
    else:
        head = f"**λ = 0.1 on the mean loss** {_effect(printed)}."
    ours = _effect(_over_none(studies, "l2"))
    return f"{head} Choose λ by validation: {_chosen(studies, 'l2')} {ours}."


def _dropout(studies: Recorded) -> str:
    half = {name: _minus_none(one, "literal", "dropout=0.5") for name, one in studies.items()}
    ours = _effect(_over_none(studies, "dropout"))
    return (
        f"**Dropout after the hidden layer** at the paper's rate of 0.5 {_effect(half)}; at what "
        f"validation chose, {_chosen(studies, 'dropout')}, it {ours}."
    )


def _normalization(studies: Recorded) -> str:
    early = {name: factorial.contrast(study, "bn", "none", "early_val_acc")
             for name, study in studies.items()}  # fmt: skip
    head = (
        f"**Batch normalization learns sooner** on {shown_on(early)}, by the validation accuracy "
        f"of the first {arms.EARLY} epochs."
        if _any(early, "up")
        else "**Batch normalization** is not shown to learn sooner."
    )
    return f"{head} In the end it {_effect(_over_none(studies, 'bn'))}."


def _together(studies: Recorded) -> str:
    beside = {single: _cells(studies, "all", single) for single in TECHNIQUES}
    ahead = [f"{CELL_NAMES[single]} alone on {shown_on(ours)}"
             for single, ours in beside.items() if _any(ours, "up")]  # fmt: skip
    head = (
        f"**All three together do better than one alone**: than {listed(ahead)}."
        if ahead
        else "**All three together** are not shown to do better than one alone."
    )
    drops = {single: _cells(studies, "all", WITHOUT[single]) for single in TECHNIQUES}
    matters = [f"{CELL_NAMES[single]} on {shown_on(ours)}"
               for single, ours in drops.items() if _any(ours, "up")]  # fmt: skip
    part = (
        f"Leaving one of them out is shown to cost accuracy for {listed(matters)}."
        if matters
        else "That leaving one of them out costs accuracy is not shown."
    )
    epochs = _cells(studies, "all", "none", "epochs")
    longer = {"up": "later by", "down": "sooner by", "unit": "epochs"}
    return f"{head} {part} Training stops, beside no technique, {by_dataset(epochs, **longer)}."


def _stopping(studies: Recorded) -> str:
    kept = {name: _minus_none(study, "no_early_stop", "none", "last_test_acc")
            for name, study in studies.items()}  # fmt: skip
    if _any(kept, "up"):
        head = (
            f"**Stopping on the validation loss costs accuracy** on {shown_on(kept)}: the loss "
            "turns before the accuracy does."
        )
    elif _any(kept, "down"):
        head = f"**Stopping early pays** on {shown_on(kept, above=False)}."
    else:
        head = "**Stopping early** is not shown to change the accuracy of the plain network."
    return (
        f"{head} The plain network after all epochs, beside the one that was stopped: "
        f"{by_dataset(kept, **HIGHER)}."
    )


def _seeds(studies: Recorded) -> str:
    apart = {}
    for name, study in studies.items():
        plain = tables.accuracy(tables.arm(study, "factorial", "none"))
        if plain is not None and plain.n > 1:
            # The interval of one new difference, as sd is estimated from the same few runs.
            quantile = scipy.stats.t.ppf(0.975, plain.n - 1)
            apart[paper.title(name)] = quantile * math.sqrt(2) * plain.sd
    said = listed(f"{value:.1f} points on {name}" for name, value in apart.items())
    if not said:
        return "**Run more than one seed**: one run says nothing of the spread."
    return (
        "**Run more than one seed.** Two runs of the plain network that differ in the seed alone "
        f"are apart by up to about {said} in 19 of 20 cases."
    )


def _effect(ours: Estimates) -> str:
    """Return "raises test accuracy on A and B, lowers it on C and is open on D", as it is shown."""
    verbs = {
        "up": "raises test accuracy on",
        "down": "lowers test accuracy on",
        "small": "makes no difference that matters on",
        "open": "is not shown to help or to harm on",
    }
    groups = {kind: [paper.title(name) for name, one in ours.items()
                     if shown(one, margin(name)) == kind] for kind in verbs}  # fmt: skip
    return listed(f"{verbs[kind]} {listed(names)}" for kind, names in groups.items() if names)


def _chosen(studies: Recorded, cell: str) -> str:
    return listed(f"{gains.setting(study, cell)} for {paper.title(name)}"
                  for name, study in studies.items())  # fmt: skip


def _over_none(studies: Recorded, cell: str) -> Estimates:
    return _cells(studies, cell, "none")


def _cells(studies: Recorded, treated: str, control: str, metric: str = "test_acc") -> Estimates:
    return {name: factorial.contrast(study, treated, control, metric)
            for name, study in studies.items()}  # fmt: skip


def _minus_none(
    study: pd.DataFrame, kind: str, label: str, metric: str = "test_acc"
) -> Estimate | None:
    """Return an arm's score minus the plain network's test accuracy; None if it is not recorded."""
    rows = study[(study["study"] == kind) & (study["arm"] == label)]
    if rows.empty:
        return None
    rows = rows.assign(test_acc=rows[metric])
    return tables.difference(rows, tables.arm(study, "factorial", "none"))


def _any(estimates: Estimates, kind: str) -> bool:
    return any(shown(one, margin(name)) == kind for name, one in estimates.items())
