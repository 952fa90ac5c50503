"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reglab.errors import ReglabError


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


class LedgerFormat(StrEnum):
    """How the ledger is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


Dataset = Annotated[str, typer.Option(help="Name of a data set, or 'all' for the paper's three.")]
Profile = Annotated[str, typer.Option(help="smoke, pilot, reduced, full or paper.")]
Seeds = Annotated[int | None, typer.Option(help="Evaluation seeds [default: the profile's].")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Study = Annotated[str, typer.Option(help="The paper's protocol, or a further study by name.")]
Store = Annotated[
    Path | None, typer.Option(help="Folder of finished runs [default: $REGLAB_STORE or runs].")
]

PICTURES = (".svg", ".png", ".pdf")


def picture_file(output: Path) -> Path:
    """Return ``output``, or raise a ReglabError if its ending is that of no picture."""
    if output.suffix not in PICTURES:
        raise ReglabError(f"--output must end with one of {', '.join(PICTURES)}, got {output}")
    return output
