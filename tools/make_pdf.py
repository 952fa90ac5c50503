"""Print the built book into one PDF, with Chromium.

    python tools/make_pdf.py SITE HTML PDF     the pages of SITE/_toc.yml, as built in HTML
    python tools/make_pdf.py browser           whether there is a Chromium

All pages are printed as one document, so that links between pages, outline and page numbers are
Chromium's own. `CHROMIUM` names another browser of that family.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from one_document import UNFINISHED, PdfError, document
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")  # fmt: skip
# The window is as wide as what fits between the margins of A4 (178 mm), so that charts, which take
# their width from it, are drawn for the paper.
OPTIONS = (
    "--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--window-size=673,1000", "--no-pdf-header-footer", "--generate-pdf-document-outline",
    # time of the page, not of the clock: it stands still while a script works
    "--virtual-time-budget=60000",
)  # fmt: skip
LIMIT = 600  # seconds of the clock


def find_browser() -> str:
    """Return the path of a Chromium.

    Raises:
        PdfError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else BROWSERS:
        if browser := shutil.which(name):
            return browser
    what = f"CHROMIUM={named} is no program" if named else "no Chromium or Chrome found"
    raise PdfError(f"{what}; install Chromium, or let CHROMIUM name it (only the PDF needs it)")


def print_html(text: str, pdf: Path, browser: str) -> None:
    """Let the browser print a document.

    Args:
        text: of the document; what it loads is named by full path.
        pdf: where the PDF goes. The browser's own files lie beside it.
        browser: path of a Chromium.

    Raises:
        PdfError: it printed nothing.
    """
    source = pdf.with_suffix(".html")
    source.write_text(text, encoding="utf-8")
    command = [browser, *OPTIONS, f"--user-data-dir={pdf.parent / 'profile'}"]
    if os.geteuid() == 0:  # as root, e.g. in a container, Chromium has no sandbox
        command.append("--no-sandbox")
    try:
        done = subprocess.run(
            [*command, f"--print-to-pdf={pdf}", source.as_uri()],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PdfError(f"{browser} printed nothing within {LIMIT} s") from None
    if not pdf.exists():
        last = (done.stderr.strip().splitlines() or ["it gives no reason"])[-1]
        raise PdfError(f"{browser} printed nothing: {last}")


def finish(printed: Path, pdf: Path, author: str) -> int:
    """Put right what Chromium leaves wrong, write the PDF, and return its number of pages.

    Raises:
        PdfError: a formula was not typeset when the document was printed.
    """
    reader = PdfReader(printed)
    title = str(reader.metadata.title)
    if title.startswith(UNFINISHED):
        raise PdfError("the browser printed before the formulas were typeset; try again")
    writer = PdfWriter(clone_from=reader)
    writer.add_metadata({"/Title": title, "/Author": author, "/Creator": "reglab"})
    writer.root_object[NameObject("/PageMode")] = NameObject("/UseOutlines")
    for entry in _outline(writer.root_object.get("/Outlines", {})):
        entry[NameObject("/Title")] = TextStringObject(once(str(entry["/Title"])))
    pdf.parent.mkdir(parents=True, exist_ok=True)
    writer.write(pdf)
    return len(writer.pages)


def once(title: str) -> str:
    """Return a heading said once; Chromium says it twice where a page would end after it."""
    half = len(title) // 2
    return title[:half] if title[:half] == title[half:] else title


def _outline(entry: DictionaryObject) -> Iterator[DictionaryObject]:
    child = entry.get("/First")
    while child is not None:
        child = child.get_object()
        yield child
        yield from _outline(child)
        child = child.get("/Next")


def make(site: Path, folder: Path, pdf: Path) -> int:
    """Print the book that was built from ``site`` in ``folder``; return the number of pages."""
    browser = find_browser()
    config = yaml.safe_load((site / "_config.yml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="reglab-pdf-") as scratch:
        printed = Path(scratch, "book.pdf")
        print_html(document(site, folder), printed, browser)
        return finish(printed, pdf, str(config.get("author", "")))


def main(argv: list[str]) -> int:
    """Print the book, or say in one line why not."""
    if argv != ["browser"] and len(argv) != 3:
        print("usage: make_pdf.py SITE HTML PDF, or make_pdf.py browser", file=sys.stderr)
        return 2
    try:
        if argv == ["browser"]:
            find_browser()
            return 0
        site, folder, pdf = map(Path, argv)
        pages = make(site, folder, pdf)
    except (PdfError, OSError) as error:
        print(f"reglab: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(f"{pdf}: {pages} pages, {pdf.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
