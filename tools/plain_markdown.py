"""MyST Markdown as plain Markdown, for readers that know no MyST: Colab, VS Code, nbconvert.

What only the built book knows (numbers, titles, addresses, citations) is asked of `Answers`;
`tools/resolved.py` gives those of Sphinx.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}(?=[^`]*$)|~{3,}|:{3,})(?P<rest>.*)$")
DIRECTIVE = re.compile(r"^\{(?P<name>[\w:-]+)\}\s*(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<name>[\w-]+):\s*(?P<value>.*)$")
LABEL = re.compile(r"^\([\w:.-]+\)=\s*$", re.MULTILINE)
DISPLAY = re.compile(r"^(\$\$)\s*\([\w:.-]+\)\s*$", re.MULTILINE)
# In this order: what stands in code or mathematics is no role and no link.
INLINE = re.compile(
    r"\{(?P<role>[a-z][\w:+.-]*)\}(?P<tick>`+)(?P<body>.+?)(?P=tick)"
    r"|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<math>\$\$.+?\$\$|(?<!\\)\$[^$]+?\$)"
    r"|(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]*)\)",
    re.DOTALL,
)
STARTS_LINE = re.compile(r"^\s*([-*+] |\d+[.)] |#|>|\||\$\$)")  # no line that goes on a paragraph
NEEDS_LINES = re.compile(r"^\s*(\$\$|```|~~~|\||>)", re.MULTILINE)  # what a quotation would break

DROPPED = {"toctree", "tableofcontents", "contents", "bibliography", "index", "eval-rst"}
BOXES = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error",
         "seealso", "admonition", "margin", "sidebar", "topic", "card", "grid-item-card",
         "tab-item"}  # fmt: skip
TITLED = {"admonition", "topic", "sidebar", "card", "grid-item-card", "tab-item"}
WRAPPERS = {"grid", "grid-item", "tab-set", "container", "div", "card-carousel"}
CODE = {"code", "code-block", "sourcecode"}


class NoPlainForm(ValueError):
    """There is something in the text that has no form in plain Markdown; the message names it."""


@dataclass(frozen=True)
class Answers:
    """What only the built book knows.

    Attributes:
        role: (name, content) of a role -> Markdown.
        link: (text, target) of a link -> Markdown; the text may be empty.
        number: label of an equation -> its number, without brackets; "" = it has none.
    """

    role: Callable[[str, str], str]
    link: Callable[[str, str], str]
    number: Callable[[str], str]


@dataclass(frozen=True)
class Block:
    """A piece of a text: a directive, or (``name`` is "") text, or ("```") code as it stands."""

    name: str
    lines: list[str]
    argument: str = ""
    indent: str = ""


def plain(text: str, answers: Answers) -> str:
    """Return MyST Markdown as plain Markdown.

    Raises:
        NoPlainForm: a directive or a fence that has none.
    """
    parts = [_block(block, answers) for block in _blocks(text.splitlines())]
    whole = "\n\n".join(part for part in parts if part.strip())
    return re.sub(r"\n{3,}", "\n\n", whole).strip("\n")


def _blocks(lines: list[str]) -> Iterator[Block]:
    """Cut a text at its outermost fences."""
    text: list[str] = []
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        if not opening:
            text.append(lines[at])
            at += 1
            continue
        yield Block("", text)
        text, end = [], _end(lines, at, opening["mark"])
        yield _fenced(lines[at : end + 1], opening)
        at = end + 1
    yield Block("", text)


def _end(lines: list[str], start: int, mark: str) -> int:
    """Return which line closes the fence that a line opens."""
    closes = re.compile(rf"^ *{re.escape(mark[0])}{{{len(mark)},}}\s*$")
    for at in range(start + 1, len(lines)):
        if closes.match(lines[at]):
            return at
    raise NoPlainForm(f"nothing closes {lines[start].strip()!r}")


def _fenced(lines: list[str], opening: re.Match) -> Block:
    said = DIRECTIVE.match(opening["rest"].strip())
    if said:
        inside = textwrap.dedent("\n".join(lines[1:-1])).splitlines()
        return Block(said["name"], inside, said["argument"].strip(), opening["indent"])
    if opening["mark"].startswith(":"):
        raise NoPlainForm(f"{lines[0].strip()!r} names no directive")
    return Block("```", lines)


def _block(block: Block, answers: Answers) -> str:
    if block.name == "```":
        return "\n".join(block.lines)
    if not block.name:
        return inline("\n".join(block.lines), answers).strip("\n")
    return textwrap.indent(_directive(block, answers), block.indent)


def _directive(block: Block, answers: Answers) -> str:
    """Return a directive's plain form."""
    options, body = _options(block.lines)
    inside = "\n".join(body)
    if block.name in DROPPED:
        return ""
    if block.name == "math":
        return display(inside, answers.number(options.get("label", "")))
    if block.name in CODE:
        return f"```{block.argument}\n{inside}\n```"
    if block.name == "raw" and block.argument == "html":
        return inside
    if block.name == "list-table":
        return _table(inside, inline(block.argument, answers), answers)
    if block.name in ("figure", "image"):
        caption = plain(inside, answers)
        picture = answers.link("", block.argument)
        address = re.sub(r"^.*\]\(|\)$", "", picture)
        return f"![{options.get('alt', '')}]({address})\n\n{caption}"
    if block.name == "table":
        return f"{plain(inside, answers)}\n\n*{inline(block.argument, answers)}*".replace("**", "")
    if block.name in WRAPPERS:
        return plain(inside, answers)
    if block.name == "dropdown":
        return folded(inline(block.argument, answers), plain(inside, answers))
    if block.name in BOXES:
        title = block.argument if block.name in TITLED else ""
        title = title or ("" if block.name == "margin" else block.name.capitalize())
        return quoted(inline(title, answers), plain(inside, answers))
    raise NoPlainForm(f"the directive {{{block.name}}} has no plain form in tools/plain_markdown")


def _options(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return a directive's options (:name: value) and the lines that follow them."""
    options: dict[str, str] = {}
    for at, line in enumerate(lines):
        said = OPTION.match(line)
        if not said:
            return options, lines[at:]
        options[said["name"]] = said["value"].strip()
    return options, []


def display(tex: str, number: str) -> str:
    """Return an equation in a box of its own; lines are aligned as Sphinx aligns them."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", tex) if part.strip()]
    parts = [_split(part) for part in parts]
    text = parts[0] if len(parts) == 1 else _gathered(parts)
    tag = rf" \tag{{{number}}}" if number else ""
    return f"$$\n{text}{tag}\n$$"


def _split(part: str) -> str:
    """Return an equation of several lines with what holds them together, unless it has that."""
    outside = re.sub(r"\\begin\{(\w+)\}.*?\\end\{\1\}", "", part, flags=re.DOTALL)
    return f"\\begin{{split}}\n{part}\n\\end{{split}}" if r"\\" in outside else part


def _gathered(parts: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(parts) + "\n\\end{aligned}"


def quoted(title: str, text: str) -> str:
    """Return a box as a quotation under a bold title.

    Display mathematics, code and tables do not stand in a quotation everywhere: what has any
    stands under its title without one.
    """
    head = f"**{title}**\n\n" if title else ""
    if NEEDS_LINES.search(text):
        return head + text
    # A formula over two lines would have the second one's > in it.
    return textwrap.indent(head + unwrapped(text), "> ", lambda _: True).replace("> \n", ">\n")


def folded(title: str, text: str) -> str:
    """Return a text that opens when its title is clicked on, as it does in the book.

    Between the empty lines it is Markdown, for JupyterLab, VS Code and Colab alike.
    """
    summary = html.escape(title or "More", quote=False)
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def unwrapped(text: str) -> str:
    """Return a text with each paragraph and each item of a list on one line."""
    lines: list[str] = []
    for line in text.splitlines():
        if lines and lines[-1].strip() and line.strip() and not STARTS_LINE.match(line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.rstrip())
    return "\n".join(lines)


def _table(text: str, caption: str, answers: Answers) -> str:
    """Return a list-table as a table; the first row is its head."""
    rows: list[list[str]] = []
    for line in unwrapped(text).splitlines():
        item = re.match(r"^(\* -|  -) ?(.*)$", line)
        if not item:
            continue
        if item[1] == "* -":
            rows.append([])
        rows[-1].append(inline(item[2], answers).replace("|", r"\|"))
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines) + (f"\n\n*{caption}*" if caption else "")


def inline(text: str, answers: Answers) -> str:
    """Return text without roles, labels and links that only the book understands."""

    def answer(found: re.Match) -> str:
        if found["role"]:
            return answers.role(found["role"], " ".join(found["body"].split()))
        if found["target"] is None or found["image"]:
            return found[0]
        return answers.link(inline(found["text"], answers), found["target"])

    text = DISPLAY.sub(r"\1", LABEL.sub("", text))
    # A pair of signs is never of two paragraphs.
    return "".join(INLINE.sub(answer, part) for part in re.split(r"(\n\s*\n)", text))
