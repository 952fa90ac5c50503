"""What was reproduced, with what, and what could not be: the facts of the one-page summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from make_map import link

from reglab import paper
from reglab.data.sources import FULL_SIZE
from reglab.pages.clauses import listed
from reglab.study.standing import Standing
from reglab.verdicts import Row
from reglab.verdicts.words import EDITORIAL, NOT_TESTABLE, WHOLE


def effort(
    studies: Mapping[str, pd.DataFrame],
    further: Mapping[str, Mapping[str, pd.DataFrame]] | None = None,
) -> str:
    """Return what the recorded runs took, as Markdown: runs, images, hours, machines.

    Args:
        studies: the protocol's, by data set.
        further: further studies, by name and data set.
    """
    if not studies:
        return "No runs are recorded with this copy of the book.\n"
    runs = {name: study.drop_duplicates("key") for name, study in studies.items()}
    own = pd.concat(runs.values(), ignore_index=True)
    more = {name: _beside(own, each) for name, each in (further or {}).items() if each}
    # runs of one data set that several studies share count once
    every = pd.concat([own, *more.values()], ignore_index=True).drop_duplicates(["dataset", "key"])
    each = listed(
        f"{len(rows):,} on {paper.title(name)} (profile *{rows['profile'].iloc[0]}*, "
        f"{int(rows['n_train'].max()):,} images)"
        for name, rows in runs.items()
    )
    hours = every["seconds"].sum() / 3600
    made_on = listed(sorted(every["device_name"].unique()))
    lines = (
        f"**Runs:** {len(own):,} trained networks: {each}.{_counted(more)}",
        f"**Effort:** {hours:,.0f} hours of a core, beside other work.",
        f"**Hardware:** {made_on}; {listed(sorted(every['device'].unique()))}, "
        f"{listed(sorted(every['precision'].unique()))}.",
        f"**Software:** PyTorch {listed(sorted(every['torch_version'].unique()))}; every package "
        "is pinned with its hashes in `requirements.lock`.",
    )
    return "".join(f"- {line}\n" for line in lines)


def _beside(own: pd.DataFrame, studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the runs of a further study that the protocol does not have, each once."""
    runs = pd.concat(studies.values(), ignore_index=True).drop_duplicates("key")
    return runs[~runs["key"].isin(own["key"])]


def _counted(more: Mapping[str, pd.DataFrame]) -> str:
    counts = listed(f"{len(runs):,} in *{name}*" for name, runs in more.items())
    return f" In further studies: {counts}." if counts else ""


def scale(studies: Mapping[str, pd.DataFrame], begun: Sequence[Standing]) -> str:
    """Return how far the runs in the tables reach, and which larger studies are begun, as Markdown.

    Args:
        studies: the best complete one of each data set.
        begun: those that are not complete (`reglab.results.recorded.begun`).
    """
    part = {name: int(study["n_train"].max()) for name, study in studies.items()
            if study["profile"].iloc[0] not in WHOLE}  # fmt: skip
    sizes = listed(f"{n:,} of {FULL_SIZE[name]:,} on {paper.title(name)}"
                   for name, n in part.items())  # fmt: skip
    said = [
        f"Not all training images were used: {sizes}. Such runs decide directions, not sizes; "
        "networks that see all images can be expected to be more accurate."
    ] if part else ["All training images were used."] if studies else []  # fmt: skip
    said += [
        f"Begun at the *{one.profile}* profile, and used once it is complete: "
        f"{paper.title(one.dataset)}, {one.done:,} of {'' if one.exact else 'up to '}{one.total:,} "
        f"runs, {one.blocks[0]} of {one.blocks[1]} evaluation seeds complete."
        for one in begun
    ]
    return " ".join(said) + "\n"


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
