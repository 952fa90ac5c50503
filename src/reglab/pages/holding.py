"""What of the paper holds, in sentences that follow the records.

Effects are sorted by what the runs show of them (`clauses.shown`), claims by their verdict, so that
the same code says what holds, what does not and what stays open, whatever is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, TECHNIQUES
from reglab.data.sources import FULL_SIZE
from reglab.pages.clauses import Said, listed, shown
from reglab.pages.in_short import NOTHING, link
from reglab.results import gains, tables
from reglab.results.gains import Gain
from reglab.verdicts.judging import Row
from reglab.verdicts.words import (
    CONFIRMED,
    CONSISTENT,
    DIRECTION,
    INCONSISTENT,
    NEGLIGIBLE,
    REFUTED,
    UNDECIDED,
    margin,
)

Recorded = Mapping[str, pd.DataFrame]


def behind(studies: Recorded) -> Said:
    """Say how large the studies are that this page rests on."""
    if not studies:
        return Said(NOTHING)
    sizes = "; ".join(f"{paper.title(name)}, {_scale(study)}" for name, study in studies.items())
    return Said(
        f"The runs behind this page: {sizes}. A network's width is the number of channels of its "
        "first convolutions."
    )


def _scale(study: pd.DataFrame) -> str:
    """Return e.g. "10,000 of 60,000 training images, 5 seeds, width 16"."""
    rows = tables.arm(study, "factorial", "none")
    n, whole = int(rows["n_train"].iloc[0]), FULL_SIZE.get(study["dataset"].iloc[0])
    images = f"all {n:,}" if n == whole else f"{n:,} of {whole:,}" if whole else f"{n:,}"
    return f"{images} training images, {len(rows)} seeds, width {rows['width'].iloc[0]}"


def holds(studies: Recorded, rows: Sequence[Row]) -> Said:
    """Say which gains are shown, where, at which settings, and which claims are confirmed."""
    lines = [_effects(study, "up") for study in studies.values()]
    if not any(lines):
        lines.append("- No gain of a single technique or of all three is shown by the runs so far.")
    confirmed = [row for row in rows if row.by_runs in (CONFIRMED, DIRECTION)]
    lines.append(_claims("In the paper's own words, the runs confirm", confirmed))
    right = [row for row in rows if row.by_arithmetic == CONSISTENT and row.id.startswith("M")]
    lines.append(_claims("Of the mathematics, right as printed:", right, figures=False))
    return _list(lines)


def fails(studies: Recorded, rows: Sequence[Row]) -> Said:
    """Say which effects have the opposite sign, and which claims are refuted by runs."""
    lines = [_effects(study, "down") for study in studies.values()]
    refuted = [row for row in rows if row.by_runs == REFUTED]
    lines.append(_claims("In the paper's own words, the runs refute", refuted))
    lines.append("" if any(lines) else "- The runs so far refute nothing.")
    lines.append(_by_itself([row for row in rows if row.by_arithmetic == INCONSISTENT]))
    return _list(lines)


def _by_itself(broken: Sequence[Row]) -> str:
    """Return the claims that fail without a run, each with the reason that the ledger gives."""
    if not broken:
        return ""
    items = [f"  - “{row.quote}” ({link(row)}). {row.reason}" for row in broken]
    return "\n".join(["- Without any run, by the paper's own numbers and formulas:", *items])


def stays_open(studies: Recorded, rows: Sequence[Row]) -> Said:
    """Say which effects are small, which are not seen, and which claims are left, and why."""
    lines = [_effects(study, kind) for kind in ("small", "open") for study in studies.values()]
    undecided = [row for row in rows if row.by_runs == UNDECIDED]
    small = [row for row in rows if row.by_runs == NEGLIGIBLE]
    text = f"Claims that are measured and left open ({len(undecided)})"
    lines.append(f"- {text}: {listed(map(link, undecided))}." if undecided else "")
    text = f"A difference that is negligible either way: {listed(map(link, small))}"
    lines.append(f"- {text}." if small else "")
    return _list(lines)


_KINDS = {
    "up": "the runs show higher test accuracy for",
    "down": "the runs show lower test accuracy for",
    "small": "no difference that matters is left for",
    "open": "the runs leave open",
}


def _effects(study: pd.DataFrame, kind: str) -> str:
    """Return what a study shows of one kind, as a line of a list; "" for nothing."""
    name = study["dataset"].iloc[0]
    singles = [gains.gain(study, cell) for cell in (*TECHNIQUES, "all")]
    ours = [one for one in singles if shown(one.estimate, margin(name)) == kind]
    beyond = [one for one in gains.over_each(study) if shown(one.estimate, margin(name)) == kind]
    parts = [_effect(one) for one in ours]
    if beyond:
        over = listed(f"{_number(one)} over {CELL_NAMES[one.control]} alone" for one in beyond)
        parts.append(f"all three beside one: {over}")
    if not parts:
        return ""
    return f"- **{paper.title(name)}**: {_KINDS[kind]} {'; '.join(parts)}."


def _effect(one: Gain) -> str:
    name = "all three" if one.treated == "all" else CELL_NAMES[one.treated]
    at = f" ({one.setting})" if one.setting else ""
    return f"{name}{at} {_number(one)}"


def _number(one: Gain) -> str:
    if one.estimate is None:
        return "not measured"
    half = "" if one.estimate.n < 2 else f" ± {one.estimate.half_width:.2f}"
    printed = f" [paper {one.paper}]" if one.paper else ""
    return f"{one.estimate.mean:+z.2f}{half}{printed}"


def _claims(text: str, rows: Sequence[Row], *, figures: bool = True) -> str:
    if not rows:
        return ""
    quoted = (f"“{row.quote}” ({link(row)}{_figure(row) if figures else ''})" for row in rows)
    return f"- {text} {'; '.join(quoted)}."


def _figure(row: Row) -> str:
    word = ", in direction" if row.by_runs == DIRECTION else ""
    return f"{word}; {row.compared}"


def _list(lines: Iterable[str]) -> Said:
    return Said("\n".join(line for line in lines if line))
