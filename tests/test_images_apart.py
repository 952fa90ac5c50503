"""Recorded intervals over seeds and images, counts of runs that did not learn, and the mixed model,
against code that imports nothing of the package (`apart_images.py`)."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from apart_images import half_widths, regression, right
from apart_runs import CHOSEN, Runs, read

from reglab import paper, verdicts
from reglab.cells import CELL_NAMES, cell_name
from reglab.results import factorial, mixed, recorded, tables

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
LEVELS = {"N1": "cifar10", "N2": "fashion_mnist", "N3": "mnist"}
SWITCHES = list(itertools.product((False, True), repeat=3))


@pytest.fixture(scope="module")
def raw():
    best = {
        name: records
        for tables in reversed(read(RESULTS).values())
        for name, records in tables.items()
    }
    return {name: Runs(name, records) for name, records in best.items()}


@pytest.fixture(scope="module")
def studies():
    return recorded.studies(RESULTS)


def arm(switches):
    l2, dropout, norm = switches
    values = {"lam": CHOSEN if l2 else 0.0, "dropout": CHOSEN if dropout else 0.0}
    return values | {"batch_norm": norm}


def name_of(switches):
    return cell_name(
        [name for name, on in zip(("l2", "dropout", "bn"), switches, strict=True) if on]
    )


def answers(runs, switches):
    """Percent right or wrong, a row a seed."""
    records = [r for r in runs.records_of(arm(switches)) if r["config"]["seed"] < 1000]
    records.sort(key=lambda record: record["config"]["seed"])
    return 100 * np.stack([right(record) for record in records])


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_widths_over_seeds_and_images(raw, studies, name):
    table = factorial.widths_table(studies[name]).set_index("network")
    plain = answers(raw[name], (False, False, False))
    for switches in SWITCHES:
        row = table.loc[CELL_NAMES[name_of(switches)]]
        ours = answers(raw[name], switches)
        assert (row["level, seeds"], row["level, both"]) == pytest.approx(half_widths(ours))
        if any(switches):
            expected = half_widths(ours - plain)
            assert (row["gain, seeds"], row["gain, both"]) == pytest.approx(expected)


def test_the_ledger_says_how_wide_a_level_is_over_images_as_well(raw, studies):
    asked = [claim for claim in paper.contents()["claims"] if claim["id"] in (*LEVELS, "N16")]
    listed = {name: [study] for name, study in studies.items()}
    rows = {row.id: row for row in verdicts.ledger(listed, asked)}
    for claim, name in LEVELS.items():
        (said,) = re.findall(
            r"± (\d+\.\d\d) over test images as well", " ".join(rows[claim].runs_say)
        )
        seeds, both = half_widths(answers(raw[name], (False, False, False)))
        assert float(said) == pytest.approx(both, abs=0.0051)
        assert both > seeds
    assert "over test images as well" not in " ".join(rows["N16"].runs_say)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_the_models_effects_are_those_of_a_regression(raw, studies, name):
    cells = {switches: raw[name].scores(arm(switches), "test") for switches in SWITCHES}
    expected = regression(cells)
    model = mixed.fit(mixed.long_form(studies[name]))
    for places in expected:
        if places:
            label = cell_name([("l2", "dropout", "bn")[place] for place in places])
            assert model.effects[label].mean == pytest.approx(expected[places], abs=1e-4)
    table = mixed.comparison_table(studies[name])
    for within, fitted in zip(table["within seeds"], table["mixed model"], strict=True):
        assert fitted.mean == pytest.approx(within.mean, abs=1e-4)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_runs_that_did_not_learn_are_counted_as_their_histories_have_them(raw, studies, name):
    highest = {
        tuple(r["config"][key] for key in KEYS): max(r["history"]["train_acc"])
        for r in raw[name].records
    }
    study = studies[name]
    for _, run in study.iterrows():
        assert run["learned"] == (highest[tuple(run[key] for key in KEYS)] > 0.2)
    sweep = tables.study_rows(study, "lambda").drop_duplicates("key")
    assert tables.unlearned(sweep) == (~sweep["learned"]).sum()


KEYS = ("seed", "lr", "l2", "lam", "dropout", "placement", "batch_norm", "n_train", "optimizer",
        "patience")  # fmt: skip


def test_it_is_made_without_the_package():
    text = Path(__file__).with_name("apart_images.py").read_text("utf-8")
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.M))
    assert imported == {"base64", "itertools", "math", "numpy", "scipy"}
