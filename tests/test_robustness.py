"""The study of corrupted images as numbers: worked out by hand, paired by seed."""

import numpy as np
import pandas as pd
import pytest

from reglab import corruptions
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.results import robustness


def probed(clean, losses):
    """Accuracies that lose, in each kind, so many shares at the three strengths."""
    table = {"clean": {"accuracy": clean, "ece": 0.01, "loss": 1.0}}
    for kind, strengths in corruptions.CORRUPTIONS.items():
        for strength, loss in zip(strengths, losses[kind], strict=True):
            name = corruptions.condition(kind, strength)
            table[name] = {"accuracy": clean - loss, "ece": 0.04, "loss": 2.0}
    return table


def study(worth):
    """A study of two seeds in which a cell keeps so much more than none under noise."""
    rows = []
    for seed, cell in ((s, c) for s in (0, 1) for c in CELL_ORDER):
        losses = dict.fromkeys(corruptions.CORRUPTIONS, (0.0, 0.06, 0.12))
        losses["noise"] = tuple(x - worth.get(cell, 0.0) for x in (0.3, 0.36, 0.42))
        clean = 0.8 + 0.01 * seed
        rows.append({"study": "robustness", "cell": cell, "seed": seed,
                     "probed": probed(clean, losses)})  # fmt: skip
    rows.append({"study": "factorial", "cell": "none", "seed": 0, "probed": None})
    rows.append({"study": "robustness", "cell": "bn", "seed": 7, "probed": None})  # diverged
    return pd.DataFrame(rows)


def test_a_run_is_the_mean_over_strengths_and_then_over_kinds():
    scores = robustness.figures(study({"bn": 0.06}))
    assert len(scores) == 16
    first = scores[(scores["cell"] == "none") & (scores["seed"] == 0)].iloc[0]
    assert first["clean"] == pytest.approx(80)
    assert first["noise"] == pytest.approx(36)
    assert first["blur"] == pytest.approx(6)
    assert first["lost"] == pytest.approx((36 + 5 * 6) / 6) == first["clean"] - first["corrupted"]
    assert first["share lost"] == pytest.approx(100 * 11 / 80)
    assert (first["clean_ece"], first["corrupted_ece"]) == (pytest.approx(1), pytest.approx(4))


def test_gains_are_paired_by_seed_and_have_a_sign():
    frame = study({"bn": 0.06, "dropout": -0.03})
    assert robustness.gain(frame, "bn", "none", "lost").mean == pytest.approx(-1)
    assert robustness.gain(frame, "bn", "none", "corrupted").mean == pytest.approx(1)
    assert robustness.gain(frame, "dropout", "none", "noise").mean == pytest.approx(3)
    assert robustness.gain(frame, "bn", "none", "clean").half_width == pytest.approx(0)
    assert robustness.gain(frame[frame["cell"] != "bn"], "bn", "none", "lost") is None


def test_tables_have_a_row_a_cell():
    frame = study({"all": 0.12})
    summary = robustness.summary_table(frame)
    assert summary["cell"].tolist() == [CELL_NAMES[name] for name in CELL_ORDER]
    assert summary["n"].tolist() == [2] * 8
    assert summary["points lost"].iloc[-1].mean == pytest.approx(9)
    kinds = robustness.kind_table(frame)
    assert kinds["noise"].iloc[-1].mean == pytest.approx(24)
    assert kinds["rotation"].iloc[0].mean == pytest.approx(6)
    gains = robustness.gain_table(frame)
    assert len(gains) == 7
    assert gains["points lost"].iloc[-1].mean == pytest.approx(-2)


def test_a_calibration_error_that_is_not_a_number_is_left_out():
    frame = study({})
    frame.iloc[0]["probed"]["noise 0.1"]["ece"] = None
    assert np.isnan(robustness.figures(frame)["corrupted_ece"].iloc[0])
    assert robustness.summary_table(frame)["corrupted, %"].iloc[0].n == 1
