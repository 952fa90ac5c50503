"""Pictures that a reader can change: controls, Vega-Lite charts, and the HTML that holds them.

A picture has one `State` for every choice that its controls offer. All states are in the page; its
script (``book/_static/vega/charts.js``) shows one at a time and computes nothing. The numbers come
from `reglab.pages.explorer`. Needs Vega-Altair, of the extra ``book``.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reglab.errors import ReglabError

# In this order; relative to a page of the folder notebooks/ in the built book.
SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js", "charts.js")
FOLDER = "../_static/vega"
NO_SCRIPT = "The pictures of this page need JavaScript; without it, the tables and texts remain."
WAITING = "The picture needs the built book, opened with JavaScript. It begins with"

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
class Picture:
    """Charts with controls, as HTML for a notebook and the book.

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

    def payload(self) -> dict:
        """Return what the page's script reads: plain values, numbers rounded for showing."""
        return {
            "charts": list(self.charts.values()),
            "shared": _plain(self.shared),
            "start": self.states.index(self.start),
            "states": [
                {
                    "path": list(state.path),
                    "rows": _plain(state.rows),
                    "facts": [list(pair) for pair in state.facts],
                    "first": state.first,
                }
                for state in self.states
            ],
        }

    def _repr_html_(self) -> str:
        data = json.dumps(self.payload(), separators=(",", ":"), allow_nan=False)
        data = data.replace("</", "<\\/")  # nothing in it may end the script element
        controls = "".join(
            self._control(*pair, number) for number, pair in enumerate(self.controls)
        )
        charts = "".join(
            f'<figure><figcaption>{html.escape(title)}</figcaption><div class="chart"></div>'
            "</figure>"
            for title in self.charts
        )
        begins = html.escape(", ".join(self.start.path))
        return (
            f'<div class="picture" id="picture-{self.name}">'
            f'<p class="waiting">{WAITING}: {begins}.</p>'
            f'<form hidden autocomplete="off">{controls}</form>'
            f'<dl class="facts" aria-live="polite">{_facts(self.start.facts)}</dl>'
            f'<div class="charts" hidden>{charts}</div>'
            f'<script type="application/json">{data}</script></div>'
        )

    def _control(self, label: str, kind: str, number: int) -> str:
        name, title = f"picture-{self.name}-{number}", html.escape(label)
        if kind == "select":
            entry = f'<select id="{name}"></select>'
        else:
            last = len(self.states) - 1
            entry = (
                f'<input id="{name}" type="range" min="0" max="{last}" step="1">'
                f'<output for="{name}"></output>'
            )
        return f'<p><label for="{name}">{title}</label> {entry}</p>'

    def __repr__(self) -> str:
        words = " / ".join(label for label, _ in self.controls)
        return f"{self.name}: {len(self.states)} choices of {words}"


@dataclass(frozen=True)
class Scripts:
    """The scripts that draw a page's pictures, once a page; served with the book."""

    def _repr_html_(self) -> str:
        tags = "".join(f'<script defer src="{FOLDER}/{name}"></script>' for name in SCRIPTS)
        return f"<noscript><p>{NO_SCRIPT}</p></noscript>{tags}"

    def __repr__(self) -> str:
        return "the scripts of this page's pictures"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in facts
    )


def _plain(rows: Mapping[str, Columns]) -> dict[str, dict[str, list]]:
    return {
        name: {key: [_short(value) for value in column] for key, column in columns.items()}
        for name, columns in rows.items()
    }


def _short(value: Any) -> Any:
    """Return a number with five significant digits, None for one that is not finite."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list]:
    """Return rows as `State.rows` has them: a column a name."""
    return {name: [row[name] for row in rows] for name in names}
