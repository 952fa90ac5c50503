"""Make one HTML document of all pages of the built book, for printing (tools/make_pdf.py).

Ids are made unique by the page they are from, links between pages stay inside, and what a page
loads is named by full path, so that the document may lie anywhere. Code that is folded away on the
screen stays out (print.css); answers are open.
"""

from __future__ import annotations

import html
import posixpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

import contents
from bs4 import BeautifulSoup, Tag

# Of a page's head, only the scripts that typeset it; those inside the article come on their own.
WANTED = ("MathJax", "mathjax")
POINTS_AT = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")
# The title begins with this until every formula is typeset, so that a failure shows in the PDF.
UNFINISHED = "unfinished: "
SCRIPT = f"""
addEventListener("load", async () => {{
  if (document.querySelector(".math")) await MathJax.startup.promise;
  document.title = document.title.replace("{UNFINISHED}", "");
}});
"""


class PdfError(Exception):
    """The book cannot be printed; the message says why, in one line."""


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
    # of a figure's two pictures the one for dark pages is of no use on paper
    for tag in article.select(
        "a.headerlink, a.viewcode-link, .viewcode-link, noscript, .only-dark"
    ):
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


def list_of_pages(site: Path, titles: dict[str, str]) -> str:
    """Return the list of pages by part, as HTML."""
    text = ""
    for caption, names in contents.parts(site):
        entries = "".join(
            f'<li><a href="#{anchor(name)}">{html.escape(titles[name])}</a></li>' for name in names
        )
        text += f"<p>{html.escape(caption)}</p><ul>{entries}</ul>"
    return text


def document(site: Path, folder: Path) -> str:
    """Return the whole book as one HTML document.

    Raises:
        PdfError: a page of _toc.yml is not built.
    """
    pages = contents.pages(site)
    articles = {page: read_article(page, folder, pages) for page in pages}
    titles = {page: article.find("h1").get_text() for page, article in articles.items()}
    scripts: dict[str, None] = {}  # each once, after all that they work on
    for article in articles.values():
        for script in article.select("script[src]"):
            scripts[str(script.extract())] = None
    title = html.escape(titles[pages[0]])
    logo = (folder / "_static" / "logo.svg").resolve().as_uri()
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{UNFINISHED}{title}</title>{read_head(pages[0], folder)}"
        f"<style>@page {{ size: A4 }}</style><script>{SCRIPT}</script></head>"
        f'<body class="whole-book"><nav><img src="{logo}" alt=""><p>{title}</p>'
        f"{list_of_pages(site, titles)}</nav>"
        '<div class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f"{''.join(map(str, articles.values()))}</div></div></div>{''.join(scripts)}</body></html>"
    )
