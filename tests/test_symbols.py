"""*Symbols* has every letter of every numbered equation, and marks those with two meanings."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(path for path in ROOT.glob("notebooks/*.md") if path.stem != "rerun")
GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi"
    "|varphi|chi|psi|omega|Delta|Gamma|Sigma|Omega|Theta|Lambda|ell"
)
# Words within a formula, and letters of another kind: an expectation's E has a row of its own.
WORDS = re.compile(
    r"\\(?:operatorname|text|mathrm|begin|end|mathbb|label)\*?\{[^}]*\}|_\\text\{[^}]*\}"
)
EQUATION = re.compile(r"```\{math\}\n:label: (\S+)\n(.*?)```", re.DOTALL)
SUBSCRIPT = re.compile(r"_(?:\{[^}]*\}|\\[A-Za-z]+|.)")


def letters(tex):
    """The letters of a formula, Greek ones by name; words are no letters."""
    tex = WORDS.sub(" ", tex)
    greek = set(re.findall(rf"\\({GREEK})(?![A-Za-z])", tex))
    return greek | set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", tex)))


def lists(text):
    """The rows of both lists as (symbols in TeX, whole first cell, last cell)."""
    first, second = text.split("(glossary)=")[0].split("(symbols-two)=")
    return tuple(
        [(" ".join(re.findall(r"\$([^$]+)\$", cells[0])), cells[0], cells[-1])
         for cells in (row.split("\n  - ") for row in part.split("\n* - ")[2:])]
        for part in (first, second)
    )  # fmt: skip


def unlisted(chapter, text, symbols):
    """Letters of a chapter's numbered equations that the lists lack for its page."""
    first, second = lists(symbols)
    here = {letter for tex, _, pages in first + second
            if f"/{chapter}." in pages or pages == "everywhere"
            for letter in letters(tex)}  # fmt: skip
    return {
        f"{label}: {letter}"
        for label, tex in EQUATION.findall(text)
        for letter in letters(tex) - here
    }


def unmarked(symbols):
    """Letters of the second list whose main meaning has no dagger, and daggers without a reason."""
    first, second = lists(symbols)
    several = {letter for tex, _, _ in second for letter in letters(tex)}
    own = [(letters(SUBSCRIPT.sub("", tex)), "†" in cell) for tex, cell, _ in first]
    plain = [(found, dagger) for found, dagger in own if found]
    marked = {letter for own, dagger in plain if dagger for letter in own}
    single = {letter for own, dagger in plain if not dagger for letter in own}
    idle = {min(own) for own, dagger in plain if dagger and not own & several}
    return (several & single) - marked, idle


SYMBOLS = (ROOT / "book/symbols.md").read_text("utf-8")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_letter_of_a_numbered_equation_is_listed(chapter):
    assert unlisted(chapter.stem, chapter.read_text("utf-8"), SYMBOLS) == set()


def test_letters_with_two_meanings_are_marked_and_no_others():
    assert unmarked(SYMBOLS) == (set(), set())


def test_the_checks_bite():
    l2 = (ROOT / "notebooks/l2.md").read_text("utf-8")
    assert unlisted("l2", l2 + "```{math}\n:label: eq-new\n\\Omega_Z\n```", SYMBOLS) == {
        "eq-new: Omega",
        "eq-new: Z",
    }
    assert unmarked(SYMBOLS.replace("* - $n$ †", "* - $n$"))[0] == {"n"}
    assert unmarked(SYMBOLS.replace("* - $K$\n", "* - $K$ †\n"))[1] == {"K"}
    row = "* - $R$\n  - radius below which"
    moved = SYMBOLS.replace(row, row.replace("$R$", "$Z$"))
    assert any(letter.endswith(": R") for letter in unlisted("l2", l2, moved))


def test_words_are_no_letters():
    assert letters(r"\eta_{\text{eff}} = \frac{\eta}{\lVert w\rVert^2}") == {"eta", "w"}
    assert letters(r"\operatorname{Var} \mathbb{E}[\tilde h] \beta") == {"h", "beta"}
