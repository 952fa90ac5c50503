"""A picture in a live notebook: its controls are widgets, its charts Vega-Lite.

In the built book a page's script shows a `reglab.pages.picture.Picture`; JupyterLab, VS Code and
Colab run no script of a page. There its controls are those of ipywidgets, which ask the kernel, and
its charts are drawn by the notebook itself. Without ipywidgets the first choice is shown.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from reglab.pages.states import Choices, State, short

# JupyterLab 4 draws version 5, and Vega-Altair writes 6; these charts are the same in both.
VEGA_LITE = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name; nothing is loaded from there
WIDTH = 480  # pixels: a notebook has no page that a chart could fill
# Blue, orange, grey: those of the built book's light pages (book/_static/vega/charts.js).
COLORS = ("#0072b2", "#c05000", "#767676")
AGAIN = "Run the cell to choose."


def words(states: Sequence[State], path: Sequence[str], at: int) -> list[str]:
    """Return what a control offers: the words at a place that go with those before it."""
    open_states = (state for state in states if [*state.path[:at]] == [*path[:at]])
    return list(dict.fromkeys(state.path[at] for state in open_states))


def choose(states: Sequence[State], path: Sequence[str], at: int, word: str) -> State:
    """Return the state for a changed word: the words behind it stay where there is such a state."""
    wanted = [*path[:at], word, *path[at + 1 :]]
    left = [state for state in states if [*state.path[: at + 1]] == wanted[: at + 1]]
    near = [state for state in left if [*state.path[:-1]] == wanted[:-1]]
    exact = [state for state in left if [*state.path] == wanted]
    marked = [[state for state in some if state.first] for some in (near, left)]
    return next(some[0] for some in (exact, marked[0], near, marked[1], left) if some)


def charts(picture: Choices, state: State) -> list[dict[str, Any]]:
    """Return a state's charts as Vega-Lite with their data, one after the other."""
    rows = {name: _rows(columns) for name, columns in {**picture.shared, **state.rows}.items()}
    return [
        {
            **spec,
            "$schema": SCHEMA,
            "title": title,
            "width": WIDTH,
            "datasets": {name: rows[name] for name in _named(spec)},
            "config": {"range": {"category": [*COLORS]}, "legend": {"orient": "bottom"}},
        }
        for title, spec in picture.charts.items()
    ]


def _rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [
        dict(zip(columns, map(short, values), strict=True))
        for values in zip(*columns.values(), strict=True)
    ]


def _named(spec: Mapping[str, Any]) -> list[str]:
    parts = [spec, *spec.get("layer", ())]
    return sorted({part["data"]["name"] for part in parts if "data" in part})


def facts(state: State) -> str:
    """Return what is said of a state, as HTML."""
    lines = (
        f"<b>{html.escape(name)}</b>: {html.escape(value)}" if name else html.escape(value)
        for name, value in state.facts
    )
    return "<br>".join(lines)


def bundle(picture: Choices) -> dict[str, Any]:
    """Return what a live notebook shows of a picture, by kind; what is stored says what it was."""
    begins = html.escape(", ".join(picture.start.path))
    stored = {
        "text/html": f"<p>{AGAIN} It begins with {begins}.</p><p>{facts(picture.start)}</p>",
        "text/plain": repr(picture),
    }
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return {VEGA_LITE: _one_chart(charts(picture, picture.start)), **stored}
    return {**controls(picture)._repr_mimebundle_(), **stored}


def _one_chart(specs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return charts one below the other; each keeps its colours."""
    datasets = {name: rows for spec in specs for name, rows in spec["datasets"].items()}
    whole = {"$schema": SCHEMA, "datasets": datasets, "config": specs[0]["config"]}
    parts = [{name: spec[name] for name in spec if name not in whole} for spec in specs]
    return {**whole, "vconcat": parts, "resolve": {"scale": {"color": "independent"}}}


def controls(picture: Choices) -> Any:
    """Return the picture as an ipywidgets box: the controls, what is said, the charts."""
    return _Live(picture).box


class _Live:
    """The widgets of one picture, in step with the state that is shown."""

    def __init__(self, picture: Choices) -> None:
        import ipywidgets as widgets

        self._picture, self._state, self._filling = picture, picture.start, False
        kinds = {"select": widgets.Dropdown, "range": widgets.SelectionSlider}
        self._controls = [
            kinds[kind](description=label, options=words(picture.states, self._state.path, at),
                        style={"description_width": "initial"}, layout={"width": "420px"})
            for at, (label, kind) in enumerate(picture.controls)
        ]  # fmt: skip
        self._facts, self._charts = widgets.HTML(), widgets.Output()
        self._fill()
        for at, control in enumerate(self._controls):
            control.observe(lambda change, at=at: self._chosen(at, change["new"]), "value")
        self.box = widgets.VBox([*self._controls, self._facts, self._charts])

    def _chosen(self, at: int, word: str) -> None:
        if not self._filling:
            self._state = choose(self._picture.states, self._state.path, at, word)
            self._fill()

    def _fill(self) -> None:
        """Bring the widgets in step with the state; that is no choice of the reader's."""
        self._filling = True
        for at, (control, word) in enumerate(zip(self._controls, self._state.path, strict=True)):
            offered = tuple(words(self._picture.states, self._state.path, at))
            if control.options != offered:
                control.options = offered
            control.value = word
        self._filling = False
        self._facts.value = facts(self._state)
        self._charts.outputs = tuple(
            {
                "output_type": "display_data",
                "data": {VEGA_LITE: spec, "text/plain": spec["description"]},
                "metadata": {},
            }
            for spec in charts(self._picture, self._state)
        )
