"""Numbers to pages: one way of showing a table, in a notebook, in the book and as text."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import pandas as pd

from reglab.stats import Estimate, TwoKinds

MISSING = "–"
# What a column's name is too short to say; added to the caption of a table that has it.
NOTES = {
    "± with images": "± with images: half of the interval over seeds and test images.",
    "did not learn": "Did not learn: training accuracy was never above twice that of guessing.",
}
_R2 = {
    "R²": "R²: the share of the targets' variance that is predicted, in percent.",
    "did not learn": "Did not learn: R² on the training part was never above 10 %.",
}
KINDS = "Where only some runs did, the mean of those and that of the others stand for an interval."
MORE = "Machines and versions"


@dataclass(frozen=True)
class Shown:
    """A table with a caption that a notebook renders as HTML, and LaTeX or a terminal as text.

    Attributes:
        table: text cells.
        caption: a sentence.
        source: profile, images and seeds behind the numbers; may be empty.
        more: address of the page that says the rest; may be empty.
    """

    table: pd.DataFrame
    caption: str
    source: str = ""
    more: str = ""

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in self.table.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.table.itertuples(index=False)
        )
        return (
            f'<table class="dataframe"><caption>{self._caption_html()}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _caption_html(self) -> str:
        if not self.source:
            return html.escape(self.caption)
        more = f' <a href="{html.escape(self.more)}">{MORE}</a>.' if self.more else ""
        return f"{html.escape(self.caption)}<br><small>{html.escape(self.source)}{more}</small>"

    def _repr_markdown_(self) -> str:
        more = f" [{MORE}]({self.more})." if self.more else ""
        return f"{markdown(self.table)}\n\n*{self.caption}* {self.source}{more}"

    def __repr__(self) -> str:
        return f"{self.table.to_string(index=False)}\n{self.caption}\n{self.source}"


def show(table: pd.DataFrame, caption: str, source: str = "", more: str = "") -> Shown:
    """Return a table ready to be shown: numbers rounded, estimates as "98.40 ± 0.21",
    those of two kinds of runs as "58.36: 2 of 81.86, 1 of 11.35".

    Args:
        table: columns of text, numbers, `Estimate` or None; a column of missing values is left
            out (an own data set has no paper to stand beside).
        caption: a sentence; it says the unit where the columns do not. What `NOTES` say of a
            column is added to it, and `KINDS` where a cell is of two kinds.
        source: where the numbers come from (`reglab.results.provenance`).
        more: address of the page that says the rest.
    """
    kept = table.dropna(axis=1, how="all")
    known = NOTES | _R2 if "R²" in " ".join([caption, *map(str, kept.columns)]) else NOTES
    notes = [note for name, note in known.items() if name in (*kept.columns, "R²")]
    if any(isinstance(value, TwoKinds) for name in kept for value in kept[name]):
        notes.append(KINDS)
    return Shown(as_text(kept), " ".join([caption, *notes]).strip(), source, more)


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return every cell as it is shown."""
    return pd.DataFrame(
        {name: [_cell(value, name) for value in table[name].tolist()] for name in table.columns}
    )


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown; numbers rounded as in `show`."""
    text = as_text(table)
    lines = [list(text.columns), ["---"] * len(text.columns), *text.itertuples(index=False)]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _cell(value: object, column: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, TwoKinds):
        return value.short
    if isinstance(value, Estimate):
        half = MISSING if value.n < 2 else f"{value.half_width:.2f}"
        return f"{value.mean:z.2f} ± {half}"
    if isinstance(value, float):
        if column.endswith("validation loss"):
            return f"{value:z.3f}"
        percent = any(one in column for one in ("accuracy", "R²", "±"))
        return f"{value:z.2f}" if percent else f"{value:.4g}"
    return str(value)
