"""JupyterLab as `make lab` opens it: a start page, each notebook listed once, no pop-up on news.

python tools/start_lab.py [OPTION...]     options go to JupyterLab as they are
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import contents

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("_build", "lab", "start.md")
HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
ABOUT = """# Notebooks to change and run

Each is a page of the book, with its code. Change a number, run the cell (Shift and Enter), and see.
The chapters show recorded runs and small experiments of their own; the last one trains whatever
its parameters ask for.
"""


def start_page(site: Path) -> str:
    """Return the start page as Markdown: the notebooks in the order of the book, by its parts.

    Args:
        site: folder of _toc.yml and notebooks/.
    """
    lines = [ABOUT]
    for part, pages in contents.parts(site):
        names = [page for page in pages if page.startswith("notebooks/")]
        lines += [f"## {part}", *(_link(site, name) for name in names), ""] if names else []
    return "\n".join([*lines, "## To run the experiments", _link(site, "notebooks/rerun"), ""])


def _link(site: Path, page: str) -> str:
    title = HEADING.search((site / f"{page}.md").read_text("utf-8"))[1]
    return f"- [{title}](../../{page}.ipynb)"


def options(site: Path) -> list[str]:
    """Return what JupyterLab is called with.

    NAME.md and NAME.ipynb are one notebook: of the two the one with outputs is listed.
    """
    pairs = sorted(path.with_suffix(".md").name for path in (site / "notebooks").glob("*.ipynb"))
    return [
        f"--ServerApp.root_dir={site}",
        f"--LabApp.default_url=/lab/tree/{PAGE.as_posix()}?file-browser-path=/notebooks",
        f"--LabApp.app_settings_dir={Path(__file__).resolve().parent / 'lab'}",
        *(f"--ContentsManager.hide_globs={name}" for name in ["__pycache__", *pairs]),
    ]


def main(argv: list[str]) -> None:
    """Write the start page and become JupyterLab."""
    page = ROOT / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(start_page(ROOT), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", *options(ROOT), *argv]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main(sys.argv[1:])
