"""What a point of accuracy costs: the right pairs, the right words, a mark for each."""

import numpy as np
import pandas as pd
import pytest

from reglab import cells
from reglab.pages import cost_text, price_figure
from reglab.results import factorial, prices, tables
from reglab.results.prices import Price
from reglab.stats import paired_p


def test_the_answer_names_the_cheapest_and_the_largest_gain_that_is_shown(monkeypatch):
    def priced(*sold):
        monkeypatch.setattr(
            cost_text,
            "prices",
            lambda _: [
                Price(name, (gain - 0.1, gain + 0.1), (epochs, epochs))
                for name, gain, epochs in sold
            ],
        )
        return cost_text.answer({"mnist": STUDY}).text  # fmt: skip

    both = priced(("dear", 4.0, 8.0), ("cheap", 2.0, 1.0), ("worse", -3.0, -5.0))
    assert "regularization stops after 7.0 epochs" in both
    cheap, dear = (prices.ratio_interval((e, e), (g - 0.1, g + 0.1)) for e, g in ((1, 2), (8, 4)))
    said = f"0.5 epochs a point ({cheap[0]:.1f} to {cheap[1]:.1f})"
    assert f"cheap, 2.0 ± 1.3 points for 1.0 ± 0.0 epochs more, {said}" in both
    said = f"2.0 epochs a point ({dear[0]:.1f} to {dear[1]:.1f})"
    assert f"The largest: dear, 4.0 ± 1.3 points for 8.0 ± 0.0 epochs more, {said}." in both
    gift = priced(("shorter", 4.0, -2.0))
    assert "2.0 ± 0.0 epochs fewer, at no cost." in gift and "The largest" not in gift
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


def test_a_prices_interval_ends_where_a_t_test_begins_to_reject():
    rng = np.random.default_rng(0)
    gains, epochs = rng.normal(3, 1, 6), rng.normal(8, 2, 6)
    for ratio in prices.ratio_interval(epochs, gains):
        assert paired_p(tuple(epochs - ratio * gains)) == pytest.approx(0.05)
    low, high = prices.ratio_interval(epochs, gains)
    assert low < epochs.mean() / gains.mean() < high
    assert paired_p(tuple(epochs - (low + high) / 2 * gains)) > 0.05
    assert prices.ratio_interval(epochs, gains - gains.mean()) is None  # nothing may be gained
    assert prices.ratio_interval([1.0], [1.0]) is None


def test_a_prices_interval_holds_the_ratio_as_often_as_it_says():
    rng, held = np.random.default_rng(1), 0
    for _ in range(2000):
        noise = rng.normal(size=(2, 5))
        low, high = prices.ratio_interval(6 + noise[0], 10 + noise[1] + 0.5 * noise[0])
        held += low <= 0.6 <= high
    assert 0.93 < held / 2000 < 0.97
