"""A Sphinx extension: what others see of the book, and where its buttons lead.

Each page gets a description and Open Graph tags; the book gets `llms.txt` and `llms-full.txt`, its
sources as plain text, and the recorded tables that its pages link to. Two settings of the
environment, which may be absent, add what needs an address:

    BOOK_URL         where the book is published: canonical links, og:url, og:image, sitemap.xml
    REPOSITORY_URL   its repository on GitHub, GitLab or Bitbucket: buttons for source, edits,
                     issues, Binder and Colab; REPOSITORY_BRANCH names the branch (main), and
                     NOTEBOOKS_BRANCH the one that Binder and Colab open, where another one has the
                     notebooks as `resolved` writes them (.github/workflows/book.yml makes it)

    python tools/sharing.py     check the settings
"""

from __future__ import annotations

import html
import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import llms
from docutils import nodes

HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
RERUN = re.compile(r"\bbook/reruns/\w+\.ipynb\b")  # made by the build from this one:
RERUN_SOURCE = "notebooks/rerun.ipynb"
# Up to the branch: Colab's address of a file, Binder's of a repository.
LAUNCHED = re.compile(
    r"(https://colab\.[^/]+/github/[^/]+/[^/]+/blob/|https://mybinder\.org/v2/g[hl]/[^?]+/)"
    r"([^/?]+)(?=[/?])"
)
SUMMARY = "This page in one minute"
LONGEST = 200  # characters of a description
SHARE = "_generated/share.png"
RECORDS = "book/results"  # where a page's links to records lead (reglab.pages.made)
NO_PAGES = ("genindex.html", "py-modindex.html", "search.html", "_modules/*")  # not in the sitemap
# Formulas of a line, as far as plain text can show them.
FRACTION = re.compile(r"\\frac\s*(\\?\w+?|\{[^{}]*\})\s*(\d|\\\w+|\{[^{}]*\})")
COMMAND = re.compile(r"(\\[A-Za-z]+) ?")
SIGNS = {r"\lambda": "λ", r"\epsilon": "ε", r"\theta": "θ", r"\eta": "η", r"\delta": "δ",
         r"\lVert": "‖", r"\rVert": "‖", r"\times": "×", r"\le": "≤", r"\ge": "≥"}  # fmt: skip


class SettingError(ValueError):
    """A setting is not what it must be; the message says so in one line."""


def book_url(environment: dict[str, str]) -> str:
    """Return where the book is published, with a slash at its end; "" where it is not.

    Raises:
        SettingError: BOOK_URL is not http(s)://host/path.
    """
    given = environment.get("BOOK_URL", "").strip()
    if not given:
        return ""
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise SettingError(f"BOOK_URL must be http(s)://HOST/PATH, got {given!r}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def repository_url(environment: dict[str, str]) -> str:
    """Return the repository's address without a slash at its end; "" where there is none.

    Raises:
        SettingError: REPOSITORY_URL is not https://HOST/OWNER/NAME with a host that is known.
    """
    given = environment.get("REPOSITORY_URL", "").strip()
    if not given:
        return ""
    address = given.rstrip("/").removesuffix(".git")
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.netloc not in HOSTS or len(parts.path.split("/")) != 3:
        allowed = " or ".join(f"https://{host}/OWNER/NAME" for host in HOSTS)
        raise SettingError(f"REPOSITORY_URL must be {allowed}, got {given!r}")
    return address


def configure(app, config) -> None:
    """Set what Sphinx and its theme make of the two addresses."""
    config.html_baseurl = book_url(os.environ)
    config.sitemap_url_scheme = "{link}"
    config.sitemap_excludes = [*NO_PAGES]
    repository = repository_url(os.environ)
    if not repository:
        return
    launch = {"notebook_interface": "jupyterlab"}
    if not repository.startswith("https://bitbucket.org/"):
        launch["binderhub_url"] = "https://mybinder.org"
    if repository.startswith("https://github.com/"):
        launch["colab_url"] = "https://colab.research.google.com"
    config.html_theme_options |= {
        "repository_url": repository,
        "repository_branch": os.environ.get("REPOSITORY_BRANCH", "").strip() or "main",
        "use_repository_button": True,
        "use_edit_page_button": True,
        "use_issues_button": "bitbucket" not in repository,
        "launch_buttons": launch,
    }


def describe(doctree: nodes.Node) -> str:
    """Return a page's description: the first point of its summary, as plain text.

    A page without a summary is described by its first paragraph. A text with a formula that plain
    text cannot show is passed over. At most `LONGEST` characters.
    """
    boxes = [box for box in doctree.findall(nodes.admonition) if _title(box) == SUMMARY]
    points = [point for box in boxes for point in box.findall(nodes.list_item)]
    points += [
        part for part in doctree.findall(nodes.paragraph) if isinstance(part.parent, nodes.section)
    ]
    texts = (" ".join(_plain(part).split()) for part in points)
    return next((_shorten(text) for text in texts if text and "\\" not in text), "")


def _title(box: nodes.Node) -> str:
    title = box.next_node(nodes.title)
    return title.astext() if title else ""


def _plain(node: nodes.Node) -> str:
    """Return a node's text; a formula in plain signs, with a backslash left where there is none."""
    if isinstance(node, nodes.math):
        text = FRACTION.sub(r"\1/\2", node.astext())
        text = COMMAND.sub(lambda match: SIGNS.get(match[1], match[1]), text)
        return text.replace("^2", "²").replace("L_2", "L2").replace("{", "").replace("}", "")
    if not node.children or isinstance(node, nodes.Text):
        return node.astext()
    return "".join(_plain(child) for child in node.children)


def _shorten(text: str) -> str:
    """Return as many whole sentences as fit, else as many words."""
    if len(text) <= LONGEST:
        return text
    ends = [match.end() for match in re.finditer(r"[.?!](?= )", text) if match.end() <= LONGEST]
    return text[: ends[-1]] if ends else text[: LONGEST - 2].rsplit(" ", 1)[0] + " …"


def head_tags(app, page: str, about: str) -> str:
    """Return description and Open Graph tags of a page; absolute addresses only with BOOK_URL."""
    home = app.config.html_baseurl
    tags = {
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": app.config.html_title,
        "og:title": app.env.titles[page].astext(),
        "og:description": about,
    }
    if home:
        tags["og:url"] = home + app.builder.get_target_uri(page)
        if _share(app).exists():
            tags["og:image"] = f"{home}_static/share.png"
            tags["og:image:alt"] = "How many of the paper's claims have which verdict"
    lines = [f'<meta name="description" content="{html.escape(about)}" />'] if about else []
    lines += [
        f'<meta property="{name}" content="{html.escape(value)}" />'
        for name, value in tags.items()
        if value
    ]
    return "\n".join(lines)


def add_tags(app, pagename, templatename, context, doctree) -> None:
    """Put the tags into a page's head; index and search have no text to describe."""
    if doctree is not None:
        tags = head_tags(app, pagename, describe(doctree))
        context["metatags"] = f"{context.get('metatags', '')}\n{tags}\n"


def redirect_buttons(app, pagename, templatename, context, doctree) -> None:
    """Let buttons lead to files of the repository: sources, not what the build made of them."""
    _redirect(context.get("header_buttons", []), Path(app.srcdir))


def _redirect(buttons: list[dict], site: Path) -> None:
    for button in buttons:
        _redirect(button.get("buttons", []), site)
        if "url" not in button or not urlsplit(button["url"]).netloc:
            continue
        button["url"] = RERUN.sub(RERUN_SOURCE, button["url"])
        if branch := os.environ.get("NOTEBOOKS_BRANCH", "").strip():
            button["url"] = LAUNCHED.sub(rf"\g<1>{branch}", button["url"])
        if button.get("label") == "source-edit-button":
            # NAME.md is the source of NAME.ipynb
            button["url"] = button["url"].replace(".ipynb", ".md")


def _share(app) -> Path:
    return Path(app.srcdir, Path(app.config.root_doc).parent, SHARE)


def write_files(app, exception) -> None:
    """Write what stands beside the pages."""
    if exception or app.builder.format != "html":
        return
    out, home = Path(app.outdir), app.config.html_baseurl
    about = {page: describe(app.env.get_doctree(page)) for page in app.env.found_docs}
    titles = {page: title.astext() for page, title in app.env.titles.items()}
    llms.write(Path(app.srcdir), out, titles, about, home)
    root = app.config.root_doc
    _write_redirect(out, app.builder.get_target_uri(root), head_tags(app, root, about[root]), home)
    if home and _share(app).exists():
        shutil.copy(_share(app), out / "_static" / "share.png")
    if (Path(app.srcdir) / RECORDS).is_dir():
        shutil.copytree(
            Path(app.srcdir) / RECORDS, out / RECORDS, ignore=_no_table, dirs_exist_ok=True
        )


def _no_table(folder: str, names: list[str]) -> list[str]:
    """Return what in a folder is neither a recorded table nor a folder."""
    return [it for it in names if not (it.endswith(".jsonl.gz") or Path(folder, it).is_dir())]


def _write_redirect(out: Path, target: str, tags: str, home: str) -> None:
    """Write index.html, which says of itself what the front page does."""
    canonical = f'<link rel="canonical" href="{html.escape(home + target)}" />\n' if home else ""
    (out / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n'
        f'<title>To the book</title>\n<meta http-equiv="refresh" content="0; url={target}" />\n'
        f'{canonical}{tags}\n</head>\n<body><p><a href="{target}">To the book</a></p></body>\n'
        "</html>\n",
        encoding="utf-8",
    )


def setup(app) -> dict:
    """Register the extension."""
    if book_url(os.environ):  # without an address sphinx-sitemap warns, and a warning is an error
        app.setup_extension("sphinx_sitemap")
    app.connect("config-inited", configure)
    app.connect("html-page-context", add_tags)
    app.connect("html-page-context", redirect_buttons, priority=900)  # after the theme's buttons
    app.connect("build-finished", write_files, priority=400)  # before a plainer index.html is made
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> int:
    """Say in one line what is wrong with the settings, if anything is."""
    try:
        book_url(os.environ)
        repository_url(os.environ)
    except SettingError as error:
        print(f"reglab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
