"""Check the book: its notebooks before it is built, its pages afterwards.

    python tools/check_book.py pairs notebooks     NAME.md and NAME.ipynb are in step
    python tools/check_book.py notebooks SITE      no page of _toc.yml has a failed or unrun cell
    python tools/check_book.py html FOLDER         no asset of another host, no dead local link,
                                                   each picture told in words, each figure and
                                                   captioned table numbered, no page over 3 MB,
                                                   no MyST left in notebooks for readers elsewhere

Each finding is one line on standard error; the exit status is 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import contents
import left_over
import nbformat
from bs4 import BeautifulSoup, Tag

# What a browser loads by itself; the target of <a href> is loaded only when it is followed.
ASSET_ATTRIBUTES = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
NOT_LOADED = {"alternate", "author", "canonical", "help", "license", "next", "prev", "search"}
CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
SCRIPT_URL = re.compile(
    r"""(?:import\b|importScripts|from|\.src\s*=|fetch)\s*\(?\s*["'`]((?:https?:)?//[^"'`]+)"""
    r"""|["'`]((?:https?:)?//[^"'`\s]+\.(?:m?js|css|woff2?))["'`]"""
)


HEAVIEST = 3e6  # bytes of a page
FEWEST_WORDS = 4  # of a text that tells a picture; without one Sphinx puts the file's name there


@dataclass(frozen=True)
class Page:
    """What a page loads, links to, can be linked at, and what is wrong with its article.

    Attributes:
        assets: addresses that a browser asks for by itself.
        links: targets of links.
        ids: places that a link can name.
        faults: about pictures, figures and captions, each once.
    """

    assets: list[str]
    links: list[str]
    ids: set[str]
    faults: list[str]


def read_page(file: Path) -> Page:
    """Read a page of HTML."""
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    named = page.select("[id], [name]")
    faults = [fault for article in page.select("article") for fault in _faults(article)]
    return Page(
        assets=_assets(page),
        links=[link["href"] for link in page.select("a[href]")],
        ids={tag[name] for tag in named for name in ("id", "name") if name in tag.attrs},
        faults=list(dict.fromkeys(faults)),
    )


def _assets(page: BeautifulSoup) -> list[str]:
    addresses = []
    for tag in page.find_all(list(ASSET_ATTRIBUTES)):
        if tag.name == "link" and NOT_LOADED & set(tag.get("rel", [])):
            continue
        for name in ASSET_ATTRIBUTES[tag.name]:
            value = tag.get(name) or ""
            # "small.png 1x, large.png 2x"
            parts = [part.split()[0] for part in value.split(",") if part.strip()]
            addresses += parts if name == "srcset" else [value] * bool(value)
    for tag in page.select("[style]"):
        addresses += css_urls(tag["style"])
    for tag in page.select("style"):
        addresses += css_urls(tag.get_text())
    for tag in page.select("script"):
        addresses += [first or second for first, second in SCRIPT_URL.findall(tag.get_text())]
    return addresses


def _faults(article: Tag) -> Iterator[str]:
    """Yield what is wrong with the pictures, figures and captions of an article."""
    frames = ("figure", "caption")
    # a number counts for the innermost figure or caption that it stands in
    numbered = [number.find_parent(frames) for number in article.select(".caption-number")]
    for picture in article.select("img"):
        if picture.get("class") == ["toggler"]:  # of Sphinx's list of modules
            continue
        name = picture.get("src", "")
        if len(picture.get("alt", "").split()) < FEWEST_WORDS:
            yield f"{name} has no alternative text that says what it shows"
        frame = picture.find_parent(frames)
        if frame is None:
            yield f"{name} stands in no figure, so it has no number"
        elif frame.name == "figure" and not any(frame is one for one in numbered):
            yield f"the figure of {name} has no number"
    for caption in article.select("caption"):
        if not any(caption is one for one in numbered):
            yield "a table with a caption has no number"


def css_urls(text: str) -> list[str]:
    """Return the addresses that a piece of CSS loads."""
    return [first or second for first, second in CSS_URL.findall(text)]


def is_remote(address: str) -> bool:
    """Return whether a browser would ask another host for ``address``."""
    return bool(urlsplit(address.strip()).netloc)


def check_html(folder: Path) -> list[str]:
    """Return one line for every remote asset and every missing local file under ``folder``."""
    problems = [] if any(folder.glob("*.html")) else [f"{folder}: holds no HTML page"]
    # The theme leaves templates of its own in _static; no reader ever meets them.
    pages = [file for file in folder.rglob("*.html") if "_static" not in file.parts]
    read = {}
    for file in sorted(pages):
        read[file.resolve()] = page = read_page(file)
        problems += _remote(file, page.assets)
        problems += _missing(file, folder, page.assets + page.links)
        problems += [f"{file}: {fault}" for fault in page.faults]
        problems += _heavy(file, page.assets)
    for file, page in read.items():
        problems += _dead_anchors(file, page.links, read)
    for file in sorted(folder.rglob("*.css")):
        addresses = css_urls(file.read_text(encoding="utf-8"))
        problems += _remote(file, addresses) + _missing(file, folder, addresses)
    for file in sorted(folder.rglob("*.ipynb")):
        if "_sources" not in file.parts:
            problems += left_over.in_notebook(file)
    return problems


def _remote(file: Path, addresses: list[str]) -> list[str]:
    remote = sorted({address for address in addresses if is_remote(address)})
    return [f"{file}: loads {address} from another host; serve it locally" for address in remote]


def _missing(file: Path, root: Path, addresses: list[str]) -> list[str]:
    problems = []
    for address in sorted(set(addresses)):
        parts = urlsplit(address.strip())
        if parts.scheme or parts.netloc or not parts.path:
            continue
        base = root if parts.path.startswith("/") else file.parent
        if not (base / unquote(parts.path).lstrip("/")).exists():
            problems.append(f"{file}: {address} is missing")
    return problems


def _heavy(file: Path, assets: list[str]) -> list[str]:
    """Weigh a page with its own pictures; what lies in _static is loaded once for all pages."""
    own = {file, *((file.parent / unquote(urlsplit(name.strip()).path)) for name in assets)}
    weight = sum(one.stat().st_size for one in own if one.is_file() and "_static" not in one.parts)
    if weight <= HEAVIEST:
        return []
    return [f"{file}: {weight / 1e6:.1f} MB without the shared scripts; at most {HEAVIEST / 1e6:g}"]


def _dead_anchors(file: Path, links: list[str], pages: dict[Path, Page]) -> list[str]:
    """Return one line for every link to a place that the page it names does not have."""
    problems = []
    for address in sorted(set(links)):
        parts = urlsplit(address.strip())
        if parts.scheme or parts.netloc or parts.fragment in ("", "top"):
            continue
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        if target in pages and unquote(parts.fragment) not in pages[target].ids:
            problems.append(f"{file}: {address} names a place that the page does not have")
    return problems


def check_notebooks(site: Path) -> list[str]:
    """Return one line for every failed or never executed cell in the book's notebooks."""
    problems = []
    for page in contents.pages(site):
        file = site / f"{page}.ipynb"
        if file.exists():
            problems += check_cells(file)
        elif not (site / f"{page}.md").exists():
            problems.append(f"{site / page}: _toc.yml names it, and it is neither .md nor .ipynb")
    return problems


def check_cells(file: Path) -> list[str]:
    """Return one line for every failed, unrun or badly shown code cell of a notebook."""
    problems = []
    code = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        if cell.source.strip() and cell.execution_count is None:
            problems.append(f"{file}: code cell {number} was never executed")
        for output in cell.outputs:
            if output.output_type == "error":
                problems.append(
                    f"{file}: code cell {number} failed: {output.ename}: {output.evalue}"
                )
            elif _is_unseen_figure(output.get("data", {})):
                problems.append(f"{file}: code cell {number} shows a figure's name, not the figure")
    return problems


def _is_unseen_figure(data: dict) -> bool:
    """Return whether a figure came out as text, as it does without matplotlib's inline backend."""
    images = any(kind.startswith("image/") for kind in data)
    return data.get("text/plain", "").startswith("<Figure size") and not images


def check_pairs(folder: Path) -> list[str]:
    """Return one line for every NAME.md whose NAME.ipynb is missing or has other cells."""
    import jupytext

    problems = [] if folder.is_dir() else [f"{folder}: is not a folder"]
    for text in sorted(folder.glob("*.md")):
        notebook = text.with_suffix(".ipynb")
        if not notebook.exists():
            problems.append(f"{notebook}: is missing; run make notebooks")
        elif _cells(jupytext.read(text)) != _cells(jupytext.read(notebook)):
            problems.append(f"{notebook}: is not in step with {text.name}; run make notebooks")
    for notebook in sorted(folder.glob("*.ipynb")):
        if not notebook.with_suffix(".md").exists():
            problems.append(f"{notebook}: has no MyST source {notebook.stem}.md")
    return problems


def _cells(notebook: nbformat.NotebookNode) -> list[tuple[str, str, list[str], dict]]:
    """Return what the book reads of the cells; `mystnb` has a figure's caption and its words."""
    return [
        (
            cell.cell_type,
            cell.source.strip(),
            sorted(cell.metadata.get("tags", [])),
            cell.metadata.get("mystnb", {}),
        )
        for cell in notebook.cells
    ]


CHECKS = {"pairs": check_pairs, "notebooks": check_notebooks, "html": check_html}


def main(argv: list[str]) -> int:
    """Run one check on one folder and print what it finds."""
    if len(argv) != 2 or argv[0] not in CHECKS:
        print(f"usage: check_book.py {'|'.join(CHECKS)} FOLDER", file=sys.stderr)
        return 2
    problems = CHECKS[argv[0]](Path(argv[1]))
    for problem in problems:
        print(f"reglab: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
