"""The paper's printed numbers (`paper.toml`), exact, and the arithmetic between them."""

from __future__ import annotations

import functools
from decimal import Decimal
from importlib.resources import files

from reglab.cells import CELL_ORDER, COMBINATIONS, WITHOUT
from reglab.errors import ReglabError
from reglab.paper import schema

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}


# Of which the paper has nothing.
OTHERS = {"sotu": "State of the Union", "watch": "Smartwatch", "weather": "Weather"}


def title(dataset: str) -> str:
    """Return a data set's name for people; an own data set's is its file's."""
    return (TITLES | OTHERS).get(dataset, dataset)


def contents() -> dict:
    """Return `paper.toml`, every number with a decimal point as an exact Decimal.

    Raises:
        ReglabError: the file is not what `reglab.paper.schema` asks for; it names the place.
    """
    return _file()


@functools.cache
def _file() -> dict:
    return schema.read(files("reglab.paper") / "paper.toml")


def printed(table: str, dataset: str, column: str) -> Decimal | None:
    """Return a printed number in percent or points; None where the paper has none.

    Raises:
        ReglabError: the paper has no such table.
    """
    tables = contents()["tables"]
    if table not in tables:
        raise ReglabError(f"the paper has no table {table!r}; there are {', '.join(tables)}")
    return tables[table].get(dataset, {}).get(column)


def printed_baselines(dataset: str) -> list[Decimal]:
    """Return the distinct "no regularization" values, one a table, ascending; they disagree."""
    baselines = {printed(table, dataset, "none") for table in ("l2", "dropout", "bn")}
    return sorted(baselines - {None})


def printed_cell(dataset: str, cell: str) -> list[Decimal]:
    """Return what the paper prints for a cell of the factorial: none, one or several numbers."""
    if cell == "none":
        return printed_baselines(dataset)
    value = printed("combined" if cell in COMBINATIONS else cell, dataset, cell)
    return [] if value is None else [value]


def printed_cells(dataset: str, baseline: Decimal) -> dict[str, Decimal]:
    """Return the paper's eight cells in percent, with one of its `printed_baselines` as "none".

    Raises:
        ReglabError: the paper does not have the data set.
    """
    cells = {cell: printed_cell(dataset, cell) for cell in CELL_ORDER if cell != "none"}
    if not all(cells.values()):
        raise ReglabError(f"the paper has no {dataset!r}; its data sets are {', '.join(TITLES)}")
    return {"none": baseline} | {cell: values[0] for cell, values in cells.items()}


def implied_drop(dataset: str, technique: str) -> Decimal | None:
    """Return the loss of leaving ``technique`` out as the paper's own Table 3 has it, in points."""
    whole = printed("combined", dataset, "all")
    part = printed("combined", dataset, WITHOUT[technique])
    return None if whole is None or part is None else whole - part
