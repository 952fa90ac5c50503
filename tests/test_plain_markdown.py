"""MyST becomes plain Markdown, and what is left of it is found."""

import re
from pathlib import Path

import left_over
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from plain_markdown import Answers, NoPlainForm, plain

ECHO = Answers(
    role=lambda name, content: f"<{name} {content}>",
    link=lambda text, target: f"[{text or 'TITLE'}]({target})",
    number=lambda label: "7" if label else "",
)


@pytest.mark.parametrize(
    ("myst", "wanted"),
    [
        ("See {cite:t}`a2001b`, {eq}`eq-x`.", "See <cite:t a2001b>, <eq eq-x>."),
        ("A {term}`long\nname <n>`.", "A <term long name <n>>."),
        ("Read [](l2.ipynb) and [this](x.md).", "Read [TITLE](l2.ipynb) and [this](x.md)."),
        ("`{eq}` and `[](x)`, $a[](b)$", "`{eq}` and `[](x)`, $a[](b)$"),
        ("```python\nx[0](1)  # {eq}`a`\n```", "```python\nx[0](1)  # {eq}`a`\n```"),
        ("```{math}\n:label: eq-x\n\na = b\n```", "$$\na = b \\tag{7}\n$$"),
        ("```{math}\na\n\nb\n```", "$$\n\\begin{aligned}\na \\\\\nb\n\\end{aligned}\n$$"),
        ("```{math}\na \\\\ b\n```", "$$\n\\begin{split}\na \\\\ b\n\\end{split}\n$$"),
        (
            "```{math}\n\\begin{cases} a \\\\ b \\end{cases}\n```",
            "$$\n\\begin{cases} a \\\\ b \\end{cases}\n$$",
        ),
        ("(a-label)=\n## Title", "## Title"),
        ("$$\na\n$$ (eq-y)", "$$\na\n$$"),
        (":::{margin}\nAside,\nlong.\n:::", "> Aside, long."),
        (
            ":::{admonition} In {eq}`e`\n:class: tip\n\n- one\n  more\n- two\n:::",
            "> **In <eq e>**\n>\n> - one more\n> - two",
        ),
        (
            "::::{dropdown} Solutions\n:::{note}\nA $b\n= c$.\n:::\n::::",
            "<details><summary>Solutions</summary>\n\n> **Note**\n>\n> A $b = c$.\n\n</details>",
        ),
        (
            ":::{dropdown} Is a < b?\n```{math}\na\n```\n\n**B.** It is.\n:::",
            "<details><summary>Is a &lt; b?</summary>\n\n$$\na\n$$\n\n**B.** It is.\n\n</details>",
        ),
        ("```{toctree}\nx\n```", ""),
        (
            "```{list-table}\n:header-rows: 1\n\n* - a\n  - b\n* - c\n    d\n  - {eq}`e`\n```",
            "| a | b |\n| --- | --- |\n| c d | <eq e> |",
        ),
        ("1. one\n\n   ```{math}\n   a\n   ```\n", "1. one\n\n   $$\n   a\n   $$"),
    ],
)
def test_myst_becomes_plain(myst, wanted):
    made = plain(myst, ECHO)
    assert made == wanted
    assert left_over.in_text(made) == []


@pytest.mark.parametrize(
    "file", sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb")), ids=lambda file: file.stem
)
def test_answers_and_solutions_are_folded(file):
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            made = plain(cell.source, ECHO)
            assert made.count("<details>") == len(re.findall(r"^:+\{dropdown\}", cell.source, re.M))
            open_text = re.sub(r"<details>.*?</details>", "", made, flags=re.DOTALL)
            assert not re.search(r"^\*\*([A-C]|\d)\.\*\*", open_text, re.M), open_text


@pytest.mark.parametrize(
    ("myst", "said"),
    [
        ("```{plot}\nx\n```", "the directive {plot}"),
        (":::\nx\n:::", "names no directive"),
        (":::{note}\nx", "nothing closes ':::{note}'"),
    ],
)
def test_what_has_no_plain_form_is_named(myst, said):
    with pytest.raises(NoPlainForm, match=said):
        plain(myst, ECHO)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("See {cite:t}`a2001b`.", "a role"),
        ("In {eq}`eq-x` it", "a role"),
        ("Read [](l2.ipynb).", "a link without text"),
        ("Read [ ](l2.ipynb).", "a link without text"),
        ('<a href="x.html"> </a>', "a link without text"),
        ("Read [this]().", "a link to nowhere"),
        (":::{admonition} One", "a fence"),
        ("A list\n\n   :::", "a fence"),
        ("```{math}\nx\n```", "a directive"),
        ("(a-label)=\n# x", "a label"),
        ("$$\nx\n$$ (eq-y)", "a label"),
    ],
)
def test_what_is_left_over_is_found(text, kind):
    assert [one.partition(":")[0] for one in left_over.in_text(f"Before.\n\n{text}")] == [kind]


def test_a_dead_link_of_a_notebook_is_found(tmp_path):
    (tmp_path / "there.html").touch()
    texts = "[a](there.html#x), [b](gone.html), [c](https://a.example/), `[d](e)`, [f](#g)"
    output = new_output("display_data", {"text/html": '<a href="lost.html">x</a>'})
    cells = [new_markdown_cell(texts, id="one"), new_code_cell("x", id="two", outputs=[output])]
    file = tmp_path / "x.ipynb"
    nbformat.write(new_notebook(cells=cells), file)
    assert left_over.in_notebook(file) == [
        f"{file}: one: a dead link: gone.html",
        f"{file}: two: a dead link: lost.html",
    ]


@pytest.mark.parametrize("text", ["[`a.b`](../x.html)", "[$x$](y.html)", "`[](as code)`"])
def test_a_link_may_be_named_by_code_or_a_formula(text):
    assert left_over.in_text(f"*Made by* {text}.") == []
