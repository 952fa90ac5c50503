"""What must not be left in a notebook for readers without MyST: each finding is one line."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat

# Code in fences, with or without its language.
CODE = re.compile(
    r"^(?P<indent> *)(?P<mark>```|~~~)(?!\{)[^\n]*\n.*?^(?P=indent)(?P=mark)\s*$", re.M | re.S
)
SPAN = re.compile(r"(?<![`}])(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
FORMULA = re.compile(r"\$\$.+?\$\$|(?<!\\)\$[^$]+?\$", re.DOTALL)
# What is looked for, and what a finding calls it: in whole lines, and within them.
LINES = {
    "a directive": re.compile(r"^ *(?:`{3,}|~{3,})\{.*$", re.MULTILINE),
    "a fence": re.compile(r"^ *:{3,}.*$", re.MULTILINE),
    "a label": re.compile(r"^\([\w:.-]+\)=\s*$|^\$\$\s*\([\w:.-]+\)\s*$", re.MULTILINE),
}
INLINE = {
    "a role": re.compile(r"\{[a-z][\w:+.-]*\}`[^`]*`?"),
    "a link without text": re.compile(r"(?<!!)\[\s*\]\([^)]*\)|<a\s[^>]*>\s*</a>"),
    "a link to nowhere": re.compile(r"\[[^\]]+\]\(\s*\)|href=\"\""),
}
LINK = re.compile(r"\]\(([^()\s]+)\)|\bhref=\"([^\"]+)\"")


def in_text(text: str) -> list[str]:
    """Return what a piece of Markdown has that only MyST understands, and its empty links."""
    lines = CODE.sub("", text)
    looked_at = (LINES, lines), (INLINE, SPAN.sub("code", FORMULA.sub("formula", lines)))
    return [
        f"{name}: {found[0]}"
        for raw, where in looked_at
        for name, pattern in raw.items()
        for found in pattern.finditer(where)
    ]


def in_notebook(file: Path) -> list[str]:
    """Return what is left over in a notebook's texts, and links to files that are not there."""
    findings = []
    for cell in nbformat.read(file, as_version=4).cells:
        texts = [cell.source] if cell.cell_type == "markdown" else _shown(cell)
        found = [one for text in texts for one in in_text(text) + _dead(text, file.parent)]
        findings += [f"{file}: {cell.id}: {one}" for one in found]
    return findings


def _shown(cell: nbformat.NotebookNode) -> list[str]:
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [one[kind] for one in data for kind in ("text/markdown", "text/html") if kind in one]


def _dead(text: str, folder: Path) -> list[str]:
    """Return links to files that do not lie where a notebook in ``folder`` names them."""
    found = (first or second for first, second in LINK.findall(SPAN.sub("", CODE.sub("", text))))
    parts = [urlsplit(address) for address in found]
    local = {unquote(part.path) for part in parts if part.path and not part.scheme + part.netloc}
    return [f"a dead link: {path}" for path in sorted(local) if not (folder / path).exists()]
