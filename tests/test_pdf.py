"""The book as a PDF: one document whose links stay inside, printed with text and outline."""

from pathlib import Path

import make_pdf
import one_document
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).resolve().parents[1]
STYLE = (ROOT / "book/_static/print.css").as_uri()
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 0h2v1z"/></svg>'
FRONT = """
<h1>A small book<a class="headerlink" href="#top">#</a></h1>
<p id="here">Go to <a href="../notebooks/x.html#deep">the depth</a>, the
<a href="../_modules/code.html">code</a> or <a href="https://paper.example/">the paper</a>.</p>
<details class="hide"><summary>Show code</summary><pre>folded = True</pre></details>
<details class="sd-dropdown"><summary>Solutions</summary><p>The answer is 42.</p></details>
<div id="chart"><script src="../_static/draw.js"></script></div>
"""
CHAPTER = """
<h1>A chapter</h1><p>Back to <a href="../book/index.html#here">where we were</a>.</p>
<h2 id="deep">The depth</h2><table><tr><td>a cell of a table</td></tr></table>
<img src="../_static/logo.svg" alt="">
<img class="only-dark" src="../_static/dark.svg" alt="">
<div><script src="../_static/draw.js"></script></div>
"""


@pytest.fixture
def site(tmp_path):
    """The sources of a book of two pages, and the pages."""
    text = "format: jb-book\nroot: book/index\nparts:\n- caption: Part\n  chapters:\n"
    (tmp_path / "_toc.yml").write_text(text + "  - file: notebooks/x\n")
    (tmp_path / "_config.yml").write_text("author: Somebody\n")
    for page, body in (("book/index", FRONT), ("notebooks/x", CHAPTER)):
        file = tmp_path / "html" / f"{page}.html"
        file.parent.mkdir(parents=True)
        head = f'<link rel="stylesheet" href="{STYLE}"><script src="../theme.js"></script>'
        file.write_text(
            f"<html><head>{head}</head><body><nav>a sidebar</nav>"
            f"<article class='bd-article'>{body}</article></body></html>"
        )
    (tmp_path / "html/_static").mkdir()
    (tmp_path / "html/_static/logo.svg").write_text(PICTURE)
    script = (
        'for (const e of document.querySelectorAll("#book-index--chart")) e.append("drawn once")'
    )
    (tmp_path / "html/_static/draw.js").write_text(script)
    return tmp_path


def read(site):
    return BeautifulSoup(one_document.document(site, site / "html"), "html.parser")


def test_links_stay_inside_and_lead_to_something(site):
    soup = read(site)
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    targets = {a.get_text(): a.get("href") for a in soup.find_all("a")}
    assert targets["the depth"] == "#notebooks-x--deep"
    assert targets["where we were"] == "#book-index--here"
    assert targets["A chapter"] == "#notebooks-x"
    assert targets["code"] is None
    assert targets["the paper"] == "https://paper.example/"
    assert {a[1:] for a in targets.values() if a and a.startswith("#")} <= set(ids)


def test_what_is_loaded_is_named_by_full_path_and_once(site):
    soup = read(site)
    assert "a sidebar" not in soup.get_text()
    # a figure's twin for dark pages is left out
    (picture,) = soup.select("article img")
    assert picture["src"] == (site / "html/_static/logo.svg").as_uri()
    loaded = [script["src"] for script in soup.select("script[src]")]
    assert loaded == [(site / "html/_static/draw.js").as_uri()]


def test_a_page_that_is_not_built_is_named(site, capsys, monkeypatch):
    monkeypatch.setattr(make_pdf, "find_browser", lambda: "unused")
    (site / "html/notebooks/x.html").unlink()
    assert make_pdf.main([str(site), str(site / "html"), str(site / "a.pdf")]) == 1
    error = capsys.readouterr().err
    assert error.endswith("x.html is missing; run make book\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(("named", "said"), [("", "no Chromium"), ("gone", "CHROMIUM=gone is no")])
def test_without_a_browser_one_line_says_so(named, said, site, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(site))
    monkeypatch.setenv("CHROMIUM", named)
    monkeypatch.setattr(make_pdf, "BROWSERS", ("chromium",))
    assert make_pdf.main(["browser"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"reglab: {said}")
    assert error.count("\n") == 1
    assert make_pdf.main([]) == 2


def test_a_browser_that_prints_nothing_is_reported(site, monkeypatch):
    browser = site / "browser"
    browser.write_text("#!/bin/sh\necho first >&2\necho 'out of paper' >&2\n")
    browser.chmod(0o755)
    with pytest.raises(one_document.PdfError, match="printed nothing: out of paper"):
        make_pdf.print_html("<p>", site / "a.pdf", str(browser))


def test_a_heading_said_twice_is_said_once():
    assert make_pdf.once("What to do?What to do?") == "What to do?"
    assert make_pdf.once("What to do?") == "What to do?"


def test_formulas_that_are_not_typeset_are_not_let_through(tmp_path):
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.add_metadata({"/Title": f"{one_document.UNFINISHED}A book"})
    writer.write(tmp_path / "a.pdf")
    with pytest.raises(one_document.PdfError, match="before the formulas were typeset"):
        make_pdf.finish(tmp_path / "a.pdf", tmp_path / "b.pdf", "")
    assert not (tmp_path / "b.pdf").exists()


def outline(entries, depth=0):
    for entry in entries:
        if isinstance(entry, list):
            yield from outline(entry, depth + 1)
        else:
            yield depth, entry.title


def test_a_printed_book_has_its_text_outline_and_links(site):
    try:
        make_pdf.find_browser()
    except one_document.PdfError as error:
        pytest.skip(str(error))
    pdf = site / "out" / "book.pdf"
    assert make_pdf.main([str(site), str(site / "html"), str(pdf)]) == 0
    reader = PdfReader(pdf)
    contents, front, chapter = (page.extract_text() for page in reader.pages)
    assert "Part" in contents and "A chapter" in contents
    assert "The answer is 42." in front
    assert front.count("drawn once") == 1
    assert "folded" not in front and "Show code" not in front and "sidebar" not in front
    assert "a cell of a table" in chapter
    assert list(outline(reader.outline)) == [
        (0, "A small book"),
        (0, "A chapter"),
        (1, "The depth"),
    ]
    assert (reader.metadata.title, reader.metadata.author) == ("A small book", "Somebody")
    width, height = (round(float(side)) for side in reader.pages[0].mediabox[2:])
    assert (width, height) == (595, 842)
    links = [a.get_object() for page in reader.pages for a in page.get("/Annots", [])]
    addresses = [link["/A"]["/URI"] for link in links if "/A" in link and "/URI" in link["/A"]]
    assert addresses == ["https://paper.example/"]
    assert sum("/Dest" in link for link in links) == 4
