"""The chapter on forecasting: sentences on records that are made up, and the season's rule."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import fake_record, finish
from test_domains_page import DOWN, OPEN, UP

from reglab.data import bundled
from reglab.data.dataset import load_dataset
from reglab.pages import forecasting as pages
from reglab.results import arms, baselines, factorial, further, tables
from reglab.study.frame import frame
from reglab.study.outlook import outlook
from reglab.study.plan import make_plan
from reglab.study.protocol import stages


@pytest.fixture(autouse=True)
def _as_recorded(monkeypatch):
    monkeypatch.setenv("REGLAB_RESULTS", str(Path(__file__).parents[1] / "book" / "results"))


@pytest.fixture(scope="module")
def plan():
    return make_plan("weather", "reduced", device="cpu", seeds=4)


@pytest.fixture(scope="module")
def records(plan):
    return finish(plan)


@pytest.fixture(scope="module")
def study(plan, records):
    return frame(plan, stages(plan, lambda configs: records)[0], records)


def test_all_eight_stand_beside_the_naive_forecast(study):
    text = pages.against_naive({"weather": study}).text
    naive = baselines.recorded("weather")[baselines.NAIVE]
    assert f"R² of {naive.mean():.1f} %" in text
    differences = factorial.scores(study).sub(naive, axis=0).dropna()
    assert len(differences) == 4
    for values in differences.to_numpy().T:
        assert f"({values.mean():+.1f} ± " in text
    assert "No forecasts" in pages.against_naive({}).text


def test_each_network_at_its_own_rate(study):
    text = pages.own_rates({"weather": study}).text
    rates = {cell: arms.own_rate(study, cell) for cell in ("none", "bn")}
    assert f"at a rate of {rates['none']:g}, the one with BN at {rates['bn']:g}" in text
    pair = [tables.arm(study, "rate", f"{cell} {rate:g}") for cell, rate in rates.items()]
    plain, norm = (100 * rows.set_index("seed")["test_r2"].astype(float) for rows in pair)
    assert f"{abs((norm - plain).mean()):.2f}" in text


def test_without_runs_a_line_says_so():
    for said in (pages.against_naive, pages.own_rates, pages.best_swept, pages.at_the_cap):
        assert said({}).text == "No forecasts are recorded."


def test_the_best_setting_is_that_of_the_lowest_loss(study):
    text = pages.best_swept({"weather": study}).text
    for sweep in ("lambda", "dropout"):
        rows = tables.study_rows(study, sweep)
        best = rows.groupby("arm")["val_loss"].mean().idxmin()
        level = 100 * rows[rows["arm"] == best]["test_r2"].mean()
        assert f"{level:.1f} % (n = 3)" in text
    assert text.count("validates best on the selection seeds") == 2


def test_a_setting_of_which_runs_diverged_is_not_the_best(plan, study):
    lost = study.copy()
    rows = lost[lost["study"] == "lambda"]
    best = rows.groupby("arm")["val_loss"].mean().idxmin()
    first = rows[rows["arm"] == best].index[0]
    lost.loc[first, ["val_loss", "test_r2"]] = None
    text = pages.best_swept({"weather": lost}).text.splitlines()[0]
    assert f"{arms.in_words(rows[rows['arm'] == best])} validates best" not in text
    second = rows[rows["arm"] != best].groupby("arm")["val_loss"].mean().idxmin()
    assert f"{arms.in_words(rows[rows['arm'] == second])} validates best" in text


def test_runs_that_were_not_stopped_are_counted(study):
    longer = study.copy()
    none = (longer["study"] == "factorial") & (longer["arm"] == "none")
    longer.loc[longer.index[none][:3], "epochs"] = longer["max_epochs"].iloc[0]
    text = pages.at_the_cap({"weather": longer}).text
    mean = longer.loc[none, "epochs"].mean()
    assert f"no regularization {mean:.0f}, 3 of 4 to the last epoch" in text
    assert text.count("to the last epoch") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [(UP, "costs less, not more"), (DOWN, "costs more, as it would"), (OPEN, "left open")],
)
def test_the_noise_of_a_batchs_level_is_put_to_the_test(change, words, monkeypatch, plan, records):
    monkeypatch.setattr(pages.further, "batch_change", lambda runs, size: change)
    asked = dataclasses.replace(plan, study="batch_size")
    arms_ = outlook(asked, lambda configs: records).arms
    runs = frame(asked, arms_, {arm.config.key: fake_record(arm.config) for arm in arms_})
    text = pages.level_noise({"weather": runs}).text
    assert words in text
    for moved in further.batch_moves(runs, 16).values():
        assert f"{abs(moved.mean):.2f} ± " in text
    assert "No runs" in pages.level_noise({}).text


def test_the_season_is_fitted_to_the_training_part_alone(monkeypatch):
    """Waves of a year with nothing else come out whole; of another year's, none does."""
    packed, entry = bundled.stored("weather"), bundled.manifest()["weather"]
    data = load_dataset("weather", seed=1)
    parts = {part: bundled.next_days(packed, entry, part) for part in ("train", "test")}
    assert len(parts["test"][0]) == len(data.y_test)

    def wave(city, day):
        return (3 + city + 5 * np.cos(2 * np.pi * day / 365.25)).astype(np.float32)[:, None]

    fit = baselines.parts_of(baselines.load_bundled("weather"), 1)[0]
    city, day = parts["train"]
    exact = dataclasses.replace(
        data,
        y_train=torch.from_numpy(wave(city[fit], day[fit])),
        y_test=torch.from_numpy(wave(*parts["test"])),
    )
    assert baselines._season(exact, 1) == pytest.approx(1, abs=1e-6)
    shifted = dataclasses.replace(
        exact, y_test=torch.from_numpy(wave(parts["test"][0], parts["test"][1] + 91))
    )
    assert baselines._season(shifted, 1) < 0.2
