"""The paper's numbers, checked against facts that a slip of a digit would break."""

from decimal import Decimal

import pytest

from reglab import paper
from reglab.cells import CELLS
from reglab.errors import ReglabError
from reglab.study.profiles import PAPER_LAMBDAS, PAPER_P

D = Decimal


def gain(table, dataset):
    return paper.printed(table, dataset, table) - paper.printed(table, dataset, "none")


def test_gains_are_those_of_the_audit():
    gains = {
        (table, name): gain(table, name)
        for table in ("l2", "dropout", "bn")
        for name in paper.TITLES
    }
    assert gains == {
        ("l2", "mnist"): D("0.5"),
        ("l2", "cifar10"): D("1.9"),
        ("l2", "fashion_mnist"): D("1.4"),
        ("dropout", "mnist"): D("0.5"),
        ("dropout", "cifar10"): D("2.8"),
        ("dropout", "fashion_mnist"): D("1.3"),
        ("bn", "mnist"): D("0.7"),
        ("bn", "cifar10"): D("3.1"),
        ("bn", "fashion_mnist"): D("1.5"),
    }


def test_baselines_disagree_where_the_paper_does():
    assert paper.printed_baselines("mnist") == [D("98.4")]
    assert paper.printed_baselines("cifar10") == [D("81.2"), D("81.3")]
    assert paper.printed_baselines("fashion_mnist") == [D("90.0"), D("90.2")]


def test_implied_drops_contradict_the_prose():
    prose = [paper.printed("ablation", "cifar10", t) for t in ("l2", "dropout", "bn")]
    implied = [paper.implied_drop("cifar10", t) for t in ("l2", "dropout", "bn")]
    assert prose == [D("3.5"), D("2.8"), D("1.5")]
    assert implied == [D("1.2"), D("1.9"), D("2.6")]


def test_table_three_as_printed():
    rows = {
        name: [paper.printed_cell(name, cell)[0] for cell, *_ in CELLS[4:]] for name in paper.TITLES
    }
    assert rows == {
        "mnist": [D("99.0"), D("99.1"), D("99.0"), D("99.2")],
        "fashion_mnist": [D("91.5"), D("91.7"), D("92.1"), D("92.5")],
        "cifar10": [D("83.6"), D("84.3"), D("85.0"), D("86.2")],
    }


def test_grids_are_the_protocols():
    grids = paper.contents()["grids"]
    assert tuple(map(float, grids["lambda"])) == PAPER_LAMBDAS
    assert tuple(map(float, grids["p"])) == PAPER_P


def test_own_data_sets_have_no_paper_value():
    assert paper.printed("l2", "mine", "l2") is None
    assert paper.printed_cell("mine", "none") == []
    assert paper.printed_cell("mine", "all") == []
    assert paper.implied_drop("mine", "l2") is None
    assert paper.title("mine") == "mine"


def test_unknown_table():
    with pytest.raises(ReglabError, match="no table 'l3'"):
        paper.printed("l3", "mnist", "none")
