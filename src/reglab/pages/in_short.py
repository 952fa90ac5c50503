"""What holds of the paper in a few lines, with which the front page and chapters begin.

Sentences follow the records in either direction, as everywhere (`reglab.pages.clauses`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.cells import TECHNIQUES
from reglab.pages.clauses import Said, effect, listed, points, shown
from reglab.results import gains, tables
from reglab.stats import Estimate
from reglab.study.profiles import PRINTED_LAMBDA, PRINTED_P
from reglab.verdicts.judging import Row
from reglab.verdicts.words import CONFIRMED, DIRECTION, INCONSISTENT, REFUTED, UNDECIDED

Recorded = Mapping[str, pd.DataFrame]
_CHOSEN = "at a strength chosen on validation images"
_NAMES = (f"L2, {_CHOSEN},", f"Dropout after the hidden layer, {_CHOSEN},", "Batch normalization")
_PLAIN = dict(zip(TECHNIQUES, _NAMES, strict=True))
_PRINTED = {  # at the paper's strength: its arm, and what it is
    "l2": (f"l2={PRINTED_LAMBDA:g}", f"L2 at λ = {PRINTED_LAMBDA:g}, added to the mean loss,"),
    "dropout": (f"dropout={PRINTED_P:g}", "Dropout of half of the hidden units"),
}
NOTHING = "No runs are recorded with this copy of the book."


def in_short(studies: Recorded, rows: Sequence[Row], root: str = "") -> Said:
    """Return what holds, what does not and what is open, as a list.

    Args:
        studies: recorded studies by data set.
        rows: the ledger.
        root: path from the page to the folder of the notebooks, for links.
    """
    runs = (_all_three(studies), _alone(studies), _as_printed(studies)) if studies else (NOTHING,)
    judged = (_confirmed(rows, root), _refuted(rows, root)) if studies else ()
    parts = (*runs, *judged, _broken(rows, root), _open(rows, root))
    return Said("\n".join(f"- {part}" for part in parts if part))


def of_technique(studies: Recorded, technique: str) -> Said:
    """Return what the runs show of "l2" or "dropout" at the paper's strength and at the chosen one.

    The lines with which a chapter begins; gains as in `in_short`.
    """
    if not studies:
        return Said(NOTHING)
    said = _PLAIN[technique], effect(_gains(studies, technique), figures=True)
    return points(_at_the_printed(studies, technique), " ".join(said))


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


def _at_the_printed(studies: Recorded, technique: str) -> str:
    label, name = _PRINTED[technique]
    estimates = {
        dataset: tables.difference(
            tables.arm(study, "literal", label), tables.arm(study, "factorial", "none")
        )
        for dataset, study in studies.items()
        if ((study["study"] == "literal") & (study["arm"] == label)).any()
    }
    return f"{name} {effect(estimates, figures=True)}" if estimates else ""


def _as_printed(studies: Recorded) -> str:
    said = [_at_the_printed(studies, technique) for technique in _PRINTED]
    lines = [f"  - {one}." for one in said if one]
    return "\n".join(["**At the strengths that the paper prints:**", *lines]) if lines else ""


def _confirmed(rows: Sequence[Row], root: str) -> str:
    """Say which claims the runs confirm; of a printed size they may confirm the direction alone."""
    parts = []
    for word, limit in ((CONFIRMED, ""), (DIRECTION, " in direction only")):
        quoted = [f"“{row.quote}” ({link(row, root)})" for row in rows if row.by_runs == word]
        parts += [f"{listed(quoted)}{limit}"] if quoted else []
    return f"**The runs confirm** {'; '.join(parts)}." if parts else ""


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
        f"**Still open:** {left} of {len(rows)} claims were measured and not decided. There may "
        "be no effect, or too few seeds to see it: "
        f'<a href="{root}power.html">what these runs can show</a>.'
    )
