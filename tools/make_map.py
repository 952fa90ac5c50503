"""From the paper to the book: where each section, table and equation is looked into.

Sections, claims and tables come from paper.toml and the ledger. Which numbered equation stands for
a printed one is the one thing that is written down here; tests hold it to the chapters.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reglab import paper
from reglab.errors import ReglabError
from reglab.pages import display
from reglab.verdicts import Row

# What a page is called in a narrow cell, by its file.
PAGES = {
    "notebooks/overfitting": "Why a network overfits",
    "notebooks/l2": "L2",
    "notebooks/dropout": "Dropout",
    "notebooks/batch_norm": "Batch normalization",
    "notebooks/combining": "Combining",
    "notebooks/ablation": "Ablation",
    "book/method": "Method",
    "book/bibliography": "Bibliography",
}
# The paper's sections in its order, and how the places of their claims begin.
SECTIONS = (
    ("Abstract", ("Abstract",)),
    ("Introduction", ("Introduction",)),
    ("Related Work", ("Related Work",)),
    ("Mathematical Framework: L2", ("Mathematical Framework, L2",)),
    ("Mathematical Framework: dropout", ("Mathematical Framework, Dropout",)),
    ("Mathematical Framework: batch normalization", ("Mathematical Framework, Batch",)),
    ("Mathematical Framework: combined", ("Mathematical Framework, Combined",)),
    ("Experimental Setup", ("Experimental Setup",)),
    ("Results: L2", ("Results, 1.", "Tables of L2")),
    ("Results: dropout", ("Results, 2.",)),
    ("Results: batch normalization", ("Results, 3.",)),
    ("Results: combined", ("Results for Combined",)),
    ("Ablation Studies", ("Ablation",)),
    ("Conclusion", ("Conclusion",)),
    ("Throughout", ("throughout",)),
)
# The paper's table -> a claim made of it, whose evidence is where ours stands.
TABLES = {"l2": "N4", "dropout": "N11", "bn": "N13", "combined": "N15", "ablation": "N19"}
# What is printed, the claim that judges it ("" = none), and the labels of our equations.
EQUATIONS = (
    ("loss with L2, $L + \\frac\\lambda2\\lVert\\theta\\rVert_2^2$", "", ("eq-l2-penalty",)),
    ("its gradient, $\\nabla L + \\lambda\\theta$", "M2", ("eq-l2-gradient",)),
    (
        "loss with dropout, $L + \\frac\\lambda2\\mathbb{E}\\lVert\\theta\\rVert_2^2$",
        "M3",
        ("eq-dropout-literal", "eq-dropout-objective"),
    ),
    ("mask, $r_j \\sim$ Bernoulli$(p)$", "", ("eq-dropout-mask",)),
    ("layer with dropout, $\\tilde h = r \\odot h$; ours divides", "", ("eq-dropout-layer",)),
    ("its mean, $\\mathbb{E}[\\tilde h] = p\\,h$", "M4", ("eq-dropout-printed-moments",)),
    ("$\\mu$ and $\\sigma$ of a batch", "M6", ("eq-bn-statistics",)),
    ("normalized output (lost in our copy)", "M7", ("eq-bn-forward", "eq-bn-eval")),
    ("scale and shift, $\\gamma\\hat x + \\beta$", "", ("eq-bn-forward",)),
    ("loss of all three, a sum with two names in it", "M8", ("eq-combined-loss",)),
)  # fmt: skip


def section(place: str) -> str:
    """Return the paper's section that a claim's place belongs to.

    Raises:
        ReglabError: no section, or more than one.
    """
    found = [name for name, starts in SECTIONS if place.startswith(starts)]
    if len(found) != 1:
        raise ReglabError(f"place {place!r} belongs to {found or 'no section'} in make_map.py")
    return found[0]


def whole(rows: Sequence[Row]) -> str:
    """Return the map as MyST: sections, tables, equations."""
    parts = (("Sections", sections(rows)), ("Tables", tables(rows)), ("Equations", equations(rows)))
    return "\n".join(f"## {title}\n\n{text}" for title, text in parts)


def sections(rows: Sequence[Row]) -> str:
    """Return a table of the paper's sections: our pages, and the claims judged."""
    by_section = {name: [row for row in rows if section(row.place) == name] for name, _ in SECTIONS}
    return _table(
        "The paper's sections, where this book takes them up, and the claims judged.",
        ("in the paper", "in this book", "claims"),
        [(name, _pages(own), ", ".join(map(link, own))) for name, own in by_section.items()],
    )


def tables(rows: Sequence[Row]) -> str:
    """Return a table of the paper's tables: their place, and where ours stand beside them."""
    judged = {row.id: row for row in rows}
    lines = []
    for name, table in paper.contents()["tables"].items():
        about = _evidence(judged[TABLES[name]].evidence)
        lines.append((table["place"], about, ", ".join(_names(table))))
    return _table(
        "The paper's tables. Each page under *The experiments, rerun* has all of them.",
        ("in the paper", "in this book", "data sets"),
        lines,
    )


def equations(rows: Sequence[Row]) -> str:
    """Return a table of the printed formulas: ours, and what became of them."""
    judged = {row.id: row for row in rows}
    return _table(
        "The paper's formulas, in our letters. Where there is no verdict, no claim rests on it.",
        ("in the paper", "in this book", "verdict"),
        [
            (
                words,
                ", ".join(f"{{eq}}`{label}`" for label in labels),
                f"{link(judged[claim])}: {judged[claim].by_arithmetic}" if claim else "",
            )
            for words, claim, labels in EQUATIONS
        ],
    )


def link(row: Row) -> str:
    """Return a claim's id as a link to its row of the ledger, in HTML."""
    return f'<a href="../notebooks/verdict.html#claim-{row.id.lower()}">{row.id}</a>'


def _names(table: dict) -> list[str]:
    return [paper.title(key) for key in table if key != "place"]


def _pages(rows: Sequence[Row]) -> str:
    """Return links to the pages of the claims' evidence, in the order of the book."""
    named = {row.evidence.partition("#")[0] for row in rows}
    return ", ".join(_evidence(page) for page in PAGES if page in named)


def _evidence(evidence: str) -> str:
    page, _, anchor = evidence.partition("#")
    return f'<a href="../{page}.html{"#" + anchor if anchor else ""}">{PAGES[page]}</a>'


def _table(caption: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    text = display.markdown(pd.DataFrame(lines, columns=list(head)))
    return f"```{{table}} {caption}\n:class: prose\n\n{text}\n```\n"
