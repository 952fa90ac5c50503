"""Execute notebooks: the rerun page of a data set, or the chapters' stored outputs.

    python tools/run_notebooks.py rerun SOURCE.ipynb PAGE.ipynb --dataset mnist --profile pilot
    python tools/run_notebooks.py pairs notebooks              (or one notebooks/NAME.md)

A page appears under its name complete or not at all.
"""

from __future__ import annotations

import argparse
import functools
import logging
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode
from own_settings import own_settings

if TYPE_CHECKING:
    from traitlets.config import Config

HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


@functools.cache
def _sockets() -> tempfile.TemporaryDirectory:
    """Return a folder of this process's own, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="reglab-")


def kernel_settings() -> Config:
    """Return how one kernel is to be spoken to: by sockets in a folder of its own.

    Over TCP ipykernel warns that nothing is encrypted, and ports can be taken in between. A path to
    a socket must be shorter than a hundred characters or so, and whole: a kernel starts in the
    notebook's folder. A kernel is interrupted before it is shut down, and on a busy machine one
    logs that as an error, hence only what is critical; a failed cell does not come by the log.
    """
    from traitlets.config import Config

    settings = Config({"NotebookClient": {"extra_arguments": ["--IPKernelApp.log_level=50"]}})
    path = os.path.join(tempfile.mkdtemp(dir=_sockets().name), "k")  # noqa: PTH118
    if os.name == "posix" and len(os.fsencode(path)) <= 90:
        settings.KernelManager = Config({"transport": "ipc", "ip": path})
    return settings


def retitle(notebook: NotebookNode, name: str) -> None:
    """Put ``name`` before the first level-one heading: pages of one source need unlike titles.

    Raises:
        ValueError: the notebook has no level-one heading.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := HEADING.search(cell.source)):
            title = match.group(1)
            heading = f"# {name}: {title[0].lower()}{title[1:]}"
            cell.source = cell.source[: match.start()] + heading + cell.source[match.end() :]
            return
    raise ValueError("the notebook has no heading of level one (# ...) to put a name into")


def fold_defaults(notebook: NotebookNode) -> None:
    """Fold the cell of default parameters; the page shows those that papermill injects."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags and "hide-input" not in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]


def make_rerun(source: Path, page: Path, name: str, parameters: dict[str, str]) -> None:
    """Execute ``source`` with ``parameters`` and write it, titled by ``name``, to ``page``.

    Raises:
        ValueError: the source has no heading or no cell tagged ``parameters``.
        papermill.PapermillExecutionError: a cell failed; ``page`` is left as it was.
    """
    import papermill

    notebook = nbformat.read(source, as_version=4)
    retitle(notebook, name)
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        raise ValueError(f"{source} has no cell tagged 'parameters' for papermill to fill")
    fold_defaults(notebook)
    page.parent.mkdir(parents=True, exist_ok=True)
    # The same folder, so that the last step is a rename; no .ipynb that the book could pick up.
    with tempfile.TemporaryDirectory(prefix=".making-", dir=page.parent) as folder:
        titled, executed = Path(folder, "titled.ipynb"), Path(folder, "executed.ipynb")
        nbformat.write(notebook, titled)
        papermill.execute_notebook(
            titled,
            executed,
            parameters,
            kernel_name="python3",
            progress_bar=False,
            config=kernel_settings(),
        )
        executed.replace(page)


def make_pair(text: Path, *, execute: bool) -> Path:
    """Write NAME.ipynb from the MyST source NAME.md, with outputs if ``execute``.

    What differs between machines or calls (cell ids, times, the kernel's version) is left out.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the old NAME.ipynb stays.
    """
    import jupytext
    from nbclient import NotebookClient

    notebook = jupytext.read(text)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    if execute:
        resources = {"metadata": {"path": str(text.parent)}}
        NotebookClient(
            notebook,
            kernel_name="python3",
            resources=resources,
            record_timing=False,
            timeout=None,
            config=kernel_settings(),
        ).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    # As jupytext --sync writes it, so that a later sync finds nothing to do.
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    target = text.with_suffix(".ipynb")
    partial = target.with_suffix(".partial")
    partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    partial.replace(target)
    return target


def _rerun(arguments: argparse.Namespace) -> None:
    from reglab.paper.numbers import title

    parameters = {"dataset": arguments.dataset, "profile": arguments.profile}
    make_rerun(arguments.source, arguments.page, title(arguments.dataset), parameters)


def _pairs(arguments: argparse.Namespace) -> None:
    path = arguments.path
    texts = sorted(path.glob("*.md")) if path.is_dir() else [path]
    for number, text in enumerate(texts, 1):
        print(f"{number}/{len(texts)} {text.with_suffix('.ipynb')}", flush=True)
        make_pair(text, execute=text.stem != "rerun")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="rerun|pairs")
    rerun = commands.add_parser("rerun", help="one data set's page, through papermill")
    rerun.add_argument("source", type=Path)
    rerun.add_argument("page", type=Path)
    rerun.add_argument("--dataset", required=True)
    rerun.add_argument("--profile", required=True)
    rerun.set_defaults(command=_rerun)
    pairs = commands.add_parser("pairs", help="NAME.ipynb from each NAME.md; chapters executed")
    pairs.add_argument("path", type=Path, help="the folder, or one NAME.md")
    pairs.set_defaults(command=_pairs)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; a failed cell's traceback is printed, and the exit status is 1."""
    from nbclient.exceptions import CellExecutionError
    from papermill import PapermillExecutionError

    arguments = _parser().parse_args(argv)
    os.environ["REGLAB_FOR_BOOK"] = "1"  # kernels inherit it: pictures as the pages need them
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it remarks on each untyped parameter
    try:
        with own_settings():
            arguments.command(arguments)
    except (CellExecutionError, PapermillExecutionError) as error:
        print(f"{error}\nreglab: a cell failed: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"reglab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
