"""Tables that are HTML get their numbers at build time, in the order of the book."""

import re

import numbered
import pytest
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from sphinx.cmd.build import build_main

from reglab.pages import chapters, display

# Sphinx looks at every object of the process; one of torch's says that it is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.distributed.reduce_op:FutureWarning")

NUMBER = re.compile(
    r'<caption>(?:<div class="caption-box">)?<span class="caption-number">(Table \d+) </span>'
    r'(?:<span class="caption-text">)?([^<]*)'
)
SETTINGS = {
    "extensions": ["myst_nb", "sphinx_external_toc", "numbered"],
    "external_toc_path": "_toc.yml",
    "root_doc": "index",
    "nb_execution_mode": "off",
    "numfig": True,
    "numfig_format": {"table": "Table %s"},
    "html_theme": "basic",
}


def shown(caption):
    import pandas as pd

    return display.show(pd.DataFrame({"a": [1], "b": ["<2"]}), caption, "where from")


def cell(table):
    data = {"text/html": table._repr_html_(), "text/plain": repr(table)}
    return new_code_cell("0", execution_count=1, outputs=[new_output("display_data", data)])


def raw(text):
    return nodes.raw("", text, format="html", classes=["output", "text_html"])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book whose first chapter has three tables, and whose second has one; the folder of it."""
    site, out = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("out")
    stack = chapters.Stack((shown("Two & more."), shown("Three.")), "Not recorded: A.")
    pages = {
        # read first, since Sphinx reads in the order of names; printed last
        "a": [new_markdown_cell("# Last"), cell(shown("Five."))],
        "b": [
            new_markdown_cell("# First\n\n```{table} One.\n\n| a |\n|---|\n| 1 |\n```"),
            cell(stack),
            new_markdown_cell(
                "See {numref}`four`.\n\n```{table} Four.\n:name: four\n\n| a |\n|---|\n| 1 |\n```"
            ),
        ],
    }
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for name, cells in pages.items():
        (site / f"{name}.ipynb").write_text(writes(new_notebook(cells=cells, metadata=metadata)))
    (site / "index.md").write_text("# Book\n")
    (site / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters:\n- file: b\n- file: a\n"
    )
    lines = [f"{name} = {value!r}" for name, value in SETTINGS.items()]
    (site / "conf.py").write_text("\n".join(lines))
    assert build_main(["-q", "-W", "-E", "-b", "html", str(site), str(out)]) == 0
    return out


def test_html_and_markdown_tables_are_numbered_in_one_sequence(built):
    first = NUMBER.findall((built / "b.html").read_text("utf-8"))
    assert first == [
        ("Table 1", "One."),
        ("Table 2", "Two &amp; more."),
        ("Table 3", "Three."),
        ("Table 4", "Four."),
    ]
    text = (built / "a.html").read_text("utf-8")
    assert NUMBER.findall(text) == [("Table 5", "Five.")]
    assert "Five.<br><small>where from</small></div></caption>" in text
    assert "<td>&lt;2</td>" in text
    reference = re.search(
        r'href="#four"><span[^>]*>([^<]*)<', (built / "b.html").read_text("utf-8")
    )
    assert reference[1] == "Table 4"


def test_each_table_of_a_stack_has_a_box_and_a_place_of_its_own(built):
    text = (built / "b.html").read_text("utf-8")
    boxes = re.findall(r'<div class="output text_html"(?: id="([^"]+)")?>(<\w+)', text)
    assert [tag for _, tag in boxes] == ["<table", "<table", "<p"]
    assert boxes[0][0] and boxes[1][0] and boxes[0][0] != boxes[1][0]
    assert boxes[2][0] == ""


def test_what_is_no_captioned_table_stays_as_it_is():
    for text in (
        "<p>Words.</p>",
        '<table class="ledger"><tr><td>no caption</td></tr></table>',
        "<div><table><caption>inside of something</caption></table></div>",
    ):
        output = raw(text)
        assert numbered.split(output) == [output]


def test_a_table_within_a_table_and_what_stands_between_tables_stay_whole():
    outer = "<table><caption>A &lt; B<br>×</caption><tr><td>{}</td></tr></table>"
    first = outer.format("<table><tr><td>1</td></tr></table>")
    between = '<p class="a b">Words,</p> &amp; more <em>words</em>'
    bare = "<table><tr><td>no caption</td></tr></table>"
    parts = numbered.split(raw(f"{first}\n{between}\n{outer.format(2)}{outer.format(3)}{bare}"))
    texts = [first, between, outer.format(2), outer.format(3), bare]
    assert [part.astext() for part in parts] == texts
    kinds = [isinstance(part, numbered.NumberedTable) for part in parts]
    assert kinds == [True, False, True, True, False]


def test_a_title_is_the_captions_text():
    table = numbered.NumberedTable("", "<table><caption>A &lt; B<br><small>x</small></caption>")
    assert numbered.title(table) == "A < B x"


def test_notebooks_hold_no_numbers():
    assert "caption-number" not in shown("One.")._repr_html_()
