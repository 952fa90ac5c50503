"""Forest plots of contrasts, learning curves and the rates: what is drawn is what the runs say."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import fake_record, study_frame
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_further_pages import made, study  # noqa: F401 (fixtures: the further studies, made up)

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, TECHNIQUES
from reglab.errors import ReglabError
from reglab.pages import curves, effects, forest
from reglab.pages import made as line_of
from reglab.results import curves as numbers
from reglab.results import factorial, gains, tables
from reglab.stats import Estimate
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES


@pytest.fixture(scope="module")
def studies():
    plan = Plan("cifar10", "full:0", 10_000, PROFILES["reduced"], "cpu", 5)
    return {"cifar10": study_frame(plan), "mine": study_frame(replace(plan, dataset="mine"))}


def marks(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker and len(line.get_xdata())]


def drawn(axes, marker):
    return [line.get_xdata()[0] for line in marks(axes, marker)]


def test_interactions_stand_beside_nothing_and_averaged_with_the_papers(studies):
    figure = effects.interactions(studies)
    known, own = figure.axes
    simple = factorial.interactions(studies["cifar10"]).mean()
    averaged = factorial.averaged_effects(studies["cifar10"])[list(COMBINATIONS)].mean()
    assert drawn(known, "D") == pytest.approx(simple.tolist())
    assert drawn(known, "o") == pytest.approx(averaged.tolist())
    printed = gains.printed_interactions("cifar10")
    assert drawn(known, "x") == [value for name in COMBINATIONS for value in printed[name]]
    assert drawn(own, "x") == []
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[-1] == "as the paper prints it"


def test_printed_interactions_are_those_of_the_tables():
    low, high = gains.printed_interactions("cifar10")["dropout+bn"]
    assert (low, high) == pytest.approx((-2.1, -2.0))  # 85.0 - 84.0 - 84.3 + 81.2 and + 81.3
    assert gains.printed_interactions("mine")["all"] == ()
    with pytest.raises(ReglabError, match="no 'mine'; its data sets are mnist"):
        paper.printed_cells("mine", 80)


def test_drops_stand_beside_both_of_the_papers(studies):
    known, own = effects.drops(studies).axes
    ours = [drop.mean for drop in tables.ablation_table(studies["cifar10"])["drop"]]
    assert drawn(known, "D") == pytest.approx(ours)
    assert drawn(known, "x") == pytest.approx([1.2, 1.9, 2.6])
    assert drawn(known, "s") == [3.5, 2.8, 1.5]
    assert drawn(own, "x") == drawn(own, "s") == []


def test_what_a_technique_adds_to_each_setting(studies):
    known, own = effects.adding("bn", studies).axes
    means = factorial.scores(studies["cifar10"]).mean()
    pairs = [("bn", "none"), ("l2+bn", "l2"), ("dropout+bn", "dropout"), ("all", "l2+dropout")]
    assert drawn(known, "D") == pytest.approx([means[one] - means[two] for one, two in pairs])
    labels = [it.get_text() for it in known.get_yticklabels()]
    assert labels == ["to no regularization", "to L2", "to dropout", "to L2 + dropout"]
    assert drawn(known, "x") == pytest.approx([3.1, 1.1, 1.0, 2.6])  # its own table's baseline
    assert drawn(own, "x") == []


def test_four_measures_have_four_marks(studies):
    axes = effects.measures(studies).axes[0]
    table = factorial.measures_table(studies["cifar10"])
    for marker, kind in zip(forest.MARKERS, table.columns[1:5], strict=True):
        assert drawn(axes, marker) == pytest.approx([one.mean for one in table[kind]])
        places = [line.get_ydata()[0] for line in marks(axes, marker)]
        assert np.diff(places) == pytest.approx([1, 1])
    assert [it.get_text() for it in axes.get_yticklabels()] == [CELL_NAMES[t] for t in TECHNIQUES]


def test_intervals_are_drawn_from_end_to_end():
    line = forest.Line("one", (Estimate(2.0, 1.5, 2.5, 0.5, 4), None), ((3.0,), ()))
    figure = forest.plot({"a": [line]}, "points", ("first", "second"), ("table", "text"))
    bars = [it for it in figure.axes[0].lines if it.get_linewidth() == 2 and len(it.get_xdata())]
    assert bars[0].get_xdata().tolist() == [1.5, 2.5]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["first", "second", "table"]  # nothing of the last kind is printed


@pytest.mark.parametrize(
    ("name", "without", "with_bn"),
    [
        ("order", [5, 8], []),
        ("batch_size", [4, 5, 5], []),
        ("decay_on", [1, 2, 4], [3, 2, 4]),
        ("dropout_bn", [-2, -3, -2, -3], [-2, -3, -6, -9]),
    ],
)
def test_further_studies(study, name, without, with_bn):  # noqa: F811
    axes = effects.study(name, {"cifar10": study(name)}).axes[0]
    assert drawn(axes, "D") == pytest.approx(without, abs=0.2)
    assert drawn(axes, "o") == pytest.approx(with_bn, abs=0.2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_what_the_axis_says_lies_within_the_figure(n):
    lines = [forest.Line("row", (Estimate(1.0, 0.5, 1.5, 0.2, 5),))]
    axis = "control minus pruned by magnitude (points of test accuracy)"
    figure = forest.plot({f"{i}": lines for i in range(n)}, axis)
    FigureCanvasAgg(figure).draw()
    (text,) = (it.xaxis.label for it in figure.axes if it.get_xlabel())
    assert text.get_window_extent().x0 >= 0
    assert text.get_window_extent().x1 <= figure.bbox.x1


def test_what_has_no_picture_is_refused():
    with pytest.raises(ReglabError, match="no forest plot of 'ordre'; there are order"):
        effects.study("ordre", {})
    with pytest.raises(ReglabError, match="nothing is recorded of the study 'order'"):
        effects.study("order", {})


def test_the_line_under_a_figure_names_its_files(studies, study):  # noqa: F811
    said = line_of.by(effects.drops, {"cifar10": studies["cifar10"]}, {"a": study("order")}).text
    name = "reglab.pages.effects.drops"
    assert f"[`{name}`](../book/api_pages.html#module-reglab.pages.effects)" in said
    assert "`book/results/reduced/cifar10.jsonl.gz`" in said
    assert "`book/results/reduced/order/cifar10.jsonl.gz`" in said
    assert line_of.by(effects.drops, {}) is None


def varied(config):
    """A made-up run of as many epochs as its seed says, best at the second."""
    record, n = fake_record(config), 3 + config.seed % 10
    history = {
        f"{part}_{kind}": [0.1 * epoch + 0.01 * config.seed for epoch in range(1, n + 1)]
        for part in ("train", "val") for kind in ("loss", "acc")
    }  # fmt: skip
    failed = config.lr == 0.1 and not config.batch_norm
    return replace(record, history=replace(record.history, **history), best_epoch=2,
                   learned=not failed)  # fmt: skip


@pytest.fixture(scope="module")
def longer():
    return study_frame(Plan("mnist", "full:0", 10_000, PROFILES["reduced"], "cpu", 3), varied)


def test_a_mean_curve_ends_where_the_first_seed_stops(longer):
    rows = tables.arm(longer, "factorial", "bn")
    table = numbers.by_epoch(rows, "val_acc")
    assert table.count().tolist() == [3, 4, 5]
    assert table.loc[1].tolist() == pytest.approx([10, 11, 12])
    mean = numbers.mean(table)
    assert mean.index.tolist() == [1, 2, 3]
    assert mean["mean"].tolist() == pytest.approx([11, 21, 31])
    half = 4.303 * 1 / 3**0.5  # Student's t of three seeds whose deviation is one
    assert (mean["high"] - mean["mean"]).tolist() == pytest.approx([half] * 3, rel=1e-3)
    assert numbers.by_epoch(rows, "test_acc").empty  # these records have none
    with pytest.raises(ReglabError, match="no curve of 'accuracy'; there are train_loss"):
        numbers.by_epoch(rows, "accuracy")


def test_every_seed_has_a_line_and_its_kept_epoch(longer):
    axes = curves.of_cells({"mnist": longer}, ("none", "bn"), "val_loss").axes[0]
    thin = [line for line in axes.lines if line.get_linewidth() == 0.8]
    assert sorted(len(line.get_xdata()) for line in thin) == [3, 3, 4, 4, 5, 5]
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "none"
              and len(line.get_xdata())]  # fmt: skip
    assert {line.get_xdata()[0] for line in hollow} == {2}
    assert len({line.get_marker() for line in hollow}) == 2  # not told apart by colour alone
    assert axes.get_ylabel() == "validation cross-entropy (nats)"


def test_runs_that_did_not_learn_are_crosses_at_their_rate(longer):
    (axes,) = curves.rates({"mnist": longer}).axes
    (failed,) = marks(axes, "x")
    rows = longer[(longer["study"] == "rate") & (longer["lr"] == 0.1) & ~longer["batch_norm"]]
    assert len(failed.get_xdata()) == len(rows) == 3
    assert failed.get_xdata() == pytest.approx([0.1 / 1.09] * 3)
    assert failed.get_ydata() == pytest.approx(100 * rows["test_acc"].to_numpy())
    assert [len(line.get_xdata()) for line in marks(axes, "o")] == [12]
    assert [len(line.get_xdata()) for line in marks(axes, "D")] == [15]
    with pytest.raises(ReglabError, match="no run of rate"):
        curves.rates({"mnist": longer[longer["study"] != "rate"]})
