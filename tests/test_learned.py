"""Runs that did not learn: known from the record, counted, never averaged in silence."""

import math
from dataclasses import replace

import pytest
from conftest import fake_record, study_frame

from reglab.pages import display, explorer
from reglab.pages.clauses import clause
from reglab.record import History
from reglab.results import costs, factorial, tables
from reglab.stats import TwoKinds, mean_interval, pooled
from reglab.study.frame import has_learned, summarize


def at_chance(config, *, learned=None):
    """Return a run whose training accuracy is that of guessing, and so is its test accuracy."""
    record = fake_record(config)
    history = replace(record.history, train_acc=[0.1, 0.11])
    guessed = replace(record.best, accuracy=0.1)
    return replace(record, history=history, best=guessed, last=guessed, learned=learned)


def failing(which):
    """Return what makes runs of which some (``which`` of their config) did not learn."""
    return lambda config: at_chance(config) if which(config) else fake_record(config)


@pytest.mark.parametrize(("highest", "learned"), [(0.1, False), (0.2, False), (0.21, True)])
def test_an_older_record_is_asked_by_its_history(config, highest, learned):
    history = History([2.3] * 3, [0.1, highest, 0.1], [2.3] * 3, [0.1] * 3)
    assert has_learned(replace(fake_record(config), history=history)) is learned


def test_a_newer_record_says_so_itself(config):
    assert has_learned(at_chance(config, learned=True))
    assert not has_learned(replace(fake_record(config), learned=False))
    assert not has_learned(replace(fake_record(config), history=History()))


def test_two_kinds_of_runs_have_no_normal_interval():
    mixed = pooled([80.0, 82.0, 10.0], [True, True, False])
    assert isinstance(mixed, TwoKinds)
    assert (mixed.mean, mixed.n) == (pytest.approx(172 / 3), 3)
    assert math.isnan(mixed.half_width)
    assert mixed.words == "57.33: 2 learned (81.00), 1 did not (10.00)"
    assert mixed.short == "57.33: 2 of 81.00, 1 of 10.00"
    pairs = pooled([3.0, -70.0], [True, False], pairs=True)
    assert pairs.words == "-33.50: in 1 both runs learned (3.00), in 1 not (-70.00)"
    for kinds in ([True] * 3, [False] * 3):
        assert pooled([1.0, 2.0, 3.0], kinds) == mean_interval([1.0, 2.0, 3.0])


def test_a_sweep_counts_them_and_says_so_beside_the_number(plan):
    three = replace(plan, profile=replace(plan.profile, sweep_seeds=3))
    first = three.selection_seeds[0]
    study = study_frame(three, failing(lambda c: c.dropout == 0.7 and c.seed == first))
    table = tables.dropout_sweep_table(study).set_index(["placement", "drop rate"])
    assert table["did not learn"].sum() == 2  # one a placement
    for place in tables.PLACES.values():
        cell = table.loc[(place, 0.7)]
        assert (cell["n"], cell["did not learn"]) == (3, 1)
        assert (
            display.as_text(table.reset_index())["test accuracy"].str.contains(": 2 of ").sum() == 2
        )
        assert "±" not in cell["test accuracy"].short
    shown = display.show(tables.dropout_sweep_table(study), "Drop rates.")
    assert "never above twice that of guessing" in shown.caption
    assert "stand for an interval" in shown.caption
    assert "diverged" not in shown.table.columns
    plain = display.show(tables.lambda_table(study), "Strengths.")
    assert "did not learn" in plain.table.columns and "stand for" not in plain.caption


def test_the_other_tables_count_them_as_well(plan):
    profile = replace(plan.profile, rate_cells=("none", "bn"), sweep_seeds=2, sizes=(50,))

    def which(config):
        small = config.n_train == 50 and config.batch_norm
        return config.lr == 0.1 or config.lam == 0.1 or small

    study = study_frame(replace(plan, profile=profile), failing(which))
    rates = factorial.rate_table(study).set_index("learning rate")["did not learn"]
    assert rates["0.1"] == "2 / 2" and rates["0.01"] == "0 / 0"
    assert tables.lr_table(study).query("lr == 0.1")["did not learn"].tolist() == [2]
    lam = tables.lambda_table(study).query("λ == 0.1")["did not learn"]
    assert set(lam) == {2}
    literal = tables.effect_table(study, "l2").set_index("network")["did not learn"]
    assert literal["λ = 0.1, as printed"] == 2 and literal.notna().sum() == 1
    sizes = factorial.size_table(study).set_index(["network", "images"])["did not learn"]
    assert sizes["BN", "50"] == 2 and sizes.notna().sum() == 1
    gained = costs.cost_table(study)
    assert set(gained[gained["strength"] == "λ = 0.1"]["did not learn"]) == {2}
    summary = summarize(study).set_index(["study", "arm"])["n_unlearned"]
    assert summary["literal", "l2=0.1"] == 2 and summary["factorial", "bn"] == 0


def test_a_difference_of_such_runs_is_of_two_kinds_too(plan):
    study = study_frame(plan, failing(lambda c: c.batch_norm and c.seed == 0))
    gain = tables.factorial_table(study).set_index("network").loc["BN", "to baseline"]
    assert isinstance(gain, TwoKinds) and gain.pairs
    assert (gain.learned[0], gain.others[0]) == (1, 1)
    summary = summarize(study).set_index(["study", "arm"]).loc["factorial"]
    assert summary.loc["bn", "n"] == 2 and math.isnan(summary.loc["bn", "low"])
    assert summary.loc["none", "low"] < summary.loc["none", "high"]
    assert gain.others[1] < gain.learned[1]
    assert clause(gain).startswith("of two kinds, some runs having learned and some not (")
    both = study_frame(plan, failing(lambda c: c.batch_norm))
    assert not isinstance(factorial_gain(both), TwoKinds)


def factorial_gain(study):
    return tables.factorial_table(study).set_index("network").loc["BN", "to baseline"]


def test_the_explorer_says_it(plan):
    study = study_frame(plan, failing(lambda c: c.batch_norm and c.seed == 0))
    states = explorer.recorded_picture({"mnist": study}).states
    path = ("MNIST", "batch normalization", "on")
    (facts,) = (dict(state.facts) for state in states if state.path == path)
    assert facts["did not learn"] == "1 of 2"
    assert "did not" in facts["test accuracy"]
