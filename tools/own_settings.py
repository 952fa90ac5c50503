"""Notebooks of the build run in the book's own settings, not in those of whoever builds it.

A reader's kernelspec named python3 may start another interpreter, an IPython profile print other
outputs, a matplotlibrc draw other pictures.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

SETTINGS = {
    # The same picture is the same SVG, without a date or chance names.
    "MATPLOTLIBRC": str(Path(__file__).with_name("matplotlibrc")),
    "SOURCE_DATE_EPOCH": "315532800",  # 1980 begins: what a zip file can hold at the earliest
    # Kernelspecs of this environment come before those of the user, and no others do.
    "JUPYTER_PREFER_ENV_PATH": "1",
    "JUPYTER_PATH": "",
    "PYTHONSTARTUP": "",
}


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Let kernels that are started here inherit `SETTINGS`, and an IPython folder of no profile."""
    with tempfile.TemporaryDirectory(prefix="reglab-ipython-") as folder:
        settings = SETTINGS | {"IPYTHONDIR": folder}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
