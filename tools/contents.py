"""The book's contents: the pages of _toc.yml, read as jupyter-book reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml


def parts(site: Path) -> list[tuple[str, list[str]]]:
    """Return the pages under the captions of their parts, in order; the front page has none.

    Pages are named as in the file, without suffix; those below a page follow it.

    Args:
        site: folder of _toc.yml.
    """
    book = parse_toc_yaml(site / "_toc.yml")

    def below(page: str) -> Iterator[str]:
        yield page
        for tree in book[page].subtrees:
            for item in tree.items:
                yield from below(str(item))

    named = [("", [book.root.docname])]
    for tree in book.root.subtrees:
        pages = [page for item in tree.items for page in below(str(item))]
        named.append((tree.caption or "Pages", pages))
    return named


def pages(site: Path) -> list[str]:
    """Return the pages in order, the front page first."""
    return [page for _, names in parts(site) for page in names]
