"""The chapter on early stopping follows its records: none, some or all data sets."""

import pytest
import trajectories

from reglab.cells import CELL_ORDER
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.pages import curves, effects, stopping, stopping_text
from reglab.results import criteria, early_stopping
from reglab.stats import mean_interval

SENTENCES = (
    stopping_text.price,
    stopping_text.families,
    stopping_text.gains,
    stopping_text.loss_and_accuracy,
)
TABLES = (stopping.criteria_tables, stopping.price_tables, stopping.best_tables)


def studies(count, seeds=3):
    return {name: trajectories.study(name, seeds) for name in KNOWN[:count]}


def test_where_nothing_is_recorded_a_line_says_how_to_make_it():
    made = stopping_text.not_recorded({}).text
    assert "Not recorded yet on 3 seeds: MNIST, Fashion-MNIST and CIFAR-10; reglab" in made
    assert "--study early_stopping makes the runs" in made
    assert stopping_text.in_short({}, {}).text == (
        "- Who still gains where nothing is stopped is not recorded yet."
    )
    for said in SENTENCES:
        assert said({}).text == "Not recorded yet, as said above."
    for tables in TABLES:
        assert tables({}).shown == () and tables({}).remark == "Not recorded yet, as said above."
    for draw in (stopping.trade_off, lambda none: effects.study("early_stopping", none)):
        with pytest.raises(ReglabError, match="nothing is recorded of the study 'early_stopping'"):
            draw({})


@pytest.mark.parametrize("count", [1, 3])
def test_sentences_and_tables_are_of_the_data_sets_that_are_there(count):
    frames = studies(count)
    titles = ["MNIST", "Fashion-MNIST", "CIFAR-10"][:count]
    for said in SENTENCES:
        text = said(frames).text
        assert all(title in text for title in titles)
        assert ("CIFAR-10" in text) == (count == 3)
    assert bool(stopping_text.not_recorded(frames).text) == (count < 3)
    for tables in TABLES:
        assert len(tables(frames).shown) == count


def test_sentences_have_the_figures_of_the_runs():
    frames = studies(1)
    table = criteria.replay(frames["mnist"], ("none",))
    saved = criteria.against(table, "epochs", criteria.ALL)
    last = criteria.against(table, "accuracy", criteria.LAST)
    said = stopping_text.price(frames).text
    assert f"saves {saved.mean:.1f} ± {saved.half_width:.1f} epochs on MNIST." in said
    assert f"keeping the last epoch raises test accuracy on MNIST ({last.mean:+.1f} ± " in said
    loss = criteria.loss_change(table, criteria.LAST)
    assert f"patience of 5. MNIST: higher by {loss.mean:.2f} ± " in said
    fast = criteria.against(criteria.replay(frames["mnist"]), "epochs", "patience 10", "patience 1")
    assert f"it takes {fast.mean:.1f} ± " in stopping_text.families(frames).text.splitlines()[0]
    gain = early_stopping.gain(frames["mnist"], "all", last=True)
    short = stopping_text.in_short(frames, {}).text.splitlines()
    assert len(short) == 4 and f"({gain.mean:+.1f} ± " in short[-1]


def test_sentences_follow_the_other_direction():
    frames = studies(1)
    for trace in frames["mnist"]["trace"]:
        trace["test_acc"] = [0.9 - 0.005 * epoch for epoch in range(50)]
    said = stopping_text.price(frames).text
    assert "Going on and keeping the last epoch lowers test accuracy on MNIST" in said
    assert "earlier by" in stopping_text.loss_and_accuracy(frames).text


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


def protocol(name="mnist", seeds=3):
    """The protocol's runs that were not stopped, of the network without regularization."""
    frame = trajectories.study(name, seeds, ("none",))
    return frame.assign(study="no_early_stop", arm="none")


def test_the_protocols_own_runs_are_replayed_on_validation_losses():
    frame = protocol()
    table = criteria.on_validation(frame)
    history = frame["history"][0]
    loss, train = history["val_loss"], history["train_loss"]
    assert list(table["epochs"].columns) == list(criteria.ORDER[:-2])
    for rule in criteria.RULES:
        for value, stop in zip(rule.tried, rule.stops(train, loss), strict=True):
            assert table["epochs"].loc[0, rule.label(value)] == stop
            excess = 100 * (min(loss[:stop]) / min(loss) - 1)
            assert table["excess"].loc[0, rule.label(value)] == pytest.approx(excess)
    shown = stopping.spent_tables({"mnist": frame}).shown[0].table.set_index("criterion")
    assert shown.loc["all epochs", "finds the lowest loss"] == "3 of 3"
    fast = table["excess"]["patience 1"]
    assert shown.loc["patience 1", "largest"] == f"{fast.max():.1f}"
    said = stopping_text.spent({"mnist": frame, "cifar10": protocol("cifar10")}).text
    first, second = said.splitlines()
    assert first.startswith("- MNIST. A patience of 5 spends ") and "- CIFAR-10. A" in second
    assert f"spends {table['epochs']['patience 5'].mean():.1f} ± " in first
    found = (table["excess"]["patience 5"] == 0).sum()
    assert f"of 50 epochs and has found the lowest validation loss of all in {found} of 3" in first
    diverged = frame.assign(diverged=True)
    assert stopping_text.spent({"mnist": diverged}).text == ""
    assert len(stopping.spent_tables({"mnist": diverged}).shown) == 1
    stopped = {"mnist": frame.assign(study="factorial")}
    assert stopping_text.spent(stopped).text == "" and stopping.spent_tables(stopped).shown == ()


def test_the_beginning_has_the_protocols_own_runs(monkeypatch):
    loss, accuracy = mean_interval([0.2, 0.3, 0.4]), mean_interval([1.0, 1.5, 1.0])
    changes = {"accuracy": accuracy, "loss": loss}
    monkeypatch.setattr(stopping_text.stopping, "unstopped_changes", lambda study: changes)
    said = stopping_text.in_short({}, {"mnist": protocol()}).text.splitlines()
    assert said[0].endswith("with a patience of 5 raises test accuracy on MNIST (+1.2 ± 0.7).")
    assert said[1] == (
        "- Test loss at the last epoch, against that of the patience of 5. MNIST: higher by 0.30 ± "
        "0.25 nats."
    )
