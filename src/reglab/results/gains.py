"""What one network gains over another, beside the gain that the paper prints for it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reglab import formulas, paper
from reglab.cells import CELL_ORDER, COMBINATIONS, TECHNIQUES
from reglab.results import factorial, tables
from reglab.stats import Estimate


@dataclass(frozen=True)
class Gain:
    """One cell of the factorial minus another, on one data set.

    Attributes:
        treated, control: names of the cells.
        setting: the strengths that the treated cell was run with, in words; "" where it has none.
        estimate: in points of test accuracy; None if no seed has both.
        printed: the paper's gain in points: none, one, or one a printed baseline.
    """

    dataset: str
    treated: str
    control: str
    setting: str
    estimate: Estimate | None
    printed: tuple[float, ...]

    @property
    def paper(self) -> str:
        """The printed gain as text: "+1.9", "+4.9 / +5.0", or "" where there is none."""
        return " / ".join(f"{value:+.1f}" for value in self.printed)


def gain(study: pd.DataFrame, treated: str, control: str = "none") -> Gain:
    """Return one cell's gain over another; errors as `reglab.results.tables.arm`."""
    dataset = study["dataset"].iloc[0]
    estimate = factorial.contrast(study, treated, control)
    printed = _printed(dataset, treated, control)
    return Gain(dataset, treated, control, setting(study, treated), estimate, printed)


def over_nothing(study: pd.DataFrame) -> list[Gain]:
    """Return the gains of each technique and each combination over no regularization."""
    return [gain(study, cell) for cell in CELL_ORDER if cell != "none"]


def over_each(study: pd.DataFrame) -> list[Gain]:
    """Return the gains of all three techniques over each alone."""
    return [gain(study, "all", single) for single in TECHNIQUES]


def printed_interactions(dataset: str) -> dict[str, tuple[float, ...]]:
    """Return the interaction contrasts of the paper's cells in points, one a printed baseline.

    By combination, as `reglab.formulas.interaction_contrasts`; empty for a data set of one's own.
    """
    cells = [paper.printed_cells(dataset, it) for it in paper.printed_baselines(dataset)]
    found = [formulas.interaction_contrasts(it) for it in cells]
    return {name: tuple(sorted(float(it[name]) for it in found)) for name in COMBINATIONS}


def setting(study: pd.DataFrame, cell: str) -> str:
    """Return the strengths of a cell in words, e.g. "λ = 0.01, drop rate 0.7"."""
    first = tables.arm(study, "factorial", cell).iloc[0]
    parts = [f"λ = {first['lam']:g}"] if first["lam"] else []
    parts += [f"drop rate {first['dropout']:g}"] if first["dropout"] else []
    return ", ".join(parts)


def _printed(dataset: str, treated: str, control: str) -> tuple[float, ...]:
    ours = paper.printed_cell(dataset, treated)
    theirs = paper.printed_cell(dataset, control)
    if control == "none" and treated in TECHNIQUES:  # each table has a baseline of its own
        own = paper.printed(treated, dataset, "none")
        theirs = [] if own is None else [own]
    return tuple(sorted(float(one - other) for one in ours for other in theirs))
