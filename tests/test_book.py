"""The book's tools: they execute notebooks, and they see what must not be on a page."""

import check_book
import nbformat
import pytest
import run_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PARAMETERS = {"metadata": {"tags": ["parameters"]}}


def write_notebook(path, *cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), path)
    return path


def rerun_like(path, code):
    return write_notebook(
        path,
        new_markdown_cell("Before.\n\n# The experiments\n\nAfter."),
        new_code_cell("dataset = 'none'\nprofile = 'none'", **PARAMETERS),
        new_code_cell(code),
    )


def write_site(folder, *cells):
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n- chapters:\n  - file: page\n"
    )
    (folder / "index.md").write_text("# Index\n")
    write_notebook(folder / "page.ipynb", *cells)


def html(folder, body, name="index.html"):
    (folder / name).write_text(f"<!doctype html><html><head></head><body>{body}</body></html>")
    return check_book.check_html(folder)


def test_a_rerun_has_its_name_its_parameters_and_its_outputs(tmp_path):
    source = rerun_like(tmp_path / "rerun.ipynb", "print(dataset, profile)")
    page = tmp_path / "pages" / "mnist.ipynb"
    parameters = {"dataset": "mnist", "profile": "smoke"}
    run_notebooks.make_rerun(source, page, "MNIST", parameters)
    cells = nbformat.read(page, as_version=4).cells
    assert cells[0].source == "Before.\n\n# MNIST: the experiments\n\nAfter."
    assert cells[1].metadata.tags == ["parameters", "hide-input"]
    assert cells[-1].outputs[0].text == "mnist smoke\n"
    assert [path.name for path in page.parent.iterdir()] == ["mnist.ipynb"]
    assert "The experiments" in nbformat.read(source, as_version=4).cells[0].source


def test_a_failing_cell_fails_the_rerun_and_leaves_the_old_page(tmp_path, capsys):
    source = rerun_like(tmp_path / "rerun.ipynb", "raise KeyError('gone')")
    page = tmp_path / "pages" / "mnist.ipynb"
    page.parent.mkdir()
    page.write_text("the old page")
    arguments = ["rerun", str(source), str(page), "--dataset", "mnist", "--profile", "smoke"]
    assert run_notebooks.main(arguments) == 1
    assert capsys.readouterr().err.endswith("reglab: a cell failed: KeyError: 'gone'\n")
    assert page.read_text() == "the old page"
    assert [path.name for path in page.parent.iterdir()] == ["mnist.ipynb"]


def test_a_source_without_heading_or_parameters_is_refused(tmp_path):
    page = tmp_path / "page.ipynb"
    headless = write_notebook(tmp_path / "a.ipynb", new_code_cell("x = 1", **PARAMETERS))
    with pytest.raises(ValueError, match="no heading of level one"):
        run_notebooks.make_rerun(headless, page, "MNIST", {})
    fixed = write_notebook(tmp_path / "b.ipynb", new_markdown_cell("# T"), new_code_cell("x = 1"))
    with pytest.raises(ValueError, match="no cell tagged 'parameters'"):
        run_notebooks.make_rerun(fixed, page, "MNIST", {})
    assert not page.exists()


DRAWN = """
```{code-cell} ipython3
%matplotlib inline
%config InlineBackend.figure_formats = ["svg"]
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(1, 1))
axes.plot([0, 1]);
```
"""


def test_a_pair_is_made_alike_each_time_and_seen_to_be_in_step(tmp_path):
    text = tmp_path / "chapter.md"
    text.write_text(
        "# Chapter\n\n```{code-cell} ipython3\n:tags: [hide-input]\n\n2 + 3\n```\n" + DRAWN
    )
    assert "is missing" in check_book.check_pairs(tmp_path)[0]
    assert run_notebooks.main(["pairs", str(text)]) == 0
    made = text.with_suffix(".ipynb")
    first = made.read_bytes()
    assert nbformat.reads(first, as_version=4).cells[1].outputs[0].data["text/plain"] == "5"
    assert b"clip-path" in first
    assert run_notebooks.main(["pairs", str(text)]) == 0
    assert made.read_bytes() == first
    assert check_book.check_pairs(tmp_path) == []
    text.write_text(text.read_text().replace("2 + 3", "2 + 4"))
    assert "not in step with chapter.md" in check_book.check_pairs(tmp_path)[0]
    captioned = "---\nmystnb:\n  figure:\n    caption: A caption.\ntags: [hide-input]\n---\n2 + 3"
    text.write_text(f"# Chapter\n\n```{{code-cell}} ipython3\n{captioned}\n```\n")
    assert "not in step with chapter.md" in check_book.check_pairs(tmp_path)[0]
    text.unlink()
    assert "has no MyST source" in check_book.check_pairs(tmp_path)[0]


@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        (new_code_cell("1 / 0"), "code cell 1 was never executed"),
        (
            new_code_cell(
                "1 / 0",
                execution_count=1,
                outputs=[new_output("error", ename="ZeroDivisionError", evalue="by zero")],
            ),
            "code cell 1 failed: ZeroDivisionError: by zero",
        ),
        (
            new_code_cell(
                "fig",
                execution_count=1,
                outputs=[
                    new_output("display_data", {"text/plain": "<Figure size 7x4 with 1 Axes>"})
                ],
            ),
            "shows a figure's name",
        ),
    ],
)
def test_a_bad_cell_is_found(tmp_path, cell, finding):
    write_site(tmp_path, new_markdown_cell("# Page"), cell)
    (problem,) = check_book.check_notebooks(tmp_path)
    assert finding in problem
    assert "page.ipynb" in problem


def test_good_cells_pass_and_a_missing_page_does_not(tmp_path):
    figure = {"text/plain": "<Figure size 7x4 with 1 Axes>", "image/png": "aGk="}
    shown = new_code_cell("fig", execution_count=1, outputs=[new_output("display_data", figure)])
    write_site(tmp_path, shown, new_code_cell(""))
    assert check_book.check_notebooks(tmp_path) == []
    (tmp_path / "page.ipynb").unlink()
    assert "neither .md nor .ipynb" in check_book.check_notebooks(tmp_path)[0]


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<script src="//cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        '<img src="http://img.example/x.png">',
        '<img srcset="https://img.example/x.png 2x">',
        '<iframe src="https://video.example/"></iframe>',
        '<p style="background: url(https://img.example/x.png)"></p>',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<script>const URL = "https://cdn.example/lib/index.js"</script>',
        '<script type="module">import a from "https://cdn.example/a"</script>',
    ],
)
def test_an_asset_of_another_host_is_found(tmp_path, body):
    (problem,) = html(tmp_path, body)
    assert "from another host" in problem


def test_links_to_other_hosts_and_local_assets_are_fine(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "x y.css").write_text("a { background: url(data:image/png;base64,) }")
    body = (
        '<a href="https://paper.example/">paper</a> <a href="#top">top</a> '
        '<a href="index.html?q=1#top">self</a> <img src="data:image/png;base64,aGk=">'
        '<link rel="stylesheet" href="_static/x%20y.css?v=1">'
        '<link rel="canonical" href="https://book.example/">'
        '<script>const DOCS = "https://docs.example/page"</script>'
    )
    assert html(tmp_path, body) == []


def test_missing_local_files_and_remote_fonts_are_found(tmp_path):
    assert "gone.png is missing" in html(tmp_path, '<img src="gone.png">')[0]
    assert "other.html#a is missing" in html(tmp_path, '<a href="other.html#a">x</a>')[0]
    (tmp_path / "a.css").write_text("@font-face { src: url('https://font.example/a.woff2') }")
    assert "https://font.example/a.woff2" in html(tmp_path, "")[0]


def test_a_link_to_a_place_that_is_not_there_is_found(tmp_path):
    (tmp_path / "other.html").write_text('<h1 id="here">x</h1>')
    good = '<a href="other.html#here"></a><a href="#own"></a><p id="own"></p><a href="#"></a>'
    assert html(tmp_path, good) == []
    for link in ("other.html#there", "#gone"):
        (finding,) = html(tmp_path, f'<a href="{link}"></a>')
        assert f"{link} names a place" in finding


NUMBER = '<span class="caption-number">Figure 1 </span>'
TOLD = '<img src="a.svg" alt="A line falls from left to right.">'


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (
            f"<figure>{TOLD}<figcaption>No number.</figcaption></figure>",
            "the figure of a.svg has no",
        ),
        (f"<figure>{TOLD}</figure><figure>{NUMBER}</figure>", "the figure of a.svg has no number"),
        (TOLD, "a.svg stands in no figure"),
        (f'<figure><img src="a.svg">{NUMBER}</figure>', "no alternative text"),
        (f'<figure><img src="a.svg" alt="">{NUMBER}</figure>', "no alternative text"),
        (f'<figure><img src="a.svg" alt="../a.svg">{NUMBER}</figure>', "no alternative text"),
        (f'<figure><img src="a.svg" alt="figure">{NUMBER}</figure>', "no alternative text"),
        ("<table><caption>Accuracy.</caption></table>", "a table with a caption has no number"),
    ],
)
def test_a_picture_without_words_or_number_is_found(tmp_path, body, finding):
    (tmp_path / "a.svg").write_text("<svg/>")
    (problem,) = html(tmp_path, f"<article>{body}</article>")
    assert problem.startswith(f"{tmp_path / 'index.html'}: ")
    assert finding in problem


def test_told_and_numbered_pictures_pass_and_so_do_those_outside_of_the_text(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    figure = f"<figure>{TOLD}<figcaption>{NUMBER}A caption.</figcaption></figure>"
    table = '<table><caption><span class="caption-number">Table 1 </span>Words.</caption></table>'
    chart = "<figure><figcaption>Drawn by a script</figcaption></figure>"
    assert html(tmp_path, f"<article>{figure}{table}{chart}</article>") == []
    assert html(tmp_path, '<img src="a.svg" alt="Logo"><article></article>') == []


def test_an_empty_build_and_a_wrong_call_do_not_pass(tmp_path, capsys):
    assert check_book.main(["html", str(tmp_path)]) == 1
    assert "holds no HTML page" in capsys.readouterr().err
    assert check_book.main(["html"]) == 2
    assert check_book.main(["pairs", str(tmp_path / "missing")]) == 1


def test_a_page_with_its_pictures_has_a_greatest_weight(tmp_path, monkeypatch):
    monkeypatch.setattr(check_book, "HEAVIEST", 5_000)
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "shared.js").write_bytes(b" " * 9_000)
    (tmp_path / "own.svg").write_bytes(b" " * 4_900)
    page = tmp_path / "page.html"
    page.write_text('<script src="_static/shared.js"></script><img src="own.svg">')
    assert check_book.check_html(tmp_path) == []
    page.write_text(page.read_text() + " " * 100)
    (problem,) = check_book.check_html(tmp_path)
    assert problem.startswith(f"{page}: 0.0 MB without the shared scripts")
