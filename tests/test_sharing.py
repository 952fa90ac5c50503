"""What others see of the book: descriptions, addresses only where there are some, plain text."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import contents
import llms
import pytest
import sharing
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from sphinx.cmd.build import build_main

# Sphinx looks at every object of the process; one of torch's says that it is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.distributed.reduce_op:FutureWarning")

ROOT = Path(__file__).resolve().parents[1]
CODE = ("sphinx.ext.autodoc", "sphinx.ext.viewcode")
ADDRESSES = {"BOOK_URL": "https://book.example/a", "REPOSITORY_URL": "https://github.com/me/rerun"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", ""),
        ("https://book.example", "https://book.example/"),
        (" https://book.example/a/b/ ", "https://book.example/a/b/"),
    ],
)
def test_the_books_address_ends_with_a_slash(given, wanted):
    assert sharing.book_url({"BOOK_URL": given}) == wanted


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("BOOK_URL", "book.example"),
        ("BOOK_URL", "ftp://book.example"),
        ("BOOK_URL", "https://book.example/?page=1"),
        ("REPOSITORY_URL", "https://github.com/me"),
        ("REPOSITORY_URL", "https://github.com/me/rerun/tree/main"),
        ("REPOSITORY_URL", "https://forge.example/me/rerun"),
        ("REPOSITORY_URL", "git@github.com:me/rerun.git"),
    ],
)
def test_a_bad_address_is_refused_in_one_line(name, given, monkeypatch, capsys):
    monkeypatch.setenv(name, given)
    assert sharing.main() == 1
    error = capsys.readouterr().err
    assert error.startswith(f"reglab: {name} must be ")
    assert repr(given) in error
    assert error.count("\n") == 1


def test_a_repositorys_address_loses_what_clones_add():
    wanted = "https://github.com/me/rerun"
    for given in (wanted, f"{wanted}/", f"{wanted}.git"):
        assert sharing.repository_url({"REPOSITORY_URL": given}) == wanted
    assert sharing.repository_url({}) == ""


def page(*parts):
    return nodes.section("", nodes.title("", "A title"), *parts)


def summary(*points):
    items = [nodes.list_item("", nodes.paragraph("", "", *point)) for point in points]
    title = nodes.title("", sharing.SUMMARY)
    return nodes.admonition("", title, nodes.bullet_list("", *items))


def test_a_page_is_described_by_its_summary_else_by_its_first_paragraph():
    text = nodes.paragraph("", "The first paragraph.")
    assert sharing.describe(page(text, summary([nodes.Text("The point.")]))) == "The point."
    assert sharing.describe(page(text)) == "The first paragraph."
    assert sharing.describe(page()) == ""


def test_formulas_are_put_into_signs_or_passed_over():
    penalty = nodes.math("", r"\frac\lambda2\lVert w\rVert^2")
    hard = nodes.math("", r"\sum_i \left(x_i\right)")
    points = [nodes.Text("L2 adds "), penalty], [nodes.Text("Next.")]
    assert sharing.describe(page(summary(*points))) == "L2 adds λ/2‖w‖²"
    points = [nodes.Text("It is "), hard], [nodes.Text("Next.")]
    assert sharing.describe(page(summary(*points))) == "Next."


def test_a_description_ends_with_a_sentence_or_a_word():
    short = "One sentence. " + "Another one that goes on and on" * 10
    assert sharing.describe(page(nodes.paragraph("", short))) == "One sentence."
    cut = sharing.describe(page(nodes.paragraph("", "word " * 100)))
    assert len(cut) <= sharing.LONGEST
    assert cut.endswith("word …")


def test_buttons_lead_to_sources():
    def url(label, file):
        button = {"url": f"https://github.com/me/rerun/edit/main/{file}", "label": label}
        sharing._redirect([{"type": "group", "buttons": [button]}], ROOT)
        return button["url"].partition("/main/")[2]

    assert url("source-edit-button", "notebooks/l2.ipynb") == "notebooks/l2.md"
    assert url("source-edit-button", "book/method.md") == "book/method.md"
    assert url("", "notebooks/l2.ipynb") == "notebooks/l2.ipynb"
    assert url("", "book/reruns/mnist.ipynb") == "notebooks/rerun.ipynb"
    assert (ROOT / "notebooks/rerun.ipynb").exists()
    local = {"url": "../_sources/book/reruns/mnist.ipynb", "label": ""}
    sharing._redirect([local], ROOT)
    assert local["url"] == "../_sources/book/reruns/mnist.ipynb"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of two pages, built without addresses and with them: (folder, folder)."""
    site = tmp_path_factory.mktemp("site")
    chapters = "- caption: Chapters\n  chapters:\n  - file: notebooks/x\n"
    (site / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nparts:\n{chapters}")
    for folder in ("book/_generated", "notebooks"):
        (site / folder).mkdir(parents=True)
    (site / "book/index.md").write_text(
        '# Rerun\n\nWhat it "is".\n\n```{include} _generated/a.md\n```\n\n'
        "```{eval-rst}\n.. automodule:: contents\n   :members: pages\n```\n"
    )
    picture = '<div aria-label="3 &amp; 4 squares"></div>'
    raw = f'```{{raw}} html\n{picture}\n```\n\nSee <a href="b.html">B</a>.\n'
    (site / "book/_generated/a.md").write_text(raw)
    (site / "book/_generated/share.png").write_bytes(b"a picture")
    (site / "book/results/reduced/order").mkdir(parents=True)
    for name in ("reduced/mnist.jsonl.gz", "reduced/order/mnist.jsonl.gz", "README.md"):
        (site / "book/results" / name).write_bytes(b"records")
    cells = [
        new_markdown_cell("# Chapter\n\nSome words."),
        new_code_cell("shown = 1", execution_count=1, outputs=[new_output("stream", text="42\n")]),
        new_code_cell("hidden = 2", execution_count=2, metadata={"tags": ["hide-input"]}),
    ]
    kernel = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    (site / "notebooks/x.ipynb").write_text(writes(new_notebook(cells=cells, metadata=kernel)))
    settings = {
        "extensions": ["myst_nb", "sphinx_external_toc", "sphinx_book_theme", *CODE, "sharing"],
        "html_theme": "sphinx_book_theme",
        "html_title": "Rerun",
        "root_doc": "book/index",
        "exclude_patterns": ["book/_generated", "book/results"],
        "external_toc_path": "_toc.yml",
        "nb_execution_mode": "off",
        "html_theme_options": {},
    }
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    (site / "conf.py").write_text("\n".join(lines))
    outs = [tmp_path_factory.mktemp("out") for _ in range(2)]
    for out, addresses in zip(outs, ({}, ADDRESSES), strict=True):
        with pytest.MonkeyPatch.context() as patch:
            for name in ADDRESSES:
                patch.setenv(name, addresses.get(name, ""))
            # in this process, which has imported most of it already; tools/ is on its path
            assert build_main(["-q", "-W", "-E", "-b", "html", str(site), str(out)]) == 0
    return outs


def tags(file):
    text = file.read_text("utf-8")
    pairs = re.findall(r'<meta (?:property|name)="((?:og:|desc)[^"]*)" content="([^"]*)"', text)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_recorded_tables_lie_where_pages_link_to_them(built):
    for out in built:
        files = [path.relative_to(out) for path in (out / "book/results").rglob("*.*")]
        assert {path.as_posix() for path in files if (out / path).is_file()} == {
            "book/results/reduced/mnist.jsonl.gz",
            "book/results/reduced/order/mnist.jsonl.gz",
        }


def test_pages_describe_themselves_without_an_address(built):
    plain, _ = built
    named = tags(plain / "book/index.html")
    assert (
        named
        == tags(plain / "index.html")
        == {
            "description": "What it “is”.",
            "og:type": "website",
            "og:site_name": "Rerun",
            "og:title": "Rerun",
            "og:description": "What it “is”.",
        }
    )
    assert tags(plain / "notebooks/x.html")["og:type"] == "article"
    text = (plain / "notebooks/x.html").read_text("utf-8")
    assert "canonical" not in text
    assert not re.search(r"github|mybinder|colab\.", text)
    assert not (plain / "sitemap.xml").exists()
    assert not (plain / "_static/share.png").exists()
    assert not tags(plain / "genindex.html")


def test_addresses_bring_links_buttons_and_a_map(built):
    _, public = built
    named = tags(public / "notebooks/x.html")
    assert named["og:url"] == "https://book.example/a/notebooks/x.html"
    assert named["og:image"] == "https://book.example/a/_static/share.png"
    assert (public / "_static/share.png").read_bytes() == b"a picture"
    text = (public / "notebooks/x.html").read_text("utf-8")
    assert '<link rel="canonical" href="https://book.example/a/notebooks/x.html"' in text
    links = set(re.findall(r'href="(https://[^"?]*)', text))
    assert {
        "https://github.com/me/rerun/edit/main/notebooks/x.md",
        "https://colab.research.google.com/github/me/rerun/blob/main/notebooks/x.ipynb",
        "https://mybinder.org/v2/gh/me/rerun/main",
    } <= links
    assert "urlpath=lab/tree/notebooks/x.ipynb" in text
    # source code, indexes and the search are no pages of the book
    assert (public / "_modules/contents.html").exists()
    assert (public / "py-modindex.html").exists()
    listed = ElementTree.parse(public / "sitemap.xml").findall("{*}url/{*}loc")
    assert sorted(place.text for place in listed) == [
        named["og:url"].replace("notebooks/x", n) for n in ("book/index", "notebooks/x")
    ]


def test_the_book_is_there_as_plain_text(built):
    plain, public = built
    index = (plain / "llms.txt").read_text("utf-8")
    assert index.startswith("# Rerun\n\n> What it “is”.\n")
    assert "- [Chapter](notebooks/x.html): Some words." in index
    assert "(https://book.example/a/notebooks/x.html)" in (public / "llms.txt").read_text("utf-8")
    full = (plain / "llms-full.txt").read_text("utf-8")
    assert full.index("1. Rerun (book/index)") < full.index("2. Chapter (notebooks/x)")
    assert "3 & 4 squares\n\nSee [B](b.html)." in full
    assert "shown = 1" in full and "```text\n42\n```" in full
    assert "hidden = 2" not in full and "<div" not in full


def test_a_picture_is_told_in_words_or_left_out():
    output = new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "<Figure>"})
    assert llms._cell(new_code_cell("", outputs=[output])) == ""
    words = {"image": {"alt": "A line falls."}, "figure": {"caption": "How it falls."}}
    told = llms._cell(new_code_cell("", outputs=[output], metadata={"mystnb": words}))
    assert told == "```text\nPicture: A line falls. How it falls.\n```"
    table = new_output("display_data", {"text/html": "<table/>", "text/plain": "a  b"})
    assert "a  b" in llms._cell(new_code_cell("", outputs=[table]))


def test_the_real_books_parts_are_those_of_the_toc():
    parts = contents.parts(ROOT)
    assert parts[0] == ("", ["book/index"])
    assert "Reference" in json.dumps(parts)
