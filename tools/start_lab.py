"""JupyterLab as `make lab` opens it: a start page, each notebook listed once, no pop-up on news.

Where the book is built, the notebooks are copies of those that it offers to readers elsewhere
(`resolved`), to be changed at will: a copy that was changed is not replaced.

    python tools/start_lab.py [OPTION...]     options go to JupyterLab as they are
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import shutil
import sys
from pathlib import Path

import contents
import nbformat
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parents[1]
LAB = Path("_build", "lab")
PAGE = LAB / "start.md"
BUILT = Path("_build", "html")
AS_MADE = ".as-made"  # beside the copies: what they were before anybody changed them
SETTINGS = Path(__file__).resolve().parent / "lab"
# Of a processor's core, for all cells of a notebook, and of what they start.
SECONDS = SETTINGS / "seconds.json"
RERUN = "notebooks/rerun"
TO_NOTEBOOK = re.compile(r"\]\((\w+)\.html(?:#[^)]*)?\)")
FOLDED = re.compile(
    r"^<details><summary>(?P<title>[^\n]*)</summary>\n\n(?P<text>.*?)\n\n</details>$", re.M | re.S
)
HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
ABOUT = """# Notebooks to change and run

Each is a page of the book, with its code. Change a number, run the cell (Shift and Enter), and see.
The times are those of all cells on one core of a small machine; most of the first seconds is
loading PyTorch. The last notebook trains whatever its parameters ask for.
"""
COPIES = "These are copies: what you change in them is kept, and the book's own stay as they are."
OWN = "These are the book's own. Built once (`make book`), there are copies without MyST to change."


def start_page(site: Path) -> str:
    """Return the start page as Markdown: the notebooks in the order of the book, by its parts.

    Args:
        site: folder of _toc.yml, notebooks/ and, where there are any, the copies.
    """
    lines = [ABOUT, COPIES if _copied(site) else OWN, ""]
    for part, pages in contents.parts(site):
        names = [page for page in pages if page.startswith("notebooks/")]
        lines += [f"## {part}", "", *(_line(site, name) for name in names), ""] if names else []
    return "\n".join([*lines, "## To run the experiments", "", _line(site, RERUN), ""])


def _line(site: Path, page: str) -> str:
    title = HEADING.search((site / f"{page}.md").read_text("utf-8"))[1]
    folder = "" if _copied(site) else "../../"
    seconds = json.loads(SECONDS.read_text("utf-8"))
    takes = "as its parameters ask" if page == RERUN else in_words(seconds[Path(page).name])
    return f"- [{title}]({folder}{page}.ipynb): {takes}"


def in_words(seconds: float) -> str:
    """Return a time no more exact than it is."""
    if seconds < 55:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    return f"{round(seconds / 60)} minutes" if seconds >= 90 else "a minute"


def _copied(site: Path) -> bool:
    return any((site / LAB / "notebooks").glob("*.ipynb"))


def copy_notebooks(site: Path) -> None:
    """Copy the built book's notebooks to where they may be changed, and let their links lead on.

    A copy that differs from what was copied the last time is the reader's, and stays.
    """
    copies = site / LAB / "notebooks"
    (copies / AS_MADE).mkdir(parents=True, exist_ok=True)
    notary = NotebookNotary()
    for file in sorted((site / BUILT / "notebooks").glob("*.ipynb")):
        copy, as_made = copies / file.name, copies / AS_MADE / file.name
        if copy.exists() and not (as_made.exists() and _alike(copy, as_made)):
            continue
        made = _local(file)
        as_made.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
        shutil.copyfile(as_made, copy)
        notary.sign(made)  # of what is not trusted JupyterLab shows no SVG until it is run
    # Pages that a link or an output names are there as well; the list of files hides them.
    pages = [site / BUILT / "book", *(site / BUILT / "notebooks").glob("*.html")]
    for page in pages:
        place = site / LAB / page.relative_to(site / BUILT)
        with contextlib.suppress(OSError):  # there already, or a system without such links
            place.symlink_to(os.path.relpath(page, place.parent))


def _alike(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _local(file: Path) -> nbformat.NotebookNode:
    """Return a notebook as this JupyterLab shows it best.

    Links to pages of other notebooks lead to these themselves. What is folded is so in MyST, since
    jupyterlab-myst sets no formula within HTML.
    """
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = TO_NOTEBOOK.sub(r"](\1.ipynb)", cell.source)
            cell.source = FOLDED.sub(_dropdown, cell.source)
    return notebook


def _dropdown(folded: re.Match) -> str:
    return f":::{{dropdown}} {html.unescape(folded['title'])}\n{folded['text']}\n:::"


def options(site: Path) -> list[str]:
    """Return what JupyterLab is called with.

    NAME.md and NAME.ipynb are one notebook: of the two the one with outputs is listed.
    """
    pairs = sorted(path.with_suffix(".md").name for path in (site / "notebooks").glob("*.ipynb"))
    folder = (LAB / "notebooks").as_posix() if _copied(site) else "notebooks"
    return [
        f"--ServerApp.root_dir={site}",
        f"--LabApp.default_url=/lab/tree/{PAGE.as_posix()}?file-browser-path=/{folder}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        *(f"--ContentsManager.hide_globs={name}" for name in ["__pycache__", "*.html", *pairs]),
    ]


def prepare(site: Path) -> list[str]:
    """Make what is opened, and return the command that opens it."""
    copy_notebooks(site)
    (site / PAGE).write_text(start_page(site), encoding="utf-8")
    return [sys.executable, "-m", "jupyterlab", *options(site)]


def main(argv: list[str]) -> None:
    """Prepare, and become JupyterLab."""
    os.execv(sys.executable, [*prepare(ROOT), *argv])


if __name__ == "__main__":
    main(sys.argv[1:])
