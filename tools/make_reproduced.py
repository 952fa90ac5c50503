"""What was reproduced, with what, and what could not be: the facts of the one-page summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from make_map import link

from reglab import paper
from reglab.pages.clauses import listed
from reglab.verdicts import Row
from reglab.verdicts.words import EDITORIAL, NOT_TESTABLE


def effort(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return what the recorded runs took, as Markdown: runs, images, hours, machines."""
    if not studies:
        return "No runs are recorded with this copy of the book.\n"
    runs = {name: study.drop_duplicates("key") for name, study in studies.items()}
    every = pd.concat(runs.values(), ignore_index=True)
    each = listed(
        f"{len(rows):,} on {paper.title(name)} (profile *{rows['profile'].iloc[0]}*, "
        f"{int(rows['n_train'].max()):,} images)"
        for name, rows in runs.items()
    )
    hours = every["seconds"].sum() / 3600
    made_on = listed(sorted(every["device_name"].unique()))
    lines = (
        f"**Runs:** {len(every):,} trained networks: {each}.",
        f"**Effort:** {hours:,.0f} hours of a core, beside other work.",
        f"**Hardware:** {made_on}; {listed(sorted(every['device'].unique()))}, "
        f"{listed(sorted(every['precision'].unique()))}.",
        f"**Software:** PyTorch {listed(sorted(every['torch_version'].unique()))}; every package "
        "is pinned with its hashes in `requirements.lock`.",
    )
    return "".join(f"- {line}\n" for line in lines)


def beyond(rows: Sequence[Row]) -> str:
    """Return the claims on numbers and set-up that runs cannot settle yet, and what is missing."""
    left = [row for row in rows
            if row.id.startswith("N") and row.by_runs == NOT_TESTABLE
            and row.by_arithmetic != EDITORIAL]  # fmt: skip
    lines = (
        f"- {link(row)}, “{row.quote}”. {row.runs_say[0].removesuffix(' So far:')}\n"
        for row in left
    )
    return "".join(lines) or "Nothing: every claim on numbers and set-up has been tested.\n"
