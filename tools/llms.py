"""The book as plain text for language models: `llms.txt` lists the pages, `llms-full.txt` has them.

Text of pages is their MyST source, with what they include. Of an executed notebook come the prose,
the code that the page shows, and what it printed; a picture is told by its alternative text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import contents
import nbformat
from bs4 import BeautifulSoup

INCLUDE = re.compile(r"^```\{include\} (\S+)\n```$", re.MULTILINE)
RAW = re.compile(r"^```\{raw\} html\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r'<a href="([^"]+)">([^<]*)</a>')
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def page_text(site: Path, page: str) -> str:
    """Return the text of a page, a notebook's with its outputs."""
    notebook = site / f"{page}.ipynb"
    if notebook.exists():
        cells = nbformat.read(notebook, as_version=4).cells
        return "\n\n".join(text for cell in cells if (text := _cell(cell)))
    source = site / f"{page}.md"
    text = FRONT_MATTER.sub("", source.read_text(encoding="utf-8"))
    text = INCLUDE.sub(lambda match: _included(source.parent / match[1]), text)
    return text.strip()


def _included(file: Path) -> str:
    """Return an included file; a picture made of HTML as the words that stand for it."""
    text = file.read_text(encoding="utf-8").strip()
    text = RAW.sub(lambda match: " ".join(_labels(match[1])), text)
    return LINK.sub(r"[\2](\1)", text)


def _labels(text: str) -> list[str]:
    labelled = BeautifulSoup(text, "html.parser").find_all(attrs={"aria-label": True})
    return [tag["aria-label"] for tag in labelled]


def _cell(cell: nbformat.NotebookNode) -> str:
    if cell.cell_type != "code":
        return cell.source.strip()
    shown = not FOLDED & set(cell.metadata.get("tags", []))
    texts = [f"```python\n{cell.source.strip()}\n```"] if shown and cell.source.strip() else []
    about = cell.metadata.get("mystnb", {})
    words = [about.get("image", {}).get("alt", ""), about.get("figure", {}).get("caption", "")]
    picture = " ".join(["Picture:", *words]).strip() if any(words) else ""
    outputs = [text for output in cell.outputs if (text := _output(output, picture))]
    return "\n\n".join(texts + [f"```text\n{text}\n```" for text in outputs])


def _output(output: nbformat.NotebookNode, picture: str) -> str:
    if output.output_type == "stream":
        return output.text.strip("\n")
    data = output.get("data", {})
    if any(kind.startswith("image/") for kind in data):
        return picture
    return data.get("text/plain", "").strip("\n")


def write(
    site: Path, out: Path, titles: Mapping[str, str], about: Mapping[str, str], home: str = ""
) -> None:
    """Write llms.txt and llms-full.txt.

    Args:
        site: folder of _toc.yml.
        out: folder of the built pages.
        titles: of all pages, by name.
        about: a page's description, by name; may be empty.
        home: where the book is published, with a slash at its end; "" = links are relative.
    """
    parts = contents.parts(site)
    root = parts[0][1][0]
    lines = [f"# {titles[root]}", "", f"> {about[root]}", ""]
    lines += [f"- [All pages as one text]({home}llms-full.txt): the sources of the book, in order"]
    for caption, pages in parts:
        lines += ["", f"## {caption}", ""] if caption else []
        for page in pages:
            said = f": {about[page]}" if about[page] else ""
            lines.append(f"- [{titles[page]}]({home}{page}.html){said}")
    (out / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    names = [page for _, pages in parts for page in pages]
    listed = "\n".join(
        f"{number}. {titles[name]} ({name})" for number, name in enumerate(names, start=1)
    )
    texts = [
        f"{'=' * 80}\n{number}. {titles[name]} ({name})\n{'=' * 80}\n\n{page_text(site, name)}"
        for number, name in enumerate(names, start=1)
    ]
    whole = "\n\n\n".join([f"{titles[root]}\n\n{about[root]}\n\nContents:\n\n{listed}", *texts])
    (out / "llms-full.txt").write_text(whole + "\n", encoding="utf-8")
