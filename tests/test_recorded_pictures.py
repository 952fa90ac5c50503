"""Pictures of recorded results: heat maps of the sweeps, curves over epochs, and what made them."""

import io
import re
from pathlib import Path

import dark_figures
import numpy as np
import pytest
from conftest import fake_record, study_frame

from reglab.errors import ReglabError
from reglab.pages import curves, heatmaps, made
from reglab.pages.figures import INK
from reglab.record import Trace
from reglab.results import grids, recorded, tables
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def reduced():
    plan = Plan("cifar10", "full:0123456789ab", 10_000, PROFILES["reduced"], "cpu", 5)
    return study_frame(plan)


def failing(study, where, seeds):
    """Return a study in which some runs of a sweep did not learn."""
    spoilt = study.copy()
    spoilt.loc[where & spoilt["seed"].isin(seeds), "learned"] = False
    return spoilt


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_grid_of_lambda_has_the_tables_means(reduced):
    grid = grids.lambda_grid(reduced).set_index(["column", "strength"])
    table = tables.lambda_table(reduced).set_index(["reading", "λ"])
    for setting, row in table.iterrows():
        assert grid.loc[setting, "accuracy"] == pytest.approx(row["validation accuracy"])
        assert bool(grid.loc[setting, "chosen"]) == (row["chosen"] == "✓")
    extra = set(grid.index) - set(table.index)
    assert extra == {("per sample", 0.0)}
    assert grid.loc[("per sample", 0.0), "accuracy"] == grid.loc[("coupled", 0.0), "accuracy"]
    assert set(grid[grid["printed"]].index.get_level_values("strength")) == {0.1}
    assert grid["chosen"].sum() == 1


def test_the_grid_of_drop_rates_has_the_tables_means(reduced):
    grid = grids.drop_grid(reduced).set_index(["column", "strength"])
    table = tables.dropout_sweep_table(reduced).set_index(["placement", "drop rate"])
    assert set(grid.index) == set(table.index)
    for setting, row in table.iterrows():
        assert grid.loc[setting, "accuracy"] == pytest.approx(row["validation accuracy"])
        assert bool(grid.loc[setting, "chosen"]) == (row["chosen"] == "✓")
    assert set(grid[grid["printed"]].index.get_level_values("strength")) == {0.5}


def test_a_cell_says_how_many_learned_where_not_all_did(reduced):
    sweep = (reduced["study"] == "dropout") & (reduced["place"] == "all")
    seeds = sorted(reduced.loc[sweep, "seed"].unique())
    spoilt = failing(reduced, sweep & (reduced["strength"] == 0.8), seeds[:2])
    grid = grids.drop_grid(spoilt).set_index(["column", "strength"])
    assert grid.loc[("pools as well", 0.8), ["learned", "n"]].tolist() == [1, 3]
    (axes,) = heatmaps.dropout_map({"cifar10": spoilt}).axes
    said = texts(axes)
    assert said.count("1 of 3") == 1 and len(said) == len(grid)
    some = "How many runs learned anything, where not all did"
    sentence = f"{some}: at a drop rate of 0.8 (pools as well) 1 of 3 on CIFAR-10"
    assert heatmaps.dropout_failures({"cifar10": spoilt}) == sentence
    assert heatmaps.dropout_failures({"cifar10": reduced}) == "Every run of the sweep learned"
    assert sum("✓" in text for text in said) == 1
    assert any(f"{grid.loc[('hidden layer', 0.5), 'accuracy']:.1f}" in text for text in said)


def test_a_data_set_without_the_sweep_is_left_out(reduced):
    without = reduced[reduced["study"] != "lambda"]
    assert len(heatmaps.lambda_map({"mnist": without, "cifar10": reduced}).axes) == 1
    with pytest.raises(ReglabError, match="no data set has the sweep 'lambda'"):
        heatmaps.lambda_map({"mnist": without})


def test_a_setting_of_which_all_runs_diverged_has_no_number():
    plan = Plan("mnist", "full:0123456789ab", 10_000, PROFILES["reduced"], "cpu", 5)
    study = study_frame(plan, lambda c: fake_record(c, diverged=c.lam >= 10))
    grid = grids.lambda_grid(study)
    gone = grid[(grid["column"] == "coupled") & (grid["strength"] == 10)]
    assert np.isnan(gone["accuracy"].iloc[0])
    (axes,) = heatmaps.lambda_map({"mnist": study}).axes
    assert not any("nan" in text for text in texts(axes))


def test_better_is_darker_and_text_stays_readable_on_it():
    tints = [heatmaps._tint(below) for below in (0, 1, 5, 25, 90)]
    light = [dark_figures.luminance(tint) for tint in tints]
    assert light[:4] == sorted(light[:4]) and tints[3] == tints[4]
    for tint in tints:
        assert dark_figures.contrast(INK, tint) >= 4.5
        # and in the dark, where both stay as they are
        assert dark_figures.dark_colour(tint) == tint
    assert dark_figures.dark_colour(INK) == INK


def test_stopping_is_drawn_where_it_is_recorded(reduced):
    without = reduced[reduced["study"] != "no_early_stop"]
    figure = curves.unstopped({"mnist": without, "cifar10": reduced})
    assert [axes.get_ylabel() for axes in figure.axes] == [
        *("cross-entropy (nats)", "accuracy (%)")
    ]
    histories = reduced.loc[reduced["study"] == "no_early_stop", "history"]
    wanted = np.mean([history["val_loss"] for history in histories], axis=0)
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() == 1.8]
    assert any(list(line.get_ydata()) == pytest.approx(wanted) for line in thick)
    with pytest.raises(ReglabError, match="not stopped early"):
        curves.unstopped({"mnist": without})


def test_the_further_study_brings_test_curves(reduced):
    rows = reduced[reduced["study"] == "no_early_stop"]
    trace = vars(Trace([0.5, 0.4], [0.7, 0.8], {}))
    further = rows.assign(study="early_stopping", arm="none", trace=[trace] * len(rows))
    drawn, legends = {}, {}
    for name, more in (("before", None), ("after", {"cifar10": further})):
        figure = curves.unstopped({"cifar10": reduced}, more)
        legends[name] = [text.get_text() for text in figure.legends[0].get_texts()]
        axes = figure.axes[1]
        drawn[name] = [line.get_ydata().tolist() for line in axes.lines]
    assert "test" not in legends["before"] and "test" in legends["after"]
    assert [70.0, 80.0] not in drawn["before"] and [70.0, 80.0] in drawn["after"]


def test_measures_stand_under_one_another(reduced):
    studies = {"mnist": reduced, "cifar10": reduced}
    figure = curves.of_cells(studies, ("none", "bn"), "train_loss", "val_loss")
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["training cross-entropy (nats)", "", "validation cross-entropy (nats)", ""]
    assert [bool(axes.get_title()) for axes in figure.axes] == [True, True, False, False]
    for axes, part in zip(figure.axes[::2], ("train", "val"), strict=True):
        rows = tables.arm(reduced, "factorial", "bn")
        wanted = np.mean([history[f"{part}_loss"] for history in rows["history"]], axis=0)
        thick = [line for line in axes.lines if line.get_linewidth() == 1.8]
        assert any(list(line.get_ydata()) == pytest.approx(wanted) for line in thick)


def test_what_a_picture_names_is_there():
    studies = recorded.studies(ROOT / "book/results")
    line = made.by(heatmaps.lambda_map, studies).text
    tables_named = re.findall(r"\]\(\.\./(book/results/[^)]*)\)", line)
    assert len(tables_named) == len(studies)
    assert all((ROOT / table).is_file() for table in tables_named)
    page = (ROOT / "book/api_pages.md").read_text("utf-8")
    assert f"automodule:: {heatmaps.__name__}\n" in page


@pytest.mark.parametrize("draw", [heatmaps.lambda_map, heatmaps.dropout_map, curves.unstopped])
def test_each_is_drawn_for_several_data_sets(reduced, draw):
    file = io.BytesIO()
    draw({"mnist": reduced, "cifar10": reduced}).savefig(file, format="svg")
    assert len(file.getvalue()) > 10_000
