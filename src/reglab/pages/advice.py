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
from reglab.pages.clauses import Said, effect, listed, shown, shown_on
from reglab.pages.in_short import NOTHING
from reglab.results import arms, factorial, tables
from reglab.stats import Estimate
from reglab.verdicts.words import margin

Recorded = Mapping[str, pd.DataFrame]
Estimates = dict[str, Estimate | None]
HIGHER = {"up": "higher by", "down": "lower by"}


def practice(studies: Recorded) -> Said:
    """Return the advice as a list, in Markdown."""
    if not studies:
        return Said(NOTHING)
    parts = (_penalty, _dropout, _normalization, _together, _stopping, _seeds)
    return Said("\n".join(f"- {part(studies)}" for part in parts))


def _penalty(studies: Recorded) -> str:
    printed = {name: _minus_none(study, "literal", "l2=0.1") for name, study in studies.items()}
    head = (
        "**Do not copy λ = 0.1** into a penalty on the mean loss, which is `weight_decay=0.1` of "
        "PyTorch's SGD: it"
        if _any(printed, "down")
        else "**λ = 0.1** as a penalty on the mean loss"
    )
    return f"{head} {effect(printed)}. Validation chose {_chosen(studies, 'lam')}."


def _dropout(studies: Recorded) -> str:
    half = {name: _minus_none(one, "literal", "dropout=0.5") for name, one in studies.items()}
    return (
        f"**Dropout after the hidden layer** at the paper's rate of 0.5 {effect(half)}. Validation "
        f"chose {_chosen(studies, 'dropout')}."
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
    return f"{head} In the end it {effect(_cells(studies, 'bn', 'none'))}."


def _together(studies: Recorded) -> str:
    whole, epochs = _cells(studies, "all", "none"), _cells(studies, "all", "none", "epochs")
    head = (
        f"**Try all three together**: on {shown_on(whole)} they do better than none."
        if _any(whole, "up")
        else "**All three together** are not shown to do better than none."
    )
    longer = (
        f" They take more epochs on {shown_on(epochs)}: see "
        "[Accuracy and its cost](tradeoffs.html)."
        if "up" in map(shown, epochs.values())
        else ""
    )
    return f"{head} {_without_one(studies)}{longer}"


def _without_one(studies: Recorded) -> str:
    """Say for which techniques, and where, leaving one out of three is shown to cost accuracy."""
    where: dict[str, list[str]] = {}
    for single in TECHNIQUES:
        ours = _cells(studies, "all", WITHOUT[single])
        if _any(ours, "up"):
            where.setdefault(shown_on(ours), []).append(CELL_NAMES[single])
    if not where:
        return "That leaving one of them out costs accuracy is not shown."
    said = listed(f"of {listed(names)} on {sets}" for sets, names in where.items())
    return f"Leaving one out is shown to cost accuracy in the case {said}."


def _stopping(studies: Recorded) -> str:
    kept = {name: _minus_none(study, "no_early_stop", "none", "last_test_acc")
            for name, study in studies.items()}  # fmt: skip
    if _any(kept, "up"):
        return (
            f"**Stopping on the validation loss costs accuracy** on {shown_on(kept)}: after all "
            "epochs the plain network is more accurate there than where that loss was lowest."
        )
    if _any(kept, "down"):
        return f"**Stopping early pays** on {shown_on(kept, above=False)}."
    return "**Stopping early** is not shown to change the accuracy of the plain network."


def _seeds(studies: Recorded) -> str:
    apart = {}
    for name, study in studies.items():
        plain = tables.score(tables.arm(study, "factorial", "none"))
        if plain is not None and plain.n > 1:
            # The interval of one new difference, as sd is estimated from the same few runs.
            quantile = scipy.stats.t.ppf(0.975, plain.n - 1)
            apart[paper.title(name)] = quantile * math.sqrt(2) * plain.sd
    said = listed(f"{value:.1f} points on {name}" for name, value in apart.items())
    if not said:
        return "**Run more than one seed**: one run says nothing of the spread."
    return (
        "**Run more than one seed.** In 19 of 20 cases two plain networks that differ in the seed "
        f"alone are apart by up to about {said}."
    )


def _chosen(studies: Recorded, field: str) -> str:
    """Return what validation chose, e.g. "λ = 0.0005 for MNIST and 0.005 for Fashion-MNIST"."""
    cell, name = ("l2", "λ = ") if field == "lam" else ("dropout", "a rate of ")
    values = {one: tables.arm(study, "factorial", cell)[field].iloc[0]
              for one, study in studies.items()}  # fmt: skip
    return name + listed(f"{value:g} for {paper.title(one)}" for one, value in values.items())


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
