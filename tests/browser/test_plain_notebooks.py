"""The notebooks beside the pages: plain, and one of them runs on its own, far from a checkout."""

import os

import left_over
import nbformat
import pytest
from nbclient import NotebookClient
from run_notebooks import kernel_settings

CHEAP = "speed"  # reads recorded figures and trains nothing


def outputs(notebook: nbformat.NotebookNode) -> list[dict]:
    """Return what each code cell shows, as data by kind."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.get("data", output.get("text")) for cell in code for output in cell.outputs]


def test_each_page_of_a_notebook_has_a_plain_one_beside_it(book):
    made = {
        file.relative_to(book) for file in book.rglob("*.ipynb") if "_sources" not in file.parts
    }
    sources = {file.relative_to(book / "_sources") for file in book.glob("_sources/**/*.ipynb")}
    assert sources < made
    assert [path.as_posix() for path in made - sources] == ["notebooks/rerun.ipynb"]
    assert [one for file in sorted(made) for one in left_over.in_notebook(book / file)] == []


def test_one_runs_outside_of_a_checkout_and_shows_what_is_stored(book, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("REGLAB_")]:
        monkeypatch.delenv(name)
    notebook = nbformat.read(book / f"notebooks/{CHEAP}.ipynb", as_version=4)
    stored = outputs(notebook)
    assert stored
    NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
        timeout=None,
        config=kernel_settings(),
    ).execute()
    assert [type(one) for one in outputs(notebook)] == [type(one) for one in stored]
    for now, then in zip(outputs(notebook), stored, strict=True):
        texts = [one if isinstance(one, str) else one["text/plain"] for one in (now, then)]
        assert texts[0] == texts[1]
    streams = [o for cell in notebook.cells for o in cell.get("outputs", []) if "name" in o]
    assert [one.text for one in streams if one.name == "stderr"] == []


@pytest.mark.parametrize("planted", ["See {cite:t}`a`.", "[](x.html)", ":::{note}\nx\n:::"])
def test_what_is_planted_is_found(tmp_path, planted):
    file = tmp_path / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(planted)]), file)
    assert left_over.in_notebook(file)
