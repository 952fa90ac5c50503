"""A Sphinx extension: tables that a notebook shows as HTML are numbered with all the others.

`reglab.pages.display` writes a table with its <caption> as HTML, of which Sphinx knows nothing.
Each one becomes a node that Sphinx numbers in the order of the book, in one sequence with the
captioned tables of Markdown; its number is put before the caption when the page is written.
Notebooks hold no numbers.
"""

from __future__ import annotations

from itertools import groupby

from bs4 import BeautifulSoup, PageElement, Tag
from bs4.dammit import EntitySubstitution
from bs4.formatter import HTMLFormatter
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxTranslator

# As reglab.display writes HTML: <br>, not <br/>, and only &, < and > as entities.
HTML = HTMLFormatter(EntitySubstitution.substitute_xml, void_element_close_prefix="")


class NumberedTable(nodes.raw):
    """One captioned table as HTML, in a box of its own."""


def parse(text: str) -> BeautifulSoup:
    """Return a piece of HTML to look into."""
    return BeautifulSoup(text, "html.parser")


def title(node: NumberedTable) -> str:
    """Return a table's caption as plain text."""
    return parse(node.astext()).caption.get_text(" ", strip=True)


def split(output: nodes.raw) -> list[nodes.raw]:
    """Return an output's tables, each a node of its own, and what stands between them.

    An output that does not begin with a table is left whole: its tables may stand inside of
    something else.
    """
    soup = parse(output.astext().strip())
    if not soup.contents or soup.contents[0].name != "table" or not soup.caption:
        return [output]
    parts = []
    for table, group in groupby(soup.contents, _captioned):
        text = "".join(map(_written, group)).strip()
        if not text:
            continue
        kind = NumberedTable if table else nodes.raw
        parts.append(kind("", text, format="html", classes=output["classes"]))
        parts[-1].source, parts[-1].line = output.source, output.line
    return parts


def _captioned(part: PageElement) -> int:
    """Return a number of its own for each table with a caption, 0 for all else."""
    return id(part) if isinstance(part, Tag) and part.name == "table" and part.caption else 0


def _written(part: PageElement) -> str:
    return part.decode(formatter=HTML) if isinstance(part, Tag) else part.output_ready(HTML)


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
    table = parse(node.astext())
    # the inner box lets a caption be wider than its table, and stay where a wide one scrolls
    box = table.new_tag("div", attrs={"class": "caption-box"})
    box.extend([*parse(number).contents, *table.caption.contents])
    table.caption.append(box)
    text = table.decode(formatter=HTML)
    translator.body.append(f"{translator.starttag(node, 'div', suffix='')}{text}</div>")
    raise nodes.SkipNode


def setup(app) -> dict:
    """Register the extension."""
    app.add_enumerable_node(NumberedTable, "table", title, html=(write, None))
    app.add_transform(FindTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
