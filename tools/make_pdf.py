"""Print the built book into one PDF, with Chromium.

    python tools/make_pdf.py SITE HTML PDF     the pages of SITE/_toc.yml, as built in HTML

All pages become one document with a contents page in front, so that links between pages, outline
and page numbers are Chromium's own. What is folded away on the screen: code stays out, answers are
open. `CHROMIUM` names another browser of that family.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag
from check_book import toc_pages

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")  # fmt: skip
# Of a page's scripts, only those that typeset it; those inside the article come on their own.
WANTED = ("MathJax", "mathjax")
POINTS_AT = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")
LIMIT = 600  # seconds for the browser
FAULT = "!"  # begins the document's title where typesetting failed
# Chromium prints when this page's time is up, and that stands still while a script works.
READY = """
addEventListener("load", () => window.MathJax?.startup?.promise.catch(() => {
  document.title = "!" + document.title; }));
"""


class PdfError(Exception):
    """The book cannot be printed; the message says why, in one line."""


def find_browser() -> str:
    """Return the path of a Chromium.

    Raises:
        PdfError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else BROWSERS:
        if found := shutil.which(name):
            return found
    what = f"CHROMIUM={named} is no program" if named else "no Chromium or Chrome found"
    raise PdfError(f"{what}; install Chromium, or let CHROMIUM name it (only the PDF needs it)")


def anchor(page: str, fragment: str = "") -> str:
    """Return the id in the whole document of a page, or of a place in it."""
    return page.replace("/", "-") + (f"--{fragment}" if fragment else "")


def read_article(page: str, folder: Path, pages: list[str]) -> Tag:
    """Return what a page says, with ids of its own and links that stay inside the document.

    Args:
        page: its name in _toc.yml.
        folder: the built book.
        pages: all names; a link to another local file (source code, index) becomes plain text.

    Raises:
        PdfError: the page is not built.
    """
    file = folder / f"{page}.html"
    if not file.exists():
        raise PdfError(f"{file} is missing; run make book")
    article = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").select_one("article")
    if article is None:
        raise PdfError(f"{file} has no <article>; it is not a page of this book")
    for tag in article.select("a.headerlink, a.viewcode-link, .viewcode-link, noscript"):
        tag.decompose()
    for tag in article.find_all(True):
        _localize(tag, page, folder, pages)
    for details in article.select("details:not(.hide)"):
        details["open"] = ""
    article["id"] = anchor(page)
    return article


def _localize(tag: Tag, page: str, folder: Path, pages: list[str]) -> None:
    if "id" in tag.attrs:
        tag["id"] = anchor(page, tag["id"])
    for name in POINTS_AT:
        if name in tag.attrs:
            words = tag[name] if isinstance(tag[name], list) else tag[name].split()
            tag[name] = " ".join(anchor(page, word) for word in words)
    if "src" in tag.attrs and not urlsplit(tag["src"]).scheme:
        tag["src"] = _file(tag["src"], (folder / page).parent)
    if tag.name == "a" and "href" in tag.attrs:
        target = _target(tag["href"], page, pages)
        if target is None:
            del tag["href"]
        else:
            tag["href"] = target


def _file(address: str, folder: Path) -> str:
    return (folder / unquote(urlsplit(address).path)).resolve().as_uri()


def _target(address: str, page: str, pages: list[str]) -> str | None:
    """Return where a link leads to in the document; None if that is not part of it."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return address
    path = posixpath.join(posixpath.dirname(page), unquote(parts.path)) if parts.path else page
    name = posixpath.normpath(path).removesuffix(".html")
    return f"#{anchor(name, unquote(parts.fragment))}" if name in pages else None


def read_head(page: str, folder: Path) -> str:
    """Return the style sheets of a page, and the scripts that typeset its formulas."""
    soup = BeautifulSoup((folder / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    kept = []
    for tag in soup.head.select('link[rel="stylesheet"], script'):
        if tag.name == "script" and not any(word in str(tag) for word in WANTED):
            continue
        for name in ("href", "src"):
            if name in tag.attrs:
                tag[name] = _file(tag[name], (folder / page).parent)
        kept.append(str(tag))
    return "\n".join(kept)


def contents(site: Path, titles: dict[str, str]) -> str:
    """Return the list of pages by part, as HTML."""
    toc = yaml.safe_load((site / "_toc.yml").read_text(encoding="utf-8"))
    parts = [("", [toc["root"]])]
    parts += [
        (part.get("caption", ""), [page["file"] for page in part.get("chapters", [])])
        for part in toc.get("parts", [toc])
    ]
    text = ""
    for caption, names in parts:
        entries = "".join(f'<li><a href="#{anchor(n)}">{titles[n]}</a></li>' for n in names)
        text += (f"<p>{caption}</p>" if caption else "") + f"<ul>{entries}</ul>"
    return text


def document(site: Path, folder: Path) -> str:
    """Return the whole book as one HTML document."""
    pages = toc_pages(site)
    articles = {page: read_article(page, folder, pages) for page in pages}
    titles = {page: article.find("h1").get_text() for page, article in articles.items()}
    scripts = list(dict.fromkeys(str(s) for a in articles.values() for s in a.select("script[src]")))
    for article in articles.values():
        for script in article.select("script[src]"):
            script.decompose()
    title = titles[pages[0]]
    logo = (folder / "_static" / "logo.svg").resolve().as_uri()
    return (
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{title}</title>{read_head(pages[0], folder)}<script>{READY}</script></head>"
        f'<body class="whole-book"><nav><img src="{logo}" alt=""><h1>{title}</h1>'
        f"{contents(site, titles)}</nav>"
        f'<div class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f"{''.join(map(str, articles.values()))}</div></div></div>{''.join(scripts)}</body></html>"
    )


def print_pdf(page: str, pdf: Path) -> None:
    """Let the browser print a file; what it takes to do so lies in a folder that goes away."""
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="reglab-pdf-") as scratch:
        source, made = Path(scratch, "book.html"), Path(scratch, "book.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", f"--user-data-dir={scratch}/profile", "--no-pdf-header-footer",
            "--generate-pdf-document-outline", "--virtual-time-budget=60000",
            f"--print-to-pdf={made}",
        ]  # fmt: skip
        if os.geteuid() == 0:  # as root, e.g. in a container, Chromium has no sandbox
            command.append("--no-sandbox")
        try:
            done = subprocess.run(
                [*command, source.as_uri()], capture_output=True, text=True, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            raise PdfError(f"{browser} printed nothing within {LIMIT} s") from None
        if not made.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PdfError(f"{browser} printed nothing: {last}")
        pdf.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, pdf)


def main(argv: list[str]) -> int:
    """Print the book, or say in one line why not."""
    if len(argv) != 3:
        print("usage: make_pdf.py SITE HTML PDF", file=sys.stderr)
        return 2
    site, folder, pdf = map(Path, argv)
    try:
        find_browser()
        print_pdf(document(site, folder), pdf)
    except (PdfError, OSError) as error:
        print(f"reglab: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(f"{pdf}: {pdf.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
