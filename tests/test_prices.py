"""What a point of accuracy costs: the right pairs, the right words, a mark for each."""

import numpy as np
import pandas as pd
import pytest

from reglab import cells
from reglab.pages import cost_text, price_figure
from reglab.results import factorial, prices, tables
from reglab.results.prices import Price
from reglab.stats import mean_interval


def test_the_answer_names_the_cheapest_and_the_largest_gain_that_is_shown(monkeypatch):
    def priced(*found):
        monkeypatch.setattr(cost_text, "prices", lambda _: [
            Price(name, mean_interval([gain - 0.1, gain + 0.1]),
                  mean_interval([epochs, epochs])) for name, gain, epochs in found])  # fmt: skip
        return cost_text.answer({"mnist": STUDY}).text

    both = priced(("dear", 4.0, 8.0), ("cheap", 2.0, 1.0), ("worse", -3.0, -5.0))
    assert "regularization stops after 7.0 epochs" in both
    assert "cheap, 2.0 ± 1.3 points for 1.0 epochs more, 0.5 epochs a point" in both
    assert "The largest: dear, 4.0 ± 1.3 points for 8.0 epochs more, 2.0 epochs a point." in both
    gift = priced(("shorter", 4.0, -2.0))
    assert "2.0 epochs fewer, at no cost." in gift and "largest" not in gift
    none = priced(("small", 0.1, 3.0), ("worse", -3.0, -5.0))
    assert "No combination is shown to gain" in none
    assert "between 5.0 epochs fewer and 3.0 epochs more" in none
    assert cost_text.answer({}).text.startswith("No runs")


STUDY = pd.DataFrame({"dataset": "mnist", "profile": "full", "device": "cpu", "precision": "fp32",
                      "study": "factorial", "arm": "none", "seed": [0, 1], "n_train": 1,
                      "epochs": [6, 8]})  # fmt: skip


def test_a_price_is_extra_epochs_over_gain_and_the_picture_has_each(study):
    cells_of = prices.prices(study)
    accuracy, epochs = factorial.scores(study).mean(), factorial.scores(study, "epochs").mean()
    for name, one in zip(cells.CELL_ORDER[1:], cells_of, strict=True):
        assert one.gain.mean == pytest.approx(accuracy[name] - accuracy["none"])
        assert one.epochs.mean == pytest.approx(epochs[name] - epochs["none"])
        ratio = one.epochs.mean / one.gain.mean
        assert one.a_point == (pytest.approx(ratio) if one.gain.mean > 0 else None)
    (axes,) = price_figure.price_figure({"mnist": study}).axes
    drawn = [tuple(line.get_xydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1]
    assert np.allclose(sorted(drawn), sorted((one.epochs.mean, one.gain.mean) for one in cells_of))


def test_sweeps_are_counted_once_in_plain_networks(study):
    count, share = prices.choosing(study)
    swept = study[study["study"].isin(["lr", "lambda", "dropout"])].drop_duplicates("key")
    plain = tables.arm(study, "factorial", "none")["epochs"].mean()
    assert (count, share) == (len(swept), pytest.approx(swept["epochs"].sum() / plain))
    assert f"{count} runs on MNIST" in cost_text.finding({"mnist": study}).text
    assert prices.choosing(study[study["study"] == "factorial"]) is None
    assert cost_text.finding({}).text == ""
