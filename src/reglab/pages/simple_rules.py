"""Simple rules beside the networks, on text and time series: tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.data import bundled
from reglab.data.dataset import load_dataset
from reglab.pages import chapters, clauses
from reglab.results import baselines, factorial, stopping
from reglab.stats import Estimate, mean_interval
from reglab.study import measures

Frames = Mapping[str, pd.DataFrame]
NETWORKS = ("none", "all")  # what rules are held against, fixed beforehand
UNSTOPPED = "no regularization, not stopped"


def table(studies: Frames) -> chapters.Stack | clauses.Said:
    """Return what simple rules reach beside the networks, paired by seed."""
    shown = []
    for name, frame in studies.items():
        if (rules := baselines.recorded(name)) is None:
            continue
        rows = []
        for rule in rules:
            beside = _beside(frame, rules[rule])
            score = f"test {measures.of(frame).name}"
            row = {"rule": rule, score: mean_interval(rules[rule].tolist())}
            row |= {f"{network} − rule": one for network, one in beside.items()}
            rows.append(row | {"n": max((one.n for one in beside.values() if one), default=0)})
        what = measures.of(frame).name
        caption = f"Simple rules and the network: {what} in percent, differences in points."
        shown.append(chapters.shown_for(name, frame, pd.DataFrame(rows), caption))
    return chapters.Stack(tuple(shown)) if shown else clauses.Said("No rules are recorded.")


def in_short(studies: Frames) -> list[str]:
    """Return a sentence a data set: the best rule, and networks beside it."""
    said = []
    for name, frame in studies.items():
        if (rules := baselines.recorded(name)) is None:
            continue
        best = rules.mean().idxmax()
        beside = "; ".join(
            f"{network}: {clauses.clause(one, up='better by', down='worse by')}"
            for network, one in _beside(frame, rules[best]).items()
        )
        what = "is right in" if measures.of(frame) is measures.ACCURACY else "has an R² of"
        said.append(
            f"{paper.title(name)}: the simple rule that did best on the test part, {best}, {what} "
            f"{rules[best].mean():.1f} %. The network beside it, with {beside}"
        )
    return said


def in_units(studies: Frames) -> clauses.Said:
    """Return what R² amounts to: rules' and networks' errors in the units of what they predict."""
    said = []
    for name, frame in studies.items():
        rules = baselines.recorded(name)
        if measures.of(frame) is measures.ACCURACY or rules is None:
            continue
        spread = load_dataset(name).y_test.double().std(correction=0).item()
        unit = bundled.manifest()[name]["unit"]
        columns = {rule: rules[rule] for rule in rules} | _networks(frame)
        errors = {
            label: mean_interval((spread * np.sqrt(1 - values / 100)).tolist())
            for label, values in columns.items()
            if len(values)
        }
        listed = "; ".join(
            f"{label}: {one.mean:.2f}" + (f" ± {one.half_width:.2f}" if one.sd > 0 else "")
            for label, one in errors.items()
        )
        said.append(f"{paper.title(name)}, root of the mean squared error in {unit}: {listed}")
    return clauses.points(*said) if said else clauses.Said("No forecasts are recorded.")


def _beside(frame: pd.DataFrame, rule: pd.Series) -> dict[str, Estimate | None]:
    """Return networks' scores minus a rule's, paired by seed, in points, by network."""
    return against(_networks(frame), rule)


def against(columns: Mapping[str, pd.Series], rule: pd.Series) -> dict[str, Estimate | None]:
    """Return scores minus a rule's, paired by seed, in points; None where no seed has both.

    Args:
        columns: scores by seed, by name.
        rule: the rule's, by seed.
    """
    differences = {name: (column - rule).dropna() for name, column in columns.items()}
    return {
        name: mean_interval(values.tolist()) if len(values) else None
        for name, values in differences.items()
    }


def _networks(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the test scores, by seed, of the networks that rules are held against."""
    scores = factorial.scores(frame, names=NETWORKS)
    columns = {CELL_NAMES[cell]: scores[cell].dropna() for cell in NETWORKS}
    if (last := stopping.unstopped(frame)) is not None:
        columns[UNSTOPPED] = last[measures.of(frame).name]
    return columns
