"""The command line's part on recorded tables: writing one, joining those of several machines."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from reglab.record import RunRecord
from reglab.runs.store import merge_tables, write_table


def merge_into(tables: list[Path], folder: Path) -> None:
    """Join tables, and what the folder holds of the same data sets, into one a data set."""
    names = {run.config.dataset for run in merge_tables(tables).values()}
    old = [folder / f"{name}.jsonl.gz" for name in sorted(names)]
    merged = merge_tables([*(path for path in old if path.exists()), *tables])
    for path in old:
        name = path.name.removesuffix(".jsonl.gz")
        write([run for run in merged.values() if run.config.dataset == name], path)


def write(records: Collection[RunRecord], path: Path) -> None:
    """Write runs as a table, and say how large it is."""
    write_table(records, path)
    print(f"{path}: {len(records)} runs, {path.stat().st_size / 1e6:.2f} MB")
