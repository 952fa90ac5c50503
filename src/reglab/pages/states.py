"""Choices of a reader and what each shows, for a page (`picture`) and for Lab (`live`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reglab.errors import ReglabError

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class State:
    """One choice of the reader, and what it shows.

    Attributes:
        path: the words chosen, one a control.
        rows: name of a chart's data -> its columns, all of one length.
        facts: (name, value) pairs that are shown as text; a name may be empty.
        first: of the states that share a beginning of the path, show this one first.
    """

    path: tuple[str, ...]
    rows: Mapping[str, Columns]
    facts: tuple[tuple[str, str], ...]
    first: bool = False


@dataclass(frozen=True)
class Choices:
    """Charts with controls, and a state for every choice that these offer.

    Attributes:
        name: a-z and - only; every id in the HTML is made from it, so once a page.
        controls: (label, "select" or "range") pairs; a range has a picture to itself.
        charts: title -> Vega-Lite specification, as Vega-Altair makes it.
        states: all choices there are.
        shared: rows that every state has.
        opening: the state shown at the start; None = the first one marked ``first``.

    Raises:
        ReglabError: no state, a path that is not one word a control, or columns of two lengths.
    """

    name: str
    controls: tuple[tuple[str, str], ...]
    charts: Mapping[str, dict]
    states: tuple[State, ...]
    shared: Mapping[str, Columns] = field(default_factory=dict)
    opening: State | None = None

    def __post_init__(self) -> None:
        if not self.states:
            raise ReglabError(f"{self.name}: a picture must have at least one state, got none")
        for state in self.states:
            if len(state.path) != len(self.controls):
                raise ReglabError(
                    f"{self.name}: a path must have {len(self.controls)} words, got {state.path}"
                )
            for data, columns in {**self.shared, **state.rows}.items():
                lengths = sorted({len(column) for column in columns.values()})
                if len(lengths) > 1:
                    raise ReglabError(
                        f"{self.name}: the columns of {data} must have one length, got {lengths}"
                    )

    @property
    def start(self) -> State:
        """The state shown at first."""
        marked = next((state for state in self.states if state.first), self.states[0])
        return self.opening or marked


def short(value: Any) -> Any:
    """Return a number with five significant digits, None for one that is not finite."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list]:
    """Return rows as `State.rows` has them: a column a name."""
    return {name: [row[name] for row in rows] for name in names}
