"""A Sphinx extension: the book's pages are those of _toc.yml, wherever the book lies.

Jupyter Book's `only_build_toc_files` looks for all other pages with glob. In a folder with `[` and
`]` in its name glob finds none of them, and the build would warn of each.
"""

from __future__ import annotations

from pathlib import Path

import contents
from sphinx.application import Sphinx
from sphinx.config import Config


def include_listed(app: Sphinx, config: Config) -> None:
    """Let Sphinx read the pages of _toc.yml and no others; which suffix they have is its matter."""
    config.include_patterns = [f"{page}.*" for page in contents.pages(Path(app.srcdir))]


def setup(app: Sphinx) -> dict:
    """Connect the extension (called by Sphinx)."""
    app.connect("config-inited", include_listed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
