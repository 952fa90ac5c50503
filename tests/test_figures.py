"""Figures of a made-up study: what is drawn is what the runs say, and what the labels claim."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import fake_record, study_frame
from matplotlib.colors import to_hex

from reglab.errors import ReglabError
from reglab.pages import curves, effects, figures
from reglab.results import tables
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES


def drops(study):
    return effects.drops({study["dataset"].iloc[0]: study})


@pytest.fixture
def full_study():
    plan = Plan("cifar10", "full:0123456789ab", 45_000, PROFILES["paper"], "cpu", 3)
    return study_frame(plan)


def lines(axes, **properties):
    """Return the drawn lines (not the legend's) with these properties."""
    return [
        line
        for line in axes.lines
        if len(line.get_xdata())
        and all(getattr(line, f"get_{name}")() == value for name, value in properties.items())
    ]


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_no_lambda_is_drawn_at_a_tick_that_says_zero(study):
    axes = figures.lambda_figure(study).axes[0]
    labels = dict(
        zip(axes.get_xticks(), (t.get_text() for t in axes.get_xticklabels()), strict=True)
    )
    (coupled,) = lines(axes, label="coupled")
    (per_sample,) = lines(axes, label="per sample")
    assert labels[coupled.get_xdata()[0]] == labels[per_sample.get_xdata()[0]] == "0"
    assert all(float(text) == pytest.approx(x) for x, text in labels.items() if text != "0")
    table = tables.lambda_table(study).set_index(["reading", "λ"])
    expected = [table.loc[("coupled", lam), "test accuracy"].mean for lam in (0, *table.loc[
        "coupled"].index[1:])]  # fmt: skip
    assert coupled.get_ydata() == pytest.approx(expected)
    assert per_sample.get_ydata()[0] == coupled.get_ydata()[0]


def test_both_readings_of_p_are_marked_where_they_belong(study):
    axes = figures.dropout_figure(study).axes[0]
    color = next(iter(lines(axes, label="dropout, hidden layer"))).get_color()
    (drop,) = lines(axes, marker="s", color=color)
    (keep,) = lines(axes, marker="o", color=color)
    assert drop.get_xdata().tolist() == [0.2, 0.5, 0.7]
    assert keep.get_xdata().tolist() == [0.3, 0.5, 0.8]
    table = tables.dropout_sweep_table(study).set_index(["placement", "drop rate"])
    expected = [table.loc[("hidden layer", rate), "test accuracy"].mean for rate in (0.3, 0.5, 0.8)]
    assert keep.get_ydata() == pytest.approx(expected)


def test_a_placement_keeps_its_colour_when_the_other_is_not_there(study):
    alone = study[~study["arm"].str.startswith("all ")]
    colours = [
        to_hex(lines(figures.dropout_figure(f).axes[0], label="dropout, hidden layer")[0]
               .get_color())
        for f in (study, alone)
    ]  # fmt: skip
    assert colours[0] == colours[1]


@pytest.mark.parametrize(("level", "drawn"), [(0.985, True), (0.2, False)])
def test_the_papers_dropout_value_is_drawn_or_said(study, level, drawn):
    at_level = study.assign(test_acc=level + study["dropout"] / 100)
    figure = figures.dropout_figure(at_level)
    marks = lines(figure.axes[0], marker="x")
    assert [mark.get_xydata().tolist() for mark in marks] == ([[[0.5, 98.9]]] if drawn else [])
    said = next(text for text in legend_texts(figure) if "98.9 %" in text)
    assert said.endswith("(off the scale)") is not drawn


def test_own_data_set_has_no_paper_value_in_the_dropout_figure(plan):
    figure = figures.dropout_figure(study_frame(replace(plan, dataset="mine")))
    assert not any("the paper at" in text for text in legend_texts(figure))
    assert lines(figure.axes[0], marker="x") == []


def test_thick_learning_curve_is_the_mean_until_the_first_seed_stops(study):
    """Seed 0 has two epochs, seed 1 three: the mean has two."""
    longer = study.copy()
    triple = longer.index[(longer["study"] == "factorial") & (longer["arm"] == "all")]
    longer.at[triple[1], "history"] = {
        name: [*values, values[-1]] for name, values in longer.at[triple[1], "history"].items()
    }
    axes = curves.learning_curves(longer, ("all",)).axes[0]
    thick = lines(axes, linewidth=1.8, linestyle="-")
    thin = lines(axes, linewidth=0.8, linestyle="-")
    assert sorted(len(line.get_xdata()) for line in thin) == [2, 3]
    both = [history["val_loss"][:2] for history in longer.loc[triple, "history"]]
    assert [line.get_ydata().tolist() for line in thick] == [pytest.approx(np.mean(both, axis=0))]


def test_baseline_is_shown_without_early_stopping_and_named_as_such(full_study, study):
    figure = curves.learning_curves(full_study, ("none",))
    assert legend_texts(figure)[0] == "no regularization, not stopped early"
    histories = full_study.loc[full_study["study"] == "no_early_stop", "history"]
    (thick,) = lines(figure.axes[0], linewidth=1.8, linestyle="--")
    expected = np.mean([history["train_loss"] for history in histories], axis=0)
    assert thick.get_ydata() == pytest.approx(expected)
    # the smoke profile has no such arm
    assert legend_texts(curves.learning_curves(study))[0] == "no regularization"


def test_a_diverged_run_leaves_the_others_drawn(plan):
    study = study_frame(
        plan, lambda c: fake_record(c, diverged=c.lam >= 1 or (c.dropout > 0 and c.seed == 0))
    )
    (coupled,) = lines(figures.lambda_figure(study).axes[0], label="coupled")
    assert max(coupled.get_xdata()) == 0.1
    for draw in (figures.factorial_figure, drops, curves.learning_curves):
        assert draw(study).axes


@pytest.mark.parametrize("seeds", [{0}, {0, 1}])
def test_a_run_without_a_finite_epoch_has_no_curve_and_spoils_no_mean(plan, seeds):
    study = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm and c.seed in seeds))
    axes = curves.learning_curves(study, ("all",)).axes[0]
    left = study[(study["study"] == "factorial") & (study["arm"] == "all") & ~study["diverged"]]
    thick = lines(axes, linewidth=1.8, linestyle="-")
    assert [line.get_ydata().tolist() for line in thick] == [
        history["val_loss"] for history in left["history"]
    ]


def test_titles_say_how_many_seeds(study, full_study):
    titles = {
        name: getattr(figures, name)(one).axes[0].get_title()
        for one, name in (
            (study, "lambda_figure"),
            (full_study, "dropout_figure"),
            (full_study, "factorial_figure"),
        )
    }
    assert titles["lambda_figure"].endswith("1 seed")
    assert titles["dropout_figure"].endswith("3 seeds, band: 95 % interval")
    assert titles["factorial_figure"].startswith("CIFAR-10")
    assert titles["factorial_figure"].endswith("3 seeds")


@pytest.mark.parametrize(
    ("draw", "gone"),
    [
        (figures.lambda_figure, "lambda"),
        (figures.dropout_figure, "dropout"),
        (figures.factorial_figure, "factorial"),
        (drops, "factorial"),
        (curves.learning_curves, "factorial"),
    ],
)
def test_no_figure_of_a_study_that_is_not_there(study, draw, gone):
    with pytest.raises(ReglabError, match=f"no run of {gone}"):
        draw(study[study["study"] != gone])


def test_drawing_leaves_no_state_behind(study):
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    figures.factorial_figure(study)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_a_band_does_not_leave_what_an_accuracy_can_be(study):
    spread = pd.concat(
        [study.assign(test_acc=0.1), study.assign(test_acc=0.99, seed=study["seed"] + 1)]
    )
    for draw in (figures.dropout_figure, figures.lambda_figure):
        bands = draw(spread).axes[0].collections
        heights = [y for band in bands for path in band.get_paths() for y in path.vertices[:, 1]]
        assert (min(heights), max(heights)) == (0, 100)
