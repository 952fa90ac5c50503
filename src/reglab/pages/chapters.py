"""The chapters' tables of the recorded results, one kind for every data set that has them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.pages import display
from reglab.results import costs, factorial, provenance, recorded, tables

# From a chapter or a rerun page, which both lie one folder down.
PROVENANCE = "../book/method.html#method-provenance"


@dataclass(frozen=True)
class Stack:
    """Tables under one another, one a data set, and what is said of them: paragraphs, and lists."""

    shown: tuple[display.Shown, ...]
    remark: str = ""

    def _repr_html_(self) -> str:
        parts = [table._repr_html_() for table in self.shown]
        return "\n".join(parts + [_block(text) for text in self.remark.split("\n\n") if text])

    def _repr_markdown_(self) -> str:
        return "\n\n".join([*(table._repr_markdown_() for table in self.shown), self.remark])

    def __repr__(self) -> str:
        return "\n\n".join([*map(repr, self.shown), self.remark])


def _block(text: str) -> str:
    """Return a paragraph, or a list where each line begins with "- "."""
    if not text.startswith("- "):
        return f"<p>{html.escape(text)}</p>"
    points = (html.escape(line.removeprefix("- ")) for line in text.splitlines())
    return f"<ul>{''.join(f'<li>{point}</li>' for point in points)}</ul>"


# kind -> (numbers of a study, caption)
_TABLES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "l2": (lambda study: tables.effect_table(study, "l2"), "L2 beside the paper's Table 1."),
    "lambda": (tables.lambda_table, "Three readings of lambda over the grids."),
    "dropout": (
        lambda study: tables.effect_table(study, "dropout"),
        "Dropout beside the paper's unnumbered table.",
    ),
    "dropout_rates": (tables.dropout_sweep_table, "Drop rates, and what each is called."),
    "bn": (
        lambda study: tables.effect_table(study, "bn"),
        "Batch normalization beside the paper's Table 2.",
    ),
    "gap": (factorial.gap_table, "Training minus test accuracy, in points."),
    "size": (factorial.size_table, "Accuracy and gap over the number of images taken."),
    "rates": (factorial.rate_table, "Learning rate and batch normalization."),
    "time": (factorial.time_table, "Epochs and seconds of each cell."),
    "combined": (tables.combined_table, "Combinations beside the paper's Table 3."),
    "interactions": (factorial.interaction_table, "Interaction contrasts, in points."),
    "ablation": (tables.ablation_table, "What leaving one technique out costs, in points."),
    "costs": (costs.cost_table, "Accuracy gained in points, and what one run took."),
    "machine": (costs.machine_table, "What depends on the machine: seconds and memory of one run."),
}
# The study that a kind is made from, where it is not the factorial.
_NEEDED = {"lambda": "lambda", "dropout_rates": "dropout", "size": "size", "rates": "rate"}
_PRINTED = {"l2": "l2", "dropout": "dropout", "bn": "bn", "combined": "combined"}


def table(kind: str, studies: Mapping[str, pd.DataFrame] | None = None) -> Stack:
    """Return one of the chapters' tables for every data set that has recorded runs.

    Args:
        kind: l2, lambda, dropout, dropout_rates, bn, gap, size, rates, time, combined,
            interactions, ablation, costs or machine.
        studies: by data set; None = `reglab.results.recorded.studies`.

    Raises:
        ReglabError: unknown kind, or a damaged table.
    """
    if kind not in _TABLES:
        raise ReglabError(f"no table {kind!r}; there are {', '.join(_TABLES)}")
    numbers, caption = _TABLES[kind]
    studies = recorded.studies() if studies is None else studies
    needed = _NEEDED.get(kind, "factorial")
    studies = {name: study for name, study in studies.items() if (study["study"] == needed).any()}
    shown = [shown_for(name, study, numbers(study), caption) for name, study in studies.items()]
    missing = [paper.title(name) for name in KNOWN if name not in studies]
    if missing and kind in _PRINTED:
        shown.append(_printed(_PRINTED[kind], missing))
    return Stack(tuple(shown), missing_remark(studies))


def shown_for(
    dataset: str, study: pd.DataFrame, numbers: pd.DataFrame, caption: str
) -> display.Shown:
    """Return a table of one data set's recorded runs, with a note and a link to the rest."""
    title = f"{paper.title(dataset)}. {caption}"
    return display.show(numbers, title, provenance.note(study), PROVENANCE)


def missing_remark(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence that names the data sets without recorded runs; empty if there is none."""
    missing = [paper.title(name) for name in KNOWN if name not in studies]
    return f"Not recorded yet at a deciding scale: {', '.join(missing)}." if missing else ""


def _printed(which: str, titles: list[str]) -> display.Shown:
    """Return the paper's own table for data sets that have nothing of ours to stand beside."""
    rows = [
        {"data set": paper.title(name)}
        | {CELL_NAMES[cell]: str(paper.printed(which, name, cell)) for cell in _cells(which)}
        for name in KNOWN
        if paper.title(name) in titles
    ]
    return display.show(pd.DataFrame(rows), "As the paper prints it: test accuracy in percent.")


def _cells(which: str) -> tuple[str, ...]:
    return tuple(cell for cell in paper.contents()["tables"][which]["mnist"])
