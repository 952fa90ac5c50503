"""Notebooks for readers elsewhere: plain Markdown, with numbers, titles and citations."""

import os
import subprocess
import sys
from pathlib import Path

import jupytext.config
import left_over
import nbformat
import pytest
import resolved
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from plain_markdown import NoPlainForm, plain
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = """# Chapter

:::{admonition} In one minute
- A {term}`word <words>` of {cite:t}`doe2001good`.
:::

```{math}
:label: eq-x
a = b
```

(a-place)=
## Second

By {eq}`eq-x` {cite}`doe2001good`, see [](../index.md), [it](../index.md), {ref}`a-place`,
[](#a-place), {numref}`fig-x` and [elsewhere](https://a.example/).
"""
FIGURE = {"figure": {"caption": "As in {eq}`eq-x`.", "name": "fig-x"}, "image": {"alt": "A line."}}
PICTURE = '<div class="picture" id="picture-x"><script type="application/json">{}</script></div>'
INDEX = """# Book

```{glossary}
words
  What is said.
```

```{bibliography}
```
"""


def site(folder: Path, chapter: str) -> Path:
    """Write a small book with one chapter that has everything."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "index.md").write_text(INDEX)
    (folder / "works.bib").write_text(
        "@article{doe2001good, author={Doe, Jo}, title={Good-will}, journal={J.}, year=2001}"
    )
    toc = "format: jb-book\nroot: index\nchapters:\n- file: notebooks/x\n"
    (folder / "_toc.yml").write_text(toc)
    links = '<a href="../index.html#term-words">w</a>'
    drawn = [new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"})]
    shown = [new_output("display_data", {"text/html": text}) for text in (links, PICTURE)]
    cells = [
        new_markdown_cell(chapter, id="text"),
        new_code_cell("draw()", id="drawn", execution_count=1, outputs=drawn,
                      metadata={"mystnb": FIGURE}),
        new_code_cell("show()", id="shown", execution_count=2, outputs=shown,
                      metadata={"tags": ["hide-input"]}),
    ]  # fmt: skip
    kernel = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        "jupytext": {"formats": "ipynb,md:myst"},
    }
    for name in ("x", "rerun"):
        notebook = writes(new_notebook(cells=cells if name == "x" else [], metadata=kernel))
        (folder / f"notebooks/{name}.ipynb").write_text(notebook)
    settings = {
        "extensions": ["myst_nb", "sphinxcontrib.bibtex", "sphinx_external_toc", "sharing"],
        "bibtex_bibfiles": ["works.bib"],
        "bibtex_reference_style": "author_year",
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
        "html_theme": "sphinx_book_theme",
        "html_title": "Book",
        "html_theme_options": {},
        "root_doc": "index",
        "external_toc_path": "_toc.yml",
        "exclude_patterns": ["notebooks/rerun.ipynb"],
        "nb_execution_mode": "off",
        "numfig": True,
        "math_numfig": True,
        "suppress_warnings": ["mystnb.unknown_mime_type"],
    }
    settings["extensions"].append("resolved")
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    (folder / "conf.py").write_text("\n".join(lines))
    return folder


def build(source: Path, out: Path, **environment: str) -> int:
    """Build in a process of its own: citations of an earlier build must not be remembered."""
    names = ("BOOK_URL", "REPOSITORY_URL", "REPOSITORY_BRANCH", "NOTEBOOKS_BRANCH")
    given = {name: environment.get(name, "") for name in names}
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-E", "-b", "html", source, out]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), **given}
    return subprocess.run(command, env=variables, timeout=600, check=False).returncode


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The small book, built without addresses and with them: (folder, folder)."""
    source = site(tmp_path_factory.mktemp("site"), CHAPTER)
    outs = [tmp_path_factory.mktemp("out") for _ in range(2)]
    public = {
        "BOOK_URL": "https://book.example/a",
        "REPOSITORY_URL": "https://github.com/me/rerun",
        "REPOSITORY_BRANCH": "trunk",
        "NOTEBOOKS_BRANCH": "plain",
    }
    for out, environment in zip(outs, ({}, public), strict=True):
        assert build(source, out, **environment) == 0
    return outs


def cells(out: Path) -> dict[str, nbformat.NotebookNode]:
    notebook = nbformat.read(out / "notebooks/x.ipynb", as_version=4)
    return {cell.id: cell for cell in notebook.cells}


@pytest.mark.parametrize(
    ("which", "home", "own"),
    [
        (0, "../", "x.html"),
        (1, "https://book.example/a/", "https://book.example/a/notebooks/x.html"),
    ],
    ids=["without an address", "with one"],
)
def test_a_notebook_says_what_the_page_says(built, which, home, own):
    made = cells(built[which])
    assert made["text"].source == (
        "# Chapter\n\n> **In one minute**\n>\n"
        f"> - A [word]({home}index.html#term-words) of Doe (2001).\n\n"
        "$$\na = b \\tag{1}\n$$\n\n## Second\n\n"
        f"By [(1)]({own}#equation-eq-x) (Doe, 2001), see [Book]({home}index.html), "
        f"[it]({home}index.html), [Second]({own}#a-place),\n"
        f"[Second]({own}#a-place), [Fig. 1]({own}#fig-x) and [elsewhere](https://a.example/)."
    )
    assert made["drawn-caption"].source == f"**Fig. 1.** As in [(1)]({own}#equation-eq-x)."
    assert made["resolved-end-0"].source == "## Works cited\n\n- Jo Doe. Good-will. *J.*, 2001."
    assert made["resolved-end-1"].source.startswith(f"*This notebook is the page [Chapter]({own})")


def test_outputs_stay_but_for_pictures_that_the_pages_script_draws(built):
    made = cells(built[1])
    assert made["drawn"].outputs[0].data["image/png"] == "aGk="
    link = "https://book.example/a/index.html#term-words"
    (output,) = made["shown"].outputs
    assert output.data["text/html"] == f'<a href="{link}">w</a>'
    assert made["shown"].metadata.jupyter == {"source_hidden": True}
    assert "jupyter" not in made["drawn"].metadata


def test_nothing_is_left_over(built):
    for out in built:
        assert (out / "notebooks/rerun.ipynb").is_file()
        for file in (out / "notebooks").glob("*.ipynb"):
            assert left_over.in_notebook(file) == []


def test_a_notebook_has_no_text_file_beside_it(built):
    """Else jupytext would read its cells from NAME.md of the checkout on Binder."""
    notebook = nbformat.read(built[1] / "notebooks/x.ipynb", as_version=4)
    config = jupytext.config.load_jupytext_config(str(ROOT / "notebooks/l2.ipynb"))
    assert config.default_formats("x.ipynb")  # what a notebook without its own would have
    assert notebook.metadata.jupytext.formats == "ipynb"


def test_a_notebook_brings_reglab_where_it_is_missing(built):
    plain_one, public = map(cells, built)
    assert "resolved-set-up" not in plain_one
    assert next(iter(public)) == "resolved-set-up"
    code = public["resolved-set-up"].source
    assert "--no-deps" in code and "git+https://github.com/me/rerun@trunk" in code


def test_buttons_give_what_was_made(built):
    plain_page, public = [(out / "notebooks/x.html").read_text("utf-8") for out in built]
    assert 'href="x.ipynb"' in plain_page
    assert "_sources/notebooks" not in plain_page
    for wanted in (
        "colab.research.google.com/github/me/rerun/blob/plain/notebooks/x.ipynb",
        "mybinder.org/v2/gh/me/rerun/plain?urlpath=lab/tree/notebooks/x.ipynb",
        "github.com/me/rerun/edit/trunk/notebooks/x.md",
    ):
        assert wanted in public


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("{frobnicate}`x`", "role {frobnicate}"),
        ("```{plot}\nx\n```", "directive {plot}"),
    ],
)
def test_what_cannot_be_resolved_fails_the_build(planted, said, monkeypatch):
    class Nothing:
        env = config = builder = None

    page = resolved.Page(Nothing, "notebooks/x")
    notebook = new_notebook(cells=[new_markdown_cell(planted)])
    with pytest.raises(NoPlainForm, match=said):
        resolved.resolve(notebook, page)

    class App:
        class builder:
            format = "html"

        env, outdir = None, "nowhere"

    monkeypatch.setattr(resolved, "pages", lambda app: {"notebooks/x": ROOT / "notebooks/l2.ipynb"})
    monkeypatch.setattr(resolved, "resolve", lambda *_: plain("```{plot}\nx\n```", None))
    with pytest.raises(ExtensionError, match=r"notebooks/x: the directive \{plot\}"):
        resolved.write(App, None)


def test_the_branch_for_binder_and_colab_has_what_was_made(built, tmp_path):
    def git(*words, folder=tmp_path / "work"):
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    work, script = tmp_path / "work", ROOT / "tools/push_notebooks.sh"
    (work / "notebooks").mkdir(parents=True)
    git("init", "--quiet", "--bare", tmp_path / "origin", folder=tmp_path)
    git("init", "--quiet")
    for name in ("l2.ipynb", "l2.md"):
        (work / "notebooks" / name).write_text("as in the checkout")
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--message", "first")
    git("remote", "add", "origin", tmp_path / "origin")
    command = ["sh", script, "html", "plain"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "reglab: html/notebooks has no notebooks; run make book first\n"
    (work / "html/notebooks").mkdir(parents=True)
    (work / "html/notebooks/l2.ipynb").write_text("as it was made")
    for _ in range(2):  # the second time there is nothing new
        subprocess.run(command, cwd=work, check=True)
    assert git("show", "plain:notebooks/l2.ipynb", folder=tmp_path / "origin") == "as it was made"
    assert git("show", "plain:notebooks/l2.md", folder=tmp_path / "origin") == "as in the checkout"
    assert (work / "notebooks/l2.ipynb").read_text() == "as in the checkout"
    assert len(git("worktree", "list").splitlines()) == 1


def test_the_workflow_pushes_to_the_branch_that_the_buttons_name():
    jobs = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())["jobs"]
    (named,) = (step["env"]["NOTEBOOKS_BRANCH"] for step in jobs["build"]["steps"] if "env" in step)
    pushed = jobs["notebooks"]["steps"][-1]["run"].split()
    assert pushed == ["sh", "tools/push_notebooks.sh", "built", named]
    assert jobs["notebooks"]["permissions"] == {"contents": "write"}
