"""A Sphinx extension: each figure of ours has a twin for the theme's dark pages.

Ours are those that a notebook made, and pictures of the class `drawn`.

The twin is the same SVG with other colours: the greys of `reglab.pages.figures.STYLE` and of
matplotlib, from black to white, run from the dark theme's text to its ground, and a hue that would
be too dark on that ground is made lighter. `INK` stays, since it stands on light colours only. The
page names both pictures and the theme shows one, without a script; print.css and the PDF keep the
light one.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

from reglab.pages.figures import INK

# --pst-color-background and --pst-color-text-base of sphinx-book-theme in the dark.
GROUND, TEXT = "#121212", "#ced6dd"
# WCAG 2.2 asks 3 of a graphical object (1.4.11); thin and half transparent lines need more.
CONTRAST = 4.5
DRAWN = "drawn"
NEUTRAL = 8  # a colour whose channels (0 to 255) lie within this is a grey
COLOUR = re.compile(
    r"((?:fill|stroke|stop-color):\s*|(?:fill|stroke|stop-color)=\")(#[0-9a-f]{6})\b"
)
# The theme lets the Tab key reach a box of this class while it scrolls; figures do on a phone.
BOX = '<div class="figure-box jp-RenderedHTMLCommon" role="group" aria-label="picture">'

Channels = tuple[float, ...]


def channels(colour: str) -> Channels:
    """Return red, green and blue, 0 to 255, of "#rrggbb"."""
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))


def mix(one: str, other: str, share: float) -> str:
    """Return the colour that is ``share`` (0 to 1) of the way from one to the other."""
    pairs = zip(channels(one), channels(other), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2, 0 (black) to 1 (white)."""
    parts = (part / 255 for part in channels(colour))
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def dark_colour(colour: str) -> str:
    """Return what stands on the dark ground for a colour that was chosen for a white one."""
    parts = channels(colour)
    if colour == INK:
        return colour
    if max(parts) - min(parts) <= NEUTRAL:
        return mix(TEXT, GROUND, sum(parts) / len(parts) / 255)
    lighter = (mix(colour, "#ffffff", step / 20) for step in range(21))
    return next(tint for tint in lighter if contrast(tint, GROUND) >= CONTRAST)


def dark_svg(text: str) -> str:
    """Return an SVG of matplotlib's for the dark; what has no colour of its own is text."""
    recoloured = COLOUR.sub(lambda match: match[1] + dark_colour(match[2]), text)
    return recoloured.replace("<svg ", f'<svg fill="{TEXT}" ', 1)


class PairFigures(SphinxTransform):
    """Put the dark twin of a notebook's picture beside it."""

    default_priority = 500  # before Sphinx collects the pictures of the page

    def apply(self, **_: object) -> None:
        """Give each SVG among the outputs a twin, and both a box; so the pictures of ours."""
        for output in self.document.findall(nodes.container):
            if output.get("mime_type") == "image/svg+xml":
                for image in list(output.findall(nodes.image)):
                    image.parent.replace(image, self._pair(image))
        for image in list(self.document.findall(nodes.image)):
            if DRAWN in image["classes"] and not {"only-light", "only-dark"} & set(
                image["classes"]
            ):
                image.parent.replace(image, self._pair(image))

    def _pair(self, light: nodes.image) -> list[nodes.Node]:
        _, name = self.env.relfn2path(light["uri"], self.env.docname)
        source = Path(name)
        twin = source.with_name(f"{source.stem}-dark.svg")
        twin.write_text(dark_svg(source.read_text(encoding="utf-8")), encoding="utf-8")
        dark = light.deepcopy()
        dark["uri"] = light["uri"].removesuffix(source.name) + twin.name
        light["classes"].append("only-light")
        dark["classes"].append("only-dark")
        box, end = (nodes.raw("", text, format="html") for text in (BOX, "</div>"))
        return [box, light, dark, end]


def setup(app) -> dict:
    """Register the extension."""
    app.add_transform(PairFigures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
