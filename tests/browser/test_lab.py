"""JupyterLab, opened for real as `make lab` opens it: chapters and the explorer run to their ends.

The book must be built (`--book`), as the notebooks are copies of those that it offers.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import contents
import labchecks
import nbformat
import pytest
from conftest import WIDE, new_context
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CHAPTERS = ("speed", "power")  # cheap ones: they read what is recorded
CHART = ".jp-OutputArea .jp-RenderedVegaLite :is(canvas, svg)"
NO_TEXT = "from IPython.display import HTML; HTML('<a href=\"x.html\"></a>')"
PLANTED = {
    "unresolved: Citation Not Found": new_markdown_cell("By {cite:t}`krogh1991simple`."),
    "unresolved: Cross Reference": new_markdown_cell("As {eq}`eq-x` says."),
    "raw: {cite:p}": new_markdown_cell("A role without what it is of: {cite:p}."),
    "raw: :::": new_markdown_cell("Text with a fence ::: within"),
    "without text": new_code_cell(NO_TEXT),
    "says on stderr": new_code_cell("import sys; print('no', file=sys.stderr)"),
    "failed: ZeroDivisionError": new_code_cell("1 / 0"),
}


@pytest.fixture(scope="module")
def site(book) -> Path:
    """The folder of the book's sources: a checkout, or the smoke book's copy of one."""
    return book.parents[1]


@pytest.fixture(scope="module")
def lab(browser, site, tmp_path_factory) -> Iterator:
    """A function that opens a file of the site in Lab."""
    with labchecks.server(site, tmp_path_factory.mktemp("lab")) as address:
        context = new_context(browser, WIDE)
        yield lambda path: labchecks.open_notebook(context, address, path)
        context.close()


def test_the_start_page_leads_to_each_notebook(site, lab, browser):
    text = (site / "_build/lab/start.md").read_text("utf-8")
    linked = re.findall(r"\]\((notebooks/\w+\.ipynb)\)", text)
    pages = [page for page in contents.pages(site) if page.startswith("notebooks/")]
    assert linked == [f"{page}.ipynb" for page in [*pages, "notebooks/rerun"]]
    assert all((site / "_build/lab" / name).is_file() for name in linked)


def test_figures_are_there_and_solutions_folded_before_anything_is_run(lab, site):
    file = site / "_build/lab/notebooks/power.ipynb"
    outputs = [
        out for cell in nbformat.read(file, as_version=4).cells for out in cell.get("outputs", [])
    ]
    page = lab("_build/lab/notebooks/power.ipynb")
    assert labchecks.findings(page) == []  # waits for the texts
    drawn = sum("image/svg+xml" in output.get("data", {}) for output in outputs)
    assert page.locator(".jp-OutputArea .jp-RenderedSVG").count() == drawn > 0
    folded = page.locator(".myst details")
    assert folded.count() > 0
    assert not folded.evaluate_all("all => all.some(one => one.open)")
    assert folded.locator(".katex, .MathJax, mjx-container").count() > 0  # formulas are set
    page.close()


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_to_its_end(lab, name):
    page = lab(f"_build/lab/notebooks/{name}.ipynb")
    assert labchecks.findings(page) == []  # as it is stored
    labchecks.run(page)
    assert labchecks.findings(page) == []
    page.close()


def test_the_explorer_can_be_used(lab):
    page = lab("_build/lab/notebooks/explorer.ipynb")
    labchecks.run(page)
    assert labchecks.findings(page) == []
    page.locator(CHART).first.wait_for()
    picture = page.locator(".jp-OutputArea .widget-vbox").first
    data_set, technique, strength = (picture.locator("select").nth(at) for at in range(3))
    said = picture.locator(".widget-html-content").first.inner_text()
    words = technique.locator("option").all_inner_texts()
    other = next(word for word in words if word != technique.input_value())
    technique.select_option(other)
    page.wait_for_function(
        "([text, said]) => text.innerText !== said",
        arg=[picture.locator(".widget-html-content").first.element_handle(), said],
    )
    assert data_set.input_value() and strength.input_value()
    picture.locator(".jp-RenderedVegaLite :is(canvas, svg)").first.wait_for()
    assert page.locator(".jp-OutputArea .widget-slider").count() == 3
    assert labchecks.findings(page) == []
    page.close()


def test_what_is_planted_is_found(lab, site):
    file = site / "_build/lab/planted.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3"}
    alone = {"kernelspec": kernel, "jupytext": {"formats": "ipynb"}}  # no planted.md beside it
    nbformat.write(new_notebook(cells=[*PLANTED.values()], metadata=alone), file)
    page = lab("_build/lab/planted.ipynb")
    labchecks.run(page)
    found = labchecks.findings(page)
    assert [name for name in PLANTED if not any(name in one for one in found)] == []
    page.close()
    file.unlink()
