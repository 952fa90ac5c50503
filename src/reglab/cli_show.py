"""The command line's part on pictures: `reglab show DATASET`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reglab.cli_options import Store, picture_file
from reglab.errors import ReglabError


def show(
    dataset: Annotated[str, typer.Argument(help="Name of a data set.")],
    profile: Annotated[
        str | None, typer.Option(help="Of finished runs [default: the best recorded ones].")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A .svg, .png or .pdf [default: DATASET.svg].")
    ] = None,
    store: Store = None,
) -> None:
    """Draw what each combination gains, with intervals and the paper's values, to a file."""
    output = picture_file(output or Path(f"{dataset}.svg"))
    frame = _recorded(dataset) if profile is None else _finished(dataset, profile, store)
    from reglab.pages.forest import forest

    forest({dataset: frame}).savefig(output, dpi=200)
    print(output)


def _recorded(dataset: str):
    from reglab.data import bundled
    from reglab.data.sources import KNOWN
    from reglab.paths import results_folder
    from reglab.results import recorded

    studies = recorded.studies(names=(*KNOWN, *bundled.NAMES))
    if dataset not in studies:
        raise ReglabError(
            f"{results_folder()} holds no whole study of {dataset!r}; name the profile of runs of "
            "your own with --profile"
        )
    return studies[dataset]


def _finished(dataset: str, profile: str, store: Path | None):
    from reglab.runs.store import open_store
    from reglab.study.frame import load_frame
    from reglab.study.plan import make_plan

    return load_frame(make_plan(dataset, profile), open_store(store))
