"""The chapter on other domains: contrasts, simple rules, sentences, on records that are made up."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import finish

from reglab.data import bundled
from reglab.errors import ReglabError
from reglab.pages import domains as pages
from reglab.results import baselines, domains, factorial, recorded, stopping, tables
from reglab.stats import mean_interval
from reglab.study.frame import frame
from reglab.study.plan import make_plan
from reglab.study.protocol import stages


@pytest.fixture(autouse=True)
def _as_recorded(monkeypatch):
    monkeypatch.setenv("REGLAB_RESULTS", str(Path(__file__).parents[1] / "book" / "results"))


def made_up(name, seeds=4):
    plan = make_plan(name, "reduced", device="cpu", seeds=seeds)
    records = finish(plan)
    return frame(plan, stages(plan, lambda configs: records)[0], records)


@pytest.fixture(scope="module")
def studies():
    return recorded.studies() | {name: made_up(name) for name in bundled.NAMES}


def test_effects_are_the_cells_contrasts(studies):
    study = studies["watch"]
    cells, found = factorial.scores(study), domains.effects(study)
    assert len(found) == 11
    gain = (cells["bn"] - cells["none"]).tolist()
    assert found[domains.ALONE, "bn"] == mean_interval(gain)
    both = cells["l2+dropout"] - cells["l2"] - cells["dropout"] + cells["none"]
    with_bn = cells["all"] - cells["l2+bn"] - cells["dropout+bn"] + cells["bn"]
    averaged = ((both + with_bn) / 2).mean()
    assert found[domains.TOGETHER, "l2+dropout"].mean == pytest.approx(averaged)
    table = domains.table(studies)
    assert list(table.columns[1:]) == [
        "MNIST", "Fashion-MNIST", "CIFAR-10", "State of the Union", "Smartwatch", "Weather"
    ]  # fmt: skip
    assert len(table) == 11


def estimate(mean, half=1.0):
    return dataclasses.replace(
        mean_interval([mean - 1, mean + 1]), low=mean - half, high=mean + half
    )


UP, DOWN, OPEN = estimate(2), estimate(-2), estimate(0.5)


@pytest.mark.parametrize(
    ("own", "images", "kind"),
    [
        (UP, [UP, OPEN, UP], "same"),
        (DOWN, [DOWN, OPEN, OPEN], "same"),
        (DOWN, [UP, OPEN, OPEN], "reversed"),
        (OPEN, [UP, UP, UP], "open"),
        (UP, [OPEN, OPEN, OPEN], "new"),
        (UP, [UP, DOWN, OPEN], "new"),
        (OPEN, [UP, DOWN, OPEN], "neither"),
        (OPEN, [OPEN], "neither"),
    ],
)
def test_what_carries_over_is_what_image_sets_agree_on(own, images, kind):
    assert pages._kind(own, images) == kind


def test_every_effect_is_listed_once_for_each_data_set(studies):
    text = pages.carried(studies).text
    for effect in domains.effects(studies["watch"]):
        named = re.findall(rf"[:;] {re.escape(domains.in_words(effect))} \(", text, re.IGNORECASE)
        assert len(named) == len(bundled.NAMES)
    for kinds in pages.counted(studies).values():
        assert sum(kinds.values()) == 11


def test_sentences_hold_the_figures(studies):
    text = pages.in_short(studies).text
    gain = factorial.contrast(studies["watch"], "bn", "none")
    assert f"{gain.mean:+.1f}" in text
    assert text.count("simple rule") == 3
    assert "; it " in text  # of accuracies first, then of R²
    halves = domains.smallest_seen(studies["sotu"])["half-width"]
    seen = pages.resolution(studies).text
    assert f"from {halves.min():.1f} points (" in seen
    assert f") to {halves.max():.1f} (" in seen


@pytest.mark.parametrize(("one", "words"), [(UP, "raises test {} on"), (DOWN, "lowers test {} on")])
def test_each_set_is_said_to_gain_what_it_is_measured_by(one, words, studies, monkeypatch):
    monkeypatch.setattr(pages.factorial, "contrast", lambda *_: one)
    first = pages.in_short(studies).text.splitlines()[0]
    assert f"{words.format('accuracy')} State of the Union" in first
    assert f"it {words.format('R²')} Weather" in first


def test_rules_stand_beside_the_networks_of_the_same_seeds(studies):
    (first, second, third) = pages.rules(studies).shown
    rule = baselines.recorded("sotu")["naive Bayes on words"]
    cells = factorial.scores(studies["sotu"])
    difference = (cells["all"] - rule).dropna()
    assert len(difference) == 4
    shown = repr(first)
    assert f"{rule.mean():.2f} ±" in shown
    assert f"{difference.mean():.2f} ±" in shown
    last = stopping.unstopped(studies["sotu"])["accuracy"]
    assert f"{(last - rule).dropna().mean():.2f} ±" in shown
    assert "random convolutions" in repr(second)
    assert "accuracy" not in repr(third)
    naive = baselines.recorded("weather")["the last value (the naive forecast)"]
    ours = 100 * pd.Series(
        {
            it.seed: it.test_r2
            for it in tables.arm(studies["weather"], "factorial", "all").itertuples()
        }
    )
    assert f"{(ours - naive).dropna().mean():.2f} ±" in repr(third)


def test_errors_in_degrees_are_those_of_the_rules(studies):
    """The naive forecast's, computed from the days themselves."""
    text = pages.in_units(studies).text
    days = bundled.stored("weather")
    warmest = days["days"][:, days["year"] == 2015, 0] / 10
    errors = warmest[:, 16:] - warmest[:, 15:-1]
    assert f"the last value (the naive forecast): {np.sqrt((errors**2).mean()):.2f};" in text
    assert "degrees Celsius" in text
    assert "No forecasts" in pages.in_units({"sotu": studies["sotu"]}).text


def test_stopping_is_held_against_not_stopping(studies):
    text = pages.stopped(studies).text
    change = stopping.unstopped_changes(studies["sotu"])["accuracy"]
    assert f"{change.mean:.2f} ± {change.half_width:.2f} points" in text
    assert text.count("\n") == 6
    assert text.count("nats") == 2
    assert text.count("variances") == 1
    r2 = stopping.unstopped_changes(studies["weather"])["R²"]
    assert f"{r2.mean:.2f} ± {r2.half_width:.2f} points" in text


def test_without_runs_one_line_says_so():
    only_images = recorded.studies()
    for said in (
        pages.in_short,
        pages.carried,
        pages.resolution,
        pages.rules,
        pages.effects_table,
        pages.stopped,
    ):
        assert "No runs on text or time series" in repr(said(only_images))
    with pytest.raises(ReglabError, match="no runs on text"):
        pages.gains(only_images)
    assert "State of the Union, Smartwatch and Weather" in pages.missing(only_images)


def test_the_picture_has_a_panel_a_data_set(studies):
    titles = [axes.get_title() for axes in pages.gains(studies).axes]
    assert [title.split("\n")[0] for title in titles] == [
        *("State of the Union", "Smartwatch", "Weather")
    ]


@pytest.mark.parametrize("name", bundled.NAMES)
def test_recorded_rules_are_made_again(name):
    """To a point, as solvers may differ between machines by a few examples."""
    again, kept = baselines.scores(name, 1), baselines.recorded(name)
    assert list(kept.columns) == list(again)
    assert len(kept) == 10
    for rule, accuracy in again.items():
        assert kept.loc[1, rule] == pytest.approx(accuracy, abs=1)


def test_rules_are_for_sequences():
    with pytest.raises(ReglabError, match="no simple rules for mnist"):
        baselines.scores("mnist", 0)


@pytest.mark.parametrize("content", ["{", "[]", '{"scores": {}}'])
def test_a_damaged_file_of_rules_is_one_line(tmp_path, content):
    path = tmp_path / "baselines" / "watch.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ReglabError, match="make_baselines") as caught:
        baselines.recorded("watch", tmp_path)
    assert "\n" not in str(caught.value)


def test_rules_of_other_data_are_refused(tmp_path):
    path = tmp_path / "baselines" / "watch.json"
    path.parent.mkdir()
    kept = {"scores": {"a": [1.0]}, "seeds": [0], "data_version": "full:000000000000"}
    path.write_text(json.dumps(kept))
    with pytest.raises(ReglabError, match="other data"):
        baselines.recorded("watch", tmp_path)
    assert baselines.recorded("sotu", tmp_path) is None


def test_features_of_random_convolutions():
    """The features are what a convolution finds, by NumPy's own."""
    kernels = baselines._kernels((2, 30), 0)
    x = np.random.default_rng(0).normal(size=(3, 2, 30))
    kernel, bias, dilation = next(one for one in kernels if one[2] == 1)
    flipped = kernel[0].numpy()[:, ::-1]
    by_hand = sum(
        np.apply_along_axis(np.convolve, 1, x[:, c], flipped[c], "valid") for c in range(2)
    )
    found = baselines._convolved(torch.from_numpy(x).float(), [(kernel, bias, dilation)])
    assert np.allclose(found[:, 0], by_hand.max(1) + bias, atol=1e-4)
    assert np.allclose(found[:, 1], (by_hand + bias > 0).mean(1), atol=1e-6)
    assert pd.Series([dilation for *_, dilation in kernels]).nunique() > 1
