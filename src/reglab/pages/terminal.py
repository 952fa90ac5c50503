"""Finished studies and the ledger as tables for a terminal.

`reglab.pages.text` and `reglab.pages.ledger` have what goes into files and pipes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Console, RenderableType
from rich.table import Table, box
from rich.text import Text

from reglab import paper
from reglab.pages import ledger
from reglab.results import provenance
from reglab.study import measures
from reglab.study.frame import summarize
from reglab.verdicts.judging import Row

# Colour is a help: the word stands there as well.
_STYLES = {"yes": "green", "part": "green", "read-yes": "green", "no": "red", "read-no": "red",
           "small": "cyan", "open": "yellow"}  # fmt: skip


def show(parts: Sequence[RenderableType]) -> None:
    """Print to standard output, as wide as the terminal is."""
    console = Console()
    for part in parts:
        console.print(part)


def studies(frames: Mapping[str, pd.DataFrame]) -> list[RenderableType]:
    """Return a table a data set, a row an arm, and the line on where the runs came from.

    Args:
        frames: `reglab.study.frame.load_frame` of each data set; one profile and device in all.
    """
    everything = pd.concat(frames.values(), ignore_index=True)
    measured = f"Test {measures.in_words(frames.values())} in percent over seeds."
    about = Text(f"{measured} {provenance.line(everything)}")
    return [*(_study(paper.title(name), frame) for name, frame in frames.items()), about]


def _study(title: str, frame: pd.DataFrame) -> Table:
    names = (
        "study",
        "arm",
        measures.of(frame).name,
        "95 % interval",
        "n",
        "validation",
        "diverged",
    )
    table = _table(title, names[: 7 if frame["diverged"].any() else 6], right=names[2:])
    before = None
    for row in summarize(frame).to_dict("records"):
        if before not in (None, row["study"]):
            table.add_section()
        before = row["study"]
        ends = [_number(row[end]) for end in ("low", "high")]
        interval = " to ".join(ends) if all(ends) else ""
        cells = [row["study"], row["arm"], _number(row["mean"]), interval, str(row["n"])]
        cells += [_number(row["validation"]), str(row["n_diverged"] or "")]
        table.add_row(*map(Text, cells[: len(table.columns)]))
    return table


def claims(rows: Sequence[Row]) -> list[RenderableType]:
    """Return the ledger as a table, a row a claim, and how many have which verdict."""
    table = _table("", ("claim", "what the paper says", "by arithmetic", "by runs", "measured"))
    for row in rows:
        verdicts = (row.by_arithmetic, row.by_runs)
        words = [Text(word, _STYLES.get(ledger.tone(word), "")) for word in verdicts]
        table.add_row(Text(row.id), Text(row.quote), *words, Text(_measured(row)))
    return [table, Text(ledger.tally(rows))]


def _measured(row: Row) -> str:
    if row.estimate is None:
        return ""
    interval = "" if row.low is None else f" ({row.low:.2f} to {row.high:.2f})"
    return f"{row.estimate:z.2f}{interval} {row.unit}"


def _table(title: str, names: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return an empty table that wraps what is long and cuts nothing off."""
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:z.2f}"
