"""What holds of the paper in a few lines, which the front page and *What holds* begin with.

Sentences follow the records in either direction, as everywhere (`reglab.pages.clauses`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.cells import TECHNIQUES
from reglab.pages.clauses import Said, effect, listed, shown
from reglab.results import gains
from reglab.stats import Estimate
from reglab.verdicts.judging import Row
from reglab.verdicts.words import INCONSISTENT, REFUTED, UNDECIDED

Recorded = Mapping[str, pd.DataFrame]
_PLAIN = dict(zip(TECHNIQUES, ("L2", "Dropout", "Batch normalization"), strict=True))
NOTHING = "No runs are recorded with this copy of the book."


def in_short(studies: Recorded, rows: Sequence[Row], root: str = "") -> Said:
    """Return what holds, what does not and what is open, as a list.

    Args:
        studies: recorded studies by data set.
        rows: the ledger.
        root: path from the page to the folder of the notebooks, for links.
    """
    runs = (_all_three(studies), _alone(studies), _refuted(rows, root)) if studies else (NOTHING,)
    parts = (*runs, _broken(rows, root), _open(rows, root))
    return Said("\n".join(f"- {part}" for part in parts if part))


def link(row: Row, root: str = "") -> str:
    """Return a claim's id as a link to its row of the ledger, in HTML."""
    return f'<a href="{root}verdict.html#claim-{row.id.lower()}">{row.id}</a>'


def _gains(studies: Recorded, cell: str) -> dict[str, Estimate | None]:
    return {name: gains.gain(study, cell).estimate for name, study in studies.items()}


def _all_three(studies: Recorded) -> str:
    ahead = [paper.title(name) for name, study in studies.items()
             if all(shown(one.estimate) == "up" for one in gains.over_each(study))]  # fmt: skip
    over = f" They do better than each single technique on {listed(ahead)}." if ahead else ""
    whole = effect(_gains(studies, "all"), several=True, figures=True)
    return f"**All three techniques together** {whole}.{over}"


def _alone(studies: Recorded) -> str:
    said = [f"  - {name} {effect(_gains(studies, cell), figures=True)}."
            for cell, name in _PLAIN.items()]  # fmt: skip
    return "\n".join(["**One technique alone:**", *said])


def _refuted(rows: Sequence[Row], root: str) -> str:
    refuted = [row for row in rows if row.by_runs == REFUTED]
    if not refuted:
        return "**The runs refute** no claim of the paper so far."
    return f"**The runs refute** {listed(f'“{row.quote}” ({link(row, root)})' for row in refuted)}."


def _broken(rows: Sequence[Row], root: str) -> str:
    """Say of how many claims the printed numbers and formulas alone dispose."""
    broken = [row for row in rows if row.by_arithmetic == INCONSISTENT]
    if not broken:
        return ""
    return (
        f"**Without any run,** the paper's own numbers and formulas contradict {len(broken)} of "
        f"{len(rows)} claims: {listed(link(row, root) for row in broken)}."
    )


def _open(rows: Sequence[Row], root: str) -> str:
    left = sum(row.by_runs == UNDECIDED for row in rows)
    if not left:
        return ""
    return (
        f"**Still open:** {left} claims were measured and not decided. There may be no effect, or "
        f'too few seeds to see it: <a href="{root}power.html">what these runs can show</a>.'
    )
