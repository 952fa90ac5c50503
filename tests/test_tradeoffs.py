"""Gains and costs of a made-up study: paired with the right runs, drawn and shown as they are."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import fake_record, study_frame

from reglab import cells
from reglab.errors import ReglabError
from reglab.pages import chapters, cost_figure, cost_text
from reglab.results import costs, factorial, tables
from reglab.results.costs import Setting
from reglab.study.profiles import DROP_RATES, PAPER_LAMBDAS
from reglab.training.networks import multiplications


@pytest.fixture
def many(plan):
    """Three seeds in the sweeps, costs that differ from run to run."""

    def record(config):
        made = fake_record(config)
        turn = int(config.key[:4], 16)
        costs = replace(made.costs, seconds=float(turn), peak_memory_bytes=10**8 + turn)
        history = {name: values * (1 + turn % 3) for name, values in made.history.written().items()}
        return replace(made, costs=costs, history=replace(made.history, **history))

    return study_frame(replace(plan, profile=replace(plan.profile, sweep_seeds=3)), record)


def runs_of(study, kind, arm):
    rows = study[(study["study"] == kind) & (study["arm"] == arm)]
    return rows.set_index("seed").sort_index()


def one(study, kind, technique, strength):
    (match,) = (
        s
        for s in costs.settings(study)
        if (s.study, s.technique, s.strength) == (kind, technique, strength)
    )
    return match


def test_every_cell_and_every_strength_is_there_once(many):
    names = [(s.study, s.technique, s.strength) for s in costs.settings(many)]
    assert len(names) == len(set(names))
    counts = pd.Series([f"{kind} {technique}" for kind, technique, _ in names]).value_counts()
    assert counts.filter(like="factorial").tolist() == [1] * 8
    assert counts.filter(like="literal").tolist() == [1] * 2
    per_sample = counts["lambda L2, per sample"]
    assert per_sample == counts["lambda L2, decoupled (AdamW)"] == 1 + len(PAPER_LAMBDAS)
    coupled = many.loc[many["arm"].str.startswith("coupled"), "arm"].nunique()
    assert counts["lambda L2, coupled"] == coupled
    for name in costs.PLACES.values():
        assert counts[f"dropout {name}"] == 1 + len(DROP_RATES)


@pytest.mark.parametrize(
    ("kind", "technique", "strength", "arm", "control"),
    [
        ("factorial", "dropout + BN", None, "dropout+bn", "none"),
        ("literal", "L2, as printed", "λ = 0.1", "l2=0.1", None),
        ("lambda", "L2, coupled", "λ = 0.1", "coupled 0.1", "coupled 0"),
        ("lambda", "L2, per sample", "λ = 10", "per_sample 10", "coupled 0"),
        ("lambda", "L2, decoupled (AdamW)", "λ = 1", "decoupled 1", "decoupled 0"),
        ("dropout", "dropout, pools as well", "drop rate 0.3", "all 0.3", "all 0"),
    ],
)
def test_a_gain_is_paired_with_the_unregularized_runs_of_its_own_kind(
    many, kind, technique, strength, arm, control
):
    runs = runs_of(many, kind, arm)
    base = runs_of(many, kind, control) if control else runs_of(many, "factorial", "none")
    gains = 100 * (runs["test_acc"] - base["test_acc"])
    setting = one(many, kind, technique, strength or costs.strength_of(runs))
    assert setting.gain.mean == pytest.approx(gains.mean())
    assert setting.gain.n == len(gains) == (2 if kind in ("factorial", "literal") else 3)
    assert setting.seeds == ("evaluation" if setting.gain.n == 2 else "selection")
    assert setting.cost("seconds").mean == pytest.approx(runs["seconds"].mean())
    assert setting.cost("epochs").mean == pytest.approx(runs["epochs"].mean())


def test_no_setting_mixes_seeds_or_optimizers(many):
    for setting in costs.settings(many):
        if setting.control is not None:
            assert set(setting.runs["seed"]) == set(setting.control["seed"])
            assert set(setting.runs["optimizer"]) == set(setting.control["optimizer"])
            assert not setting.control[["lam", "dropout", "batch_norm"]].any(axis=None)


@pytest.mark.parametrize(
    ("arm", "control", "field"),
    [
        (("lambda", "decoupled 1"), ("lambda", "coupled 0"), "optimizer"),
        (("factorial", "l2"), ("lambda", "coupled 0"), "seed"),
    ],
)
def test_a_comparison_of_unlike_runs_is_refused_in_one_line(many, arm, control, field):
    runs, base = (tables.arm(many, *which) for which in (arm, control))
    with pytest.raises(ReglabError, match=rf"^L2 λ = 1: {field} must be that of the runs ") as bad:
        Setting(arm[0], "L2", "λ = 1", runs, base)
    assert "\n" not in str(bad.value)


def test_a_sweep_that_is_not_there_is_left_out(study):
    left = costs.settings(study[study["study"] != "lambda"])
    assert {s.study for s in left} == {"factorial", "literal", "dropout"}
    no_pools = study[~study["arm"].str.startswith("all ")]
    names = {s.technique for s in costs.settings(no_pools)}
    assert "dropout, hidden layer" in names
    assert "dropout, pools as well" not in names


def test_multiplications_are_three_forward_passes_of_the_images_trained_on(study):
    runs = tables.arm(study, "factorial", "none")
    steps = 180 // 64  # the last partial batch is dropped
    width = int(runs["width"].iloc[0])
    expected = 3 * steps * 64 * multiplications((1, 28, 28), width)
    assert costs.multiplications_an_epoch(runs) == expected
    twin = runs.assign(dataset="fashion_mnist")  # images of the same shape
    assert costs.multiplications_an_epoch(twin) == expected
    assert costs.multiplications_an_epoch(runs.assign(dataset="mine")) is None
    setting = one(study, "factorial", "no regularization", "")
    assert costs.trillions(setting) == pytest.approx(2 * expected / 1e12)
    assert costs.megabytes(setting) == pytest.approx(100)


def test_a_diverged_run_takes_its_pair_with_it_costs_included(plan):
    seeds = replace(plan, seeds=3)
    bad = study_frame(seeds, lambda c: fake_record(c, diverged=c.batch_norm and c.seed == 1))
    setting = one(bad, "factorial", "BN", "")
    assert setting.kept["seed"].tolist() == [0, 2]
    assert setting.gain.n == setting.cost("seconds").n == 2
    table = costs.cost_table(bad).set_index("technique")
    assert table.loc["BN", "diverged"] == 1
    assert table.loc["BN", "seeds"] == "2 evaluation"
    assert np.isnan(table.loc["L2", "diverged"])
    control = study_frame(seeds, lambda c: fake_record(c, diverged=c.lam == 0 and c.seed == 1))
    (l2,) = (s for s in costs.settings(control) if (s.study, s.technique) == ("factorial", "L2"))
    assert l2.kept["seed"].tolist() == [0, 2]


def test_a_setting_whose_runs_all_diverged_has_neither_gain_nor_cost(plan):
    lost = study_frame(plan, lambda c: fake_record(c, diverged=c.lam == 10))
    setting = one(lost, "lambda", "L2, coupled", "λ = 10")
    assert (setting.gain, setting.cost("epochs"), costs.trillions(setting)) == (None,) * 3
    assert cost_figure.cost_figure(lost).axes


def test_the_table_agrees_with_the_chapters(many):
    table = costs.cost_table(many).set_index("technique")
    machine = costs.machine_table(many).set_index("technique")
    times = factorial.time_table(many).set_index("network")
    gains = tables.factorial_table(many).set_index("network")
    for name in cells.CELL_NAMES.values():
        assert table.loc[name, "epochs"] == times.loc[name, "epochs until the stop"]
        assert machine.loc[name, "seconds"] == times.loc[name, "seconds in all"]
        assert table.loc[name, "accuracy gained"] == gains.loc[name, "to baseline"]


def test_memory_that_was_not_measured_is_left_out(plan):
    def record(config):
        made = fake_record(config)
        return replace(made, costs=replace(made.costs, peak_memory_bytes=None))

    study = study_frame(plan, record)
    shown = chapters.table("machine", {"mnist": study})
    assert "peak memory" not in shown._repr_html_()
    assert "seconds" in shown._repr_html_()
    assert "memory" not in cost_text.machine({"mnist": study})


def test_what_depends_on_the_machine_is_apart(many):
    assert {"seconds", "peak memory (MB)"}.isdisjoint(costs.cost_table(many))
    machine = costs.machine_table(many)
    pairs = ["technique", "strength"]
    assert machine[pairs].equals(costs.cost_table(many)[pairs])
    peaks = [float(text.replace(",", "")) for text in machine["peak memory (MB)"]]
    said = cost_text.machine({"mnist": many})
    assert f"lies between {min(peaks):,.0f} and {max(peaks):,.0f} MB" in said
    ratio = costs.slowest_over_fastest(many)
    assert f"by a factor of up to {ratio:.1f};" in said
    assert cost_text.machine({}) == ""


def test_the_pace_of_a_setting_is_compared_between_its_seeds_only(study):
    halves = study["seconds_per_epoch"].where(
        study["seed"] % 2 == 0, 3 * study["seconds_per_epoch"]
    )
    assert costs.slowest_over_fastest(study.assign(seconds_per_epoch=halves)) == pytest.approx(
        3 * costs.slowest_over_fastest(study)
    )


def test_each_recorded_data_set_has_a_table_and_the_others_are_named(study):
    stack = chapters.table("costs", {"mnist": study})
    assert len(stack.shown) == 1
    assert stack.shown[0].caption.startswith("MNIST. ")
    assert "Profile smoke" in stack.shown[0].source
    assert stack.remark == "Not recorded yet at a deciding scale: Fashion-MNIST, CIFAR-10."
    nothing = chapters.table("costs", {})
    assert nothing.shown == ()
    assert "MNIST, Fashion-MNIST, CIFAR-10" in nothing.remark
    assert chapters.missing_remark(dict.fromkeys(("mnist", "fashion_mnist", "cifar10"))) == ""


def test_sources_say_profile_images_and_what_is_missing(study):
    said = cost_text.sources({"mnist": study})
    assert "- MNIST: profile *smoke*, 200 training images, width 8, 0.000" in said
    assert said.endswith("- Not recorded yet at a deciding scale: Fashion-MNIST, CIFAR-10.")


def marks(axes):
    return sorted(tuple(line.get_xydata()[0]) for line in axes.lines
                  if len(line.get_xdata()) == 1 and line.get_marker() != "None")  # fmt: skip


def test_the_figure_shows_gains_over_epochs(many):
    own_cells, sweeps = cost_figure.cost_figure(many).axes
    settings = costs.settings(many)
    swept = [s for s in settings if s.study in costs.SWEPT]
    lowest = -max(2.0, *(s.gain.mean for s in swept if s.gain))
    points = {
        s: (s.cost("epochs").mean, max(s.gain.mean, lowest) if s.gain else 0.0) for s in settings
    }
    assert np.allclose(marks(sweeps), sorted(points[s] for s in swept))
    own = [(points[s][0], s.gain.mean if s.gain else 0.0) for s in settings
           if s.study == "factorial"]  # fmt: skip
    assert np.allclose(marks(own_cells), sorted(own))
    assert own_cells.get_xlim()[0] == sweeps.get_xlim()[0] == 0
    assert {axes.get_xlabel() for axes in (own_cells, sweeps)} == {"epochs until the stop"}
    assert any(s.gain and s.gain.mean < lowest for s in swept)  # some are drawn at the edge


def test_the_figure_says_whose_seeds_it_shows_and_names_every_mark(many):
    figure = cost_figure.cost_figure(many)
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["Combinations: 2 evaluation seeds", "Sweeps: 3 selection seeds"]
    named = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    assert named[0] == list(cells.CELL_NAMES.values())
    assert re.fullmatch(r"more than \d+\.\d points lost", named[1][-1])
    with pytest.raises(ReglabError, match="no run of factorial"):
        cost_figure.cost_figure(many[many["study"] != "factorial"])


def test_one_seed_has_no_interval(plan):
    study = study_frame(replace(plan, seeds=1))
    assert cost_figure.cost_figure(study).axes[0].get_title() == "Combinations: 1 evaluation seed"
    assert " ± –" in repr(chapters.table("costs", {"mnist": study}))
    assert "No combination is shown" in cost_text.answer({"mnist": study}).text
