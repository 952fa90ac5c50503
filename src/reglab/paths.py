"""Where things lie: finished runs, recorded results, data. No other module knows a folder.

The first that is there counts: what is given, an environment variable, the checkout that the
working directory belongs to, and so the same folder for a notebook's kernel, which starts in
``notebooks/``, as for a command at the root. Recorded results come with the package as well.
"""

from __future__ import annotations

import os
from pathlib import Path

RESULTS = Path("book", "results")
_MARK = "_toc.yml"  # lies in the root of a checkout, and of a copy of the book
_PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """Return the working directory, or the folder above it if only that one is a book's root."""
    here = Path()
    above = here / ".."
    return above if (above / _MARK).is_file() and not (here / _MARK).is_file() else here


def store_folder(folder: Path | str | None = None) -> Path:
    """Return ``folder``, else $REGLAB_STORE, else ``runs`` of the book's root."""
    return Path(folder or os.environ.get("REGLAB_STORE") or root() / "runs")


def results_folder(folder: Path | str | None = None) -> Path:
    """Return where recorded results are read.

    That is ``folder``, else $REGLAB_RESULTS, else ``book/results`` of the book's root where there
    is one, else the results that reglab was installed with.
    """
    if given := folder or os.environ.get("REGLAB_RESULTS"):
        return Path(given)
    own = record_folder()
    return own if own.is_dir() else _installed_results()


def record_folder(folder: Path | str | None = None) -> Path:
    """Return where results are recorded: ``folder``, else ``book/results`` of the book's root.

    An installed package is read, and never written to.
    """
    return Path(folder or root() / RESULTS)


def _installed_results() -> Path:
    """Return the recorded results beside this code: in the package, or in its checkout.

    A wheel has them as ``reglab/recorded`` (pyproject.toml); an editable install has no copy.
    """
    packed = _PACKAGE / "recorded"
    return packed if packed.is_dir() else _PACKAGE.parents[1] / RESULTS


def data_folder(folder: Path | str | None = None) -> Path:
    """Return ``folder``, else $REGLAB_DATA_DIR, else the user's cache folder for reglab."""
    if given := folder or os.environ.get("REGLAB_DATA_DIR"):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("reglab") / "data"
