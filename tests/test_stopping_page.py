"""The chapter on early stopping follows its records: none, some or all data sets."""

import pytest
import trajectories

from reglab.cells import CELL_ORDER
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.pages import curves, effects, stopping
from reglab.results import criteria, early_stopping

SENTENCES = (stopping.in_short, stopping.price, stopping.families, stopping.gains,
             stopping.loss_and_accuracy, stopping.not_recorded)  # fmt: skip
TABLES = (stopping.criteria_tables, stopping.price_tables, stopping.best_tables)


def studies(count, seeds=3):
    return {name: trajectories.study(name, seeds) for name in KNOWN[:count]}


def test_where_nothing_is_recorded_a_line_says_how_to_make_it():
    for made in (stopping.in_short({}).text, stopping.not_recorded({}).text):
        assert "Not recorded yet on 3 seeds: MNIST, Fashion-MNIST and CIFAR-10; reglab" in made
        assert "--study early_stopping makes the runs" in made
    for said in (stopping.price, stopping.families, stopping.gains, stopping.loss_and_accuracy):
        assert said({}).text == ""
    for tables in TABLES:
        assert tables({}).shown == () and "Not recorded yet" in tables({}).remark
    for draw in (stopping.trade_off, lambda none: effects.study("early_stopping", none)):
        with pytest.raises(ReglabError, match="nothing is recorded of the study 'early_stopping'"):
            draw({})


@pytest.mark.parametrize("count", [1, 3])
def test_sentences_and_tables_are_of_the_data_sets_that_are_there(count):
    frames = studies(count)
    titles = ["MNIST", "Fashion-MNIST", "CIFAR-10"][:count]
    for said in SENTENCES[:-1]:
        text = said(frames).text
        assert all(title in text for title in titles)
        assert ("CIFAR-10" in text) == (count == 3)
    assert bool(stopping.not_recorded(frames).text) == (count < 3)
    for tables in TABLES:
        assert len(tables(frames).shown) == count


def test_sentences_have_the_figures_of_the_runs():
    frames = studies(1)
    table = criteria.replay(frames["mnist"], ("none",))
    saved = criteria.against(table, "epochs", criteria.ALL)
    last = criteria.against(table, "accuracy", criteria.LAST)
    said = stopping.price(frames).text
    assert f"It saves {saved.mean:.1f} ± {saved.half_width:.1f} epochs on MNIST." in said
    assert f"To keep the last epoch raises test accuracy on MNIST ({last.mean:+.1f} ± " in said
    loss = criteria.loss_change(table, criteria.LAST)
    assert f"patience of 5. MNIST: higher by {loss.mean:.2f} ± " in said
    fast = criteria.against(criteria.replay(frames["mnist"]), "epochs", "patience 10", "patience 1")
    assert f"it takes {fast.mean:.1f} ± " in stopping.families(frames).text.splitlines()[0]
    gain = early_stopping.gain(frames["mnist"], "all", last=True)
    assert f"({gain.mean:+.1f} ± " in stopping.in_short(frames).text.splitlines()[-1]


def test_sentences_follow_the_other_direction():
    frames = studies(1)
    for trace in frames["mnist"]["trace"]:
        trace["test_acc"] = [0.9 - 0.005 * epoch for epoch in range(50)]
    said = stopping.in_short(frames).text
    assert "instead of a patience of 5 lowers test accuracy on MNIST" in said
    assert "earlier by" in stopping.loss_and_accuracy(frames).text


def test_every_criterion_is_drawn_at_its_epochs():
    frames = studies(2)
    figure = stopping.trade_off(frames)
    assert len(figure.axes) == 4
    table = criteria.replay(frames["mnist"], ("none",))
    spent = table["epochs"].mean()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for rule in criteria.RULES:
        (line,) = (it for label, it in lines.items() if label.startswith(f"{rule.name} "))
        names = [rule.label(value) for value in rule.tried]
        assert list(line.get_xdata()) == [pytest.approx(spent[name]) for name in names]
        changes = [criteria.against(table, "accuracy", name).mean for name in names]
        assert list(line.get_ydata()) == pytest.approx(changes)
    ends = [line for label, line in lines.items() if label.startswith("all epochs")]
    assert [list(line.get_xdata()) for line in ends] == [[50]] * 3
    bare = stopping.trade_off({"mnist": frames["mnist"].assign(trace=None)})
    assert bare.axes[1].get_title() == "no seed with all its runs"


def test_gains_are_drawn_stopped_and_not_stopped():
    frame = trajectories.study()
    axes = effects.study("early_stopping", {"mnist": frame}).axes[0]
    for marker, last in (("D", False), ("o", True)):
        drawn = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == marker
                 and len(line.get_xdata())]  # fmt: skip
        gains = [early_stopping.gain(frame, cell, last=last).mean for cell in CELL_ORDER[1:]]
        assert drawn == pytest.approx(gains)


def test_curves_go_to_the_last_epoch():
    figure = curves.to_the_end(studies(2))
    assert len(figure.axes) == 4
    assert max(max(line.get_xdata(), default=0) for line in figure.axes[0].lines) == 50
    assert figure.axes[0].get_ylabel() == "test cross-entropy (nats)"
