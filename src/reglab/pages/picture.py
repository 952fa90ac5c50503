"""Pictures that a reader can change: controls, Vega-Lite charts, and the HTML that holds them.

A picture has one `reglab.pages.states.State` for every choice. All states are in the page; its
script (``book/_static/vega/charts.js``) shows one at a time and computes nothing. The numbers come
from `reglab.pages.explorer`. Needs Vega-Altair, of the extra ``book``.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from reglab.pages import live
from reglab.pages.states import Choices, Columns, short

# In this order; relative to a page of the folder notebooks/ in the built book.
SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js", "charts.js")
FOLDER = "../_static/vega"
NO_SCRIPT = "The pictures of this page need JavaScript; without it, the tables and texts remain."
WAITING = "A picture to change: in the built book with JavaScript, or run this cell. It begins with"
# Set by whoever executes notebooks for the book: pictures then are what its pages need.
FOR_BOOK = "REGLAB_FOR_BOOK"


class Picture(Choices):
    """Charts with controls: HTML for the built book, widgets for a live notebook."""

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

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if for_book():
            return {"text/html": self._repr_html_(), "text/plain": repr(self)}
        return live.bundle(self)

    def _repr_html_(self) -> str:
        data = json.dumps(_packed(self.payload()), separators=(",", ":"), allow_nan=False)
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

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        page = {"text/html": self._repr_html_()} if for_book() else {"text/html": ""}
        return {**page, "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        tags = "".join(f'<script defer src="{FOLDER}/{name}"></script>' for name in SCRIPTS)
        return f"<noscript><p>{NO_SCRIPT}</p></noscript>{tags}"

    def __repr__(self) -> str:
        return "the scripts of this page's pictures"


def for_book() -> bool:
    """Return whether what is shown will be stored for the built book; else a reader looks on."""
    return os.environ.get(FOR_BOOK) == "1"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in facts
    )


def _packed(payload: dict) -> dict:
    """Return a payload whose columns of text are runs: each value with how often it follows itself.

    A curve's rows all say which curve they are of, which was over half of a page.
    """
    states = [{**state, "rows": _runs(state["rows"])} for state in payload["states"]]
    return {**payload, "shared": _runs(payload["shared"]), "states": states}


def _runs(rows: Mapping[str, Columns]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: _run(column) for key, column in columns.items()}
        for name, columns in rows.items()
    }


def _run(column: Sequence[Any]) -> Any:
    if not column or not all(isinstance(value, str) for value in column):
        return column
    return {"runs": [[value, len(list(same))] for value, same in groupby(column)]}


def _plain(rows: Mapping[str, Columns]) -> dict[str, dict[str, list]]:
    return {
        name: {key: [short(value) for value in column] for key, column in columns.items()}
        for name, columns in rows.items()
    }
