"""`make lab`: the start page names each notebook once, in order; the list has no pairs."""

import json
import re
from pathlib import Path

import contents
import nbformat
import pytest
import start_lab
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_markdown_cell, new_notebook
from plain_markdown import Answers, plain

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r"^- \[[^\]]+\]\((.+)\.ipynb\): (.+)$", re.MULTILINE)
LINKS = "[](x.html), [a](a.html#b), [m](../book/m.html), [e](https://e.example/a.html)"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A checkout of two notebooks whose book is built."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    toc = "format: jb-book\nroot: book/index\nparts:\n- caption: C\n  chapters:\n"
    (tmp_path / "_toc.yml").write_text(f"{toc}  - file: notebooks/speed\n")
    (tmp_path / "notebooks").mkdir()
    for folder in ("notebooks", "book"):
        (tmp_path / "_build/html" / folder).mkdir(parents=True)
        (tmp_path / f"_build/html/{folder}/m.html").write_text("a page")
    for name in ("speed", "rerun"):
        (tmp_path / f"notebooks/{name}.md").write_text(f"# The {name}\n")
        build(tmp_path, name, LINKS)
    return tmp_path


def build(site, name, text):
    notebook = new_notebook(cells=[new_markdown_cell(text, id="one")])
    nbformat.write(notebook, site / f"_build/html/notebooks/{name}.ipynb")


def text(site, name):
    file = site / f"_build/lab/notebooks/{name}.ipynb"
    return nbformat.read(file, as_version=4).cells[0].source


def test_the_start_page_names_each_notebook_once_in_the_order_of_the_book(monkeypatch):
    monkeypatch.setattr(start_lab, "_copied", lambda site: False)
    lines = LINE.findall(start_lab.start_page(ROOT))
    linked = [name.removeprefix("../../") for name, _ in lines]
    pages = [page for page in contents.pages(ROOT) if page.startswith("notebooks/")]
    assert linked == [*pages, "notebooks/rerun"]
    assert {f"{page}.ipynb" for page in linked} == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    assert start_lab.PAGE.parts[:-1] == ("_build", "lab")  # two folders up is the root


def test_the_start_page_says_how_long_each_notebook_takes():
    seconds = json.loads(start_lab.SECONDS.read_text())
    assert {*seconds, "rerun"} == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert all(isinstance(one, int) and one > 0 for one in seconds.values())
    *lines, last = LINE.findall(start_lab.start_page(ROOT))
    assert len(lines) == len(seconds)
    for name, words in lines:
        assert words == start_lab.in_words(seconds[Path(name).name])
    assert last[1] == "as its parameters ask"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4.2, "10 seconds"),
        (34, "30 seconds"),
        (64, "a minute"),
        (80, "a minute"),
        (170, "3 minutes"),
    ],
)
def test_a_time_is_no_more_exact_than_it_is(seconds, words):
    assert start_lab.in_words(seconds) == words


def test_copies_may_be_changed_and_their_links_lead_on(site):
    start_lab.prepare(site)
    wanted = "[](x.ipynb), [a](a.ipynb), [m](../book/m.html), [e](https://e.example/a.html)"
    assert text(site, "speed") == wanted
    assert (site / "_build/lab/book/m.html").read_text() == "a page"
    assert (site / "_build/lab/notebooks/m.html").read_text() == "a page"
    page = (site / "_build/lab/start.md").read_text()
    assert [name for name, _ in LINE.findall(page)] == ["notebooks/speed", "notebooks/rerun"]
    assert start_lab.COPIES in page
    mine = site / "_build/lab/notebooks/speed.ipynb"
    mine.write_text(mine.read_text().replace("[](x.ipynb)", "mine"))
    for name in ("speed", "rerun"):
        build(site, name, "new")
    start_lab.prepare(site)
    assert text(site, "speed").startswith("mine")
    assert text(site, "rerun") == "new"


def test_in_a_copy_what_is_folded_is_a_dropdown(site):
    folded = "<details><summary>Is a &lt; b?</summary>\n\n$a$\n\n**B.** It is.\n\n</details>"
    build(site, "speed", f"Before.\n\n{folded}\n\nAfter.\n\n{folded}")
    start_lab.prepare(site)
    made = ":::{dropdown} Is a < b?\n$a$\n\n**B.** It is.\n:::"
    assert text(site, "speed") == f"Before.\n\n{made}\n\nAfter.\n\n{made}"
    echo = Answers(role=str.format, link="[{}]({})".format, number=str)
    assert plain(text(site, "speed"), echo).count(folded) == 2


def test_a_copy_is_trusted_and_no_other_notebook(site):
    start_lab.prepare(site)
    (site / "_build/lab/notebooks/new.ipynb").write_text(
        (site / "_build/lab/notebooks/speed.ipynb").read_text().replace("m.html", "other.html")
    )
    trusted = {
        file.stem: NotebookNotary().check_signature(nbformat.read(file, as_version=4))
        for file in (site / "_build/lab/notebooks").glob("*.ipynb")
    }
    assert trusted == {"speed": True, "rerun": True, "new": False}


def test_without_a_book_the_notebooks_are_those_of_the_repository(site):
    for file in (site / "_build/html/notebooks").glob("*.ipynb"):
        file.unlink()
    start_lab.prepare(site)
    page = (site / "_build/lab/start.md").read_text()
    assert next(name for name, _ in LINE.findall(page)) == "../../notebooks/speed"
    assert start_lab.OWN in page


def test_of_a_pair_one_is_listed():
    hidden = {text.partition("=")[2] for text in start_lab.options(ROOT) if "hide_globs" in text}
    pairs = {path.name for path in (ROOT / "notebooks").glob("*.md")}
    assert hidden == {"__pycache__", "*.html", *pairs}


def test_no_news_and_no_look_for_updates():
    settings = json.loads((ROOT / "tools/lab/overrides.json").read_text())
    notification = settings["@jupyterlab/apputils-extension:notification"]
    assert notification == {"checkForUpdates": False, "fetchNews": "false"}
