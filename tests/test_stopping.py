"""The baseline at its last epoch beside the stopped one: made-up runs, paired by seed."""

from dataclasses import replace

import pytest
from conftest import fake_record, study_frame

from reglab.errors import ReglabError
from reglab.record import Scores
from reglab.results import stopping, tables


def overfitted(config):
    """A made-up run whose last epoch, where it is not stopped, is worse in loss."""
    record = fake_record(config)
    if config.patience:
        return record
    last = Scores(record.best.loss + 1.0 + config.seed, 0.5, 0.25, record.best.correct)
    return replace(record, last=last)


@pytest.fixture
def long(plan):
    """A plan with room for a run to be stopped early, so that it has the unstopped arm."""
    return replace(plan, profile=replace(plan.profile, max_epochs=20))


def test_the_last_epoch_is_held_against_the_stopped_run_of_the_same_seed(long):
    study = study_frame(long, overfitted)
    stopped = tables.arm(study, "factorial", "none").set_index("seed")
    last = tables.arm(study, "no_early_stop", "none").set_index("seed")
    changes = stopping.unstopped_changes(study)
    expected = last["last_test_loss"] - stopped["test_loss"]
    assert changes["loss"].mean == pytest.approx(expected.mean())
    assert changes["loss"].n == len(expected) == 2
    gap = 100 * (last["last_train_acc"] - 0.5 - stopped["train_acc"] + stopped["test_acc"])
    assert changes["gap"].mean == pytest.approx(gap.mean())
    assert changes["calibration"].mean == pytest.approx(20)

    table = stopping.stopping_table(study).set_index("no regularization")
    assert table.index.tolist() == list(stopping.MEASURES.values())
    row = table.loc["test loss (nats)"]
    assert row["difference"] == changes["loss"]
    assert row["not stopped"].mean - row["stopped"].mean == pytest.approx(changes["loss"].mean)


def test_techniques_are_held_against_the_last_epoch(long):
    study = study_frame(long, overfitted)
    singles = stopping.singles_against_unstopped(study)
    assert list(singles) == ["l2", "dropout", "bn"]
    runs = tables.arm(study, "factorial", "bn")["test_acc"]
    assert singles["bn"].mean == pytest.approx(100 * runs.mean() - 50)


def test_a_study_without_the_arm_has_no_differences(study):
    assert stopping.unstopped(study) is None
    assert set(stopping.unstopped_changes(study).values()) == {None}
    assert set(stopping.singles_against_unstopped(study).values()) == {None}
    with pytest.raises(ReglabError, match="no_early_stop"):
        stopping.stopping_table(study)


def test_a_diverged_run_takes_its_pair_with_it(long):
    def first_diverges(config):
        lost = config.patience == 0 and config.seed == long.evaluation_seeds[0]
        return fake_record(config, diverged=True) if lost else overfitted(config)

    changes = stopping.unstopped_changes(study_frame(long, first_diverges))
    assert {change.n for change in changes.values()} == {1}


def test_without_any_pair_nothing_is_measured(long):
    study = study_frame(long, lambda config: fake_record(config, diverged=not config.patience))
    assert set(stopping.unstopped_changes(study).values()) == {None}
    assert stopping.stopping_table(study)["n"].tolist() == [0] * len(stopping.MEASURES)
