"""Check the book: its notebooks before it is built, its pages afterwards.

    python tools/check_book.py pairs notebooks     NAME.md and NAME.ipynb are in step
    python tools/check_book.py notebooks SITE      no page of _toc.yml has a failed or unrun cell
    python tools/check_book.py html FOLDER         no asset of another host, no dead local link,
                                                   each picture told in words, each figure and
                                                   captioned table numbered, no page over 3 MB

Each finding is one line on standard error; the exit status is 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import yaml

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


class _Page(HTMLParser):
    """Collects what a page loads (`assets`), links to (`links`), can be linked at (`ids`).

    And `faults`: what is wrong with the pictures, figures and captions of its article.
    """

    def __init__(self) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.faults: dict[str, None] = {}  # each once
        self._inside = ""
        self._articles = 0
        self._numbered: list[bool] = []  # whether the open figures and captions have a number
        self._pictures: list[str] = []  # of the open figure

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        values = {name: value for name, value in attrs if value}
        self._look(tag, values)
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and NOT_LOADED & set(values.get("rel", "").split()):
            return
        for name in ASSET_ATTRIBUTES.get(tag, ()):
            if name == "srcset":
                self.assets += [part.split()[0] for part in values.get(name, "").split(",") if part]
            elif name in values:
                self.assets.append(values[name])
        self.assets += css_urls(values.get("style", ""))

    def _look(self, tag: str, values: dict[str, str]) -> None:
        self._articles += tag == "article"
        if not self._articles:
            return
        if tag in ("figure", "caption"):
            self._numbered.append(False)
        elif "caption-number" in values.get("class", "").split() and self._numbered:
            self._numbered[-1] = True
        elif tag == "img" and values.get("class") != "toggler":  # of Sphinx's list of modules
            name = values.get("src", "")
            if len(values.get("alt", "").split()) < FEWEST_WORDS:
                self.faults[f"{name} has no alternative text that says what it shows"] = None
            if self._numbered:
                self._pictures.append(name)
            else:
                self.faults[f"{name} stands in no figure, so it has no number"] = None

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        self._articles -= tag == "article"
        if tag == "caption" and self._numbered and not self._numbered.pop():
            self.faults["a table with a caption has no number"] = None
        if tag == "figure" and self._numbered and not self._numbered.pop():
            # a chart that a script draws holds no picture, and has a heading instead of a number
            self.faults |= {f"the figure of {name} has no number": None for name in self._pictures}
        if tag == "figure":
            self._pictures = []

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.assets += css_urls(data)
        elif self._inside == "script":
            self.assets += [first or second for first, second in SCRIPT_URL.findall(data)]


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
        read[file.resolve()] = page = _Page()
        page.feed(file.read_text(encoding="utf-8"))
        problems += _remote(file, page.assets)
        problems += _missing(file, folder, page.assets + page.links)
        problems += [f"{file}: {fault}" for fault in page.faults]
        problems += _heavy(file, page.assets)
    for file, page in read.items():
        problems += _dead_anchors(file, page.links, read)
    for file in sorted(folder.rglob("*.css")):
        addresses = css_urls(file.read_text(encoding="utf-8"))
        problems += _remote(file, addresses) + _missing(file, folder, addresses)
    return problems


def _remote(file: Path, addresses: list[str]) -> list[str]:
    found = sorted({address for address in addresses if is_remote(address)})
    return [f"{file}: loads {address} from another host; serve it locally" for address in found]


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


def _dead_anchors(file: Path, links: list[str], pages: dict[Path, _Page]) -> list[str]:
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


def toc_pages(site: Path) -> list[str]:
    """Return the pages that _toc.yml lists, in order, as it names them (without suffix)."""
    toc = yaml.safe_load((site / "_toc.yml").read_text(encoding="utf-8"))
    parts = toc.get("parts", [toc])
    return [toc["root"], *(page["file"] for part in parts for page in part.get("chapters", []))]


def check_notebooks(site: Path) -> list[str]:
    """Return one line for every failed or never executed cell in the book's notebooks."""
    problems = []
    for page in toc_pages(site):
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
