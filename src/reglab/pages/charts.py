"""Vega-Lite specifications of the pictures that a reader can change.

The numbers come from `reglab.pages.explorer` and `reglab.pages.sliders`; `reglab.pages.picture`
puts them into a page. Needs Vega-Altair, of the extra ``book``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reglab.errors import ReglabError

try:
    import altair as alt
except ImportError:
    raise ReglabError(
        "the explorer needs Vega-Altair, which is not installed; install reglab[book]"
    ) from None


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


def scores_chart(name: str, label: str) -> dict:
    """Return scores with intervals: columns label, order, kind (`KINDS`), mean, low, high."""
    y = alt.Y("label:N", sort=alt.EncodingSortField("order", op="min"), title=None)
    low, mean = (
        alt.X(f"{end}:Q", scale=alt.Scale(zero=False), title=label) for end in ("low", "mean")
    )
    color = _kind(alt.Color, "kind", KINDS)
    shape = _kind(alt.Shape, "kind", KINDS)
    interval = rows_of(name).mark_rule(strokeWidth=2).encode(y, low, alt.X2("high:Q"), color)
    point = _points(name).encode(y, mean, color, shape)
    about = f"{label} with 95 % intervals: this choice, its neighbours, and the paper."
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
