"""A Sphinx extension: each notebook once more as plain Markdown, beside its page.

What a reader downloads, or opens on Binder or Colab, is NAME.ipynb beside NAME.html: citations are
written out with a list of works at the end, equations and figures have their numbers, links lead to
the published pages (BOOK_URL; without one they are relative), boxes are quotations. Stored outputs
stay, so that it can be read before anything is run. A picture that needs the page's script does
not, and would be most of a notebook's weight: run its cell.
"""

from __future__ import annotations

import copy
import os
import posixpath
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import nbformat
import pybtex.plugin
from docutils import nodes
from plain_markdown import Answers, NoPlainForm, inline, plain
from sharing import repository_url
from sphinx.addnodes import pending_xref
from sphinx.errors import ExtensionError

RERUN = "notebooks/rerun"  # no page of its own: what the pages of reruns are made from
AS_IT_IS = {"code": "`{}`", "kbd": "`{}`", "file": "`{}`", "command": "`{}`", "samp": "`{}`",
            "math": "${}$", "sub": "<sub>{}</sub>", "sup": "<sup>{}</sup>",
            "abbr": "{}"}  # fmt: skip
STANDARD = {"ref", "numref", "term", "doc"}
HREF = re.compile(r'\bhref="([^"]+)"')
LINKED = re.compile(r"\]\(([^()\s]+)\)")
PAGES_ONLY = re.compile(r'<div class="picture"|<script defer src=')
HIDES = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
SET_UP = """\
# Where reglab is not installed yet, as on Colab, this brings it; elsewhere it does nothing.
import importlib.util

if importlib.util.find_spec("reglab") is None:
    %pip install --quiet --no-deps "reglab @ git+{address}@{branch}"
"""


class Page:
    """One page of the book, as what its notebook needs to know of all others."""

    def __init__(self, app, docname: str) -> None:
        self.app, self.env, self.docname = app, app.env, docname
        self.cited: dict[str, None] = {}  # keys, in the order of the text
        self.answers = Answers(self.role, self.link, self.number)

    def address(self, relative: str) -> str:
        """Return an address that a page names as one to be followed from anywhere.

        Without BOOK_URL it stays relative to the folder of the page, where the notebook lies too.
        """
        parts = urlsplit(relative)
        if parts.scheme or parts.netloc:
            return relative
        own = self.app.builder.get_target_uri(self.docname)
        home = self.app.config.html_baseurl
        if home:
            return urljoin(home + own, relative)
        return relative if parts.path else posixpath.basename(own) + relative

    def link(self, text: str, target: str) -> str:
        """Return a Markdown link to a page, a place or an address; without a text, to its title."""
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            return f"[{text or target}]({target})"
        page = self._page(parts.path) if parts.path else self.docname
        if page is None:
            return self._place(text, target)
        place = f"#{parts.fragment}" if parts.fragment else ""
        if parts.fragment and not text:
            return self._place(text, parts.fragment)
        relative = self.app.builder.get_relative_uri(self.docname, page)
        text = text or self.env.titles[page].astext()
        return f"[{text}]({self.address(relative + place)})"

    def _page(self, path: str) -> str | None:
        """Return the name of the page that a link's path means, or None."""
        folder = posixpath.dirname(self.docname)
        name, suffix = posixpath.splitext(posixpath.normpath(posixpath.join(folder, path)))
        return name if suffix in (".md", ".ipynb") and name in self.env.found_docs else None

    def _place(self, text: str, label: str) -> str:
        """Return a link to what has a label; to a file that is no page if nothing has."""
        if label in self.env.get_domain("std").labels or not label.endswith(".html"):
            return self._standard("ref", f"{text} <{label}>" if text else label)
        return f"[{text}]({self.address(label)})"

    def number(self, label: str) -> str:
        """Return an equation's number as the page has it, without brackets."""
        if not label:
            return ""
        return self._resolved("math", "eq", label, label).astext().strip("()")

    def role(self, name: str, content: str) -> str:
        """Return what a role says, as Markdown."""
        domain, _, kind = name.rpartition(":")
        if name == "cite" or domain == "cite":
            return self._citation(kind if domain else "p", content)
        if name == "eq":
            return self._markdown(self._resolved("math", "eq", content, content))
        if name in STANDARD:
            return self._standard(name, content)
        if domain == "py":
            return self._markdown(self._resolved("py", kind, content, content))
        if name in AS_IT_IS:
            return AS_IT_IS[name].format(content)
        raise NoPlainForm(f"the role {{{name}}} has no plain form in tools/resolved.py")

    def _standard(self, kind: str, content: str) -> str:
        titled = re.fullmatch(r"(.*?)\s*<([^<>]+)>", content)
        text, target = titled.groups() if titled else (content, content)
        node = self._resolved("std", kind, target, text, explicit=bool(titled))
        return self._markdown(node)

    def _citation(self, kind: str, content: str) -> str:
        """Return authors and year, in round brackets where a link would have square ones."""
        self.cited |= dict.fromkeys(key.strip() for key in content.split(","))
        text = self._resolved("cite", kind, content, content).astext()
        return text.replace("[", "(").replace("]", ")")

    def _resolved(
        self, domain: str, kind: str, target: str, text: str, *, explicit: bool = False
    ) -> nodes.Element:
        """Ask Sphinx for what it puts in the place of a reference."""
        lower = target if kind == "term" or domain != "std" else target.lower()
        asked = pending_xref(
            "", refdoc=self.docname, refdomain=domain, reftype=kind, reftarget=lower,
            refexplicit=explicit, refwarn=True,
        )  # fmt: skip
        shown = nodes.inline(text, text)
        found = self.env.get_domain(domain).resolve_xref(
            self.env, self.docname, self.app.builder, kind, lower, asked, shown
        )
        if found is None:
            raise NoPlainForm(f"nothing in the book answers to {{{kind}}}`{target}`")
        return found

    def _markdown(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.reference):
            uri = node.get("refuri") or f"#{node['refid']}"
            return f"[{node.astext()}]({self.address(uri)})"
        if node.children:
            return "".join(self._markdown(child) for child in node.children)
        return node.astext()

    def works(self) -> str:
        """Return the list of the works cited, alphabetically; "" if none is."""
        backend = pybtex.plugin.find_plugin("pybtex.backends", "markdown")()
        entries = {
            citation.key: citation.formatted_entry.text.render(backend)
            for citation in self.env.get_domain("cite").citations
        }
        # The backend escapes each dot and dash and breaks lines after them.
        texts = (re.sub(r"\\([.-])", r"\1", " ".join(entries[key].split())) for key in self.cited)
        lines = sorted(f"- {text}" for text in texts)
        return "\n".join(["## Works cited", "", *lines]) if lines else ""

    def ending(self) -> str:
        """Return where the notebook comes from; "" for one that has no page."""
        if self.docname not in self.env.found_docs:
            return ""
        home = self.link("", f"{posixpath.basename(self.docname)}.ipynb")
        title = self.app.config.html_title
        return f"*This notebook is the page {home} of {title}, for readers elsewhere.*"

    def figure(self, name: str) -> str:
        """Return "Figure 3" for a figure's name; "Figure" where the book does not number it."""
        if name not in self.env.get_domain("std").labels:
            return "Figure"
        return self._resolved("std", "numref", name, name).astext()


def resolve(notebook: nbformat.NotebookNode, page: Page) -> nbformat.NotebookNode:
    """Return a notebook in plain Markdown.

    Raises:
        NoPlainForm: a cell holds what has none.
    """
    made = copy.deepcopy(notebook)
    made.cells = [new for cell in made.cells for new in _cell(cell, page) if new.source.strip()]
    for number, text in enumerate(filter(None, (page.works(), page.ending()))):
        made.cells.append(_text(text, f"resolved-end-{number}"))
    # No text file beside it, whatever the settings of a checkout say of its other notebooks.
    made.metadata["jupytext"] = {"formats": "ipynb"}
    return made


def _cell(cell: nbformat.NotebookNode, page: Page) -> list[nbformat.NotebookNode]:
    if cell.cell_type == "markdown":
        cell.source = plain(cell.source, page.answers)
    if cell.cell_type != "code":
        return [cell]
    if HIDES & set(cell.metadata.get("tags", [])):
        cell.metadata["jupyter"] = {"source_hidden": True}  # what JupyterLab and VS Code read
    cell.outputs = [kept for output in cell.outputs if (kept := _output(output, page))]
    figure = cell.metadata.pop("mystnb", {}).get("figure", {})
    if not figure.get("caption"):
        return [cell]
    caption = " ".join(inline(figure["caption"], page.answers).split())
    number = page.figure(figure.get("name", ""))
    return [cell, _text(f"**{number}.** {caption}", f"{cell.id}-caption")]


def _text(source: str, name: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_markdown_cell(source)
    cell["id"] = name
    return cell


def _output(output: nbformat.NotebookNode, page: Page) -> nbformat.NotebookNode | None:
    """Return an output whose links lead on; None for what only the page's script can draw."""
    data = output.get("data", {})
    if PAGES_ONLY.search(data.get("text/html", "")):
        return None
    for kind, found in (("text/html", HREF), ("text/markdown", HREF), ("text/markdown", LINKED)):
        if kind in data:
            data[kind] = found.sub(
                lambda link: link[0].replace(link[1], page.address(link[1])), data[kind]
            )
    return output


def with_set_up(notebook: nbformat.NotebookNode, address: str, branch: str) -> None:
    """Put a cell in front that installs reglab from its repository, where it is missing."""
    cell = nbformat.v4.new_code_cell(SET_UP.format(address=address, branch=branch))
    cell["id"] = "resolved-set-up"
    notebook.cells.insert(0, cell)


def pages(app) -> dict[str, Path]:
    """Return the notebooks to be resolved: name of the page -> its file."""
    files = {name: Path(app.env.doc2path(name)) for name in sorted(app.env.found_docs)}
    files[RERUN] = Path(app.srcdir, f"{RERUN}.ipynb")
    return {
        name: path for name, path in files.items() if path.suffix == ".ipynb" and path.is_file()
    }


def write(app, exception) -> None:
    """Write NAME.ipynb beside NAME.html.

    Raises:
        ExtensionError: something has no plain form; each finding is a line. A warning would come
            too late here to fail the build.
    """
    if exception or app.builder.format != "html":
        return
    address = repository_url(os.environ)
    branch = os.environ.get("REPOSITORY_BRANCH", "").strip() or "main"
    problems = []
    for name, path in pages(app).items():
        try:
            made = resolve(nbformat.read(path, as_version=4), Page(app, name))
        except NoPlainForm as error:
            problems.append(f"{name}: {error}")
            continue
        if address.startswith("https://github.com/"):
            with_set_up(made, address, branch)
        target = Path(app.outdir, f"{name}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, target)
    if problems:
        raise ExtensionError("\n".join(problems))


def offer(app, pagename, templatename, context, doctree) -> None:
    """Let the button for downloading a notebook give the resolved one."""
    if Path(app.env.doc2path(pagename)).suffix != ".ipynb":
        return
    ours = posixpath.basename(pagename) + ".ipynb"
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button":
                button["url"] = ours
                button["tooltip"] = "Download this page as a notebook"


def setup(app) -> dict:
    """Register the extension."""
    app.connect("html-page-context", offer, priority=900)  # after the theme's buttons
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
