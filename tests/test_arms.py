"""One arm's scores: units, early accuracy, and the interpolated time to a target."""

import pandas as pd
import pytest

from reglab.errors import ReglabError
from reglab.results import arms


def runs(*curves, **columns):
    """Runs of one arm with these curves of validation accuracy, on seeds 0, 1, ..."""
    rows = [{"seed": seed, "history": {"val_acc": list(curve)}, "max_epochs": 9}
            for seed, curve in enumerate(curves)]  # fmt: skip
    return pd.DataFrame(rows).assign(**columns)


def test_the_target_is_a_share_of_each_seeds_best():
    targets = arms.targets(runs([0.2, 0.5, 0.4], [1.0]))
    assert targets.to_dict() == pytest.approx({0: 0.49, 1: 0.98})


def test_the_time_to_a_target_is_interpolated():
    curves = [0.5, 0.9], [0.3, 0.5, 0.7], [0.2, 0.2], [0.5, 0.5]
    wanted = pd.Series({0: 0.3, 1: 0.6, 2: 0.6, 3: 0.5})
    times = arms.times(runs(*curves), wanted)
    # from guessing, a tenth, half way in the first epoch; half way in the third; never; at once
    assert times.to_dict() == pytest.approx({0: 0.5, 1: 2.5, 2: 10.0, 3: 1.0})


def test_a_seed_without_a_target_is_left_out():
    assert arms.times(runs([0.5], [0.5]), pd.Series({1: 0.5})).index.tolist() == [1]


def test_early_accuracy_is_a_mean_of_five_epochs():
    early = arms.values(runs([0.1, 0.2, 0.3, 0.4, 0.5, 0.9], [0.9] * 4), "early_val_acc")
    assert early[0] == pytest.approx(30.0)
    assert early.isna().tolist() == [False, True]


def test_units():
    one = runs([0.5], test_acc=0.75, train_acc=1.0, last_test_acc=0.5, last_train_acc=1.0, epochs=7)
    wanted = {"test_acc": 75, "gap": 25, "last_gap": 50, "epochs": 7}
    assert {name: arms.values(one, name)[0] for name in wanted} == wanted
    with pytest.raises(ReglabError, match="no metric 'speed' of one arm"):
        arms.values(one, "speed")
