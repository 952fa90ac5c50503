"""Stopping criteria replayed: on losses done by hand, and beside runs that were really stopped."""

import dataclasses

import pandas as pd
import pytest
import trajectories

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.results import criteria, early_stopping
from reglab.training.run import load_for, train

PATIENCE, GL, PQ, UP = criteria.RULES
FALLING = [1.0] * 12  # training losses without any progress


def test_patience_stops_after_so_many_epochs_without_a_lower_loss():
    losses = [0.9, 0.5, 0.6, 0.4, 0.7, 0.8, 0.9, 1.0, 1.1, 0.3, 0.4, 0.5]
    assert PATIENCE.stops(FALLING, losses) == [3, 6, 7, 9, 12]
    assert [criteria.lowest(losses[:stop]) for stop in (3, 6, 7, 9, 12)] == [2, 4, 4, 4, 10]
    assert criteria.lowest([0.5, 0.5]) == 1


def test_generalization_loss_stops_above_its_value_and_not_at_it():
    losses = [100.0, 101.0, 101.5, 102.5, 103.0, 103.5, 90.0, 100.0]
    assert GL.stops(FALLING, losses) == [3, 4, 6, 8]


def test_strips_are_asked_at_their_ends_only():
    losses = [1.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 9.0, 9.0]
    assert UP.stops(FALLING, losses) == [10, 12, 12]
    assert PQ.stops(FALLING, losses) == [10, 10, 10, 10]  # no progress at all, and GL above 0
    fast = [2.0**-epoch for epoch in range(12)]  # P = 1000 (mean of 16, 8, 4, 2, 1 - 1) = 5200
    assert PQ.stops(fast, losses) == [12] * 4
    slow = [1 - 0.001 * epoch for epoch in range(12)]  # P at 10: 1000 * 0.002 / 0.991 = 2.02
    assert PQ.stops(slow, [1.0] * 9 + [1.03, 1.0, 1.0]) == [10, 10, 10, 12]


def of_run(history, trace):
    """One run's replay, a row a criterion."""
    columns = list(criteria.MEASURES)
    return pd.DataFrame(criteria.replayed(history, trace), criteria.ORDER, columns)


@pytest.fixture(scope="module")
def trained():
    """One small network not stopped, and the same ones under two patiences."""
    config = RunConfig(
        dataset="mnist", data_version=dataset_version("mnist", "sample"), n_train=150, seed=2,
        width=4, lr=0.1, max_epochs=8, batch_size=16, patience=8, dropout=0.3, lam=0.01,
    )  # fmt: skip
    data = load_for(config)
    data = dataclasses.replace(data, x_test=data.x_test[:50], y_test=data.y_test[:50])
    return {n: train(config.replace(patience=n), data) for n in (8, 1, 2)}


def test_a_replay_is_what_a_stopped_run_is(trained):
    whole = trained.pop(8)
    replayed = of_run(vars(whole.history), vars(whole.trace))
    assert len(whole.history.val_loss) == 8
    for patience, stopped in trained.items():
        row = replayed.loc[f"patience {patience}"]
        assert row["epochs"] == stopped.epochs < 8
        assert row["kept"] == stopped.best_epoch
        assert row["accuracy"] == 100 * stopped.best.accuracy
        assert row["loss"] == pytest.approx(stopped.best.loss, rel=1e-5)
    assert replayed.loc[criteria.ALL, "kept"] == whole.best_epoch
    assert replayed.loc[criteria.LAST, "accuracy"] == 100 * whole.last.accuracy
    assert (replayed.loc[[criteria.ALL, criteria.LAST, criteria.BY_ACCURACY], "epochs"] == 8).all()


def test_slower_criteria_of_a_family_spend_no_less_and_keep_no_higher_loss():
    for cell in ("none", "all"):
        history, trace = trajectories.run(0, cell)
        table = of_run(history, trace)
        for rule in criteria.RULES:
            rows = table.loc[[rule.label(value) for value in rule.tried]]
            assert rows["epochs"].is_monotonic_increasing
            lowest = [history["val_loss"][int(kept) - 1] for kept in rows["kept"]]
            assert lowest == sorted(lowest, reverse=True)
        assert tuple(table.index) == criteria.ORDER


def test_cells_are_averaged_within_a_seed_and_seeds_have_all_of_them():
    frame = trajectories.study(seeds=3)
    both = criteria.replay(frame, ("none", "all"))
    parts = [criteria.replay(frame, (cell,)) for cell in ("none", "all")]
    for measure in criteria.MEASURES:
        mean = (parts[0][measure] + parts[1][measure]) / 2
        pd.testing.assert_frame_equal(both[measure], mean)
    frame.loc[(frame["seed"] == 1) & (frame["cell"] == "all"), "diverged"] = True
    assert list(criteria.replay(frame, ("none", "all"))["loss"].index) == [0, 2]
    assert list(criteria.replay(frame, ("none",))["loss"].index) == [0, 1, 2]


def test_criteria_are_compared_within_a_seed():
    table = criteria.replay(trajectories.study(), ("none",))
    change = criteria.against(table, "accuracy", criteria.LAST)
    wide = table["accuracy"]
    own = wide[criteria.LAST] - wide[criteria.PROTOCOL]
    assert (change.mean, change.n) == (pytest.approx(own.mean()), 3)
    shown = criteria.criteria_table(table).set_index("criterion")
    assert shown.loc[criteria.LAST, "accuracy, change"].mean == change.mean
    assert pd.isna(shown.loc[criteria.PROTOCOL, "accuracy, change"])
    loss = table["loss"]
    share = 100 * (loss[criteria.LAST] / loss[criteria.PROTOCOL] - 1)
    assert shown.loc[criteria.LAST, "loss, change (%)"].mean == pytest.approx(share.mean())
    assert criteria.against(table, "accuracy", criteria.PROTOCOL).mean == 0
    assert shown.loc[criteria.ALL, "epochs spent"].mean == 50


def test_runs_without_test_curves_leave_empty_tables():
    bare = trajectories.study().assign(trace=None)
    table = criteria.replay(bare)
    assert table["loss"].empty and criteria.criteria_table(table).empty
    assert criteria.against(table, "accuracy", criteria.LAST) is None
    assert criteria.loss_change(table, criteria.LAST) is None
    assert set(criteria.slow_against_fast(bare).values()) == {None}
    assert early_stopping.later(bare, "none") is None
    assert len(early_stopping.price_table(bare)) == len(early_stopping.best_table(bare)) == 8
    whole = trajectories.study()
    whole.at[0, "trace"]["test_loss"][3] = None  # a test loss that was not finite
    assert 0 not in criteria.runs(whole, "none").index


def test_the_best_epochs_are_those_of_the_curves():
    history = {"train_loss": [1.0] * 4, "val_loss": [3.0, 1.0, 1.0, 2.0]}
    history["val_acc"] = [0.1, 0.2, 0.4, 0.4]
    trace = {"test_loss": [1.0, 0.5, 0.4, 0.9], "test_acc": [0.1, 0.2, 0.3, 0.9]}
    frame = trajectories.study(seeds=1, cells=("none",))
    frame["history"], frame["trace"] = [history], [trace]
    assert early_stopping.best_epochs(frame, "none").loc[0].tolist() == [2, 3, 3, 4]
    assert early_stopping.later(frame, "none").mean == 1
    assert early_stopping.later(frame, "none", "validation").mean == 1


def test_the_price_of_a_patience():
    frame = trajectories.study()
    table = early_stopping.price_table(frame).set_index("network")
    epochs = criteria.replay(frame, ("none",))["epochs"].mean()
    none = table.loc["no regularization"]
    assert none["epochs saved"].mean == pytest.approx(50 - epochs["patience 5"])
    assert none["last epoch"].mean == early_stopping.change(frame, "none").mean


def test_slow_criteria_beside_fast_ones():
    """Every figure but the losses is the same in each epoch, so only time and loss differ."""
    frame = trajectories.study()
    for trace in frame["trace"]:
        trace["test_acc"] = [0.8] * 50
    found = criteria.slow_against_fast(frame)
    assert found["error"].mean == 0 and found["time"].mean > 1 and found["time"].n == 3
    for trace in frame["trace"]:
        trace["test_loss"] = [1 / epoch for epoch in range(1, 51)]  # kept later, lower
    assert criteria.slow_against_fast(frame)["loss"].mean < 0


def test_a_replay_of_unlike_lists_is_refused():
    history, trace = trajectories.run(0, "none")
    trace["test_loss"].pop()
    with pytest.raises(ReglabError, match="of the same epochs"):
        criteria.replayed(history, trace)
