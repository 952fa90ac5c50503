"""Every numbered equation has a cell that checks it, and the checks bite.

A chapter's cells tagged ``check`` carry the labels of the equations they check; with the cells
tagged ``setup`` they run by themselves. Each formula of the library, its result scaled by 1.01,
must make one of them fail.
"""

import functools
import re
from pathlib import Path

import jupytext
import pytest
import torch

from reglab import formulas, stats
from reglab.verdicts import power

ROOT = Path(__file__).parents[1]
LABEL = re.compile(r"^:label: (\S+)", re.MULTILINE)
CHAPTERS = sorted(path for path in ROOT.glob("notebooks/*.md") if path.stem != "rerun")
PAGES = sorted(ROOT.glob("book/*.md"))


@functools.cache
def cells(chapter):
    return [cell for cell in jupytext.read(chapter).cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


@functools.cache
def checks(chapter):
    """The chapter's setup and check cells, compiled, in order."""
    kept = [cell for cell in cells(chapter) if {"setup", "check"} & set(tags(cell))]
    return [compile(cell.source, f"{chapter.name}: a checking cell", "exec") for cell in kept]


def run_checks(chapter):
    namespace = {"__name__": "chapter"}
    for code in checks(chapter):
        exec(code, namespace)


def test_the_chapters_are_those_of_the_contents():
    listed = re.findall(r"file: notebooks/(\w+)", (ROOT / "_toc.yml").read_text("utf-8"))
    assert sorted(listed) == [chapter.stem for chapter in CHAPTERS] != []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_numbered_equation_has_a_checking_cell(chapter):
    labels = set(LABEL.findall(chapter.read_text("utf-8")))
    checked = {tag for cell in cells(chapter) if "check" in tags(cell) for tag in tags(cell)}
    assert labels - checked == set()
    assert {tag for tag in checked if tag.startswith("eq-")} - labels == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_numbered_equations_stand_where_they_can_be_checked(page):
    assert LABEL.findall(page.read_text("utf-8")) == []


def test_labels_are_unique():
    labels = [label for path in CHAPTERS for label in LABEL.findall(path.read_text("utf-8"))]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_checks_hold(chapter, capsys):
    run_checks(chapter)


def scaled(value):
    """Every number in a formula's result times 1.01, whatever it is wrapped in."""
    if isinstance(value, dict):
        return {key: scaled(part) for key, part in value.items()}
    if isinstance(value, stats.Estimate):
        parts = (value.mean, value.low, value.high, value.sd)
        return stats.Estimate(*map(scaled, parts), value.n)
    if isinstance(value, tuple | list):
        parts = [scaled(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value * 1.01 if isinstance(value, int | float | torch.Tensor) else value


def using(name, module="formulas"):
    checking = [
        chapter
        for chapter in CHAPTERS
        if any(re.search(rf"\b{module}\.{name}\(", cell.source) or f"import {name}" in cell.source
               for cell in cells(chapter) if "check" in tags(cell))
    ]  # fmt: skip
    assert checking, f"no checking cell uses {module}.{name}"
    return checking


def bites(monkeypatch, module, name):
    true = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **kwargs: scaled(true(*args, **kwargs)))
    for chapter in using(name, module.__name__.rpartition(".")[2]):
        try:
            run_checks(chapter)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("name", sorted(formulas.__all__))
def test_a_formula_off_by_a_hundredth_is_noticed(monkeypatch, capsys, name):
    assert bites(monkeypatch, formulas, name)


STATISTICS = ["paired_difference", "prediction_interval", "equivalence", "holm"]
STATISTICS += ["image_variance", "crossed_interval"]


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_off_by_a_hundredth_is_noticed(monkeypatch, capsys, name):
    assert bites(monkeypatch, stats, name)


def test_power_off_by_a_hundredth_is_noticed(monkeypatch, capsys):
    assert bites(monkeypatch, power, "chance")


def test_scaling_reaches_every_number():
    assert scaled((1.0, {"a": 2.0}, [3.0])) == (1.01, {"a": 2.02}, [3.0 * 1.01])
    assert torch.equal(scaled(torch.ones(2)), torch.ones(2) * 1.01)
    estimate = scaled(stats.mean_interval([1.0, 3.0]))
    assert (estimate.mean, estimate.n) == (2.02, 2)
