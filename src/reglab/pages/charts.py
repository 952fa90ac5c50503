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

try:
    import altair as alt
except ImportError:
    raise ReglabError(
        "the explorer needs Vega-Altair, which is not installed; install reglab[book]"
    ) from None

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
        controls = "".join(self._control(*pair, at) for at, pair in enumerate(self.controls))
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

    def _control(self, label: str, kind: str, at: int) -> str:
        name, title = f"picture-{self.name}-{at}", html.escape(label)
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


def specification(chart: alt.Chart | alt.LayerChart, about: str, height: int = 250) -> dict:
    """Return a chart's Vega-Lite specification: as wide as the page, described for screen readers.

    Colours, fonts and the like are the page's script's to set: they follow its light or dark theme.
    """
    sized = chart.properties(width="container", height=height, description=about)
    made = sized.to_dict()
    made.pop("config", None)  # Vega-Altair's own look
    return made


def rows_of(name: str) -> alt.Chart:
    """Return a chart of the rows that states have under ``name``."""
    return alt.Chart(alt.NamedData(name=name))


# Categories in the order of the script's colours: blue, orange, grey.
PARTS = ("training", "validation")
NETWORKS = ("this choice", "no regularization")
KINDS = ("this choice", "the paper", "the others")
FORMS = ("divided by the keep probability", "as the paper writes it")
SIDES = ("before BN", "after BN")
SPEEDS = ("norm of the gradient", "effective learning rate")


def _kind(channel: type, column: str, words: tuple[str, ...], **legend: Any) -> Any:
    """Return an encoding of a column of words, with a legend of the kind given."""
    shown = alt.Legend(**legend) if legend else alt.Undefined
    return channel(f"{column}:N", scale=alt.Scale(domain=words), title=None, legend=shown)


def curves_chart(name: str, label: str) -> dict:
    """Return curves over epochs: columns epoch, mean, low, high, part and network.

    ``part`` is one of `PARTS`, ``network`` of `NETWORKS`; the band is drawn for this choice.
    """
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d"))
    low, mean = (
        alt.Y(f"{end}:Q", scale=alt.Scale(zero=False), title=label) for end in ("low", "mean")
    )
    color = _kind(alt.Color, "part", PARTS, symbolType="stroke", symbolOpacity=1)
    dash = _kind(alt.StrokeDash, "network", NETWORKS, symbolType="stroke")
    chosen = rows_of(name).transform_filter(alt.datum.network == NETWORKS[0])
    band = chosen.mark_area(opacity=0.2).encode(x, low, alt.Y2("high:Q"), color)
    line = rows_of(name).mark_line(strokeWidth=2).encode(x, mean, color, dash)
    return specification(band + line, f"Mean {label} over epochs, training and validation.")


def scores_chart(name: str) -> dict:
    """Return accuracies with intervals: columns label, order, kind (`KINDS`), mean, low, high."""
    y = alt.Y("label:N", sort=alt.EncodingSortField("order", op="min"), title=None)
    low, mean = (
        alt.X(f"{end}:Q", scale=alt.Scale(zero=False), title="test accuracy (%)")
        for end in ("low", "mean")
    )
    color = _kind(alt.Color, "kind", KINDS)
    shape = _kind(alt.Shape, "kind", KINDS)
    interval = rows_of(name).mark_rule(strokeWidth=2).encode(y, low, alt.X2("high:Q"), color)
    point = _points(name).encode(y, mean, color, shape)
    about = "Test accuracy with 95 % intervals: this choice, its neighbours, and the paper."
    return specification(interval + point, about)


def shrinkage_chart(decades: Sequence[float]) -> dict:
    """Return a curve ``kept`` over ``h``, ticks at ``decades``; a point of rows ``half``."""
    axis = alt.Axis(format="~g", values=list(decades), labelOverlap=True)
    x = alt.X("h:Q", scale=alt.Scale(type="log"), title="curvature h (log scale)", axis=axis)
    y = alt.Y("kept:Q", scale=alt.Scale(domain=[0, 1]), title="share kept, h / (h + λ)")
    about = "The share of a minimum that L2 keeps, over the curvature of the loss."
    return specification(_line("kept").encode(x, y) + _points("half").encode(x, y), about)


def variance_chart() -> dict:
    """Return ``variance`` over ``drop``, a line a ``form``, with points of the rows ``point``."""
    x, y = alt.X("drop:Q", title="drop rate δ"), alt.Y("variance:Q", title="variance, for h = 1")
    about = "The variance of a dropped-out activation over the drop rate, in two forms."
    return specification(_lines_with_points("curve", "point", x, y, "form", FORMS), about)


def outputs_chart(limit: float) -> dict:
    """Return the ``value`` of each ``example`` of a batch, a mark a kind (``what``, `SIDES`)."""
    x = alt.X("example:O", title="example of the batch", axis=alt.Axis(labelAngle=0))
    y = alt.Y("value:Q", scale=alt.Scale(domain=[-limit, limit]), title="value")
    color, shape = (_kind(channel, "what", SIDES) for channel in (alt.Color, alt.Shape))
    points = _points("outputs").encode(x, y, color, shape)
    return specification(points, "A unit's values for each example, before and after BN.")


def speeds_chart(scales: Sequence[float], decades: Sequence[float]) -> dict:
    """Return ``value`` over ``a``, a line a kind (`SPEEDS`), with points of the rows ``now``."""
    x, y = (
        channel(f"{column}:Q", scale=alt.Scale(type="log", nice=False), title=title,
                axis=alt.Axis(format="~g", values=list(values), labelOverlap=True))
        for channel, column, values, title in (
            (alt.X, "a", scales, "scale a (log)"), (alt.Y, "value", decades, "value (log)")
        )
    )  # fmt: skip
    about = "Gradient and effective learning rate over the scale of the weights."
    return specification(_lines_with_points("rates", "now", x, y, "what", SPEEDS), about)


def _lines_with_points(
    lines: str, points: str, x: alt.X, y: alt.Y, column: str, words: tuple[str, ...]
) -> alt.LayerChart:
    color, dash = (
        _kind(channel, column, words, columns=1, symbolType="stroke")
        for channel in (alt.Color, alt.StrokeDash)
    )
    return _line(lines).encode(x, y, color, dash) + _points(points).encode(x, y, color)


def _line(name: str) -> alt.Chart:
    return rows_of(name).mark_line(strokeWidth=2.5)


def _points(name: str) -> alt.Chart:
    return rows_of(name).mark_point(size=80, filled=True, opacity=1)
