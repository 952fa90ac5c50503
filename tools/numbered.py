"""A Sphinx extension: tables that a notebook shows as HTML are numbered with all the others.

`reglab.pages.display` writes a table with its <caption> as HTML, of which Sphinx knows nothing.
Each one becomes a node that Sphinx numbers in the order of the book, in one sequence with the
captioned tables of Markdown; its number is put before the caption when the page is written.
Notebooks hold no numbers.
"""

from __future__ import annotations

import html
import re

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxTranslator

TABLE = re.compile(r"(<table\b.*?</table>)", re.DOTALL)
CAPTION = re.compile(r"<caption\b[^>]*>(?P<text>.*?)</caption>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


class NumberedTable(nodes.raw):
    """One captioned table as HTML, in a box of its own."""


def title(node: NumberedTable) -> str:
    """Return a table's caption as plain text."""
    caption = CAPTION.search(node.astext())
    return " ".join(html.unescape(TAG.sub(" ", caption["text"])).split())


def split(output: nodes.raw) -> list[nodes.raw]:
    """Return an output's tables, each a node of its own, and what stands between them.

    An output that does not begin with a table is left whole: its tables may stand inside of
    something else.
    """
    text = output.astext().strip()
    if not text.startswith("<table") or not CAPTION.search(text):
        return [output]
    parts = []
    for part in filter(None, map(str.strip, TABLE.split(text))):
        kind = NumberedTable if TABLE.match(part) and CAPTION.search(part) else nodes.raw
        parts.append(kind("", part, format="html", classes=output["classes"]))
        parts[-1].source, parts[-1].line = output.source, output.line
    return parts


class FindTables(SphinxTransform):
    """Make nodes of the tables in a page's HTML, before Sphinx gives ids to what it numbers."""

    default_priority = 200

    def apply(self, **_: object) -> None:
        """Replace each piece of HTML that has captioned tables by its parts."""
        for output in list(self.document.findall(nodes.raw)):
            if "html" in output.get("format", "").split():
                output.parent.replace(output, split(output))


def write(translator: SphinxTranslator, node: NumberedTable) -> None:
    """Write a table with its number in front of the caption."""
    start = len(translator.body)
    translator.add_fignumber(node)  # "Table 3" in a span, at the end of the body
    number = "".join(translator.body[start:])
    del translator.body[start:]
    first, last = CAPTION.search(node.astext()).span("text")
    text = node.astext()
    # the inner box lets a caption be wider than its table, and stay where a wide one scrolls
    caption = f'<div class="caption-box">{number}{text[first:last]}</div>'
    text = text[:first] + caption + text[last:]
    translator.body.append(f"{translator.starttag(node, 'div', suffix='')}{text}</div>")
    raise nodes.SkipNode


def setup(app) -> dict:
    """Register the extension."""
    app.add_enumerable_node(NumberedTable, "table", title, html=(write, None))
    app.add_transform(FindTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
