"""Playgrounds and quizzes: in one form in every chapter that has them (see DEVELOPMENT.md)."""

import re
from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
WITH_QUIZ = [
    "ablation",
    "augmentation",
    "batch_norm",
    "combining",
    "distillation",
    "domains",
    "dropout",
    "early_stopping",
    "forecasting",
    "l2",
    "overfitting",
    "pruning",
]
TRY = re.compile(r"^:::\{admonition\} Try it: change .+ and run\n:class: note$", re.MULTILINE)
PARAMETER = re.compile(r"[A-Z_]+ = \S.*  # .+")
SECTION = re.compile(r"^## Three questions\n(.*?)^## Exercises$", re.MULTILINE | re.DOTALL)
QUESTION = re.compile(
    r"^\*\*Question (\d)\.\*\* (.*?)(?=^\*\*Question|\Z)", re.MULTILINE | re.DOTALL
)
ANSWER = re.compile(r"^:::\{dropdown\} Answer (\d)\n\*\*([A-C])\.\*\* .{40,}?^:::$",
                    re.MULTILINE | re.DOTALL)  # fmt: skip


def text_of(chapter):
    return (NOTEBOOKS / f"{chapter}.md").read_text("utf-8")


def playground_faults(text):
    """Return what is wrong with a chapter's playground, in words."""
    cells, faults = jupytext.reads(text, fmt="md:myst").cells, []
    marked = [i for i, cell in enumerate(cells) if "playground" in cell.metadata.get("tags", [])]
    if len(marked) != 1 or len(TRY.findall(text)) != 1:
        return [f"{len(marked)} cells and {len(TRY.findall(text))} admonitions, not one of each"]
    before, cell = cells[marked[0] - 1], cells[marked[0]]
    if not (TRY.search(before.source) and before.source.rstrip().endswith(":::")):
        faults.append("the admonition does not stand right before its cell")
    if sorted(cell.metadata["tags"]) != ["nbval-ignore-output", "playground"]:
        faults.append("tags")
    if not all(map(PARAMETER.fullmatch, cell.source.split("\n\n")[0].splitlines())):
        faults.append("the cell does not begin with plain parameters")
    return faults + figure_faults(cell)


def quiz_faults(text):
    """Return what is wrong with a chapter's quiz, in words."""
    sections, faults = SECTION.findall(text), []
    if len(sections) != 1:
        return ["no section between the conclusion and the exercises"]
    if [number for number, _ in QUESTION.findall(sections[0])] != ["1", "2", "3"]:
        faults.append("not three questions")
    for number, question in QUESTION.findall(sections[0]):
        if re.findall(r"^- ([A-Z]): ", question, re.MULTILINE) != ["A", "B", "C"]:
            faults.append(f"question {number} has not the choices A, B and C")
        if [found for found, _ in ANSWER.findall(question)] != [number]:
            faults.append(f"question {number} has no answer that says why")
    cells = jupytext.reads(text, fmt="md:myst").cells
    drawn = [cell for cell in cells if "quiz" in cell.metadata.get("tags", [])]
    if [cell.metadata["tags"] for cell in drawn] != [["quiz", "hide-input", "nbval-ignore-output"]]:
        return [*faults, "not one folded cell that draws"]
    name = drawn[0].metadata.get("mystnb", {}).get("figure", {}).get("name", "?")
    if f"{{numref}}`{name}`" not in sections[0]:
        faults.append("no question is about the figure")
    return faults + figure_faults(drawn[0])


def figure_faults(cell):
    own = cell.metadata.get("mystnb", {})
    told = own.get("figure", {}).get("caption"), own.get("image", {}).get("alt")
    return [] if all(told) else ["the figure has no caption or no alternative text"]


@pytest.mark.parametrize("chapter", WITH_QUIZ)
def test_a_chapter_has_one_playground_and_a_quiz(chapter):
    assert playground_faults(text_of(chapter)) == []
    assert quiz_faults(text_of(chapter)) == []


def test_no_chapter_has_one_that_is_not_looked_at():
    for path in NOTEBOOKS.glob("*.md"):
        if path.stem not in WITH_QUIZ:
            text = path.read_text("utf-8")
            assert not re.search("Try it:|Three questions|playground|tags: .*quiz", text), path.stem


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("\nLAM = 0.001  # strength", "\nLAM = 0.001\n# strength", "plain parameters"),
        ("tags: [playground,", "tags: [playgrounds,", "not one of each"),
        ("Try it: change λ and run", "Try it", "not one of each"),
        ("\n## Exercises", "\n## More exercises", "no section between"),
        ("**Question 2.**", "Question 2.", "not three questions"),
        ("\n- C: 0.02\n", "\n", "question 1 has not the choices"),
        (
            ":::{dropdown} Answer 3\n**C.**",
            ":::{dropdown} Answer 3\nC.",
            "question 3 has no answer",
        ),
        ("{numref}`fig-l2-quiz`", "The figure", "no question is about the figure"),
        ("tags: [quiz, hide-input,", "tags: [quiz,", "not one folded cell"),
    ],
)
def test_a_fault_is_found(right, wrong, finding):
    text = text_of("l2")
    assert text.count(right) == 1
    spoilt = text.replace(right, wrong)
    faults = playground_faults(spoilt) + quiz_faults(spoilt)
    assert any(finding in fault for fault in faults)
