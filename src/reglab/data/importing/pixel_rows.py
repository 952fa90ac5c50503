"""A CSV with a row an image: its label in one column, its pixels in the others."""

from __future__ import annotations

import zlib
from pathlib import Path

import pandas as pd

from reglab.data.importing.draft import PART_NAMES, Draft, Options, in_order, listed
from reglab.errors import ReglabError

ENDS = (".csv", ".csv.gz")
LABELS = ("label", "labels", "class", "target", "y")


def read(source: Path, options: Options) -> Draft:
    """Return the rows of one CSV, or of train.csv and test.csv in a folder.

    Raises:
        ReglabError: no label column, or pixels that are no numbers.
    """
    images, labels, said = {}, {}, []
    for part, path in _files(source).items():
        table = _table(path)
        column = _label(path, table, options)
        pixels = table.drop(columns=[column])
        if wrong := [name for name in pixels if pixels[name].dtype.kind not in "buif"]:
            raise ReglabError(
                f"{path}: columns {listed(list(map(str, wrong)))} hold no numbers; only the label "
                "and pixels may be there"
            )
        images[part], labels[part] = pixels.to_numpy(), table[column].to_numpy()
        said.append(f"{path.name}: {len(table):,} rows, label in column {column!r}")
    draft = Draft(images, labels)
    draft.say("source", "; ".join(said))
    return draft


def tables(folder: Path) -> list[Path]:
    """Return the CSVs of a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDS))


def _files(source: Path) -> dict[str, Path]:
    if source.is_file():
        return {"train": source}
    files = {}
    for path in tables(source):
        part = PART_NAMES.get(path.name.lower().partition(".")[0])
        if part is None or part in files:
            raise ReglabError(f"{source} must hold train.csv and test.csv only, found {path.name}")
        files[part] = path
    if "train" not in files:
        raise ReglabError(f"{source} holds no train.csv")
    return in_order(files)


def _table(path: Path) -> pd.DataFrame:
    """Read a CSV, by commas, semicolons or tabs; a first row of numbers is a row, not names."""
    try:
        sep = ","
        first = pd.read_csv(path, nrows=1, header=None, dtype=str)
        if first.shape[1] == 1:
            sep = max(";\t", key=str(first.iloc[0, 0]).count)
            first = pd.read_csv(path, sep=sep, nrows=1, header=None, dtype=str)
        unnamed = pd.to_numeric(first.iloc[0], errors="coerce").notna().all()
        return pd.read_csv(path, sep=sep, header=None if unnamed else 0)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        detail = " ".join(str(error).split())[:200]
        raise ReglabError(f"{path} cannot be read as CSV ({detail})") from None


def _label(path: Path, table: pd.DataFrame, options: Options) -> object:
    """Return the label's column: as named, or the one that is called so."""
    names = {str(name): name for name in table}
    if options.label is not None:
        if options.label not in names:
            raise ReglabError(f"{path} has no column {options.label!r}; it has {_few(names)}")
        return names[options.label]
    fits = [name for text, name in names.items() if text.lower() in LABELS]
    if len(fits) != 1:
        raise ReglabError(
            f"{path}: which column is the label? Give --label, one of {_few(names)}"
            + ("" if isinstance(next(iter(table)), str) else " (there are no names: by number)")
        )
    return fits[0]


def _few(names: dict[str, object]) -> str:
    return listed(list(names), 4)
